import type { Block, Message } from '../../call.ts'
import { inputOfArguments } from '../anthropic-messages/tool-arguments.ts'
import { isObject, parseExact } from '../json-value.ts'
import type { Losses } from '../losses.ts'
import { geminiToolName } from '../tool-names.ts'
import type { GeminiTraits } from './model-traits.ts'
import { skippedSignature } from './thought-signature.ts'

type Part = Record<string, unknown>
type ToolResult = Extract<Block, { type: 'toolResult' }>
export interface Content {
  readonly role: 'user' | 'model'
  readonly parts: Part[]
}
/** How the contents of one request are written. */
export interface ContentContext {
  readonly losses: Losses
  readonly traits: GeminiTraits
  /** Names of the calls so far, by id: a result must name its function. */
  readonly names: Map<string, string>
}

/**
 * The system prompt and the turns: neighbours of one role become one content. A system message after the first turn
 * is a text of the user.
 */
export function encodeContents(
  messages: readonly Message[],
  context: ContentContext,
): { system: Part[]; contents: Content[] } {
  const system: Part[] = []
  const contents: Content[] = []
  const add = (role: Content['role'], parts: Part[]): void => {
    const last = contents.at(-1)
    if (last?.role === role) last.parts.push(...parts)
    else if (parts.length > 0) contents.push({ role, parts })
  }
  for (const message of messages) {
    if (message.name !== undefined) context.losses.drop(`${message.path}.name`)
    if (message.role === 'assistant') add('model', encodeTurn(message, context))
    else {
      const parts = message.blocks.flatMap((block) => encodeBlock(block, context))
      if (message.role === 'user') add('user', parts)
      else if (contents.length === 0) system.push(...parts)
      else {
        context.losses.drop(`${message.path}.role`)
        add(
          'user',
          parts.map((part) => ({ ...part, text: `[system] ${part.text}` })),
        )
      }
    }
  }
  return { system, contents }
}

/**
 * A turn of the model. A signature goes to the call that follows it, since some callers' formats hold all thinking
 * first; where there is none, to the next text, or at the end to an empty one.
 */
function encodeTurn(message: Message, context: ContentContext): Part[] {
  const parts: Part[] = []
  const waiting: string[] = []
  let callsLeft = message.blocks.filter(({ type }) => type === 'toolCall').length
  let hasSignedCall = false
  for (const block of message.blocks) {
    if (block.type === 'reasoning') {
      const { text, encrypted, signature, origin } = block
      if (origin !== 'gemini') context.losses.drop(block.path)
      else {
        if (encrypted !== undefined) waiting.push(encrypted)
        if (text || signature !== undefined) parts.push(thoughtOf(text ?? '', signature))
      }
      continue
    }
    const encoded = encodeBlock(block, context)
    const [first] = encoded
    if (block.type === 'toolCall') {
      callsLeft--
      const signature =
        waiting.shift() ?? (hasSignedCall || !context.traits.signedCalls ? undefined : skippedSignature)
      hasSignedCall = true
      if (first !== undefined && signature !== undefined) first.thoughtSignature = signature
    } else if (first !== undefined && callsLeft === 0 && waiting.length > 0) {
      first.thoughtSignature = waiting.shift()
    }
    parts.push(...encoded)
  }
  return [...parts, ...waiting.map((thoughtSignature) => ({ text: '', thoughtSignature }))]
}

function thoughtOf(text: string, signature: string | undefined): Part {
  return { text, thought: true, ...(signature !== undefined && { thoughtSignature: signature }) }
}

function encodeBlock(block: Block, context: ContentContext): Part[] {
  const { losses } = context
  if (block.cache) losses.drop(`${block.path}.cache_control`)
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text === '' ? [] : [{ text: block.text }]
    case 'image':
      if (block.detail !== undefined && block.detail !== 'auto') losses.drop(detailPath(block.path))
      return [mediaPart(block, 'image/jpeg')]
    case 'document':
      return encodeDocument(block, losses)
    case 'audio':
      return [{ inlineData: { mimeType: `audio/${block.format}`, data: block.base64 } }]
    case 'toolCall': {
      const name = geminiToolName(block.name)
      context.names.set(block.id, name)
      return [{ functionCall: { id: block.id, name, args: inputOfArguments(block.arguments) } }]
    }
    case 'toolResult':
      return encodeToolResult(block, context)
    case 'reasoning':
      losses.drop(block.path)
      return []
    case 'opaque':
      losses.dropMeaning(block.path)
      return []
  }
}

/** Chat Completions has it inside `image_url`, Responses beside it. */
function detailPath(path: string): string {
  return path.startsWith('input[') ? `${path}.detail` : `${path}.image_url.detail`
}

const typesByEnding: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  webp: 'image/webp',
  gif: 'image/gif',
  pdf: 'application/pdf',
}

/** Bytes stand in the request; what has a URL is fetched by Google itself. */
function mediaPart(
  source: { readonly mediaType?: string; readonly base64?: string; readonly url?: string },
  fallback: string,
): Part {
  const { mediaType, base64, url = '' } = source
  if (base64 !== undefined) return { inlineData: { mimeType: mediaType ?? fallback, data: base64 } }
  const ending = /\.(\w{3,4})(?:[?#]|$)/.exec(url)?.[1]?.toLowerCase() ?? ''
  return { fileData: { fileUri: url, mimeType: mediaType ?? typesByEnding[ending] ?? fallback } }
}

function encodeDocument(block: Extract<Block, { type: 'document' }>, losses: Losses): Part[] {
  if (block.title !== undefined) losses.drop(`${block.path}.${block.titleMember ?? 'title'}`)
  if (block.text !== undefined) return [{ text: block.text }]
  return [mediaPart(block, 'application/pdf')]
}

function encodeToolResult(block: ToolResult, context: ContentContext): Part[] {
  const parts = block.blocks.flatMap((inner) => encodeBlock(inner, context))
  const texts = parts.filter((part) => typeof part.text === 'string')
  const media = parts.filter((part) => typeof part.text !== 'string')
  const text = texts.map((part) => part.text).join('\n')
  const name = context.names.get(block.toolCallId) ?? block.toolCallId
  const functionResponse: Part = {
    id: block.toolCallId,
    name,
    response: block.isError ? { error: text } : responseOf(text),
  }
  if (media.length === 0) return [{ functionResponse }]
  if (context.traits.mediaInResults) return [{ functionResponse: { ...functionResponse, parts: media } }]
  return [{ functionResponse }, { text: `[result of ${name}, ${block.toolCallId}]` }, ...media]
}

/** A JSON object as it is; anything else under Google's own name for what a function gives. */
function responseOf(text: string): unknown {
  if (text.startsWith('{')) {
    try {
      const value = parseExact(text)
      if (isObject(value)) return value
    } catch {
      // It only looked like JSON.
    }
  }
  return { output: text }
}
