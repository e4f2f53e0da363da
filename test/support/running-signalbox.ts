import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@signalbox/sdk'
import { freePort } from './free-port.ts'

const cli = fileURLToPath(new URL('../../policies/cli/signalbox.ts', import.meta.url))
const startTimeoutMs = 110_000
/** Any secret will do; the tests never leave the machine. */
const rootKey = 'sbr_000000000000000000000000_test00'

/** A `signalbox start` of its own: both programs, embedded Postgres, own folder and ports. */
export interface RunningSignalbox {
  readonly gatewayUrl: string
  readonly controlPlaneUrl: string
  readonly rootKey: string
  readonly dataDir: string
  readonly client: Client
  readonly process: ChildProcess
  /** What it printed so far, both streams. */
  output(): string
  /** Makes a team (where it is missing) and a key of it. */
  createKey(team?: string): Promise<string>
  /** Ends it as Ctrl-C would; gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Kept after `stop` where given. */
  readonly dataDir?: string
}

/** Variables that a test must not inherit: keys and addresses of the person who runs it. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const unwanted =
    /^(SIGNALBOX_|OTEL_|OPENAI_|ANTHROPIC_|GEMINI_|DATABASE_URL|REDIS_URL|NODE_OPTIONS|VITEST|NODE_ENV)/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)))
}

async function waitUntilReady(
  urls: readonly string[],
  child: ChildProcess,
  output: () => string,
): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  for (;;) {
    if (child.exitCode !== null) throw new Error(`signalbox start ended with ${child.exitCode}:\n${output()}`)
    const states = await Promise.all(
      urls.map((url) =>
        fetch(`${url}/readyz`).then(
          (each) => each.ok,
          () => false,
        ),
      ),
    )
    if (states.every(Boolean)) return
    if (performance.now() > deadline) throw new Error(`signalbox start is not ready:\n${output()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Pids of all processes below one, itself left out. */
export function descendantsOf(pid: number): { pid: number; command: string }[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
        return [
          { pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), command },
        ]
      } catch {
        return []
      }
    })
  const below = (parent: number): typeof parents =>
    parents.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)])
  return below(pid)
}

/** Whether a process runs; one that ended and was not collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

/** Starts Signalbox as a user would and waits until both programs are ready. */
export async function startSignalbox(options: StartOptions = {}): Promise<RunningSignalbox> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'signalbox-test-'))
  const [gatewayPort, controlPlanePort] = [await freePort(), await freePort()]
  const child = spawn(process.execPath, [cli, 'start'], {
    // Ends with this process, however it ends: the channel closes.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...cleanEnvironment(),
      SIGNALBOX_DATA_DIR: dataDir,
      SIGNALBOX_GATEWAY_PORT: String(gatewayPort),
      SIGNALBOX_CONTROL_PLANE_PORT: String(controlPlanePort),
      SIGNALBOX_ROOT_KEY: rootKey,
      ...options.env,
    },
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (data: Buffer) => chunks.push(data))
  child.stderr?.on('data', (data: Buffer) => chunks.push(data))
  const output = (): string => Buffer.concat(chunks).toString('utf8')
  const gatewayUrl = `http://127.0.0.1:${gatewayPort}`
  const controlPlaneUrl = `http://127.0.0.1:${controlPlanePort}`
  await waitUntilReady([gatewayUrl, controlPlaneUrl], child, output)
  const client = createClient({ url: controlPlaneUrl, token: rootKey })
  let keys = 0
  let isStopped = false
  return {
    gatewayUrl,
    controlPlaneUrl,
    rootKey,
    dataDir,
    client,
    process: child,
    output,
    async createKey(team = 'test') {
      const { items } = await client.listTeams()
      if (!items.some((each) => each.name === team)) await client.createTeam({ name: team })
      keys++
      return (await client.createKey({ team, name: `key-${keys}-${Date.now()}` })).key
    },
    async stop(signal = 'SIGINT') {
      if (child.exitCode !== null && !isStopped) {
        throw new Error(`signalbox start ended by itself with ${child.exitCode}:\n${output()}`)
      }
      isStopped = true
      const ended = new Promise<number | null>((resolve) => {
        if (child.exitCode !== null) resolve(child.exitCode)
        else child.once('exit', (code) => resolve(code))
      })
      child.kill(signal)
      const code = await ended
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true })
      return code
    },
  }
}
