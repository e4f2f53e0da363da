import type { RedisLink } from './redis-link.ts'

/** A gateway that has said nothing for so long is not counted. */
const silenceMs = 15_000
const beatMs = 5000

/** How many gateways share the server: each says that it is there. */
export class GatewayCount {
  readonly #link: RedisLink
  readonly #member: string
  #count = 1
  #timer: NodeJS.Timeout | undefined

  constructor(link: RedisLink, member: string) {
    this.#link = link
    this.#member = member
  }

  start(): void {
    if (this.#timer !== undefined) return
    const beat = (): void => void this.beat()
    this.#link.client.on('ready', beat)
    this.#timer = setInterval(beat, beatMs)
    this.#timer.unref()
    beat()
  }

  /** As the server last said; it stays while the server is away. */
  get(): number {
    return this.#count
  }

  async beat(): Promise<void> {
    const key = this.#link.key('gateways')
    const nowMs = Date.now()
    const replies = await this.#link.ask(() =>
      this.#link.client
        .multi()
        .zadd(key, nowMs, this.#member)
        .zremrangebyscore(key, '-inf', nowMs - silenceMs)
        .zcard(key)
        .pexpire(key, silenceMs * 2)
        .exec(),
    )
    const count = Number(replies?.[2]?.[1])
    if (count > 0) this.#count = count
  }

  /** Takes this gateway off the list. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#link.ask(() => this.#link.client.zrem(this.#link.key('gateways'), this.#member))
  }
}
