import type { Call } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'
import { asArray, asCount, asObject, asString, parseExactBytes } from '../json-value.ts'
import { Losses } from '../losses.ts'
import { refusesSampling } from '../openai-chat/encode-sampling.ts'
import type { ChatQuirks } from '../openai-chat/quirks.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { chatMarkBytes, openReasoningSeal } from '../reasoning-origin.ts'

/**
 * The received bytes of a Responses request with only those members changed that the decision changed: model, limit,
 * temperature, reasoning. Its stream brings the usage by itself.
 */
export function spliceResponsesRequest(
  call: Call,
  options: EncodeOptions,
  quirks: ChatQuirks,
): { readonly body: Buffer; readonly dropped: readonly string[] } {
  const edits: JsonEdit[] = []
  const set = (path: JsonEdit['path'], value: unknown): void => {
    edits.push({ path, value: JSON.stringify(value) })
  }
  if (options.model !== call.model) set(['model'], options.model)
  const asked = asCount(call.json.max_output_tokens)
  const tokens = limitOutput(asked, options)
  if (tokens !== undefined && tokens !== asked) set(['max_output_tokens'], tokens)
  const patchedLevel = options.patch?.reasoningLevel
  if (patchedLevel !== undefined) set(['reasoning', 'effort'], patchedLevel)
  const temperature = patchedTemperature(options)
  const level = patchedLevel ?? asString(asObject(call.json.reasoning)?.effort)
  if (temperature !== undefined && !refusesSampling(options.model, level, quirks)) {
    set(['temperature'], temperature)
  }
  const losses = new Losses(options.fidelity)
  if (call.raw.includes(chatMarkBytes)) {
    const exact = asObject(parseExactBytes(call.raw, call.json))
    const input = withoutForeignThinking(asArray(exact?.input), losses)
    if (losses.dropped.length > 0) set(['input'], input)
  }
  return { body: spliceRequest(call.raw, edits), dropped: losses.dropped }
}

/** Thinking that another provider's model did on an earlier turn, sealed here: OpenAI could not open it. */
function withoutForeignThinking(items: readonly unknown[], losses: Losses): unknown[] {
  return items.filter((value, index) => {
    const item = asObject(value)
    const isForeign =
      item?.type === 'reasoning' && openReasoningSeal(asString(item.encrypted_content)) !== undefined
    if (isForeign) losses.drop(`input[${index}].encrypted_content`)
    return !isForeign
  })
}
