import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@signalbox/sdk'
import { cleanEnvironment } from '../support/running-signalbox.ts'

const main = fileURLToPath(new URL('../../control-plane/main.ts', import.meta.url))

export interface LogLine {
  readonly level: number
  readonly msg: string
  readonly url?: string
  readonly startedMs?: number
  readonly err?: { readonly message: string }
}
/** The control plane as a process of its own. */
export interface MainProcess {
  readonly child: ChildProcess
  readonly url: string
  readonly lines: readonly LogLine[]
  /** As the root token. */
  readonly client: Client
  /** The exit code, once it ended. */
  readonly ended: Promise<number | null>
}

function launch(dataDir: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [main], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      ...cleanEnvironment(),
      SIGNALBOX_DATA_DIR: dataDir,
      SIGNALBOX_CONTROL_PLANE_PORT: '0',
      SIGNALBOX_VERIFY_REPLIES: '1',
      ...env,
    },
  })
  const lines: LogLine[] = []
  const reader = createInterface(child.stderr ?? process.stdin)
  reader.on('line', (line) =>
    lines.push(line.startsWith('{') ? (JSON.parse(line) as LogLine) : { level: 0, msg: line }),
  )
  // Not 'close': it never comes for a child whose channel was cut from here.
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(
    ([[code]]) => code as number | null,
  )
  return { child, lines, ended }
}

/** Starts it and waits until it tells its parent that it listens. @throws Error with its log where it ends instead. */
export async function startMain(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<MainProcess> {
  const { child, lines, ended } = launch(dataDir, env)
  const listening = once(child, 'message').then(([message]) => message as { type: string; url: string })
  const failed = ended.then((code) =>
    Promise.reject(new Error(`ended with ${code}: ${JSON.stringify(lines)}`)),
  )
  const { url } = await Promise.race([listening, failed])
  failed.catch(() => undefined)
  const token = env.SIGNALBOX_ROOT_KEY ?? readFileSync(join(dataDir, 'root-key'), 'utf8').trim()
  return { child, url, lines, client: createClient({ url, token }), ended }
}

/** Starts it where it cannot run; gives its exit code and its last words. */
export async function failToStart(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; message: string }> {
  const { lines, ended } = launch(dataDir, env)
  const code = await ended
  return { code, message: lines.at(-1)?.err?.message ?? '' }
}

/** Ends it as its supervisor would; gives its exit code. */
export async function stopMain(
  running: MainProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<number | null> {
  running.child.kill(signal)
  return running.ended
}
