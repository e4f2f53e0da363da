import type { Call } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'
import {
  asArray,
  asCount,
  asObject,
  asString,
  isObject,
  type JsonObject,
  parseExactBytes,
} from '../json-value.ts'
import { Losses } from '../losses.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { translatedDetailBytes, translatedDetailId } from '../reasoning-origin.ts'
import { adaptEdits } from './adapt-members.ts'
import { refusesSampling } from './encode-sampling.ts'
import type { ChatQuirks } from './quirks.ts'

export interface SplicedRequest {
  readonly body: Buffer
  readonly addedUsage: boolean
  readonly dropped: readonly string[]
}

/**
 * The received bytes of a Chat Completions request with only those members changed that the decision changed:
 * model, limit, temperature, reasoning; and, for a stream that did not ask for its usage, the wish for it.
 */
export function spliceChatRequest(call: Call, options: EncodeOptions, quirks: ChatQuirks): SplicedRequest {
  const losses = new Losses(options.fidelity)
  const edits = adaptEdits(call.json, quirks, losses)
  const set = (path: JsonEdit['path'], value: unknown): void => {
    edits.push({ path, value: JSON.stringify(value) })
  }
  if (options.model !== call.model) set(['model'], options.model)
  for (const [member, tokens] of limits(call.json, options, quirks)) set([member], tokens)
  const level = options.patch?.reasoningLevel
  const temperature = patchedTemperature(options)
  const asked = level ?? asString(call.json.reasoning_effort)
  if (temperature !== undefined && !refusesSampling(options.model, asked, quirks))
    set(['temperature'], temperature)
  if (level !== undefined) {
    const asObjects = quirks.reasoningAs === 'object' || isObject(call.json.reasoning)
    set(asObjects ? ['reasoning', 'effort'] : ['reasoning_effort'], level)
  }
  const addedUsage = call.stream && asObject(call.json.stream_options)?.include_usage !== true
  if (addedUsage && quirks.takesStreamOptions !== false) set(['stream_options', 'include_usage'], true)
  if (call.raw.includes(translatedDetailBytes)) {
    const exact = asObject(parseExactBytes(call.raw, call.json))
    set(['messages'], withoutTranslatedReasoning(asArray(exact?.messages), losses))
  }
  return { body: spliceRequest(call.raw, edits), addedUsage, dropped: losses.dropped }
}

/** The members that limit the answer, with their new value where it is another one. */
function limits(json: JsonObject, options: EncodeOptions, quirks: ChatQuirks): [string, number][] {
  const named = (['max_completion_tokens', 'max_tokens'] as const).filter(
    (name) => asCount(json[name]) !== undefined,
  )
  const members = named.length > 0 ? named : [quirks.maxTokensMember]
  return members.flatMap((member): [string, number][] => {
    const asked = asCount(json[member])
    const tokens = limitOutput(asked, options)
    return tokens === undefined || tokens === asked ? [] : [[quirks.renames?.[member] ?? member, tokens]]
  })
}

/** Thinking that an Anthropic model did on an earlier turn, translated here: not for another provider. */
function withoutTranslatedReasoning(messages: readonly unknown[], losses: Losses): unknown[] {
  return messages.map((value, index) => {
    const message = asObject(value)
    const details = asArray(message?.reasoning_details)
    const foreign = details.filter((detail) =>
      String(asObject(detail)?.id ?? '').startsWith(translatedDetailId),
    )
    if (message === undefined || foreign.length === 0) return value
    losses.drop(`messages[${index}].reasoning_details`)
    const kept = details.filter((detail) => !foreign.includes(detail))
    const { reasoning_details: _details, reasoning_content: mirror, ...rest } = message
    if (kept.length === 0) return rest
    return { ...rest, reasoning_details: kept, ...(mirror !== undefined && { reasoning_content: mirror }) }
  })
}
