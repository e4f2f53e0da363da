import type { CallSummary } from '../../call.ts'
import { CallsSoFar, checkImageUrl } from '../check-content.ts'
import { asArray, asCount, asNumber, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { type MemberKind, Problems } from '../problems.ts'
import { additionalTools, listTools } from './offered-tools.ts'

/** Members that are looked at, with what they must be. Source: API reference of Responses. */
const members: Readonly<Record<string, MemberKind>> = {
  instructions: 'stringOrArray',
  stream: 'boolean',
  stream_options: 'object',
  temperature: 'upTo2',
  top_p: 'share',
  max_output_tokens: 'count',
  max_tool_calls: 'count',
  top_logprobs: 'count',
  tools: 'array',
  tool_choice: 'stringOrObject',
  parallel_tool_calls: 'boolean',
  text: 'object',
  reasoning: 'object',
  include: 'array',
  truncation: 'string',
  previous_response_id: 'string',
  conversation: 'stringOrObject',
  store: 'boolean',
  background: 'boolean',
  user: 'string',
  safety_identifier: 'string',
  prompt_cache_key: 'string',
  metadata: 'object',
}
const roles = new Set<unknown>(['user', 'assistant', 'system', 'developer'])
/** Items that bring what a tool gave. */
const outputTypes = new Set<unknown>(['function_call_output', 'custom_tool_call_output'])
const callTypes = new Set<unknown>(['function_call', 'custom_tool_call'])
/** Where a text may stand in an item or a part of it. */
const textMembers = ['text', 'arguments', 'output', 'refusal'] as const

interface ItemCounts {
  chars: number
  hasSystem: boolean
  hasImages: boolean
  lastRole: string
}

/**
 * Checks a Responses request and reads from it what facts and admission need, in one pass over the parsed body.
 * Items, parts and members that it does not know are let be. Throws a Refusal `invalid_request` that names all that
 * is wrong.
 */
export function checkResponsesRequest(json: JsonObject): CallSummary {
  const problems = new Problems()
  if (problems.require(json, 'model', 'string') && json.model === '')
    problems.add('model', 'must not be empty')
  problems.check(json, members)
  const counts: ItemCounts = {
    chars: asString(json.instructions)?.length ?? 0,
    hasSystem: asArray(json.instructions).length > 0 || !!asString(json.instructions),
    hasImages: false,
    lastRole: '',
  }
  problems.oneOf(json, 'tool_choice', ['auto', 'none', 'required'])
  countItems(asArray(json.instructions), 'instructions', counts, problems)
  const count = checkInput(json, counts, problems)
  const toolNames = checkTools(asArray(json.tools), problems)
  for (const { flatName } of listTools({ input: json.input }).offered) toolNames.push(flatName)
  problems.throwIfAny()
  return summarise(json, { count, ...counts }, toolNames)
}

/** A stored prompt, response or conversation may be all the input there is. */
function checkInput(json: JsonObject, counts: ItemCounts, problems: Problems): number {
  const { input } = json
  const isStored = isObject(json.prompt) || json.previous_response_id != null || json.conversation != null
  if (input === undefined || input === null) {
    if (!isStored) problems.require(json, 'input', 'stringOrArray')
    return 0
  }
  if (!problems.require(json, 'input', 'stringOrArray')) return 0
  if (typeof input === 'string') {
    counts.chars += input.length
    counts.lastRole = 'user'
    return 1
  }
  const items = asArray(input)
  if (items.length === 0 && !isStored) problems.add('input', 'must not be empty')
  countItems(items, 'input', counts, problems)
  if (!isStored) checkResults(items, problems)
  return items.length
}

/** Results are of calls before them, unless those are kept elsewhere. */
function checkResults(items: readonly unknown[], problems: Problems): void {
  const calls = new CallsSoFar()
  for (let i = 0; i < items.length; i++) {
    const { type, call_id: id } = asObject(items[i]) ?? {}
    if (type === 'item_reference' || type === 'compaction') return
    if (callTypes.has(type)) calls.called(id)
    else if (outputTypes.has(type)) calls.answered(id, `input[${i}].call_id`, problems)
  }
}

function countItems(items: readonly unknown[], parent: string, counts: ItemCounts, problems: Problems): void {
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (isObject(item)) countItem(item, `${parent}[${i}]`, counts, problems)
    else problems.add(`${parent}[${i}]`, 'must be an object')
  }
}

function countItem(item: JsonObject, path: string, counts: ItemCounts, problems: Problems): void {
  const { type, role } = item
  if (type === undefined || type === 'message') {
    if (!roles.has(role)) problems.add(`${path}.role`, 'must be user, assistant, system or developer')
    else counts.lastRole = String(role)
    if (role === 'system' || role === 'developer') counts.hasSystem = true
    problems.require(item, 'content', 'stringOrArray', `${path}.`)
  } else if (typeof type !== 'string') problems.add(`${path}.type`, 'must be a string')
  else if (type === 'tool_search_output') counts.lastRole = 'tool'
  else if (type === additionalTools) return
  else if (outputTypes.has(type)) {
    counts.lastRole = 'tool'
    problems.require(item, 'call_id', 'string', `${path}.`)
    problems.require(item, 'output', 'stringOrArray', `${path}.`)
  } else {
    counts.lastRole = 'assistant'
    if (callTypes.has(type)) {
      for (const name of ['call_id', 'name', type === 'function_call' ? 'arguments' : 'input']) {
        problems.require(item, name, 'string', `${path}.`)
      }
    }
  }
  countTexts(item, counts)
  if (typeof item.content === 'string') counts.chars += item.content.length
  if (typeof item.input === 'string') counts.chars += item.input.length
  for (const member of ['content', 'output', 'summary'] as const) {
    const parts = item[member]
    if (Array.isArray(parts)) countParts(parts, `${path}.${member}`, counts, problems)
  }
}

function countTexts(value: JsonObject, counts: ItemCounts): void {
  for (const member of textMembers) {
    const text = value[member]
    if (typeof text === 'string') counts.chars += text.length
  }
}

function countParts(parts: readonly unknown[], parent: string, counts: ItemCounts, problems: Problems): void {
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i]
    if (!isObject(part) || typeof part.type !== 'string') {
      problems.add(`${parent}[${i}]`, 'must be an object with a `type`')
      continue
    }
    countTexts(part, counts)
    if (part.type === 'input_text') problems.require(part, 'text', 'string', `${parent}[${i}].`)
    else if (part.type === 'input_image') {
      counts.hasImages = true
      const { image_url: url } = part
      if (typeof url === 'string') checkImageUrl(url, `${parent}[${i}].image_url`, problems)
    }
  }
}

/** Tools that run at the provider go by their type: `web_search`; those of a namespace one by one. */
function checkTools(tools: readonly unknown[], problems: Problems): string[] {
  const names: string[] = []
  for (let i = 0; i < tools.length; i++) {
    const tool = asObject(tools[i])
    if (tool === undefined || typeof tool.type !== 'string') {
      problems.add(`tools[${i}]`, 'must be an object with a `type`')
    } else if (tool.type === 'namespace' && typeof tool.name === 'string') {
      for (const { flatName } of listTools({ tools: [tool] }).offered) names.push(flatName)
    } else if (typeof tool.name === 'string') names.push(tool.name)
    else if (tool.type === 'function' || tool.type === 'custom')
      problems.add(`tools[${i}].name`, 'must be a string')
    else names.push(tool.type)
  }
  return names
}

function summarise(
  json: JsonObject,
  messages: CallSummary['messages'],
  toolNames: readonly string[],
): CallSummary {
  const maxOutputTokens = asCount(json.max_output_tokens)
  const temperature = asNumber(json.temperature)
  const reasoningLevel = asString(asObject(json.reasoning)?.effort)
  const responseFormat = readResponseFormat(asObject(json.text)?.format)
  const userId = asString(json.user) ?? asString(json.safety_identifier)
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperaturePpm: Math.round(temperature * 1_000_000) }),
    ...(reasoningLevel !== undefined && { reasoningLevel }),
    ...(responseFormat !== undefined && { responseFormat }),
    messages,
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
