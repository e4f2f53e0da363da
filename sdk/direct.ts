import { ApiError } from './http.ts'

/**
 * Keys of providers by their name (`openai`), for calls while no gateway answers. The address is known for the
 * common ones that speak the OpenAI chat format.
 */
export type DirectProviders = Readonly<
  Record<string, string | { readonly key: string; readonly baseUrl: string }>
>
/** Where a program keeps what has to outlive it: `localStorage`, or anything alike. */
export interface DirectStorage {
  getItem(name: string): string | null
  setItem(name: string, text: string): void
}

/** Bases of the OpenAI chat format, as in the contract's hosts; Anthropic's and Google's are those for such clients. */
const baseUrls: Readonly<Record<string, string>> = {
  anthropic: 'https://api.anthropic.com/v1',
  deepseek: 'https://api.deepseek.com',
  fireworks: 'https://api.fireworks.ai/inference/v1',
  gemini: 'https://generativelanguage.googleapis.com/v1beta/openai',
  google: 'https://generativelanguage.googleapis.com/v1beta/openai',
  groq: 'https://api.groq.com/openai/v1',
  mistral: 'https://api.mistral.ai/v1',
  openai: 'https://api.openai.com/v1',
  openrouter: 'https://openrouter.ai/api/v1',
  together: 'https://api.together.xyz/v1',
  xai: 'https://api.x.ai/v1',
}
/** For so long a gateway's word counts that this key may go past it. */
const grantMs = 24 * 3_600_000
/** So often it is asked again, while calls go through it. */
const askAgainMs = 600_000
/** A gateway that has been silent for so long is asked whether it is there at all. */
const patienceMs = 10_000
const probeMs = 2_000
/** Calls that wait to be told; of more the oldest are given up. */
const untoldMax = 1000
const reportMax = 100
const toldMsMax = 600_000_000
const targetsMax = 256
const storageName = 'signalbox.direct'

export type DirectReason = 'unreachable' | 'notReady'
/** A call that was made past the gateway, as it is told afterwards. */
export interface DirectCall {
  readonly id: string
  readonly timeMs: number
  readonly durationMs: number
  readonly provider: string
  readonly model: string
  readonly requested: string
  readonly stream: boolean
  readonly status: number
  readonly reason: DirectReason
  readonly usage?: { readonly input: number; readonly output: number }
  readonly metadata?: Readonly<Record<string, string | number | boolean>>
}
/** What a client remembers, and gives its storage. */
interface Memory {
  grantedMs: number
  /** Name of a model → target that last answered to it. */
  targets: Record<string, string>
  untold: DirectCall[]
}
export interface DirectOptions {
  readonly url: string
  readonly key: string
  readonly fetch: typeof fetch
  readonly providers: DirectProviders
  readonly storage?: DirectStorage | undefined
}
export interface DirectTarget {
  readonly provider: string
  readonly model: string
  readonly url: string
  readonly key: string
}

/** Why a gateway gave no answer of its own; undefined where it did, and be it a refusal. */
export function whyAway(error: unknown): DirectReason | undefined {
  if (!(error instanceof ApiError)) return undefined
  if (error.status === 0) return 'unreachable'
  return error.status === 503 && (error.code === 'not_ready' || error.code === 'draining')
    ? 'notReady'
    : undefined
}

function remembered(storage: DirectStorage | undefined): Memory {
  try {
    const stored = Object(JSON.parse(storage?.getItem(storageName) ?? 'null'))
    return {
      grantedMs: typeof stored.grantedMs === 'number' ? stored.grantedMs : 0,
      targets: { ...Object(stored.targets) },
      untold: Array.isArray(stored.untold) ? stored.untold : [],
    }
  } catch {
    return { grantedMs: 0, targets: {}, untold: [] }
  }
}

/** The way past a gateway that does not answer: whether it may be taken, where it leads, and what is told later. */
export class DirectRoute {
  readonly #options: DirectOptions
  readonly #memory: Memory
  #askedMs = 0
  #telling = false

  constructor(options: DirectOptions) {
    this.#options = options
    this.#memory = remembered(options.storage)
  }

  /** Calls that no gateway has heard of yet. */
  get untold(): number {
    return this.#memory.untold.length
  }

  #keep(): void {
    try {
      this.#options.storage?.setItem(storageName, JSON.stringify(this.#memory))
    } catch {
      // It is remembered for as long as the program runs.
    }
  }

  #send(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#options.key}` }
    return this.#options.fetch(new URL(path, this.#options.url), { ...init, headers })
  }

  /** The gateway answered: notes who did, asks now and then what this key may, and tells what is still untold. */
  answered(requested: string, target: string | null): void {
    const { targets } = this.#memory
    if (target !== null && targets[requested] !== target && !target.startsWith('simulated/')) {
      if (Object.keys(targets).length >= targetsMax) this.#memory.targets = {}
      this.#memory.targets[requested] = target
      this.#keep()
    }
    if (Date.now() - this.#askedMs > askAgainMs) void this.learn()
    if (this.untold > 0) void this.tell()
  }

  /** Asks the gateway whether this key may go past it. What it says last counts for a day. */
  async learn(): Promise<boolean> {
    this.#askedMs = Date.now()
    try {
      const response = await this.#send('/v1/key', { signal: AbortSignal.timeout(patienceMs) })
      if (response.ok) {
        const { direct } = (await response.json()) as { direct?: unknown }
        this.#memory.grantedMs = direct === true ? Date.now() : 0
      } else if (response.status === 401) this.#memory.grantedMs = 0
      this.#keep()
    } catch {
      // What was said before still counts.
    }
    return this.isAllowed
  }

  get isAllowed(): boolean {
    return Date.now() - this.#memory.grantedMs < grantMs
  }

  /** Where a call of this model goes without a gateway; undefined where that is not known, or not allowed. */
  targetOf(requested: string): DirectTarget | undefined {
    if (!this.isAllowed) return undefined
    const { providers } = this.#options
    const known = Object.hasOwn(this.#memory.targets, requested) ? this.#memory.targets[requested] : undefined
    const names = Object.keys(providers)
    for (const target of [known, requested]) {
      const slash = target?.indexOf('/') ?? -1
      if (target === undefined || slash < 1) continue
      const found = this.#at(target.slice(0, slash), target.slice(slash + 1))
      if (found !== undefined) return found
    }
    // A bare name is a provider's own; of several it is not known which.
    const [only] = names
    if (known !== undefined || requested.includes('/') || names.length !== 1) return undefined
    return only === undefined ? undefined : this.#at(only, requested)
  }

  #at(provider: string, model: string): DirectTarget | undefined {
    const { providers } = this.#options
    const own = Object.hasOwn(providers, provider) ? providers[provider] : undefined
    if (own === undefined) return undefined
    const { key, baseUrl = baseUrls[provider] } = typeof own === 'string' ? { key: own } : own
    return baseUrl === undefined ? undefined : { provider, model, url: `${baseUrl}/chat/completions`, key }
  }

  /** Ends a request that a gateway has kept waiting, if it turns out not to be there; until `end` is called. */
  watch(abort: AbortController): { end(): void } {
    let isOver = false
    const timer = setTimeout(async () => {
      try {
        await this.#send('/healthz', { signal: AbortSignal.timeout(probeMs) })
        // It is there, and works at an answer that takes its time.
      } catch {
        if (!isOver) abort.abort(new DOMException('the gateway is away', 'TimeoutError'))
      }
    }, patienceMs)
    return {
      end() {
        isOver = true
        clearTimeout(timer)
      },
    }
  }

  /** Notes a call, to be told once a gateway is back. */
  note(call: DirectCall): void {
    const { untold } = this.#memory
    untold.push(call)
    if (untold.length > untoldMax) untold.splice(0, untold.length - untoldMax)
    this.#keep()
  }

  /** Tells the gateway of calls that were made past it. Gives how many are left, for another time. */
  async tell(): Promise<number> {
    if (this.#telling) return this.untold
    this.#telling = true
    try {
      while (this.untold > 0) {
        // A gateway takes what is at most a week old.
        this.#memory.untold = this.#memory.untold.filter(({ timeMs }) => Date.now() - timeMs < toldMsMax)
        const calls = this.#memory.untold.slice(0, reportMax)
        if (calls.length === 0) break
        const response = await this.#send('/v1/direct', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ calls }),
          signal: AbortSignal.timeout(patienceMs),
        })
        const isFinal = response.ok || response.status === 400
        await response.body?.cancel()
        if (!isFinal) break
        // What is refused as it stands will not be taken another time either.
        this.#memory.untold.splice(0, calls.length)
        this.#keep()
      }
    } catch {
      // It is still away.
    } finally {
      this.#telling = false
    }
    return this.untold
  }
}
