import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A part of the bench in a process of its own, bound to a core. */
export interface Part {
  readonly pid: number
  readonly port: number
  stop(): void
}

/** Where the measured program runs, and where everything around it does. */
export const measuredCore = 1
export const otherCore = 0

/** Binds a process with all its threads to a core; without `taskset` the figures are noisier, not wrong. */
export function bindToCore(pid: number, core: number): void {
  try {
    execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' })
  } catch {
    // Not on this machine.
  }
}

/** CPU time of a process with its threads, in microseconds; kernel ticks are 10 ms. */
export function cpuUsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Resident memory in KiB. */
export function residentKibOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (data: Buffer) => {
      text += data.toString('utf8')
      if (text.includes('\n')) resolve(text.slice(0, text.indexOf('\n')))
    })
    child.once('exit', (code) => reject(new Error(`a part of the bench ended with ${code}`)))
  })
}

/** Starts a file of this folder, which prints its port first. */
export async function startPart(file: string, args: readonly string[], core: number): Promise<Part> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = Number(await firstLine(child))
  const pid = child.pid ?? 0
  bindToCore(pid, core)
  return { pid, port, stop: () => void child.kill('SIGKILL') }
}

export interface LoadResult {
  readonly count: number
  readonly errors: number
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
}
export interface LoadJob {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
  readonly connections: number
  readonly seconds: number
  readonly rate: number
}

/** Runs the load generator to its end. */
export async function runLoad(job: LoadJob): Promise<LoadResult> {
  const path = fileURLToPath(new URL('load.ts', import.meta.url))
  const child = spawn(process.execPath, [path, JSON.stringify(job)], { stdio: ['ignore', 'pipe', 'inherit'] })
  bindToCore(child.pid ?? 0, otherCore)
  return JSON.parse(await firstLine(child)) as LoadResult
}
