import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Client, createClient } from '@signalbox/sdk'
import { freePort } from './free-port.ts'
import { cleanEnvironment } from './running-signalbox.ts'

const readyTimeoutMs = 180_000

/** One of the two programs, run by hand as an operator would. */
export interface Program {
  readonly url: string
  readonly process: ChildProcess
  output(): string
  /** Resolves when `/readyz` says 200. */
  ready(): Promise<void>
  /** Sends a signal (SIGTERM) and gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export async function startProgram(
  name: 'control-plane' | 'gateway',
  env: Readonly<Record<string, string>>,
): Promise<Program> {
  const main = fileURLToPath(new URL(`../../${name}/main.ts`, import.meta.url))
  const variable = name === 'gateway' ? 'SIGNALBOX_GATEWAY_PORT' : 'SIGNALBOX_CONTROL_PLANE_PORT'
  const port = env[variable] ?? String(await freePort())
  const child = spawn(process.execPath, [main], {
    // Ends with this process, however it ends: the channel closes.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...cleanEnvironment(), [variable]: port, ...env },
  })
  const chunks: Buffer[] = []
  child.stdout?.on('data', (data: Buffer) => chunks.push(data))
  child.stderr?.on('data', (data: Buffer) => chunks.push(data))
  const output = (): string => Buffer.concat(chunks).toString('utf8')
  const url = `http://127.0.0.1:${port}`
  const ended = new Promise<number | null>((resolve) => {
    child.once('exit', (code) => resolve(code))
  })
  return {
    url,
    process: child,
    output,
    async ready() {
      const deadline = performance.now() + readyTimeoutMs
      while (performance.now() < deadline) {
        if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${output()}`)
        const isReady = await fetch(`${url}/readyz`).then(
          (response) => response.ok,
          () => false,
        )
        if (isReady) return
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      throw new Error(`${name} is not ready:\n${output()}`)
    },
    stop(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return ended
    },
  }
}

/** A control plane on a folder of its own, with a client of its root. */
export async function startControlPlane(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Program & { readonly client: Client; readonly token: string }> {
  const token = 'sbr_000000000000000000000000_test00'
  const program = await startProgram('control-plane', {
    SIGNALBOX_DATA_DIR: dataDir,
    SIGNALBOX_ROOT_KEY: token,
    ...env,
  })
  await program.ready()
  return { ...program, token, client: createClient({ url: program.url, token }) }
}
