import { chatChunk, chatDone, chatUsageChunk } from '../../support/scripted-upstream.ts'

/** Where a text stands in an answer. */
export type Place = 'text' | 'toolCall' | 'reasoning'
/** Formats that the callers of these tests speak. */
export const dialects = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'] as const
export type DialectName = (typeof dialects)[number]

const event = (type: string, rest: object = {}): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`

/** A chat stream of OpenAI's form with a text in pieces, at a place. */
export function chatStreamAt(place: Place, pieces: readonly string[]): string {
  const called = { index: 0, id: 'call_1', type: 'function', function: { name: 'save', arguments: '' } }
  const deltas = pieces.map((piece) => {
    if (place === 'text') return { content: piece }
    if (place === 'reasoning') return { reasoning_content: piece }
    return { tool_calls: [{ index: 0, function: { arguments: piece } }] }
  })
  const finish = place === 'toolCall' ? 'tool_calls' : 'stop'
  return [
    chatChunk({ role: 'assistant', content: '' }),
    ...(place === 'toolCall' ? [chatChunk({ tool_calls: [called] })] : []),
    ...deltas.map((delta) => chatChunk(delta)),
    chatChunk({}, { choices: [{ index: 0, delta: {}, finish_reason: finish }] }),
    chatUsageChunk,
    chatDone,
  ].join('')
}

/** The same as Anthropic sends it. */
export function messageStreamAt(place: Place, pieces: readonly string[]): string {
  return messageStreamOf(place, [pieces])
}

/** The same in several blocks, each in pieces. */
export function messageStreamOf(place: Place, blocks: readonly (readonly string[])[]): string {
  const opening = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [] }
  const usage = { input_tokens: 10, output_tokens: 1 }
  const stop = { stop_reason: place === 'toolCall' ? 'tool_use' : 'end_turn', stop_sequence: null }
  return [
    event('message_start', { message: { ...opening, stop_reason: null, stop_sequence: null, usage } }),
    ...blocks.flatMap((pieces, index) => messageBlock(place, pieces, index)),
    event('message_delta', { delta: stop, usage: { output_tokens: 5 } }),
    event('message_stop'),
  ].join('')
}

function messageBlock(place: Place, pieces: readonly string[], index: number): string[] {
  const starts = {
    text: { type: 'text', text: '' },
    reasoning: { type: 'thinking', thinking: '', signature: '' },
    toolCall: { type: 'tool_use', id: `toolu_${index + 1}`, name: 'save', input: {} },
  }
  const deltaOf = (piece: string): object => {
    if (place === 'text') return { type: 'text_delta', text: piece }
    if (place === 'reasoning') return { type: 'thinking_delta', thinking: piece }
    return { type: 'input_json_delta', partial_json: piece }
  }
  const signed = { type: 'signature_delta', signature: 'c2lnbmVk' }
  return [
    event('content_block_start', { index, content_block: starts[place] }),
    ...pieces.map((piece) => event('content_block_delta', { index, delta: deltaOf(piece) })),
    ...(place === 'reasoning' ? [event('content_block_delta', { index, delta: signed })] : []),
    event('content_block_stop', { index }),
  ]
}

/** The path and body with which a caller of a dialect asks for a stream. */
export function streamRequest(dialect: DialectName, model: string, metadata: object): [string, object] {
  const header = { metadata }
  switch (dialect) {
    case 'openai-chat':
      return [
        '/v1/chat/completions',
        { model, stream: true, ...header, messages: [{ role: 'user', content: 'Hello' }] },
      ]
    case 'openai-responses':
      return ['/v1/responses', { model, stream: true, ...header, input: 'Hello' }]
    case 'anthropic-messages':
      return [
        '/v1/messages',
        { model, stream: true, max_tokens: 1000, messages: [{ role: 'user', content: 'Hello' }] },
      ]
    case 'gemini':
      return [
        `/v1beta/models/${model.replace('/', '%2F')}:streamGenerateContent?alt=sse`,
        { contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] },
      ]
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** All strings of a value, in the order in which they stand. */
function* stringsOf(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const each of value) yield* stringsOf(each)
  else if (isRecord(value)) for (const each of Object.values(value)) yield* stringsOf(each)
}

/** Names of the members that pieces of a stream's text stand in; other members tell of it again, or of other things. */
const pieceNames = [
  ...['content', 'reasoning_content', 'arguments', 'delta', 'text', 'thinking', 'partial_json', 'args'],
]

function* piecesOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) for (const each of value) yield* piecesOf(each)
  if (!isRecord(value)) return
  for (const [name, each] of Object.entries(value)) {
    if (pieceNames.includes(name) && typeof each === 'string') yield each
    else if (name === 'args') yield JSON.stringify(each)
    else yield* piecesOf(each)
  }
}

/** What a caller has read of a stream. */
export interface ReadStream {
  /** The pieces of its text, one after the other, as a client puts them together. */
  readonly text: string
  /** Every string that is anywhere in it. */
  readonly strings: readonly string[]
  readonly events: readonly unknown[]
}

/** Reads a stream as clients do: events whose data is JSON. */
export function readEvents(body: string): ReadStream {
  const events = body.split('\n\n').flatMap((frame): unknown[] => {
    const data = frame
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(5).trim())
      .join('\n')
    return data === '' || data === '[DONE]' ? [] : [JSON.parse(data)]
  })
  // What tells of the whole again would make every piece stand twice.
  const pieces = events.filter(
    (each) => !/done|completed|incomplete|created|in_progress|stop/.test(typeOf(each)),
  )
  return { text: [...piecesOf(pieces)].join(''), strings: [...stringsOf(events)], events }
}

const typeOf = (value: unknown): string =>
  isRecord(value) && typeof value.type === 'string' ? value.type : ''
