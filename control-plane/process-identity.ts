import { type ExecFileSyncOptionsWithStringEncoding, execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { platform, uptime } from 'node:os'

/**
 * Names a process for longer than its id does: ids are used again, in a container at every start. `start` is when the
 * process began, as the system counts it; `boot` is the system's current run.
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly start: string
  readonly boot: string
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function bootOf(): string {
  const id = readText('/proc/sys/kernel/random/boot_id')
  // Elsewhere the minute of the boot; a step of the clock makes it another, and the process's start decides.
  return id?.trim() ?? `up since ${Math.round((Date.now() / 1000 - uptime()) / 60)}`
}

/** State letter and start of a process, or undefined where there is none. */
function statusOf(pid: number): { state: string; start: string } | undefined {
  if (platform() === 'linux') {
    const stat = readText(`/proc/${pid}/stat`)
    // The name, in brackets, may hold anything; what counts follows the last bracket.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields === undefined ? undefined : { state: fields[0] ?? '', start: fields[19] ?? '' }
  }
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return undefined
  }
  try {
    const options: ExecFileSyncOptionsWithStringEncoding = { encoding: 'utf8', timeout: 2000, stdio: 'pipe' }
    const [state = '', ...start] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/)
    return { state, start: start.join(' ') }
  } catch {
    return { state: '', start: '' }
  }
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: statusOf(process.pid)?.start ?? '', boot: bootOf() }
}

/** Whether that very process still runs; one that ended but was not reaped does not. */
export function isRunning(identity: ProcessIdentity): boolean {
  if (identity.boot !== bootOf() && platform() === 'linux') return false
  const status = statusOf(identity.pid)
  return status !== undefined && !status.state.startsWith('Z') && status.start === identity.start
}

/** Whether any process runs under this id, reaped or not apart. */
export function isAlive(pid: number): boolean {
  const status = statusOf(pid)
  return status !== undefined && !status.state.startsWith('Z')
}

/** The command line of a process, empty where it cannot be read. */
export function commandOf(pid: number): string {
  if (platform() === 'linux') return readText(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? ''
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 2000 })
  } catch {
    return ''
  }
}
