import type { Finish, Reply, ReplyBlock, UsageCounts } from '../../call.ts'
import { asArray, asCount, asObject, asString } from '../json-value.ts'
import { chatReasoningMark } from '../reasoning-origin.ts'

const finishes: Readonly<Record<string, Finish>> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'toolCalls',
  ERROR: 'error',
  ERROR_TOXIC: 'contentFilter',
  TIMEOUT: 'error',
}

export function decodeCohereFinish(native: string): Finish {
  return finishes[native] ?? 'other'
}

/**
 * Usage in the units that Cohere bills, which leave out its own preamble; `tokens` has what the model read and wrote.
 * Undefined where none is reported.
 */
export function readCohereUsage(value: unknown): UsageCounts | undefined {
  const usage = asObject(value)
  const billed = asObject(usage?.billed_units)
  const tokens = asObject(usage?.tokens)
  const input = asCount(billed?.input_tokens) ?? asCount(tokens?.input_tokens)
  const output = asCount(billed?.output_tokens) ?? asCount(tokens?.output_tokens)
  const reasoning = asCount(tokens?.reasoning_tokens)
  const searches = asCount(billed?.search_units)
  if (input === undefined && output === undefined) return undefined
  return {
    ...(input !== undefined && { input }),
    ...(output !== undefined && { output }),
    ...(reasoning !== undefined && { reasoning: Math.min(reasoning, output ?? reasoning) }),
    ...(searches !== undefined && searches > 0 && { searches }),
  }
}

function contentBlock(value: unknown, lost: Set<string>): ReplyBlock[] {
  const part = asObject(value)
  if (part?.type === 'text') return part.text ? [{ type: 'text', text: asString(part.text) ?? '' }] : []
  if (part?.type === 'thinking') {
    const signature = chatReasoningMark('reasoning_content')
    return [{ type: 'reasoning', text: asString(part.thinking) ?? '', signature, origin: 'openai-chat' }]
  }
  lost.add(`response.content[].${asString(part?.type) ?? 'type'}`)
  return []
}

/** A whole v2 answer in canonical form. The plan that goes with tool calls is the text before them. */
export function decodeCohereReply(json: unknown): Reply {
  const answer = asObject(json) ?? {}
  const message = asObject(answer.message)
  const lost = new Set<string>()
  const blocks = asArray(message?.content).flatMap((part) => contentBlock(part, lost))
  const plan = asString(message?.tool_plan)
  if (plan) blocks.push({ type: 'text', text: plan })
  for (const value of asArray(message?.tool_calls)) {
    const call = asObject(value)
    const called = asObject(call?.function)
    const text = asString(called?.arguments) || '{}'
    blocks.push({
      type: 'toolCall',
      id: asString(call?.id) ?? '',
      name: asString(called?.name) ?? '',
      arguments: text,
    })
  }
  if (asArray(message?.citations).length > 0) lost.add('response.message.citations')
  if (asArray(answer.logprobs).length > 0) lost.add('response.logprobs')
  const nativeFinish = asString(answer.finish_reason) ?? ''
  return {
    id: asString(answer.id) ?? '',
    model: '',
    blocks,
    finish: decodeCohereFinish(nativeFinish),
    nativeFinish,
    usage: readCohereUsage(answer.usage) ?? {},
    lost: [...lost],
  }
}
