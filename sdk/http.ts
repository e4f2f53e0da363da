/** Options of one request. */
export interface CallOptions {
  readonly signal?: AbortSignal
}
/** How an operation's flat input is spread over path, query and body. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly query: readonly string[]
  readonly body: readonly string[] | null
}
/** A problem in a workspace file. */
export interface ProblemDetail {
  readonly severity: 'error' | 'warning' | 'note'
  readonly code: string
  readonly file: string
  readonly line: number
  readonly column: number
  readonly message: string
  /** What stands there. */
  readonly text?: string
  /** Section of the documentation. */
  readonly link?: string
}

/** What the server answered instead of a reply; `status` 0 where it could not be reached at all. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly param: string | undefined
  readonly problems: readonly ProblemDetail[]
  readonly requestId: string | undefined

  constructor(
    status: number,
    detail: {
      code: string
      message: string
      param?: string
      problems?: readonly ProblemDetail[]
      requestId?: string
    },
    cause?: unknown,
  ) {
    super(detail.message, cause === undefined ? undefined : { cause })
    this.name = 'ApiError'
    this.status = status
    this.code = detail.code
    this.param = detail.param
    this.problems = detail.problems ?? []
    this.requestId = detail.requestId
  }
}

export interface HttpOptions {
  /** Origin of the server: `http://127.0.0.1:8788`. */
  readonly url: string
  readonly token: string | undefined
  readonly fetch?: typeof fetch
  /** Time limit of a plain request; streams have none. Default 120 s. */
  readonly timeoutMs?: number
}

/** Reads a body that should hold an error; anything else becomes one that says so. */
async function errorOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '')
  try {
    const { error } = JSON.parse(text)
    return new ApiError(response.status, {
      ...error,
      code: String(error.code),
      message: String(error.message),
    })
  } catch {
    const message = `The server answered ${response.status} without an error body.`
    return new ApiError(response.status, { code: 'upstream_invalid', message })
  }
}

/** The data of each server-sent event, as text; comments and other fields are passed over. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader()
  let rest = ''
  let data: string[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = (rest + value).split(/\r\n|\n|\r(?!$)/)
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line.startsWith('data:')) data.push(line.slice(line[5] === ' ' ? 6 : 5))
        else if (line === '' && data.length > 0) {
          yield data.join('\n')
          data = []
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** The only place of the SDK that talks to a network. */
export class Http {
  readonly #options: HttpOptions

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /** Sends a request; throws an ApiError for everything but a success. */
  async send(path: string, init: RequestInit): Promise<Response> {
    const { url, token, fetch: doFetch = globalThis.fetch } = this.#options
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    let response: Response
    try {
      response = await doFetch(new URL(path, url), { ...init, headers })
    } catch (cause) {
      if (init.signal?.aborted && !(init.signal.reason instanceof DOMException)) throw cause
      const message = `${new URL(url).origin} could not be reached.`
      throw new ApiError(0, { code: 'upstream_unavailable', message }, cause)
    }
    if (!response.ok) throw await errorOf(response)
    return response
  }

  #request(route: Route, input: object, signal: AbortSignal | undefined): Promise<Response> {
    const members = input as Readonly<Record<string, unknown>>
    const path = route.path.replaceAll(/:([A-Za-z]+)/g, (_, name: string) =>
      encodeURIComponent(String(members[name])),
    )
    const query = new URLSearchParams()
    for (const name of route.query) {
      if (members[name] !== undefined) query.set(name, String(members[name]))
    }
    const init: RequestInit = { method: route.method }
    if (signal !== undefined) init.signal = signal
    if (route.body !== null) {
      init.headers = { 'content-type': 'application/json' }
      init.body = JSON.stringify(Object.fromEntries(route.body.map((name) => [name, members[name]])))
    }
    return this.send(query.size > 0 ? `${path}?${query}` : path, init)
  }

  #timely(route: Route, input: object, options: CallOptions): Promise<Response> {
    const timeout = AbortSignal.timeout(this.#options.timeoutMs ?? 120_000)
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
    return this.#request(route, input, signal)
  }

  /** One document. */
  async call<T>(route: Route, input: object, options: CallOptions): Promise<T> {
    const response = await this.#timely(route, input, options)
    return (await response.json()) as T
  }

  /** A reply that is no document, as it came. */
  async bytes(route: Route, input: object, options: CallOptions): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#timely(route, input, options)
    return new Uint8Array(await response.arrayBuffer())
  }

  /** A stream of documents; ends when the server ends it or the signal aborts. */
  async *events<T>(route: Route, input: object, options: CallOptions): AsyncGenerator<T, void, void> {
    const response = await this.#request(route, input, options.signal)
    if (response.body === null) return
    for await (const data of readEvents(response.body)) yield JSON.parse(data) as T
  }
}
