import { askDirectly, type DirectAnswer } from './ask-directly.ts'
import { type DirectProviders, DirectRoute, type DirectStorage, whyAway } from './direct.ts'
import { ApiError, Http, readEvents } from './http.ts'

/** A message of a chat; content as the OpenAI chat format has it. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
  readonly content: string | null | readonly Readonly<Record<string, unknown>>[]
  readonly [member: string]: unknown
}
/** A chat call in the OpenAI chat format; members that are not named here travel as they are. */
export interface ChatRequest {
  /** Alias, `connection/model`, or a bare model name. A prompt may bring its own. */
  readonly model?: string
  readonly messages: readonly ChatMessage[]
  readonly [member: string]: unknown
}
export interface ChatReply {
  readonly id: string
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly message: {
      readonly role: string
      readonly content: string | null
      readonly [member: string]: unknown
    }
    readonly finish_reason: string | null
  }[]
  readonly usage?: {
    readonly prompt_tokens: number
    readonly completion_tokens: number
    readonly total_tokens: number
  }
}
export interface ChatChunk {
  readonly id: string
  readonly model: string
  readonly choices: readonly {
    readonly index: number
    readonly delta: {
      readonly role?: string
      readonly content?: string | null
      readonly [member: string]: unknown
    }
    readonly finish_reason: string | null
  }[]
  readonly usage?: ChatReply['usage'] | null
}
/** What Signalbox adds to a call. */
export interface ChatOptions {
  readonly signal?: AbortSignal
  /** Declared metadata, for policies and records. */
  readonly metadata?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly session?: string
  /** A prompt of the workspace, and what its variables are. */
  readonly prompt?: {
    readonly name: string
    /** `12` for the prompt as it was in v12; the deployed one where left out. */
    readonly version?: number
    readonly variables: Readonly<
      Record<string, string | number | boolean | readonly (string | number | boolean)[] | undefined>
    >
  }
}
/** What Signalbox says of an answer, from its headers. */
export interface Decided {
  /** Id of the record: `signalbox explain ID`. */
  readonly decision: string | null
  readonly target: string | null
  readonly version: string | null
  readonly dropped: readonly string[]
  /** The gateway was away, and the provider was asked without it: nothing was decided. */
  readonly direct: boolean
}

function decidedOf(headers: Headers, direct: boolean): Decided {
  const dropped = headers.get('x-signalbox-dropped')
  return {
    decision: headers.get('x-signalbox-decision'),
    target: headers.get('x-signalbox-target'),
    version: headers.get('x-signalbox-version'),
    dropped: dropped === null ? [] : dropped.split(',').map((path) => path.trim()),
    direct,
  }
}

/** JSON that a header can hold: ASCII only. */
function headerJson(value: object): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, escaped)
}

/** A streamed answer: iterate it for its chunks; `decided` is known from the start. */
export interface ChatStream extends AsyncIterable<ChatChunk> {
  readonly decided: Decided
  /** All text of the answer, once it has ended. */
  text(): Promise<string>
}

async function* chunksOf(
  body: ReadableStream<Uint8Array>,
  onChunk?: (chunk: ChatChunk) => void,
): AsyncGenerator<ChatChunk, void, void> {
  for await (const data of readEvents(body)) {
    if (data === '[DONE]') return
    const chunk = JSON.parse(data) as ChatChunk & { error?: { message?: string } }
    if (chunk.error !== undefined) throw new Error(chunk.error.message ?? 'The answer broke off.')
    onChunk?.(chunk)
    yield chunk
  }
  throw new Error('The answer ended before it was complete.')
}

/** What a client needs to reach a gateway. */
export interface GatewayClientOptions {
  /** Origin of the gateway. */
  readonly url: string
  /** `sb_…`. */
  readonly key: string
  readonly fetch?: typeof fetch
  /**
   * Keys of providers, for calls while the gateway cannot be reached or is not ready; only where the gateway said
   * that this key may, and never after a refusal. Such calls are told to the gateway when it is back.
   */
  readonly direct?: DirectProviders
  /** Keeps what `direct` has to remember; without one it is known for as long as the program runs. */
  readonly storage?: DirectStorage
}

/** An answer, and how it came. */
interface Sent {
  readonly response: Response
  readonly direct?: DirectAnswer
}

/** An answer with its body read: a gateway that dies in the middle of one has given none. */
async function wholeOf(response: Response): Promise<Response> {
  try {
    return new Response(await response.arrayBuffer(), response)
  } catch (cause) {
    const message = 'The gateway broke off its answer.'
    throw new ApiError(0, { code: 'upstream_unavailable', message }, cause)
  }
}

/** Calls models through a gateway. Any other client of the OpenAI, Anthropic or Gemini API does as well. */
export class GatewayClient {
  readonly #http: Http
  readonly #fetch: typeof fetch
  /** The way past an absent gateway, where one is wanted. */
  readonly direct: DirectRoute | undefined

  constructor(options: GatewayClientOptions) {
    const { url, key, fetch: doFetch = globalThis.fetch, direct: providers, storage } = options
    this.#fetch = doFetch
    this.#http = new Http({ url, token: key, fetch: doFetch })
    this.direct =
      providers === undefined ? undefined : new DirectRoute({ url, key, fetch: doFetch, providers, storage })
  }

  #throughGateway(
    request: ChatRequest,
    stream: boolean,
    options: ChatOptions & { readonly signal?: AbortSignal },
  ): Promise<Response> {
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (options.metadata !== undefined) headers['x-signalbox-metadata'] = headerJson(options.metadata)
    if (options.session !== undefined) headers['x-signalbox-session'] = options.session
    if (options.prompt !== undefined) {
      const { name, version, variables } = options.prompt
      headers['x-signalbox-prompt'] = version === undefined ? name : `${name}@v${version}`
      headers['x-signalbox-variables'] = headerJson(variables)
    }
    const body = JSON.stringify({ ...request, stream })
    return this.#http.send('/v1/chat/completions', {
      method: 'POST',
      headers,
      body,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  }

  async #send(request: ChatRequest, stream: boolean, options: ChatOptions): Promise<Sent> {
    const { direct } = this
    if (direct === undefined) return { response: await this.#throughGateway(request, stream, options) }
    const abort = new AbortController()
    const { signal: own } = options
    const signal = own === undefined ? abort.signal : AbortSignal.any([own, abort.signal])
    const watch = direct.watch(abort)
    try {
      const response = await this.#throughGateway(request, stream, { ...options, signal })
      const whole = stream ? response : await wholeOf(response)
      direct.answered(request.model ?? '', response.headers.get('x-signalbox-target'))
      return { response: whole }
    } catch (error) {
      const reason = own?.aborted === true ? undefined : whyAway(error)
      // A refusal, or a text that only the gateway has.
      if (reason === undefined || options.prompt !== undefined) throw error
      const target = direct.targetOf(request.model ?? '')
      if (target === undefined) throw error
      return await askDirectly({ request, stream, options, target, reason }, direct, this.#fetch)
    } finally {
      watch.end()
    }
  }

  /** A whole answer. */
  async chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatReply & { decided: Decided }> {
    const { response, direct } = await this.#send(request, false, options)
    let reply: ChatReply | undefined
    try {
      reply = (await response.json()) as ChatReply
    } finally {
      direct?.end(reply?.usage)
    }
    return { ...reply, decided: decidedOf(response.headers, direct !== undefined) }
  }

  /** An answer as it is written. */
  async chatStream(request: ChatRequest, options: ChatOptions = {}): Promise<ChatStream> {
    const { response, direct } = await this.#send(request, true, options)
    if (response.body === null) throw new Error('The gateway sent no body.')
    const chunks = direct === undefined ? chunksOf(response.body) : directChunks(response.body, direct)
    return {
      decided: decidedOf(response.headers, direct !== undefined),
      [Symbol.asyncIterator]: () => chunks,
      async text() {
        let text = ''
        for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? ''
        return text
      },
    }
  }
}

/** Chunks of an answer that came past the gateway; its end is noted, whatever it is. */
async function* directChunks(
  body: ReadableStream<Uint8Array>,
  direct: DirectAnswer,
): AsyncGenerator<ChatChunk, void, void> {
  let usage: ChatReply['usage']
  try {
    yield* chunksOf(body, (chunk) => {
      usage = chunk.usage ?? usage
    })
  } finally {
    direct.end(usage)
  }
}
