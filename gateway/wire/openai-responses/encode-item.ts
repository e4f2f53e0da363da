import type { Block, Message } from '../../call.ts'
import type { Losses } from '../losses.ts'
import { writeMediaUrl } from '../media.ts'
import { shortToolName } from '../tool-names.ts'

export type Item = Record<string, unknown>
type Part = Record<string, unknown>

/** How the items of one request are written. */
export interface ItemContext {
  readonly losses: Losses
}

/** A canonical message as items of a Responses input: thinking, calls and results are items of their own. */
export function encodeItems(message: Message, { losses }: ItemContext): Item[] {
  const items: Item[] = []
  let content: Part[] = []
  const flush = (): void => {
    if (content.length > 0) items.push(messageItem(message, content))
    content = []
  }
  if (message.name !== undefined) losses.drop(`${message.path}.name`)
  for (const block of message.blocks) {
    const item = encodeOwnItem(block, losses)
    if (item === undefined) {
      const part = encodePart(block, message.role, losses)
      if (part !== undefined) content.push(part)
    } else if (item !== 'lost') {
      flush()
      items.push(item)
    }
  }
  flush()
  if (items.length === 0 && message.role !== 'assistant' && message.blocks.length === 0) {
    items.push({ role: message.role, content: '' })
  }
  return items
}

/** A lone text of somebody else than the model is written as one. */
function messageItem({ role }: Message, content: Part[]): Item {
  const [first] = content
  const isOneText = role !== 'assistant' && content.length === 1 && first?.type === 'input_text'
  return { type: 'message', role, content: isOneText ? first.text : content }
}

/** The item of a block that stands beside messages; undefined where it is a part of one. */
function encodeOwnItem(block: Block, losses: Losses): Item | 'lost' | undefined {
  switch (block.type) {
    case 'toolCall':
      if (block.cache) losses.drop(`${block.path}.cache_control`)
      return {
        type: 'function_call',
        call_id: block.id,
        name: shortToolName(block.name),
        arguments: block.arguments === '' ? '{}' : block.arguments,
      }
    case 'toolResult':
      if (block.cache) losses.drop(`${block.path}.cache_control`)
      return { type: 'function_call_output', call_id: block.toolCallId, output: encodeOutput(block, losses) }
    case 'reasoning':
      return encodeReasoning(block, losses)
    default:
      return undefined
  }
}

function encodeOutput(block: Extract<Block, { type: 'toolResult' }>, losses: Losses): string | Part[] {
  const parts = block.blocks
    .map((inner) => encodePart(inner, 'user', losses))
    .filter((part) => part !== undefined)
  const areTexts = parts.every(({ type }) => type === 'input_text')
  if (areTexts) {
    const text = parts.map((part) => part.text).join('\n')
    return block.isError ? `Error: ${text}` : text
  }
  return block.isError ? [{ type: 'input_text', text: 'Error:' }, ...parts] : parts
}

/** Only OpenAI's own thinking goes back, and only what it can open again: it refuses any other. */
function encodeReasoning(block: Extract<Block, { type: 'reasoning' }>, losses: Losses): Item | 'lost' {
  if (block.origin !== 'openai-responses' || block.encrypted === undefined) {
    losses.drop(block.path)
    return 'lost'
  }
  return {
    type: 'reasoning',
    ...(block.signature !== undefined && { id: block.signature }),
    summary: block.text ? [{ type: 'summary_text', text: block.text }] : [],
    encrypted_content: block.encrypted,
  }
}

function encodePart(block: Block, role: Message['role'], losses: Losses): Part | undefined {
  if (block.cache) losses.drop(`${block.path}.cache_control`)
  switch (block.type) {
    case 'text':
      return role === 'assistant'
        ? { type: 'output_text', text: block.text, annotations: [] }
        : { type: 'input_text', text: block.text }
    case 'refusal':
      return role === 'assistant'
        ? { type: 'refusal', refusal: block.text }
        : { type: 'input_text', text: block.text }
    case 'image':
      return { type: 'input_image', image_url: writeMediaUrl(block), detail: block.detail ?? 'auto' }
    case 'document':
      return encodeDocument(block, losses)
    case 'audio':
      return { type: 'input_audio', input_audio: { data: block.base64, format: block.format } }
    case 'opaque':
      if (role === 'assistant') losses.drop(block.path)
      else losses.dropMeaning(block.path)
      return undefined
    default:
      losses.drop(block.path)
      return undefined
  }
}

function encodeDocument(block: Extract<Block, { type: 'document' }>, losses: Losses): Part {
  if (block.text !== undefined) {
    if (block.title !== undefined) losses.drop(`${block.path}.${block.titleMember ?? 'title'}`)
    return { type: 'input_text', text: block.text }
  }
  if (block.base64 === undefined) {
    if (block.title !== undefined) losses.drop(`${block.path}.${block.titleMember ?? 'title'}`)
    return { type: 'input_file', file_url: block.url }
  }
  return { type: 'input_file', filename: block.title ?? 'document.pdf', file_data: writeMediaUrl(block) }
}
