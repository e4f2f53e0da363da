import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

export interface CompilerLimits {
  readonly timeoutMs: number
  readonly memoryBytesMax: number
  readonly outputBytesMax: number
}
export const compilerLimits: CompilerLimits = {
  timeoutMs: 20_000,
  memoryBytesMax: 1024 * 1024 * 1024,
  outputBytesMax: 1024 * 1024,
}
export interface CompilerRun {
  /** What it wrote on stdout, up to the limit. */
  readonly output: string
  /** What it wrote on stderr: only where it broke. */
  readonly trouble: string
  /** The limit that ended it, if one did. */
  readonly ended?: 'time' | 'memory' | 'output'
  readonly exitCode: number | null
}

/** How often the memory of the compiler is looked at. */
const watchIntervalMs = 100
const pageBytes = 4096

/** The native TypeScript compiler of this machine: `tsc` of the platform's package beside `typescript`. */
function compilerPath(): string {
  const require = createRequire(import.meta.resolve('typescript/package.json'))
  const folder = dirname(
    require.resolve(`@typescript/typescript-${process.platform}-${process.arch}/package.json`),
  )
  const path = join(folder, 'lib', process.platform === 'win32' ? 'tsc.exe' : 'tsc')
  if (!existsSync(path)) throw new Error(`The TypeScript compiler is not at ${path}.`)
  return path
}

/** Memory in use by a process; 0 where the system does not tell. */
async function residentBytes(pid: number): Promise<number> {
  try {
    const [, resident = '0'] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')
    return Number(resident) * pageBytes
  } catch {
    return 0
  }
}

/**
 * Runs `tsc -p FOLDER` natively with nothing of our environment, and ends it at the first limit it reaches.
 * The garbage collector is told of the memory limit, so that only what really needs more is killed.
 */
export async function runCompiler(folder: string, limits: CompilerLimits): Promise<CompilerRun> {
  const child = spawn(compilerPath(), ['-p', folder, '--pretty', 'false'], {
    cwd: folder,
    env: { GOMEMLIMIT: String(Math.floor(limits.memoryBytesMax * 0.9)), GOMAXPROCS: '2', TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  let ended: CompilerRun['ended']
  const end = (reason: NonNullable<CompilerRun['ended']>): void => {
    ended ??= reason
    child.kill('SIGKILL')
  }
  const chunks = { output: [] as Buffer[], trouble: [] as Buffer[], bytes: 0 }
  const collect = (into: Buffer[]) => (chunk: Buffer) => {
    chunks.bytes += chunk.length
    if (chunks.bytes <= limits.outputBytesMax) into.push(chunk)
    else end('output')
  }
  child.stdout.on('data', collect(chunks.output))
  child.stderr.on('data', collect(chunks.trouble))
  const clock = setTimeout(() => end('time'), limits.timeoutMs)
  const watch = setInterval(async () => {
    if (child.pid !== undefined && (await residentBytes(child.pid)) > limits.memoryBytesMax) end('memory')
  }, watchIntervalMs)
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    const output = Buffer.concat(chunks.output).toString('utf8')
    const trouble = Buffer.concat(chunks.trouble).toString('utf8')
    return { output, trouble, exitCode, ...(ended !== undefined && { ended }) }
  } finally {
    clearTimeout(clock)
    clearInterval(watch)
  }
}
