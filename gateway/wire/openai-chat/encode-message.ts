import type { Block, Message } from '../../call.ts'
import type { Losses } from '../losses.ts'
import { writeMediaUrl } from '../media.ts'
import { anthropicReasoningFormat, chatReasoningMember } from '../reasoning-origin.ts'
import { shortToolName } from '../tool-names.ts'
import type { ChatQuirks } from './quirks.ts'

type Part = Record<string, unknown>
type ToolResult = Extract<Block, { type: 'toolResult' }>

/**
 * How the messages of one request are written. `same`: they came in this format, so all of it has a place.
 */
export interface MessageContext {
  readonly quirks: ChatQuirks
  readonly losses: Losses
  readonly same: boolean
}

/**
 * A canonical message as Chat Completions messages: tool results become messages of their own, before the
 * rest.
 */
export function encodeMessage(message: Message, context: MessageContext): Part[] {
  const name = message.name !== undefined && { name: message.name }
  if (message.role === 'assistant') return [{ ...encodeAssistant(message, context), ...name }]
  if (message.role === 'system') {
    return [{ role: 'system', content: encodeContent(message.blocks, context), ...name }]
  }
  const whole = message.blocks.length === 1 ? wholeMessage(message.blocks[0], context) : undefined
  if (whole) return [whole]
  const encoded: Part[] = []
  const rest: Block[] = []
  for (const block of message.blocks) {
    if (block.type !== 'toolResult') rest.push(block)
    else {
      const { content, moved } = encodeToolResult(block, context)
      encoded.push({ role: 'tool', tool_call_id: block.toolCallId, content })
      rest.push(...moved)
    }
  }
  if (rest.length > 0 || encoded.length === 0) {
    encoded.push({ role: 'user', content: encodeContent(rest, context), ...name })
  }
  return encoded
}

function wholeMessage(block: Block | undefined, { same }: MessageContext): Part | undefined {
  if (!same || block?.type !== 'opaque' || !block.path.endsWith('.role')) return undefined
  return block.value as Part
}

/** Texts alone are one string where that loses nothing, or where the server wants it so. */
function encodeContent(blocks: readonly Block[], context: MessageContext): string | Part[] {
  const parts = blocks.map((block) => encodePart(block, context)).filter((part) => part !== undefined)
  const [first] = parts
  if (first === undefined) return ''
  if (!parts.every((part) => part.type === 'text' && Object.keys(part).length === 2)) return parts
  if (parts.length === 1) return String(first.text)
  return context.quirks.joinsTexts ? parts.map((part) => part.text).join('\n\n') : parts
}

function encodePart(block: Block, { losses, same }: MessageContext): Part | undefined {
  if (block.cache && !same) losses.drop(`${block.path}.cache_control`)
  const cache = block.cache && same && { cache_control: { type: 'ephemeral', ...block.cache } }
  switch (block.type) {
    case 'text':
      return { type: 'text', text: block.text, ...cache }
    case 'image': {
      const detail = block.detail !== undefined && { detail: block.detail }
      return { type: 'image_url', image_url: { url: writeMediaUrl(block), ...detail }, ...cache }
    }
    case 'document':
      return encodeDocument(block, losses, same, cache)
    case 'audio':
      return { type: 'input_audio', input_audio: { data: block.base64, format: block.format } }
    case 'refusal':
      return { type: 'refusal', refusal: block.text }
    case 'opaque':
      if (same) return block.value as Part
      losses.dropMeaning(block.path)
      return undefined
    default:
      losses.drop(block.path)
      return undefined
  }
}

/** Where a caller's format has the address of a document. */
function urlMember(path: string): string {
  if (path.startsWith('input[')) return 'file_url'
  if (path.startsWith('contents[')) return 'fileData.fileUri'
  return path.startsWith('prompt[') ? 'data' : 'source'
}

function encodeDocument(
  block: Extract<Block, { type: 'document' }>,
  losses: Losses,
  same: boolean,
  cache: object | false | undefined,
): Part | undefined {
  if (block.text !== undefined) {
    if (block.title !== undefined) losses.drop(`${block.path}.${block.titleMember ?? 'title'}`)
    return { type: 'text', text: block.text }
  }
  if (block.base64 === undefined && !same) {
    losses.dropMeaning(
      `${block.path}.${urlMember(block.path)}`,
      'The chosen model takes documents only as base64 or text.',
    )
    return undefined
  }
  const filename = block.title ?? (same ? undefined : 'document.pdf')
  const file = { ...(filename !== undefined && { filename }), file_data: writeMediaUrl(block) }
  return { type: 'file', file, ...cache }
}

/** What a tool message cannot hold (images, documents) moves into the user message that follows. */
function encodeToolResult(
  block: ToolResult,
  context: MessageContext,
): { content: string | Part[]; moved: Block[] } {
  if (block.cache) context.losses.drop(`${block.path}.cache_control`)
  const texts: Block[] = []
  const moved: Block[] = []
  if (block.isError) texts.push({ type: 'text', text: 'Error:', path: block.path })
  for (const inner of block.blocks) {
    const stays = inner.type === 'text' || (inner.type === 'document' && inner.text !== undefined)
    if (stays || context.same || inner.type === 'opaque') {
      texts.push(inner)
      continue
    }
    const label = `[${inner.type} of tool result ${block.toolCallId}]`
    texts.push({ type: 'text', text: label, path: inner.path })
    moved.push({ type: 'text', text: label, path: inner.path }, inner)
  }
  const content = encodeContent(texts, context)
  // Tool messages with parts are refused by several servers; their texts say the same as lines.
  const lines =
    !context.same && Array.isArray(content) ? content.map((part) => part.text).join('\n') : content
  return {
    content: block.isError && typeof lines === 'string' ? lines.replace(/^Error:\s+/, 'Error: ') : lines,
    moved,
  }
}

function encodeAssistant(message: Message, context: MessageContext): Part {
  const content: Block[] = []
  const toolCalls: unknown[] = []
  const encoded: Part = { role: 'assistant', content: null }
  const details: unknown[] = []
  for (const block of message.blocks) {
    if (block.type === 'toolCall') {
      if (block.cache) context.losses.drop(`${block.path}.cache_control`)
      const called = { name: shortToolName(block.name), arguments: block.arguments }
      toolCalls.push({ id: block.id, type: 'function', function: called })
    } else if (block.type === 'reasoning') addReasoning(block, encoded, details, context)
    else if (block.type === 'refusal' && block.path.endsWith('.refusal')) encoded.refusal = block.text
    else if (block.type !== 'opaque') content.push(block)
    else if (!context.same) context.losses.drop(block.path)
    else if (block.path.includes('.reasoning_details[')) details.push(block.value)
    else if (block.path.includes('.tool_calls[')) toolCalls.push(block.value)
    else content.push(block)
  }
  if (content.length > 0) encoded.content = encodeContent(content, context)
  else if (toolCalls.length === 0) encoded.content = ''
  if (details.length > 0) encoded.reasoning_details = details
  if (toolCalls.length > 0) encoded.tool_calls = toolCalls
  return encoded
}

function addReasoning(
  block: Extract<Block, { type: 'reasoning' }>,
  encoded: Part,
  details: unknown[],
  { quirks, losses, same }: MessageContext,
): void {
  const member = block.origin === 'openai-chat' ? chatReasoningMember(block.signature) : undefined
  if (member !== undefined && (same || quirks.showsReasoning)) {
    encoded[member] = `${encoded[member] ?? ''}${block.text ?? ''}`
  } else if (block.origin === 'anthropic-messages' && same) {
    const format = anthropicReasoningFormat
    const index = details.length
    if (block.encrypted !== undefined)
      details.push({ type: 'reasoning.encrypted', data: block.encrypted, format, index })
    else details.push({ type: 'reasoning.text', text: block.text, signature: block.signature, format, index })
  } else losses.drop(block.path)
}
