import type { Call, CallSummary } from '../../call.ts'
import type { NativeOperation } from '../../native-operation.ts'
import type { EncodeOptions, FrameReading, StreamReader } from '../../provider.ts'
import type { JsonEdit } from '../json-splice.ts'
import { asArray, asCount, asNumber, asObject, asString, type JsonObject } from '../json-value.ts'
import { compatibleQuirks } from '../openai-chat/quirks.ts'
import { ChatStreamReader } from '../openai-chat/read-stream.ts'
import { readChatUsage } from '../openai-chat/usage.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { type MemberKind, Problems } from '../problems.ts'
import { encodeSseEvent, type SseFrame } from '../sse.ts'
import { textBytesAfter } from '../text-bytes.ts'
import { jsonRequest, nativeCall, summaryOf } from './json-operation.ts'

/** Members that are looked at. Source: API reference of (legacy) Completions. */
const members: Readonly<Record<string, MemberKind>> = {
  stream: 'boolean',
  stream_options: 'object',
  max_tokens: 'count',
  temperature: 'notNegative',
  top_p: 'notNegative',
  n: 'positive',
  best_of: 'positive',
  seed: 'number',
  echo: 'boolean',
  suffix: 'string',
  stop: 'stringOrArray',
  user: 'string',
}
const texts = ['text":"'] as const

/** A stream of text completions: chunks like those of a chat, with their text in a place of its own. */
export class CompletionStreamReader implements StreamReader {
  readonly #reader: ChatStreamReader

  constructor(addedUsage: boolean) {
    this.#reader = new ChatStreamReader(compatibleQuirks, addedUsage)
  }

  read(frame: SseFrame): FrameReading {
    const reading = this.#reader.read(frame)
    const textBytes = textBytesAfter(frame.bytes.toString('latin1'), texts)
    return textBytes === 0 ? reading : { ...reading, textBytes: reading.textBytes + textBytes }
  }

  finish(): { complete: boolean } {
    return this.#reader.finish()
  }

  cut(): string {
    const chunk = { object: 'text_completion', choices: [{ index: 0, text: '', finish_reason: 'length' }] }
    return `${encodeSseEvent(undefined, chunk)}data: [DONE]\n\n`
  }
}

/** Legacy completions, plain and streamed, passed on as they came within what was decided. */
export const completions: NativeOperation = {
  name: 'legacy completions',
  format: 'openai-chat',
  billing: 'tokens',
  answer: 'json',
  encode(call, options) {
    const addedUsage = call.stream && asObject(call.json.stream_options)?.include_usage !== true
    const edits = editsOf(call, options)
    if (addedUsage) edits.push({ path: ['stream_options', 'include_usage'], value: 'true' })
    return { ...jsonRequest(call, options, '/completions', edits), addedUsage }
  },
  readUsage: readChatUsage,
  createReader: ({ addedUsage }) => new CompletionStreamReader(addedUsage),
}

function editsOf(call: Call, options: EncodeOptions): JsonEdit[] {
  const edits: JsonEdit[] = []
  const asked = asCount(call.json.max_tokens)
  const tokens = limitOutput(asked, options)
  if (tokens !== undefined && tokens !== asked) edits.push({ path: ['max_tokens'], value: String(tokens) })
  const temperature = patchedTemperature(options)
  if (temperature !== undefined) edits.push({ path: ['temperature'], value: String(temperature) })
  return edits
}

function textsOf(prompt: unknown, problems: Problems): string[] {
  if (typeof prompt === 'string') return [prompt]
  // Without a prompt the model begins a new document.
  if (prompt === undefined || prompt === null) return []
  const isTokens = (value: unknown): boolean =>
    Array.isArray(value) && value.every((each) => asCount(each) !== undefined)
  if (!Array.isArray(prompt)) problems.add('prompt', 'must be a text, or an array of texts or of tokens')
  else if (!isTokens(prompt)) {
    const wrong = prompt.findIndex((each) => typeof each !== 'string' && !isTokens(each))
    if (wrong !== -1) problems.add(`prompt[${wrong}]`, 'must be a text or an array of tokens')
  }
  return asArray(prompt).flatMap((each) => asString(each) ?? [])
}

function restOf(json: JsonObject): Partial<CallSummary> {
  const maxOutputTokens = asCount(json.max_tokens)
  const temperature = asNumber(json.temperature)
  const choices = asCount(json.n)
  const userId = asString(json.user)
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperaturePpm: Math.round(temperature * 1_000_000) }),
    ...(choices !== undefined && { choices }),
    ...(userId !== undefined && { userId }),
  }
}

/**
 * Reads a request for a legacy completion.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function decodeCompletions(raw: Buffer, json: JsonObject, dialect: string): Call {
  const problems = new Problems()
  if (problems.require(json, 'model', 'string') && json.model === '')
    problems.add('model', 'must not be empty')
  problems.check(json, members)
  const prompts = textsOf(json.prompt, problems)
  problems.throwIfAny()
  const head = { raw, json, dialect, format: 'openai-chat', operation: 'completion' } as const
  return nativeCall({
    ...head,
    summary: summaryOf(prompts, restOf(json)),
    texts: prompts,
    native: completions,
  })
}
