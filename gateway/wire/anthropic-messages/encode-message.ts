import type { Block, CacheMark, Message } from '../../call.ts'
import type { Losses } from '../losses.ts'
import { messagesToolName } from '../tool-names.ts'
import { inputOfArguments } from './tool-arguments.ts'

export type AnthropicBlock = Record<string, unknown>
export interface Turn {
  readonly role: 'user' | 'assistant' | 'system'
  readonly content: AnthropicBlock[]
}
/**
 * How the messages of one request are written. `same`: they came in this format, so all of it has a place.
 */
export interface MessageContext {
  readonly losses: Losses
  readonly same: boolean
  /** Messages of role `system` may stand between the others. */
  readonly systemMessages: boolean
}

const imageTypes = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp'])

/**
 * The system prompt and the turns: neighbours of one role become one turn, empty texts are left out. A system
 * message after the first turn stands where the model takes one, after the user's turn; else it is a text of
 * the user.
 */
export function encodeMessages(
  messages: readonly Message[],
  context: MessageContext,
): { system: AnthropicBlock[]; turns: Turn[] } {
  const system: AnthropicBlock[] = []
  const turns: Turn[] = []
  let held: Message[] = []
  const add = (role: Turn['role'], content: AnthropicBlock[]): void => {
    const last = turns.at(-1)
    if (last?.role === role) last.content.push(...content)
    else if (content.length > 0) turns.push({ role, content })
  }
  const release = (): void => {
    for (const message of held) {
      const isPlaced = context.systemMessages && turns.at(-1)?.role !== 'assistant'
      const content = encodeBlocks(message, context)
      if (isPlaced) add('system', content)
      else add('user', asUserTexts(message, content, context.losses))
    }
    held = []
  }
  for (const message of messages) {
    if (message.name !== undefined) context.losses.drop(`${message.path}.name`)
    if (message.role !== 'system') {
      if (message.role === 'assistant') release()
      add(message.role, encodeBlocks(message, context))
    } else if (turns.length === 0) system.push(...encodeBlocks(message, context))
    else if (context.same) add('system', encodeBlocks(message, context))
    else if (context.systemMessages) held.push(message)
    else add('user', asUserTexts(message, encodeBlocks(message, context), context.losses))
  }
  release()
  return { system, turns }
}

function asUserTexts(message: Message, content: AnthropicBlock[], losses: Losses): AnthropicBlock[] {
  losses.drop(`${message.path}.role`)
  return content.map((block) => ({ ...block, text: `[system] ${block.text}` }))
}

function encodeBlocks(message: Message, context: MessageContext): AnthropicBlock[] {
  return message.blocks
    .map((block) => encodeBlock(block, message.role, context))
    .filter((block) => block !== undefined)
}

function withCache(block: AnthropicBlock, cache: CacheMark | undefined): AnthropicBlock {
  return cache === undefined ? block : { ...block, cache_control: { type: 'ephemeral', ...cache } }
}

function encodeBlock(
  block: Block,
  role: Message['role'],
  context: MessageContext,
): AnthropicBlock | undefined {
  const { losses, same } = context
  switch (block.type) {
    case 'text':
    case 'refusal':
      return block.text === '' ? undefined : withCache({ type: 'text', text: block.text }, block.cache)
    case 'image':
      return encodeImage(block, losses)
    case 'document':
      return encodeDocument(block, losses)
    case 'audio':
      losses.dropMeaning(block.path, 'The chosen model takes no audio.')
      return undefined
    case 'toolCall': {
      const call = { type: 'tool_use', id: block.id, name: messagesToolName(block.name) }
      return withCache({ ...call, input: inputOfArguments(block.arguments) }, block.cache)
    }
    case 'toolResult':
      return encodeToolResult(block, context)
    case 'reasoning':
      return encodeReasoning(block, losses)
    case 'opaque':
      if (same) return block.value as AnthropicBlock
      if (role === 'assistant') losses.drop(block.path)
      else losses.dropMeaning(block.path)
      return undefined
  }
}

/** Chat Completions has it inside `image_url`, Responses beside it. */
function detailMember(path: string): string {
  return path.startsWith('input[') ? 'detail' : 'image_url.detail'
}

function encodeImage(block: Extract<Block, { type: 'image' }>, losses: Losses): AnthropicBlock | undefined {
  if (block.detail !== undefined && block.detail !== 'auto')
    losses.drop(`${block.path}.${detailMember(block.path)}`)
  if (block.base64 === undefined) {
    return withCache({ type: 'image', source: { type: 'url', url: block.url } }, block.cache)
  }
  if (!imageTypes.has(block.mediaType ?? '')) {
    losses.dropMeaning(block.path, `The chosen model takes no images of type ${block.mediaType}.`)
    return undefined
  }
  const source = { type: 'base64', media_type: block.mediaType, data: block.base64 }
  return withCache({ type: 'image', source }, block.cache)
}

function encodeDocument(
  block: Extract<Block, { type: 'document' }>,
  losses: Losses,
): AnthropicBlock | undefined {
  const source = documentSource(block)
  if (source !== undefined) {
    const title = block.title !== undefined && { title: block.title }
    return withCache({ type: 'document', source, ...title }, block.cache)
  }
  if (imageTypes.has(block.mediaType ?? '')) return encodeImage({ ...block, type: 'image' }, losses)
  losses.dropMeaning(block.path, `The chosen model takes no files of type ${block.mediaType}.`)
  return undefined
}

function documentSource(block: Extract<Block, { type: 'document' }>): AnthropicBlock | undefined {
  const { base64, mediaType = '', text, url } = block
  if (text !== undefined) return { type: 'text', media_type: 'text/plain', data: text }
  if (url !== undefined) return { type: 'url', url }
  if (base64 === undefined) return undefined
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: mediaType, data: base64 }
  if (!mediaType.startsWith('text/') && mediaType !== 'application/json') return undefined
  return { type: 'text', media_type: 'text/plain', data: Buffer.from(base64, 'base64').toString('utf8') }
}

function encodeToolResult(
  block: Extract<Block, { type: 'toolResult' }>,
  context: MessageContext,
): AnthropicBlock {
  const content = block.blocks
    .map((inner) => encodeBlock(inner, 'user', context))
    .filter((inner) => inner !== undefined)
  const [first] = content
  const isOneText = content.length === 1 && first?.type === 'text' && first.cache_control === undefined
  const result: AnthropicBlock = { type: 'tool_result', tool_use_id: block.toolCallId }
  if (content.length > 0) result.content = isOneText ? first.text : content
  return withCache(block.isError ? { ...result, is_error: true } : result, block.cache)
}

/** Only Anthropic's own thinking goes back, and only signed: it refuses any other. */
function encodeReasoning(
  block: Extract<Block, { type: 'reasoning' }>,
  losses: Losses,
): AnthropicBlock | undefined {
  if (block.origin === 'anthropic-messages') {
    if (block.encrypted !== undefined) return { type: 'redacted_thinking', data: block.encrypted }
    if (block.signature !== undefined) {
      return { type: 'thinking', thinking: block.text ?? '', signature: block.signature }
    }
  }
  losses.drop(block.path)
  return undefined
}
