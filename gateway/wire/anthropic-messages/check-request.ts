import type { CallSummary } from '../../call.ts'
import { CallsSoFar, checkBase64 } from '../check-content.ts'
import { asArray, asCount, asNumber, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { type MemberKind, Problems } from '../problems.ts'

/** Members that are looked at, with what they must be. Source: API reference of Messages. */
const members: Readonly<Record<string, MemberKind>> = {
  stream: 'boolean',
  system: 'stringOrArray',
  temperature: 'share',
  top_p: 'share',
  top_k: 'count',
  stop_sequences: 'strings',
  tools: 'array',
  tool_choice: 'object',
  thinking: 'object',
  output_config: 'object',
  metadata: 'object',
}

/** What Anthropic takes as base64. Source: guide to vision. */
const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
const thinkingTypes = ['enabled', 'disabled', 'adaptive', 'between_tools']

interface MessageCounts {
  chars: number
  hasSystem: boolean
  hasImages: boolean
  lastRole: string
}

/**
 * Checks a Messages request and reads from it what facts and admission need, in one pass over the parsed
 * body. Any order of roles is let be, and so are members that it does not know. Throws a Refusal
 * `invalid_request` that names all that is wrong.
 */
export function checkMessagesRequest(json: JsonObject): CallSummary {
  const problems = new Problems()
  if (problems.require(json, 'model', 'string') && json.model === '')
    problems.add('model', 'must not be empty')
  problems.require(json, 'max_tokens', 'count')
  problems.check(json, members)
  problems.oneOf(asObject(json.tool_choice) ?? {}, 'type', ['auto', 'any', 'tool', 'none'], 'tool_choice.')
  problems.oneOf(asObject(json.thinking) ?? {}, 'type', thinkingTypes, 'thinking.')
  const counts: MessageCounts = {
    chars: 0,
    hasSystem: asArray(json.system).length > 0 || !!asString(json.system),
    hasImages: false,
    lastRole: '',
  }
  countContent(json.system, 'system', counts, problems)
  if (problems.require(json, 'messages', 'array')) {
    const messages = asArray(json.messages)
    if (messages.length === 0) problems.add('messages', 'must not be empty')
    const calls = new CallsSoFar()
    for (let i = 0; i < messages.length; i++) {
      countMessage(messages[i], `messages[${i}]`, counts, problems)
      checkTurn(asObject(messages[i]) ?? {}, `messages[${i}].content`, calls, problems)
    }
  }
  const toolNames = checkTools(asArray(json.tools), problems)
  problems.throwIfAny()
  return summarise(json, counts, toolNames)
}

function summarise(json: JsonObject, counts: MessageCounts, toolNames: readonly string[]): CallSummary {
  const maxOutputTokens = asCount(json.max_tokens)
  const temperature = asNumber(json.temperature)
  const output = asObject(json.output_config)
  const thinking = asObject(json.thinking)
  const effort = asString(output?.effort)
  const reasoningLevel = thinking?.type === 'disabled' ? 'none' : effort
  const format = asObject(output?.format) ?? asObject(json.output_format)
  const { user_id: userId, ...metadata } = asObject(json.metadata) ?? {}
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperaturePpm: Math.round(temperature * 1_000_000) }),
    ...(reasoningLevel !== undefined && { reasoningLevel }),
    ...(format?.type === 'json_schema' && { responseFormat: 'jsonSchema' as const }),
    messages: { count: asArray(json.messages).length, ...counts },
    toolNames,
    metadata,
    ...(typeof userId === 'string' && { userId }),
  }
}

function countMessage(message: unknown, path: string, counts: MessageCounts, problems: Problems): void {
  if (!isObject(message)) {
    problems.add(path, 'must be an object')
    return
  }
  const { role, content } = message
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    problems.add(`${path}.role`, 'must be user, assistant or system')
  } else {
    counts.lastRole = role
    if (role === 'system') counts.hasSystem = true
  }
  if (typeof content !== 'string' && !Array.isArray(content)) {
    problems.require(message, 'content', 'stringOrArray', `${path}.`)
  } else countContent(content, `${path}.content`, counts, problems)
}

/** Calls and thinking are the assistant's, and results are the user's, of calls before them. */
function checkTurn({ role, content }: JsonObject, path: string, calls: CallsSoFar, problems: Problems): void {
  const blocks = asArray(content)
  for (let i = 0; i < blocks.length; i++) {
    const { type, id, tool_use_id: answered } = asObject(blocks[i]) ?? {}
    const at = `${path}[${i}]`
    if (type === 'tool_use') {
      calls.called(id)
      if (role !== 'assistant') problems.add(at, 'may stand in messages of the assistant alone')
    } else if (type === 'thinking' && role === 'user') {
      problems.add(at, 'may stand in messages of the assistant alone')
    } else if (type === 'tool_result') {
      if (role !== 'user') problems.add(at, 'may stand in messages of the user alone')
      if (typeof answered === 'string') calls.answered(answered, `${at}.tool_use_id`, problems)
      else problems.add(`${at}.tool_use_id`, 'is missing; it must be a string')
    }
  }
}

function countContent(content: unknown, path: string, counts: MessageCounts, problems: Problems): void {
  if (typeof content === 'string') counts.chars += content.length
  if (!Array.isArray(content)) return
  for (let i = 0; i < content.length; i++) {
    const block: unknown = content[i]
    if (!isObject(block) || typeof block.type !== 'string') {
      problems.add(`${path}[${i}]`, 'must be an object with a `type`')
      continue
    }
    countBlock(block, `${path}[${i}]`, counts, problems)
    if (block.type !== 'tool_result') continue
    // A result holds no results: one level down is as deep as it goes.
    if (typeof block.content === 'string') counts.chars += block.content.length
    for (const [index, inner] of asArray(block.content).entries()) {
      if (isObject(inner)) countBlock(inner, `${path}[${i}].content[${index}]`, counts, problems)
      else problems.add(`${path}[${i}].content[${index}]`, 'must be an object with a `type`')
    }
  }
}

function countBlock(block: JsonObject, path: string, counts: MessageCounts, problems: Problems): void {
  const text = block.type === 'thinking' ? block.thinking : block.text
  if (typeof text === 'string') counts.chars += text.length
  else if (block.type === 'text') problems.add(`${path}.text`, 'must be a string')
  if (block.type === 'image') {
    counts.hasImages = true
    checkImage(asObject(block.source), `${path}.source`, problems)
  }
  if (block.type === 'document') countDocument(block, counts)
}

function checkImage(source: JsonObject | undefined, path: string, problems: Problems): void {
  if (source === undefined) problems.add(path, 'is missing; it must be an object')
  if (source?.type !== 'base64') return
  problems.require(source, 'media_type', 'string', `${path}.`)
  problems.oneOf(source, 'media_type', imageTypes, `${path}.`)
  if (!problems.require(source, 'data', 'string', `${path}.`)) return
  const data = { type: 'image/png', data: String(source.data) }
  checkBase64(data, { type: `${path}.media_type`, data: `${path}.data` }, problems)
}

function countDocument(block: JsonObject, counts: MessageCounts): void {
  const source = asObject(block.source)
  if (source?.type === 'text') counts.chars += asString(source.data)?.length ?? 0
}

function checkTools(tools: readonly unknown[], problems: Problems): string[] {
  const names: string[] = []
  for (let i = 0; i < tools.length; i++) {
    const tool = asObject(tools[i])
    if (tool === undefined) problems.add(`tools[${i}]`, 'must be an object')
    else if (typeof tool.name === 'string') names.push(tool.name)
    else if (tool.type === undefined || tool.type === 'custom')
      problems.add(`tools[${i}].name`, 'must be a string')
  }
  return names
}
