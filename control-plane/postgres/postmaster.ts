import { readFileSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandOf, isAlive } from '../process-identity.ts'

/** What a server says of itself in `postmaster.pid` of its data folder. */
export interface Postmaster {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

const pollMs = 10
const fastStopMs = 20_000
const immediateStopMs = 10_000
/** Server processes whose postmaster was killed see it and end; until then its memory is in use. */
const orphanedBackendsMs = 500

const pidFile = (data: string) => join(data, 'postmaster.pid')

/** Reads `postmaster.pid`; undefined where no server runs or ended without removing it. */
export function readPostmaster(data: string): Postmaster | undefined {
  try {
    const lines = readFileSync(pidFile(data), 'utf8').split('\n')
    const [pid, , , port] = lines.map(Number)
    if (pid === undefined || !Number.isInteger(pid) || pid <= 0) return undefined
    return { pid, port: port ?? 0, ready: lines[7]?.trim() === 'ready' }
  } catch {
    return undefined
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

async function until(done: () => boolean, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += pollMs) {
    if (done()) return true
    await sleep(pollMs)
  }
  return done()
}

/** Stops a server: fast (open transactions are rolled back), at once where that takes too long, then by force. */
export async function stopServer(pid: number, isGone: () => boolean): Promise<void> {
  signal(pid, 'SIGINT')
  if (await until(isGone, fastStopMs)) return
  signal(pid, 'SIGQUIT')
  if (await until(isGone, immediateStopMs)) return
  signal(pid, 'SIGKILL')
  await until(isGone, immediateStopMs)
}

/** Whether the id is taken, by an unreaped process too: that is what a starting server asks. */
function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH')
  }
}

/**
 * Clears what a start before this one left in the data folder: a server that outlived its parent is stopped; the file
 * of one whose id is another program's now, or was never reaped, is removed. A file whose process is gone is left to
 * the next server, which checks that no orphan still uses the old one's memory.
 */
export async function clearLeftover(data: string): Promise<'none' | 'stopped' | 'removed'> {
  const left = readPostmaster(data)
  if (left === undefined || !isTaken(left.pid)) return 'none'
  if (isAlive(left.pid) && `${commandOf(left.pid)} `.includes(`-D ${data} `)) {
    // One that was killed a moment ago goes without removing its file.
    const isGone = () => readPostmaster(data)?.pid !== left.pid || !isAlive(left.pid)
    await stopServer(left.pid, isGone)
  }
  if (readPostmaster(data)?.pid !== left.pid) return 'stopped'
  await sleep(orphanedBackendsMs)
  if (isTaken(left.pid) && readPostmaster(data)?.pid === left.pid) unlinkSync(pidFile(data))
  return 'removed'
}
