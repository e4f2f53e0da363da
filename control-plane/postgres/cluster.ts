import { execFile } from 'node:child_process'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Binaries } from './binaries.ts'
import { commandFor, type RunAs } from './run-as.ts'

const run = promisify(execFile)
const initialiseTimeoutMs = 120_000

/** Name of the server's one user, its owner. */
export const databaseUser = 'signalbox'

export interface ClusterOptions {
  readonly data: string
  readonly passwordFile: string
  readonly runAs: RunAs
  readonly durable: boolean
}

/**
 * Makes the data folder of a server, once. It appears whole: what a kill in the middle leaves stands under another
 * name and is made anew.
 * @throws Error with what `initdb` said.
 */
export async function initialiseCluster(
  binaries: Binaries,
  { data, passwordFile, runAs, durable }: ClusterOptions,
): Promise<void> {
  if (existsSync(join(data, 'PG_VERSION'))) return
  const partial = `${data}.partial`
  rmSync(partial, { recursive: true, force: true })
  const { file, args, options } = commandFor(runAs, binaries.initdb, [
    ...['-D', partial, '-U', databaseUser, '-E', 'UTF8', '--locale=C', '--auth=scram-sha-256'],
    ...[`--pwfile=${passwordFile}`, '--no-instructions', ...(durable ? [] : ['--no-sync'])],
  ])
  try {
    await run(file, [...args], { ...options, timeout: initialiseTimeoutMs })
  } catch (cause) {
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause)
    throw new Error(`PostgreSQL could not make its data folder ${data}: ${said}`, { cause })
  }
  renameSync(partial, data)
}
