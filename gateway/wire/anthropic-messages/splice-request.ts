import type { Call } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { translatedSearchMark } from '../citations.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'
import { asArray, asCount, asObject, asString, parseExactBytes } from '../json-value.ts'
import { Losses } from '../losses.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { chatMarkBytes, openReasoningSeal } from '../reasoning-origin.ts'
import { fitThinking, patchThinking } from './encode-thinking.ts'
import { claudeTraits } from './model-traits.ts'

/**
 * The received bytes of a Messages request with only those members changed that the decision changed. A
 * smaller limit takes the thinking budget with it, which must stay below.
 */
export function spliceMessagesRequest(
  call: Call,
  options: EncodeOptions,
): { readonly body: Buffer; readonly dropped: readonly string[] } {
  const edits: JsonEdit[] = []
  const set = (path: JsonEdit['path'], value: unknown): void => {
    edits.push({ path, value: JSON.stringify(value) })
  }
  if (options.model !== call.model) set(['model'], options.model)
  const asked = asCount(call.json.max_tokens)
  const maxTokens = limitOutput(asked, options)
  if (maxTokens !== undefined && maxTokens !== asked) set(['max_tokens'], maxTokens)
  const traits = claudeTraits(options.model)
  let thinking: unknown
  const level = options.patch?.reasoningLevel
  if (level !== undefined) {
    const patched = patchThinking(level, traits, maxTokens)
    thinking = patched.thinking
    if (patched.effort !== undefined) set(['output_config', 'effort'], patched.effort)
  } else if (maxTokens !== undefined && maxTokens !== asked)
    thinking = fitThinking(call.json.thinking, maxTokens)
  if (thinking !== undefined) set(['thinking'], thinking)
  // A model that thinks, or that is new, refuses the call for a temperature.
  const type = asObject(thinking ?? call.json.thinking)?.type ?? 'disabled'
  const temperature = patchedTemperature(options)
  if (temperature !== undefined && traits.sampling && type === 'disabled') {
    set(['temperature'], Math.min(temperature, 1))
  }
  const losses = new Losses(options.fidelity)
  if (call.raw.includes(chatMarkBytes)) {
    const exact = asObject(parseExactBytes(call.raw, call.json))
    const own = withoutForeignThinking(asArray(exact?.messages), losses)
    const messages = withoutForeignSearches(own, losses)
    if (losses.dropped.length > 0) set(['messages'], messages)
  }
  return { body: spliceRequest(call.raw, edits), dropped: losses.dropped }
}

/**
 * Thinking that another provider's model did on an earlier turn has no signature that Anthropic would take.
 */
function withoutForeignThinking(messages: readonly unknown[], losses: Losses): unknown[] {
  const isForeign = (block: unknown): boolean =>
    openReasoningSeal(asString(asObject(block)?.signature)) !== undefined
  return messages.flatMap((value, index) => {
    const message = asObject(value)
    const content = asArray(message?.content)
    if (message === undefined || !content.some(isForeign)) return [value]
    losses.drop(`messages[${index}].content[].thinking`)
    const kept = content.filter((block) => !isForeign(block))
    return kept.length === 0 ? [] : [{ ...message, content: kept }]
  })
}

/**
 * Searches and citations of another provider's model were told in Anthropic's form without the proofs that it wants
 * back.
 */
function withoutForeignSearches(messages: readonly unknown[], losses: Losses): unknown[] {
  const marked = (value: unknown, member: string): boolean =>
    asArray(value).some((each) => asObject(each)?.[member] === translatedSearchMark)
  const isForeign = (block: unknown): boolean =>
    asObject(block)?.type === 'web_search_tool_result' &&
    marked(asObject(block)?.content, 'encrypted_content')
  return messages.flatMap((value, index) => {
    const message = asObject(value)
    const content = asArray(message?.content)
    const foreign = new Set(content.filter(isForeign).map((block) => asObject(block)?.tool_use_id))
    const isCited = content.some((block) => marked(asObject(block)?.citations, 'encrypted_index'))
    if (message === undefined || (foreign.size === 0 && !isCited)) return [value]
    if (foreign.size > 0) losses.drop(`messages[${index}].content[].web_search_tool_result`)
    if (isCited) losses.drop(`messages[${index}].content[].citations`)
    const kept = content.flatMap((value) => {
      const block = asObject(value)
      if (isForeign(block) || (block?.type === 'server_tool_use' && foreign.has(block.id))) return []
      if (block === undefined || !marked(block.citations, 'encrypted_index')) return [value]
      const { citations: _citations, ...rest } = block
      return [rest]
    })
    return kept.length === 0 ? [] : [{ ...message, content: kept }]
  })
}
