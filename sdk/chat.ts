import { Http, readEvents } from './http.ts'

/** A message of a chat; content as the OpenAI chat format has it. */
export interface ChatMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool'
  readonly content: string | null | readonly Readonly<Record<string, unknown>>[]
  readonly [member: string]: unknown
}
/** A chat call in the OpenAI chat format; members that are not named here travel as they are. */
export interface ChatRequest {
  /** Alias, `connection/model`, or a bare model name. */
  readonly model: string
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
}

function decidedOf(headers: Headers): Decided {
  const dropped = headers.get('x-signalbox-dropped')
  return {
    decision: headers.get('x-signalbox-decision'),
    target: headers.get('x-signalbox-target'),
    version: headers.get('x-signalbox-version'),
    dropped: dropped === null ? [] : dropped.split(',').map((path) => path.trim()),
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

async function* chunksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ChatChunk, void, void> {
  for await (const data of readEvents(body)) {
    if (data === '[DONE]') return
    const chunk = JSON.parse(data) as ChatChunk & { error?: { message?: string } }
    if (chunk.error !== undefined) throw new Error(chunk.error.message ?? 'The answer broke off.')
    yield chunk
  }
  throw new Error('The answer ended before it was complete.')
}

/** Calls models through a gateway. Any other client of the OpenAI, Anthropic or Gemini API does as well. */
export class GatewayClient {
  readonly #http: Http

  /** `url`: origin of the gateway; `key`: `sb_…`. */
  constructor(options: { readonly url: string; readonly key: string; readonly fetch?: typeof fetch }) {
    const { url, key, fetch: doFetch } = options
    this.#http = new Http({ url, token: key, ...(doFetch === undefined ? {} : { fetch: doFetch }) })
  }

  #send(request: ChatRequest, stream: boolean, options: ChatOptions): Promise<Response> {
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (options.metadata !== undefined) headers['x-signalbox-metadata'] = headerJson(options.metadata)
    if (options.session !== undefined) headers['x-signalbox-session'] = options.session
    if (options.prompt !== undefined) {
      headers['x-signalbox-prompt'] = options.prompt.name
      headers['x-signalbox-variables'] = headerJson(options.prompt.variables)
    }
    const body = JSON.stringify({ ...request, stream })
    return this.#http.send('/v1/chat/completions', {
      method: 'POST',
      headers,
      body,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
  }

  /** A whole answer. */
  async chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatReply & { decided: Decided }> {
    const response = await this.#send(request, false, options)
    const reply = (await response.json()) as ChatReply
    return { ...reply, decided: decidedOf(response.headers) }
  }

  /** An answer as it is written. */
  async chatStream(request: ChatRequest, options: ChatOptions = {}): Promise<ChatStream> {
    const response = await this.#send(request, true, options)
    if (response.body === null) throw new Error('The gateway sent no body.')
    const chunks = chunksOf(response.body)
    return {
      decided: decidedOf(response.headers),
      [Symbol.asyncIterator]: () => chunks,
      async text() {
        let text = ''
        for await (const chunk of chunks) text += chunk.choices[0]?.delta.content ?? ''
        return text
      },
    }
  }
}
