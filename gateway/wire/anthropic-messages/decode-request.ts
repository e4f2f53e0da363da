import type { ChatPayload, Message, Reasoning, Tool, ToolChoice } from '../../call.ts'
import type { WebSearch } from '../../web-search.ts'
import { asArray, asBoolean, asCount, asNumber, asObject, asString, type JsonObject } from '../json-value.ts'
import { keepRest } from '../rest.ts'
import { searchOfMessages } from '../web-search-request.ts'
import { decodeContent, readCache } from './decode-block.ts'

const members = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'stop_sequences',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
])
const messageMembers = new Set(['role', 'content'])
const metadataMembers = new Set(['user_id'])
const outputMembers = new Set(['effort', 'format'])
const formatMembers = new Set(['type', 'schema'])
const thinkingMembers = new Set(['type', 'budget_tokens', 'display'])
const toolMembers = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control'])

type Extra = Map<string, unknown>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** A checked Messages request in canonical form. What no field stands for is in `extra`. */
export function decodeMessagesRequest(json: JsonObject): ChatPayload {
  const extra: Extra = new Map()
  keepRest(json, members, '', extra)
  const metadata = asObject(json.metadata) ?? {}
  keepRest(metadata, metadataMembers, 'metadata', extra)
  keepRest(asObject(json.output_config) ?? {}, outputMembers, 'output_config', extra)
  keepRest(asObject(json.thinking) ?? {}, thinkingMembers, 'thinking', extra)
  const payload: Writable<ChatPayload> = {
    origin: 'anthropic-messages',
    paths: {
      maxOutputTokens: 'max_tokens',
      reasoning: json.thinking === undefined ? 'output_config.effort' : 'thinking',
      ...(asObject(json.output_config)?.effort !== undefined && { reasoningLevel: 'output_config.effort' }),
      userId: 'metadata.user_id',
      stop: 'stop_sequences',
      parallelToolCalls: 'tool_choice.disable_parallel_tool_use',
      output: json.output_format === undefined ? 'output_config.format' : 'output_format',
    },
    messages: decodeMessages(json, extra),
    tools: decodeTools(asArray(json.tools), extra),
    extra,
  }
  const webSearch = decodeSearch(asArray(json.tools), extra)
  if (webSearch !== undefined) payload.webSearch = webSearch
  decodeParameters(json, payload, extra)
  const userId = asString(metadata.user_id)
  if (userId !== undefined) payload.userId = userId
  const thinkingType = asObject(json.thinking)?.type
  if (thinkingType === 'between_tools') extra.set('thinking.type', thinkingType)
  const reasoning = decodeReasoning(json)
  if (reasoning !== undefined) payload.reasoning = reasoning
  const output = decodeOutput(json, extra)
  if (output !== undefined) payload.output = output
  return payload
}

function decodeMessages(json: JsonObject, extra: Extra): Message[] {
  const messages: Message[] = []
  const system = decodeContent(json.system, 'system', extra)
  if (system.length > 0) messages.push({ role: 'system', blocks: system, path: 'system' })
  for (const [index, value] of asArray(json.messages).entries()) {
    const path = `messages[${index}]`
    const message = asObject(value) ?? {}
    keepRest(message, messageMembers, path, extra)
    const role = message.role === 'assistant' || message.role === 'system' ? message.role : 'user'
    messages.push({ role, blocks: decodeContent(message.content, `${path}.content`, extra), path })
  }
  return messages
}

function decodeParameters(json: JsonObject, payload: Writable<ChatPayload>, extra: Extra): void {
  const set = <K extends keyof ChatPayload>(field: K, value: ChatPayload[K] | undefined): void => {
    if (value !== undefined) payload[field] = value
  }
  set('maxOutputTokens', asCount(json.max_tokens))
  set('temperature', asNumber(json.temperature))
  set('topP', asNumber(json.top_p))
  set('topK', asNumber(json.top_k))
  const stop = asArray(json.stop_sequences).filter((item) => typeof item === 'string')
  if (stop.length > 0) payload.stop = stop
  const choice = asObject(json.tool_choice)
  if (choice === undefined) return
  set('toolChoice', decodeToolChoice(choice))
  if (payload.toolChoice === undefined) extra.set('tool_choice', choice)
  const disabled = asBoolean(choice.disable_parallel_tool_use)
  if (disabled !== undefined) payload.parallelToolCalls = !disabled
}

function decodeToolChoice(choice: JsonObject): ToolChoice | undefined {
  if (choice.type === 'auto' || choice.type === 'none') return { type: choice.type }
  if (choice.type === 'any') return { type: 'required' }
  const name = asString(choice.name)
  return choice.type === 'tool' && name !== undefined ? { type: 'tool', name } : undefined
}

function decodeTools(tools: readonly unknown[], extra: Extra): Tool[] {
  const decoded: Tool[] = []
  for (const [index, value] of tools.entries()) {
    const path = `tools[${index}]`
    const tool = asObject(value)
    const name = asString(tool?.name)
    // Tools of any other type run at Anthropic.
    const isCustom = tool?.type === undefined || tool.type === null || tool.type === 'custom'
    if (tool === undefined || name === undefined || !isCustom) {
      extra.set(path, value)
      continue
    }
    keepRest(tool, toolMembers, path, extra)
    const description = asString(tool.description)
    const strict = asBoolean(tool.strict)
    decoded.push({
      name,
      schema: tool.input_schema,
      path,
      ...(description !== undefined && { description }),
      ...(strict !== undefined && { strict }),
      ...readCache(tool),
    })
  }
  return decoded
}

/** The first offered search of the web; a second one stays among what no field stands for. */
function decodeSearch(tools: readonly unknown[], extra: Extra): WebSearch | undefined {
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`
    const search = searchOfMessages(tool, path, extra)
    if (search === undefined) continue
    extra.delete(path)
    return search
  }
  return undefined
}

function decodeReasoning(json: JsonObject): Reasoning | undefined {
  const thinking = asObject(json.thinking)
  const effort = asString(asObject(json.output_config)?.effort)
  if (thinking === undefined) return effort === undefined ? undefined : { level: effort, visible: false }
  if (thinking.type === 'disabled') return { level: 'none', visible: false }
  const budgetTokens = asCount(thinking.budget_tokens)
  return {
    ...(effort !== undefined && { level: effort }),
    ...(budgetTokens !== undefined && { budgetTokens }),
    visible: thinking.display !== 'omitted',
  }
}

/** `output_format` is the older, beta spelling. */
function decodeOutput(json: JsonObject, extra: Extra): ChatPayload['output'] {
  const format = asObject(asObject(json.output_config)?.format) ?? asObject(json.output_format)
  if (format === undefined) return undefined
  const path = json.output_format === undefined ? 'output_config.format' : 'output_format'
  if (format.type !== 'json_schema' || format.schema === undefined) {
    extra.set(path, format)
    return undefined
  }
  keepRest(format, formatMembers, path, extra)
  return { type: 'jsonSchema', schema: format.schema, strict: true }
}
