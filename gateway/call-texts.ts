import type { Block, Call, ChatPayload, Message } from './call.ts'

/** Characters that detectors look at, in this order; what is beyond is counted, not read. */
export const windowChars = {
  /** Messages from the newest on. */
  newest: 98_304,
  /** Messages from the first on, as far as they are not in the window above: mostly what the system says. */
  oldest: 16_384,
  /** All else that goes to the model: tools, schemas, members that only one format knows. */
  rest: 16_384,
} as const
/** Parts that are looked at; a call of more is a call of very small ones. */
const partsMax = 20_000
/** Data that is written as text is not text: its start tells. */
const dataStart = /^(?:data:[^,]{0,80};base64,|[A-Za-z0-9+/_-]{256})/
const separator = '\n\n'

/** What of a call's text is looked at. */
export interface CallText {
  /** Parts of the call with an empty line between them, the newest message first. */
  readonly text: string
  /** Characters of the call in it. */
  readonly chars: number
  readonly totalChars: number
}

function* textsOfJson(value: unknown): Generator<string> {
  if (typeof value === 'string') {
    if (!dataStart.test(value)) yield value
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      if (!Array.isArray(value)) yield name
      yield* textsOfJson(member)
    }
  }
}

function* textsOfUrl(url: string | undefined): Generator<string> {
  if (url !== undefined && !url.startsWith('data:')) yield url
}

/** Every text of a block that a model may read. */
function* textsOfBlock(block: Block): Generator<string> {
  switch (block.type) {
    case 'text':
    case 'refusal':
      yield block.text
      break
    case 'reasoning':
      if (block.text !== undefined) yield block.text
      break
    case 'image':
      yield* textsOfUrl(block.url)
      break
    case 'document':
      if (block.title !== undefined) yield block.title
      if (block.text !== undefined) yield block.text
      yield* textsOfUrl(block.url)
      break
    case 'toolCall':
      yield block.arguments
      break
    case 'toolResult':
      for (const inner of block.blocks) yield* textsOfBlock(inner)
      break
    case 'opaque':
      yield* textsOfJson(block.value)
      break
    case 'audio':
      break
  }
}

function* textsOfMessage(message: Message): Generator<string> {
  if (message.name !== undefined) yield message.name
  for (const block of message.blocks) yield* textsOfBlock(block)
}

/** Texts beside the conversation. */
function* textsBeside(payload: ChatPayload): Generator<string> {
  for (const { name, description, schema } of payload.tools) {
    yield name
    if (description !== undefined) yield description
    yield* textsOfJson(schema)
  }
  if (payload.output?.type === 'jsonSchema') {
    yield payload.output.description ?? ''
    yield* textsOfJson(payload.output.schema)
  }
  yield* payload.stop ?? []
  if (payload.userId !== undefined) yield payload.userId
  for (const value of payload.extra.values()) yield* textsOfJson(value)
}

/** Takes texts until a number of characters is reached; of one that is too long its two ends. */
class Window {
  readonly #parts: string[] = []
  chars = 0

  get parts(): readonly string[] {
    return this.#parts
  }

  /** Gives whether there was place for all of it. */
  take(text: string, charsMax: number): boolean {
    const left = charsMax - this.chars
    if (left <= 0 || this.#parts.length >= partsMax) return false
    if (text.length <= left) {
      this.#parts.push(text)
      this.chars += text.length
      return true
    }
    const half = left >> 1
    this.#parts.push(text.slice(0, half), text.slice(text.length - half))
    this.chars += half * 2
    return false
  }
}

/**
 * The text of a call as detectors see it: its newest messages, its first ones, and what stands beside them, each within
 * its window.
 * @throws Refusal `invalid_request` where the conversation has no canonical form.
 */
export function textOfCall(call: Call): CallText {
  const payload = call.payload()
  const texts = payload.messages.map((message) => [...textsOfMessage(message)])
  let totalChars = 0
  for (const message of texts) for (const text of message) totalChars += text.length
  const windows = { newest: new Window(), oldest: new Window(), rest: new Window() }
  const { newest, oldest, rest } = windows
  let kept = texts.length
  for (let isOpen = true; isOpen && kept > 0; kept--) {
    for (const text of texts[kept - 1] ?? []) isOpen = newest.take(text, windowChars.newest) && isOpen
  }
  for (const text of texts.slice(0, kept).flat()) if (!oldest.take(text, windowChars.oldest)) break
  for (const text of textsBeside(payload)) {
    totalChars += text.length
    rest.take(text, windowChars.rest)
  }
  return {
    text: [...newest.parts, ...oldest.parts, ...rest.parts].join(separator),
    chars: newest.chars + oldest.chars + rest.chars,
    totalChars,
  }
}
