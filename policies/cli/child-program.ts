import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Failure } from './context.ts'

const readyTimeoutMs = 60_000
const readyPollMs = 25

/** Why a program's certificate is not trusted: waiting changes nothing about that. Undefined for all other failures. */
function distrustOf(error: unknown): string | undefined {
  const { cause } = error instanceof Error ? error : {}
  if (!(cause instanceof Error && 'code' in cause)) return undefined
  return /CERT|_LEAF_|ALTNAME/.test(String(cause.code))
    ? `${String(cause.code)}: ${cause.message}`
    : undefined
}

const notTrusted = (name: string, reason: string): string =>
  `the certificate of the ${name} is not trusted here (${reason}): put its whole chain into SIGNALBOX_TLS_CERT, or name ` +
  'a file with the authority in NODE_EXTRA_CA_CERTS'

/** One of the two programs as a child, in a process group of its own so that Ctrl-C reaches the parent alone. */
export class ChildProgram {
  readonly name: string
  readonly #process: ChildProcess
  readonly ended: Promise<number | null>
  #listening = false

  constructor(name: string, folder: string, env: NodeJS.ProcessEnv) {
    this.name = name
    const main = fileURLToPath(new URL(`../../${folder}/main.ts`, import.meta.url))
    // The IPC channel closes when this process dies, however it dies; the child then drains by itself.
    this.#process = spawn(process.execPath, [main], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.on('data', (data: Buffer) => this.#take(data.toString('utf8')))
    }
    this.#process.on('message', (message) => {
      if (typeof message === 'object' && 'type' in message && message.type === 'listening')
        this.#listening = true
    })
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code) => resolve(code))
    })
  }

  /** Passes on what a person should see: warnings and errors of the program's log, and anything that is no log line. */
  #take(text: string): void {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue
      const shown = this.#readable(line)
      if (shown !== undefined) process.stderr.write(`${this.name}: ${shown}\n`)
    }
  }

  #readable(line: string): string | undefined {
    try {
      const { level, msg, err } = JSON.parse(line) as {
        level?: number
        msg?: string
        err?: { message?: string }
      }
      if ((level ?? 0) < 40) return undefined
      return err?.message === undefined ? msg : `${msg}: ${err.message}`
    } catch {
      return line
    }
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /**
   * Waits until this very process listens and says that it is ready; another program may answer on the same port.
   * @throws Failure where it ends before, or takes too long.
   */
  async ready(url: string): Promise<void> {
    const deadline = performance.now() + readyTimeoutMs
    while (this.running && performance.now() < deadline) {
      const isReady =
        this.#listening &&
        (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) }).then(
          (response) => response.ok,
          (error: unknown) => {
            const reason = distrustOf(error)
            if (reason !== undefined) throw new Failure(notTrusted(this.name, reason))
            return false
          },
        ))
      if (isReady && this.running) return
      await new Promise((resolve) => setTimeout(resolve, readyPollMs))
    }
    throw new Failure(
      this.running ? `the ${this.name} is not ready after a minute` : `the ${this.name} did not start`,
    )
  }

  /** Lets it finish what it is doing; gives its exit code. A second call ends it at once. */
  stop(): Promise<number | null> {
    if (this.running) this.#process.kill('SIGTERM')
    return this.ended
  }
}
