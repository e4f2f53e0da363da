import type { CallSummary } from '../../call.ts'
import { CallsSoFar, checkImageUrl } from '../check-content.ts'
import { asArray, asCount, asNumber, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { type MemberKind, Problems } from '../problems.ts'

/** Members that are looked at, with what they must be. Source: API reference of Chat Completions. */
const members: Readonly<Record<string, MemberKind>> = {
  stream: 'boolean',
  stream_options: 'object',
  temperature: 'upTo2',
  top_p: 'share',
  max_tokens: 'count',
  max_completion_tokens: 'count',
  n: 'positive',
  seed: 'number',
  frequency_penalty: 'penalty',
  presence_penalty: 'penalty',
  stop: 'stringOrStrings',
  tools: 'array',
  tool_choice: 'stringOrObject',
  parallel_tool_calls: 'boolean',
  response_format: 'object',
  reasoning_effort: 'string',
  logprobs: 'boolean',
  top_logprobs: 'count',
  logit_bias: 'object',
  user: 'string',
  safety_identifier: 'string',
  metadata: 'object',
}
const messageMembers: Readonly<Record<string, MemberKind>> = {
  content: 'stringOrArray',
  name: 'string',
  tool_calls: 'array',
  tool_call_id: 'string',
}

/** `function` is how results were named before tools; `any` is what several servers call `required`. */
const roles = ['system', 'developer', 'user', 'assistant', 'tool', 'function']
const choices = ['auto', 'none', 'required', 'any']

interface MessageCounts {
  chars: number
  hasSystem: boolean
  hasImages: boolean
  lastRole: string
}

/**
 * Checks a Chat Completions request and reads from it what facts and admission need, in one pass over the
 * parsed body. Throws a Refusal `invalid_request` that names all that is wrong. Members that it does not know
 * are let be.
 */
export function checkChatRequest(json: JsonObject): CallSummary {
  const problems = new Problems()
  if (problems.require(json, 'model', 'string') && json.model === '')
    problems.add('model', 'must not be empty')
  problems.check(json, members)
  problems.oneOf(json, 'tool_choice', choices)
  const counts: MessageCounts = { chars: 0, hasSystem: false, hasImages: false, lastRole: '' }
  const calls = new CallsSoFar()
  if (problems.require(json, 'messages', 'array')) {
    const messages = asArray(json.messages)
    if (messages.length === 0) problems.add('messages', 'must not be empty')
    for (let i = 0; i < messages.length; i++) {
      countMessage(messages[i], i, counts, problems)
      checkTurn(asObject(messages[i]) ?? {}, `messages[${i}].`, calls, problems)
    }
  }
  const toolNames = checkTools(asArray(json.tools), problems)
  problems.throwIfAny()
  return summarise(json, counts, toolNames)
}

function summarise(json: JsonObject, counts: MessageCounts, toolNames: readonly string[]): CallSummary {
  const maxOutputTokens = asCount(json.max_completion_tokens) ?? asCount(json.max_tokens)
  const temperature = asNumber(json.temperature)
  const reasoningLevel = asString(json.reasoning_effort) ?? asString(asObject(json.reasoning)?.effort)
  const responseFormat = readResponseFormat(json.response_format)
  const choices = asCount(json.n)
  const userId = asString(json.user) ?? asString(json.safety_identifier)
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperaturePpm: Math.round(temperature * 1_000_000) }),
    ...(reasoningLevel !== undefined && { reasoningLevel }),
    ...(responseFormat !== undefined && { responseFormat }),
    ...(choices !== undefined && { choices }),
    messages: { count: asArray(json.messages).length, ...counts },
    toolNames,
    metadata: asObject(json.metadata) ?? {},
    ...(userId !== undefined && { userId }),
  }
}

function readResponseFormat(value: unknown): CallSummary['responseFormat'] {
  const type = asObject(value)?.type
  if (type === 'json_schema') return 'jsonSchema'
  if (type === 'json_object') return 'json'
  return type === 'text' ? 'text' : undefined
}

function countMessage(message: unknown, index: number, counts: MessageCounts, problems: Problems): void {
  if (!isObject(message)) {
    problems.add(`messages[${index}]`, 'must be an object')
    return
  }
  const role = message.role
  if (typeof role !== 'string') problems.require(message, 'role', 'string', `messages[${index}].`)
  else {
    counts.lastRole = role
    if (role === 'system' || role === 'developer') counts.hasSystem = true
  }
  const content = message.content
  if (typeof content === 'string') counts.chars += content.length
  else if (Array.isArray(content)) countParts(content, index, counts, problems)
  problems.check(message, messageMembers, `messages[${index}].`)
  if (message.tool_calls) countToolCalls(asArray(message.tool_calls), index, counts, problems)
}

/** Calls are the assistant's, and results are of calls before them. */
function checkTurn(message: JsonObject, path: string, calls: CallsSoFar, problems: Problems): void {
  problems.oneOf(message, 'role', roles, path)
  const { role, tool_calls: made } = message
  if (asArray(made).length > 0 && typeof role === 'string' && role !== 'assistant')
    problems.add(`${path}tool_calls`, 'may stand in messages of the assistant alone')
  for (const call of asArray(made)) calls.called(asObject(call)?.id)
  if (role === 'tool' && problems.require(message, 'tool_call_id', 'string', path))
    calls.answered(message.tool_call_id, `${path}tool_call_id`, problems)
}

function countParts(
  parts: readonly unknown[],
  index: number,
  counts: MessageCounts,
  problems: Problems,
): void {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (!isObject(part) || typeof part.type !== 'string') {
      problems.add(`messages[${index}].content[${i}]`, 'must be an object with a `type`')
      continue
    }
    if (typeof part.text === 'string') counts.chars += part.text.length
    else if (part.type === 'text') problems.add(`messages[${index}].content[${i}].text`, 'must be a string')
    else if (part.type === 'image_url') {
      counts.hasImages = true
      const url = asString(part.image_url) ?? asObject(part.image_url)?.url
      const path = `messages[${index}].content[${i}].image_url`
      if (typeof url === 'string') checkImageUrl(url, `${path}.url`, problems)
      else problems.add(path, 'must be an object with a `url`')
    }
  }
}

function countToolCalls(
  calls: readonly unknown[],
  index: number,
  counts: MessageCounts,
  problems: Problems,
): void {
  for (let i = 0; i < calls.length; i++) {
    const path = `messages[${index}].tool_calls[${i}]`
    const call = calls[i]
    if (!isObject(call)) {
      problems.add(path, 'must be an object')
      continue
    }
    const text = asObject(call.function)?.arguments
    if (typeof text === 'string') counts.chars += text.length
    else if (text !== undefined && text !== null)
      problems.add(`${path}.function.arguments`, 'must be a string')
  }
}

function checkTools(tools: readonly unknown[], problems: Problems): string[] {
  const names: string[] = []
  for (let i = 0; i < tools.length; i++) {
    const tool = asObject(tools[i])
    const name = asObject(tool?.function)?.name ?? asObject(tool?.custom)?.name ?? tool?.name
    if (tool === undefined) problems.add(`tools[${i}]`, 'must be an object')
    else if (typeof name === 'string') names.push(name)
    else if (tool.type === 'function') problems.add(`tools[${i}].function.name`, 'must be a string')
  }
  return names
}
