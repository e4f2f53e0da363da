import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { claimFolder, loadOrStoreSecret } from '../data-folder.ts'
import { type Binaries, loadBinaries } from './binaries.ts'
import { databaseUser, initialiseCluster } from './cluster.ts'
import { choosePort } from './port.ts'
import { clearLeftover, readPostmaster, stopServer } from './postmaster.ts'
import { chooseRunAs, commandFor, giveFolder, type RunAs } from './run-as.ts'

export interface PostgresOptions {
  /** False for tests: nothing survives a crash of the machine. */
  readonly durable?: boolean
  /** How the server runs; found by itself where it is not said. */
  readonly runAs?: RunAs
  /** Told when the server ended by itself, and again when it could not be brought back. */
  readonly onExit?: (event: { readonly restarting: boolean; readonly reason: string }) => void
}
/** A server of our own. */
export interface RunningPostgres {
  /** Connection string of its one database, with the password. */
  readonly url: string
  readonly pid: () => number | undefined
  /** Stops the server and waits until it is gone. Close all pools first. */
  stop(): Promise<void>
}

const readyTimeoutMs = 60_000
const pollMs = 10
const attemptsMax = 8
const attemptPauseMs = 250
const logBytesMax = 8 * 1024 * 1024
/** A server that ends more often than this in the time is not started again. */
const restartsMax = 5
const restartWindowMs = 60_000

/** What all steps of one server share. */
interface Place {
  readonly binaries: Binaries
  readonly data: string
  readonly logFile: string
  readonly portFile: string
  readonly runAs: RunAs
  readonly durable: boolean
}

function serverArguments({ data, durable }: Place, port: number): string[] {
  const settings: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 50,
    shared_buffers: '32MB',
    io_method: 'sync',
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Failed statements can quote data; what the server itself does is enough.
    log_min_messages: 'log',
    log_checkpoints: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  return [
    '-D',
    data,
    '-p',
    String(port),
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

/** Starts the program; what it says goes to the log, which outlives us as the server may. */
function spawnServer(place: Place, port: number): ChildProcess {
  const log = openSync(place.logFile, 'a', 0o600)
  try {
    const settings = serverArguments(place, port)
    const { file, args, options } = commandFor(place.runAs, place.binaries.postgres, settings)
    // Detached: Ctrl-C in a terminal must not reach it before the programs that use it have drained.
    const child = spawn(file, [...args], { ...options, stdio: ['ignore', log, log], detached: true })
    child.unref()
    return child
  } finally {
    closeSync(log)
  }
}

/** Resolves to null when the server takes connections, or to what it said when it ended instead. */
async function settled(child: ChildProcess, place: Place, logStart: number): Promise<string | null> {
  let failure: string | null = null
  child.once('error', (error) => {
    failure = error.message
  })
  for (let waitedMs = 0; waitedMs < readyTimeoutMs; waitedMs += pollMs) {
    const postmaster = readPostmaster(place.data)
    if (postmaster?.pid === child.pid && postmaster?.ready === true) return null
    if (failure !== null) return failure
    if (child.exitCode !== null || child.signalCode !== null) {
      return readFileSync(place.logFile, 'utf8').slice(logStart).trim() || `exit code ${child.exitCode}`
    }
    await sleep(pollMs)
  }
  child.kill('SIGQUIT')
  return `not ready after ${readyTimeoutMs} ms`
}

/** What the next attempt may find gone: a port taken in between, memory of a killed server whose rest still ends. */
const passingFailure =
  /could not bind|address already in use|shared memory block|lock file .* already exists/i

/** Starts the server. @throws Error with what it said. */
async function launch(place: Place, fixedPort?: number): Promise<{ child: ChildProcess; port: number }> {
  let said = ''
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    await clearLeftover(place.data)
    const again = /could not bind|address already in use/i.test(said)
    const port = fixedPort ?? (await choosePort(place.portFile, { again }))
    const logStart = sizeOf(place.logFile)
    const child = spawnServer(place, port)
    const failure = await settled(child, place, logStart)
    if (failure === null) return { child, port }
    said = failure
    if (!passingFailure.test(said)) break
    await sleep(attemptPauseMs)
  }
  throw new Error(`PostgreSQL did not start in ${place.data}: ${said.slice(-2000)}`)
}

/** Starts the server again whenever it ends by itself; gives up where that happens too often. */
function supervise(
  place: Place,
  first: { readonly child: ChildProcess; readonly port: number },
  onExit: NonNullable<PostgresOptions['onExit']>,
): { pid: () => number | undefined; stop: () => Promise<void> } {
  let child: ChildProcess | undefined
  let stopping = false
  let starting: Promise<void> = Promise.resolve()
  const restarts: number[] = []
  const ended = (reason: string): void => {
    if (stopping) return
    child = undefined
    const nowMs = performance.now()
    while ((restarts[0] ?? nowMs) < nowMs - restartWindowMs) restarts.shift()
    const restarting = restarts.length < restartsMax
    onExit({ restarting, reason })
    if (!restarting) return
    restarts.push(nowMs)
    starting = launch(place, first.port).then(
      (next) => watch(next.child),
      (error: Error) => onExit({ restarting: false, reason: error.message }),
    )
  }
  const watch = (next: ChildProcess): void => {
    child = next
    next.once('exit', (code, signal) => ended(`PostgreSQL ended with ${signal ?? `code ${code}`}`))
    if (next.exitCode !== null || next.signalCode !== null) ended('PostgreSQL ended')
  }
  watch(first.child)
  return {
    pid: () => child?.pid,
    async stop() {
      stopping = true
      await starting
      const last = child
      if (last?.pid === undefined || last.exitCode !== null || last.signalCode !== null) return
      await stopServer(last.pid, () => last.exitCode !== null || last.signalCode !== null)
    },
  }
}

/**
 * Starts a real PostgreSQL 18 of our own, on loopback, with its data, password (scram, generated once), port and log
 * in `folder`. One process owns a folder at a time; a server left behind by an owner that was killed is stopped first.
 * A server that ends by itself is started again on the same port.
 * @throws FolderInUseError, or Error with what PostgreSQL said.
 */
export async function startPostgres(folder: string, options: PostgresOptions = {}): Promise<RunningPostgres> {
  const root = resolve(folder)
  const claim = claimFolder(root)
  try {
    const runAs = options.runAs ?? chooseRunAs()
    const passwordFile = join(root, 'password')
    const password = loadOrStoreSecret(passwordFile, () => randomBytes(24).toString('hex')).text
    const place: Place = {
      binaries: await loadBinaries(),
      data: join(root, 'data'),
      logFile: join(root, 'postgres.log'),
      portFile: join(root, 'port'),
      runAs,
      durable: options.durable ?? true,
    }
    giveFolder(runAs, root)
    if (sizeOf(place.logFile) > logBytesMax) renameSync(place.logFile, `${place.logFile}.1`)
    await initialiseCluster(place.binaries, { ...place, passwordFile })
    const first = await launch(place)
    const server = supervise(place, first, options.onExit ?? (() => undefined))
    return {
      url: `postgres://${databaseUser}:${password}@127.0.0.1:${first.port}/postgres`,
      pid: server.pid,
      async stop() {
        await server.stop()
        claim.release()
      },
    }
  } catch (error) {
    claim.release()
    throw error
  }
}
