import type { Reply, ReplyBlock } from '../../call.ts'
import {
  anthropicReasoningFormat,
  geminiReasoningFormat,
  responsesReasoningFormat,
  translatedDetailId,
} from '../reasoning-origin.ts'
import { encodeFinish } from './finish.ts'
import { encodeChatUsage } from './usage.ts'
import { encodeAnnotations, encodeSearches } from './web-search.ts'

/**
 * A canonical answer as Chat Completions. Thinking stands in `reasoning_content`, and with its signature in
 * `reasoning_details`, from where it goes back with the next turn.
 */
export function encodeChatReply(reply: Reply, nowMs: number): { body: unknown; dropped: string[] } {
  const text = textOf(reply.blocks, 'text')
  const refusal = textOf(reply.blocks, 'refusal')
  const toolCalls = reply.blocks.flatMap((block) =>
    block.type === 'toolCall' ? [encodeToolCall(block)] : [],
  )
  const hasOther = toolCalls.length > 0 || refusal !== undefined
  const message = {
    role: 'assistant',
    content: text ?? (hasOther ? null : ''),
    refusal: refusal ?? null,
    ...encodeAnnotations(reply.blocks),
    ...encodeReasoning(reply.blocks),
    ...(toolCalls.length > 0 && { tool_calls: toolCalls }),
  }
  const usage = encodeChatUsage(reply.usage)
  const body = {
    id: reply.id,
    object: 'chat.completion',
    created: Math.floor(nowMs / 1000),
    model: reply.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: encodeFinish(reply.finish) }],
    ...encodeSearches(reply.blocks.filter((block) => block.type === 'search')),
    ...(usage !== undefined && { usage }),
  }
  return { body, dropped: [...reply.lost] }
}

function textOf(blocks: readonly ReplyBlock[], type: 'text' | 'refusal'): string | undefined {
  const texts = blocks.flatMap((block) => (block.type === type ? [block.text] : []))
  return texts.length === 0 ? undefined : texts.join('')
}

export function encodeToolCall(block: Extract<ReplyBlock, { type: 'toolCall' }>): unknown {
  return { id: block.id, type: 'function', function: { name: block.name, arguments: block.arguments } }
}

function encodeReasoning(blocks: readonly ReplyBlock[]): Record<string, unknown> {
  const reasoning = blocks.filter((block) => block.type === 'reasoning')
  if (reasoning.length === 0) return {}
  const text = reasoning.map((block) => block.text).join('')
  const details = reasoning.flatMap((block, index) =>
    block.origin === 'openai-chat' ? [] : encodeDetails(block, index),
  )
  return {
    ...(text !== '' && { reasoning_content: text }),
    ...(details.length > 0 && { reasoning_details: details }),
  }
}

function encodeDetails(
  block: Extract<ReplyBlock, { type: 'reasoning' }>,
  index: number,
): Record<string, unknown>[] {
  if (block.origin === 'gemini') return geminiDetails(block, index)
  if (block.origin !== 'openai-responses') return [encodeDetail(block, index)]
  const { signature, encrypted } = block
  return encrypted === undefined ? [] : [responsesDetail(encrypted, signature, index)]
}

/** OpenAI's thinking, as OpenRouter writes it; the id is the item's own behind our mark. */
export function responsesDetail(
  data: string,
  itemId: string | undefined,
  index: number,
): Record<string, unknown> {
  const id = `${translatedDetailId}${itemId ?? index}`
  return { type: 'reasoning.encrypted', data, id, format: responsesReasoningFormat, index }
}

/** Google's thinking: its own signature beside its text, and that of the part which follows it by itself. */
export function geminiDetails(
  {
    text,
    signature,
    encrypted,
  }: { text: string; signature?: string | undefined; encrypted?: string | undefined },
  index: number,
): Record<string, unknown>[] {
  const common = { id: `${translatedDetailId}${index}`, format: geminiReasoningFormat, index }
  const own = signature === undefined ? [] : [{ type: 'reasoning.text', text, signature, ...common }]
  const next = encrypted === undefined ? [] : [{ type: 'reasoning.encrypted', data: encrypted, ...common }]
  return [...own, ...next]
}

function encodeDetail(
  block: Extract<ReplyBlock, { type: 'reasoning' }>,
  index: number,
): Record<string, unknown> {
  const common = { id: `${translatedDetailId}${index}`, format: anthropicReasoningFormat, index }
  if (block.encrypted !== undefined) return { type: 'reasoning.encrypted', data: block.encrypted, ...common }
  const signature = block.signature !== undefined && { signature: block.signature }
  return { type: 'reasoning.text', text: block.text, ...signature, ...common }
}
