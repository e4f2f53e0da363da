import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** A request as the upstream got it. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Readonly<Record<string, unknown>>
}
/** One request and the means to answer it badly. */
export interface UpstreamTurn {
  readonly request: SeenRequest
  readonly response: ServerResponse
  readonly socket: Socket
  /** Resolves when the other side has closed the connection. */
  closed(): Promise<void>
  /** A whole JSON answer. */
  json(status: number, value: unknown, headers?: Readonly<Record<string, string>>): void
  /** Begins an event stream with these bytes. */
  events(text: string, headers?: Readonly<Record<string, string>>): void
  /** Ends the connection with a reset. */
  reset(): void
}
export type Script = (turn: UpstreamTurn) => void | Promise<void>

export interface ScriptedUpstream {
  readonly url: string
  /** Everything it was asked so far. */
  readonly requests: SeenRequest[]
  /** What it does with the next requests; the last script stays. */
  play(...scripts: Script[]): void
  close(): Promise<void>
}

/** An upstream on a real socket that does what the test says, however wrong. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const requests: SeenRequest[] = []
  let scripts: Script[] = [(turn) => turn.json(500, { error: { message: 'no script' } })]
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8')
      const request = {
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        text,
        json: text.startsWith('{') ? JSON.parse(text) : {},
      }
      requests.push(request)
      const script = scripts.length > 1 ? scripts.shift() : scripts[0]
      void Promise.resolve(script?.(turnOf(request, response, incoming.socket))).catch(() =>
        response.destroy(),
      )
    })
  })
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    play(...next) {
      scripts = next
    },
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

function turnOf(request: SeenRequest, response: ServerResponse, socket: Socket): UpstreamTurn {
  return {
    request,
    response,
    socket,
    closed: () => new Promise((resolve) => socket.once('close', () => resolve())),
    json(status, value, headers = {}) {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(value))
    },
    events(text, headers = {}) {
      response.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
      response.write(text)
    },
    reset() {
      socket.resetAndDestroy()
    },
  }
}

/** A chat completion as OpenAI sends it. */
export function chatCompletion(text: string): unknown {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'gpt-5.2-2025-12-11',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  }
}

/** A chunk of a chat stream as OpenAI sends it. */
export function chatChunk(delta: object, rest: object = {}): string {
  const choices = [{ index: 0, delta, finish_reason: null }]
  const chunk = {
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: 'gpt-5.2',
  }
  return `data: ${JSON.stringify({ ...chunk, choices, ...rest })}\n\n`
}

export const chatUsageChunk = chatChunk(
  {},
  { choices: [], usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } },
)
export const chatDone = 'data: [DONE]\n\n'

/** A whole chat stream in its events. */
export function chatStream(...texts: string[]): string[] {
  return [
    chatChunk({ role: 'assistant', content: '' }),
    ...texts.map((content) => chatChunk({ content })),
    chatChunk({}, { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
    chatUsageChunk,
    chatDone,
  ]
}

/** A message as Anthropic sends it. */
export function message(text: string): unknown {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-4-5',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  }
}

const event = (type: string, rest: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`

/** A whole message stream in its events. */
export function messageStream(...texts: string[]): string[] {
  const opening = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [] }
  const usage = { input_tokens: 10, output_tokens: 1 }
  return [
    event('message_start', { message: { ...opening, stop_reason: null, stop_sequence: null, usage } }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...texts.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 5 },
    }),
    event('message_stop'),
  ]
}
