import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'

/** Reasons to stop that Messages calls otherwise; all others have the same name. */
const stopReasons: Readonly<Record<string, string>> = {
  guardrail_intervened: 'refusal',
  content_filtered: 'refusal',
}

export function stopReasonOf(native: unknown): string | undefined {
  const reason = asString(native)
  return reason === undefined ? undefined : (stopReasons[reason] ?? reason)
}

/** Usage of Converse, whose `inputTokens` has no cache tokens in it, as Messages has it. */
export function usageAsMessages(value: unknown): JsonObject | undefined {
  const usage = asObject(value)
  if (usage === undefined) return undefined
  const hour = asArray(usage.cacheDetails).find((each) => asObject(each)?.ttl === '1h')
  const hourTokens = asObject(hour)?.inputTokens
  const written = usage.cacheWriteInputTokens
  return {
    input_tokens: usage.inputTokens,
    output_tokens: usage.outputTokens,
    ...(usage.cacheReadInputTokens !== undefined && { cache_read_input_tokens: usage.cacheReadInputTokens }),
    ...(written !== undefined && { cache_creation_input_tokens: written }),
    ...(typeof hourTokens === 'number' &&
      typeof written === 'number' && {
        cache_creation: {
          ephemeral_1h_input_tokens: hourTokens,
          ephemeral_5m_input_tokens: Math.max(0, written - hourTokens),
        },
      }),
  }
}

function blockAsMessages(value: unknown): JsonObject {
  const block = asObject(value) ?? {}
  const quoting = asObject(block.citationsContent)
  if (quoting !== undefined) {
    const texts = asArray(quoting.content).map((each) => asString(asObject(each)?.text) ?? '')
    return { type: 'text', text: texts.join(''), citations: quoting.citations }
  }
  if (typeof block.text === 'string') return { type: 'text', text: block.text }
  if (isObject(block.toolUse)) {
    const { toolUseId: id, name, input } = block.toolUse
    return { type: 'tool_use', id, name, input }
  }
  const reasoning = asObject(block.reasoningContent)
  const text = asObject(reasoning?.reasoningText)
  if (text !== undefined) return { type: 'thinking', thinking: text.text, signature: text.signature }
  if (reasoning?.redactedContent !== undefined) {
    return { type: 'redacted_thinking', data: reasoning.redactedContent }
  }
  return { type: Object.keys(block)[0] ?? 'type' }
}

/** A whole Converse answer in the words of Messages. */
export function replyAsMessages(json: unknown): JsonObject {
  const answer = asObject(json) ?? {}
  const message = asObject(asObject(answer.output)?.message)
  const stopped = asObject(answer.additionalModelResponseFields)?.stop_sequence
  return {
    id: '',
    model: '',
    content: asArray(message?.content).map(blockAsMessages),
    stop_reason: stopReasonOf(answer.stopReason),
    ...(typeof stopped === 'string' && { stop_sequence: stopped }),
    usage: usageAsMessages(answer.usage) ?? {},
  }
}
