import type { Logger } from '@signalbox/sdk/node'
import { Redis } from 'ioredis'

export interface RedisLinkOptions {
  /** `redis://…` or `rediss://…`, of Redis or Valkey. */
  readonly url: string
  /** Organisation and environment: keys of others stand beside ours. */
  readonly prefix: () => string
  readonly clock: () => number
  readonly log: Logger
  /** An answer that takes longer is none: a call waits for it. */
  readonly commandTimeoutMs?: number
}
export interface RedisStatus {
  readonly isUp: boolean
  readonly failures: number
}

const standardTimeoutMs = 50
const connectTimeoutMs = 2000
const retryMsMax = 1000
/** After a failure nobody asks for so long, so that a slow server costs one wait and not one for each call. */
const restMs = 500

/**
 * The server that gateways share. The only place that knows the client library. Nothing waits for a server that is
 * away: whoever asks gets undefined, and goes on with what there is in memory.
 */
export class RedisLink {
  readonly client: Redis
  readonly #options: RedisLinkOptions
  #restUntilMs = 0
  #failures = 0
  #wasUp = false

  constructor(options: RedisLinkOptions) {
    this.#options = options
    this.client = new Redis(options.url, {
      commandTimeout: options.commandTimeoutMs ?? standardTimeoutMs,
      connectTimeout: connectTimeoutMs,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      retryStrategy: (times) => Math.min(times * 50, retryMsMax),
    })
    this.client.on('error', (error: Error) => this.#tell(false, error))
    this.client.on('close', () => this.#tell(false, undefined))
    this.client.on('ready', () => this.#tell(true, undefined))
  }

  get isUp(): boolean {
    return this.client.status === 'ready' && this.#options.clock() >= this.#restUntilMs
  }

  /** A key of this organisation and environment. */
  key(...parts: readonly string[]): string {
    return ['sb', this.#options.prefix(), ...parts].join(':')
  }

  /** What the server says; undefined where it says nothing in time. */
  async ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (!this.isUp) return undefined
    try {
      return await question()
    } catch (error) {
      this.#failures++
      this.#restUntilMs = this.#options.clock() + restMs
      this.#options.log.debug({ err: error }, 'a command of the shared server failed')
      return undefined
    }
  }

  status(): RedisStatus {
    return { isUp: this.isUp, failures: this.#failures }
  }

  /** Says it once when the server goes, and once when it is back. */
  #tell(isUp: boolean, error: Error | undefined): void {
    if (isUp === this.#wasUp) return
    this.#wasUp = isUp
    const { log } = this.#options
    if (isUp) log.info({}, 'the shared server is there')
    else log.warn({ reason: error?.message }, 'the shared server is away: calls go on with what is in memory')
  }

  close(): void {
    this.client.disconnect()
  }
}
