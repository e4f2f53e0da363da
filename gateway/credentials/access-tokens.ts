import { createHash } from 'node:crypto'
import { Refusal } from '@signalbox/sdk/contract'
import { freePass } from '../money/attempt-hold.ts'
import type { Provider, TokenRequest } from '../provider.ts'
import type { ExchangeLimits } from '../upstream/exchange.ts'
import { parseBody, readWhole } from '../upstream/read-whole.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { asCount, asObject, asString } from '../wire/json-value.ts'

interface KnownToken {
  readonly token: string
  readonly endMs: number
}
/** Credentials whose tokens are kept; the oldest make room. */
const tokensMax = 256
/** A token that ends sooner than this is not used any more, and one that ends sooner than that is renewed in time. */
const unusedMs = 30_000
const renewedMs = 300_000
const answerBytesMax = 65_536
const waitMs = 10_000

/**
 * Access tokens that stand for credentials which are not sent themselves. Each is asked for once, through the one way
 * out, and renewed before it ends while calls go on with the old one.
 */
export class AccessTokens {
  readonly #upstream: Upstream
  readonly #clock: () => number
  readonly #known = new Map<string, KnownToken>()
  readonly #pending = new Map<string, Promise<KnownToken>>()

  constructor(upstream: Upstream, clock: () => number) {
    this.#upstream = upstream
    this.#clock = clock
  }

  /**
   * What is sent in place of a credential: itself where its provider takes it so.
   * @throws Refusal `connection_unavailable` for a credential that cannot be used, `upstream_unavailable` where no
   * token is given.
   */
  async credentialFor(provider: Provider, credential: string | undefined): Promise<string | undefined> {
    if (credential === undefined || provider.tokenRequest === undefined) return credential
    const id = createHash('sha256').update(credential).digest('hex')
    const leftMs = (this.#known.get(id)?.endMs ?? 0) - this.#clock()
    const known = leftMs > unusedMs ? this.#known.get(id) : undefined
    if (known !== undefined && leftMs > renewedMs) return known.token
    const request = provider.tokenRequest(credential, this.#clock())
    if (request === undefined) return credential
    let pending = this.#pending.get(id)
    if (pending === undefined) {
      pending = this.#ask(request).then((fresh) => this.#keep(id, fresh))
      this.#pending.set(id, pending)
      const settled = (): void => void this.#pending.delete(id)
      pending.then(settled, settled)
    }
    return (known ?? (await pending)).token
  }

  #keep(id: string, token: KnownToken): KnownToken {
    this.#known.delete(id)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size < tokensMax) break
      this.#known.delete(oldest)
    }
    this.#known.set(id, token)
    return token
  }

  async #ask(request: TokenRequest): Promise<KnownToken> {
    const nowMs = this.#clock()
    const limits: ExchangeLimits = {
      connectMs: waitMs,
      firstTokenMs: waitMs,
      idleMs: waitMs,
      deadlineMs: nowMs + 2 * waitMs,
      clientIdleMs: waitMs,
      bytesMax: answerBytesMax,
      waitingBytesMax: answerBytesMax,
    }
    const { baseUrl, ...rest } = request
    const exchange = this.#upstream.open({
      request: {
        ...rest,
        method: 'POST',
        dropped: [],
        responseDropped: [],
        addedUsage: false,
        identity: false,
      },
      baseUrl,
      // A token costs nothing.
      permit: freePass,
      credentials: {},
      limits,
      dispatch: undefined,
    })
    const failure = await exchange.head
    if (failure !== undefined) throw unavailable(failure.kind)
    const body = await readWhole(exchange)
    if (!Buffer.isBuffer(body)) throw unavailable(body.kind)
    const given = exchange.status === 200 ? asObject(parseBody(body)) : undefined
    const token = asString(given?.access_token)
    if (token === undefined) throw unavailable(`status ${exchange.status}`)
    return { token, endMs: nowMs + (asCount(given?.expires_in) ?? 0) * 1000 }
  }
}

function unavailable(why: string): Refusal {
  return new Refusal('upstream_unavailable', { detail: `no access token was given: ${why}` })
}
