import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Client, createClient, type ProblemDetail } from '@signalbox/sdk'
import type { CliConfig } from './config.ts'
import { localAddresses, trustLocal } from './local-addresses.ts'
import type { Output } from './output.ts'

/** Ends a verb that did its work and found that something is wrong; the message has been or is printed. */
export class Failure extends Error {
  readonly code: string
  readonly problems: readonly ProblemDetail[]

  constructor(message: string, code = 'failed', problems: readonly ProblemDetail[] = []) {
    super(message)
    this.name = 'Failure'
    this.code = code
    this.problems = problems
  }
}

/** What every verb is handed. */
export interface CliContext {
  readonly config: CliConfig
  readonly output: Output
  /** A client of the control plane: address and token from the environment, else those of a local start. */
  client(): Client
}

function localRootKey(dataDir: string): string | undefined {
  try {
    return readFileSync(join(dataDir, 'root-key'), 'utf8').trim()
  } catch {
    return undefined
  }
}

/** Where the control plane is, for verbs that talk to it. */
export function controlPlaneUrl(config: CliConfig): string {
  return config.controlPlaneUrl ?? localAddresses(config).controlPlaneUrl
}

export function createContext(config: CliConfig, output: Output): CliContext {
  return {
    config,
    output,
    client() {
      const token = config.token ?? config.rootKey ?? localRootKey(config.dataDir)
      if (token === undefined) {
        throw new Failure(
          'No token: set SIGNALBOX_TOKEN, or run this beside the data folder of a local `signalbox start`.',
          'key_missing',
        )
      }
      if (config.controlPlaneUrl === undefined) trustLocal(localAddresses(config))
      return createClient({ url: controlPlaneUrl(config), token })
    },
  }
}
