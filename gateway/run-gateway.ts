import { createLogger, type Logger } from '@signalbox/sdk/node'
import { createClock } from './clock.ts'
import { loadGatewayConfig } from './config.ts'
import { startGateway } from './start-gateway.ts'

/** So many errors that nobody caught, within a minute, are no accident: the program's state is not to be trusted. */
const unhandledPerMinuteMax = 20
const minuteMs = 60_000

/** Waits for somebody to ask the program to end: a signal, or the end of the program that started it. */
class StopRequest {
  readonly #asked = Promise.withResolvers<string>()
  #isAsked = false

  constructor() {
    process.on('SIGINT', () => this.ask('SIGINT'))
    process.on('SIGTERM', () => this.ask('SIGTERM'))
    process.once('disconnect', () => this.ask('the program that started this one is gone'))
  }

  get reason(): Promise<string> {
    return this.#asked.promise
  }

  ask(reason: string): void {
    // Whoever asks twice does not want to wait.
    if (this.#isAsked) process.exit(130)
    this.#isAsked = true
    this.#asked.resolve(reason)
  }
}

/** Counts what nobody caught. One such error ends a call at most; many end the program. */
class UnhandledErrors {
  count = 0
  #recent: number[] = []
  readonly #onTooMany: () => void
  log: Logger

  constructor(log: Logger, onTooMany: () => void) {
    this.log = log
    this.#onTooMany = onTooMany
    process.on('unhandledRejection', (error) => this.#take(error))
    process.on('uncaughtException', (error) => this.#take(error))
  }

  #take(error: unknown): void {
    this.count++
    this.log.error({ err: error }, 'an error that nobody caught')
    const nowMs = performance.now()
    this.#recent = [...this.#recent.filter((atMs) => nowMs - atMs < minuteMs), nowMs]
    if (this.#recent.length !== unhandledPerMinuteMax) return
    process.exitCode = 1
    this.#onTooMany()
  }
}

/** Runs a gateway from its settings to its end. Sets the exit code; the caller exits. */
export async function runGateway(options: {
  readonly version: string
  readonly onListening: () => void
}): Promise<void> {
  let log = createLogger('gateway', 'info')
  const stop = new StopRequest()
  const unhandled = new UnhandledErrors(log, () => stop.ask('too many errors that nobody caught'))
  const { version } = options
  try {
    const { config, proxies, readVariable, unknownVariables } = loadGatewayConfig()
    log = createLogger('gateway', config.logLevel)
    unhandled.log = log
    for (const variable of unknownVariables)
      log.warn({ variable }, `no program of Signalbox reads ${variable}`)
    const startMs = performance.now()
    const gateway = await startGateway({
      ...{ config, proxies, readVariable, log },
      clock: createClock({ wallMs: Date.now, monotonicMs: () => performance.now() }),
      random: Math.random,
      software: `signalbox-gateway/${version}`,
      unhandledErrors: () => unhandled.count,
    })
    const { port, url } = gateway
    const startedMs = Math.round(performance.now() - startMs)
    log.info({ port, url, startedMs, version, missing: gateway.missing() }, 'listening')
    options.onListening()
    log.info({ reason: await stop.reason }, 'stopping')
    log.info({ cutCalls: await gateway.drain() }, 'stopped')
  } catch (error) {
    log.fatal({ err: error }, 'the gateway cannot run')
    process.exitCode = 1
  }
}
