import type { Call } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'
import { asCount, asObject, asString, parseExactBytes } from '../json-value.ts'
import { Losses } from '../losses.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { thinkingConfig } from './encode-thinking.ts'
import { geminiTraits } from './model-traits.ts'
import { asList, readFields, spellingOf } from './read-fields.ts'
import { openSignature, sealedStart, skippedSignature } from './thought-signature.ts'

const sealedBytes = Buffer.from(sealedStart)

/**
 * The received bytes of a Gemini request with only those members changed that the decision changed: limit,
 * temperature, thinking. The model is in the URL.
 */
export function spliceGeminiRequest(
  call: Call,
  options: EncodeOptions,
): { readonly body: Buffer; readonly dropped: readonly string[] } {
  const edits: JsonEdit[] = []
  const outer = spellingOf('generationConfig', call.json)
  const config = asObject(call.json[outer]) ?? {}
  const set = (name: string, value: unknown): void => {
    edits.push({ path: [outer, spellingOf(name, config)], value: JSON.stringify(value) })
  }
  const asked = asCount(readFields(config)?.maxOutputTokens)
  const tokens = limitOutput(asked, options)
  if (tokens !== undefined && tokens !== asked) set('maxOutputTokens', tokens)
  const temperature = patchedTemperature(options)
  if (temperature !== undefined) set('temperature', temperature)
  const level = options.patch?.reasoningLevel
  const traits = geminiTraits(options.model)
  if (level !== undefined && traits.thinking !== 'never') {
    const { includeThoughts } = readFields(readFields(config)?.thinkingConfig) ?? {}
    const shown = includeThoughts !== undefined && { includeThoughts }
    set('thinkingConfig', { ...thinkingConfig(level, undefined, traits).config, ...shown })
  }
  const losses = new Losses(options.fidelity)
  if (call.raw.includes(sealedBytes)) {
    const exact = asObject(parseExactBytes(call.raw, call.json))
    const contents = withoutForeignThinking(exact?.contents, losses)
    if (losses.dropped.length > 0) edits.push({ path: ['contents'], value: JSON.stringify(contents) })
  }
  return { body: spliceRequest(call.raw, edits), dropped: losses.dropped }
}

/** Thinking that another provider's model did on an earlier turn, sealed here: Google could not open it. */
function withoutForeignThinking(contents: unknown, losses: Losses): unknown[] {
  return asList(contents).map((value, index) => {
    const content = asObject(value)
    if (content === undefined) return value
    const parts = asList(content.parts)
    const kept = parts.filter((part, at) => {
      const isForeign = openSignature(asString(readFields(part)?.thoughtSignature) ?? '') !== undefined
      if (isForeign) losses.drop(`contents[${index}].parts[${at}].thoughtSignature`)
      return !isForeign
    })
    if (kept.length === parts.length) return value
    return { ...content, parts: signCalls(kept.filter((part) => readFields(part)?.thought !== true)) }
  })
}

/** The first call of a turn that another model made stands without proof, which Google has to be told. */
function signCalls(parts: readonly unknown[]): unknown[] {
  const first = parts.findIndex((part) => readFields(part)?.functionCall !== undefined)
  return parts.map((part, index) =>
    index === first && readFields(part)?.thoughtSignature === undefined
      ? { ...asObject(part), thoughtSignature: skippedSignature }
      : part,
  )
}
