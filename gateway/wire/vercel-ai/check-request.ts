import type { CallSummary } from '../../call.ts'
import { CallsSoFar } from '../check-content.ts'
import { asArray, asCount, asNumber, asObject, asString, type JsonObject } from '../json-value.ts'
import { type MemberKind, Problems } from '../problems.ts'

/** Members that are looked at. Source: LanguageModelV3 and V4 call options of @ai-sdk/provider. */
const members: Readonly<Record<string, MemberKind>> = {
  maxOutputTokens: 'count',
  temperature: 'notNegative',
  topP: 'share',
  topK: 'count',
  presencePenalty: 'number',
  frequencyPenalty: 'number',
  seed: 'number',
  stopSequences: 'strings',
  responseFormat: 'object',
  tools: 'array',
  toolChoice: 'object',
  reasoning: 'string',
  providerOptions: 'object',
}
const roles = new Set(['system', 'user', 'assistant', 'tool'])

interface MessageCounts {
  chars: number
  hasSystem: boolean
  hasImages: boolean
  lastRole: string
}

/**
 * Checks a language model call of the AI SDK's gateway protocol and reads what facts and admission need.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function checkVercelRequest(json: JsonObject): CallSummary {
  const problems = new Problems()
  problems.check(json, members)
  problems.oneOf(asObject(json.toolChoice) ?? {}, 'type', ['auto', 'none', 'required', 'tool'], 'toolChoice.')
  const calls = new CallsSoFar()
  const counts: MessageCounts = { chars: 0, hasSystem: false, hasImages: false, lastRole: '' }
  const prompt = asArray(json.prompt)
  if (problems.require(json, 'prompt', 'array')) {
    if (prompt.length === 0) problems.add('prompt', 'must not be empty')
    for (const [index, message] of prompt.entries()) {
      countMessage(message, index, counts, problems)
      checkTurn(asObject(message) ?? {}, `prompt[${index}]`, calls, problems)
    }
  }
  const toolNames: string[] = []
  for (const [index, value] of asArray(json.tools).entries()) {
    const name = asString(asObject(value)?.name)
    if (name === undefined) problems.add(`tools[${index}].name`, 'must be a string')
    else toolNames.push(name)
  }
  problems.throwIfAny()
  return { ...parametersOf(json), messages: { count: prompt.length, ...counts }, toolNames }
}

function parametersOf(json: JsonObject): Omit<CallSummary, 'messages' | 'toolNames'> {
  const maxOutputTokens = asCount(json.maxOutputTokens)
  const temperature = asNumber(json.temperature)
  const reasoningLevel = asString(json.reasoning)
  const format = asObject(json.responseFormat)
  const gateway = asObject(asObject(json.providerOptions)?.gateway)
  const userId = asString(gateway?.user)
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperaturePpm: Math.round(temperature * 1_000_000) }),
    ...(reasoningLevel !== undefined && reasoningLevel !== 'provider-default' && { reasoningLevel }),
    ...(format?.type === 'text' && { responseFormat: 'text' as const }),
    ...(format?.type === 'json' && {
      responseFormat: format.schema === undefined ? ('json' as const) : ('jsonSchema' as const),
    }),
    metadata: {},
    ...(userId !== undefined && { userId }),
  }
}

function countMessage(value: unknown, index: number, counts: MessageCounts, problems: Problems): void {
  const message = asObject(value)
  const role = asString(message?.role) ?? ''
  if (message === undefined || !roles.has(role)) {
    problems.add(`prompt[${index}].role`, 'must be system, user, assistant or tool')
    return
  }
  counts.lastRole = role
  if (role === 'system') {
    counts.hasSystem = true
    if (typeof message.content === 'string') counts.chars += message.content.length
    else problems.add(`prompt[${index}].content`, 'must be a string')
    return
  }
  if (!Array.isArray(message.content)) {
    problems.add(`prompt[${index}].content`, 'must be an array')
    return
  }
  for (const [at, part] of message.content.entries())
    countPart(part, `prompt[${index}].content[${at}]`, counts, problems)
}

/** Results are of calls before them. */
function checkTurn({ role, content }: JsonObject, path: string, calls: CallsSoFar, problems: Problems): void {
  for (const [index, value] of asArray(content).entries()) {
    const { type, toolCallId } = asObject(value) ?? {}
    const at = `${path}.content[${index}]`
    if (type === 'tool-call') calls.called(toolCallId)
    if (type === 'tool-call' && role !== 'assistant')
      problems.add(at, 'may stand in messages of the assistant alone')
    if (type === 'tool-result' && role === 'tool') calls.answered(toolCallId, `${at}.toolCallId`, problems)
  }
}

function countPart(value: unknown, path: string, counts: MessageCounts, problems: Problems): void {
  const part = asObject(value)
  if (typeof part?.type !== 'string') problems.add(path, 'must be an object with a `type`')
  else if (part.type === 'text' && typeof part.text !== 'string')
    problems.add(`${path}.text`, 'must be a string')
  else {
    counts.chars += asString(part.text)?.length ?? 0
    if (part.type === 'file' && asString(part.mediaType)?.startsWith('image')) counts.hasImages = true
  }
}
