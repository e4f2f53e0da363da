import type { ChatPayload, Tool, ToolChoice } from '../../call.ts'
import {
  asArray,
  asBoolean,
  asCount,
  asNumber,
  asObject,
  asString,
  isObject,
  type JsonObject,
} from '../json-value.ts'
import { keepRest } from '../rest.ts'
import { searchOfChat } from '../web-search-request.ts'
import { decodeMessage } from './decode-message.ts'
import { readReasoningRequest } from './decode-reasoning.ts'

const members = new Set([
  'model',
  'messages',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'stop',
  'seed',
  'frequency_penalty',
  'presence_penalty',
  'n',
  'response_format',
  'user',
  'safety_identifier',
])
const streamOptions = new Set(['include_usage'])
const toolMembers = new Set(['type', 'function', 'cache_control'])
const functionMembers = new Set(['name', 'description', 'parameters', 'strict'])
const schemaMembers = new Set(['name', 'description', 'schema', 'strict'])

type Extra = Map<string, unknown>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * A checked Chat Completions request in canonical form. What no field stands for is in `extra`, so that
 * nothing gets lost without a name. Throws a Refusal `invalid_request` that names the member.
 */
export function decodeChatRequest(json: JsonObject): ChatPayload {
  const extra: Extra = new Map()
  const known = new Set(members)
  const reasoning = readReasoningRequest(json)
  if (reasoning) known.add(reasoning.member)
  const webSearch = searchOfChat(json, extra)
  if (webSearch !== undefined) known.add('web_search_options')
  keepRest(json, known, '', extra)
  keepRest(asObject(json.stream_options) ?? {}, streamOptions, 'stream_options', extra)
  const payload: Writable<ChatPayload> = {
    origin: 'openai-chat',
    paths: {
      maxOutputTokens:
        typeof json.max_completion_tokens === 'number' ? 'max_completion_tokens' : 'max_tokens',
      reasoning: reasoning?.member ?? 'reasoning_effort',
      userId: typeof json.user === 'string' ? 'user' : 'safety_identifier',
      choices: 'n',
      output: 'response_format',
    },
    messages: asArray(json.messages).map((message, index) =>
      decodeMessage(asObject(message) ?? {}, `messages[${index}]`, extra),
    ),
    tools: decodeTools(asArray(json.tools), extra),
    extra,
  }
  if (webSearch !== undefined) payload.webSearch = webSearch
  decodeParameters(json, payload)
  if (reasoning) {
    const { member: _member, ...wanted } = reasoning
    payload.reasoning = wanted
  }
  const choice = decodeToolChoice(json.tool_choice)
  if (choice !== undefined) payload.toolChoice = choice
  else if (isObject(json.tool_choice)) extra.set('tool_choice', json.tool_choice)
  const output = decodeOutput(asObject(json.response_format), extra)
  if (output !== undefined) payload.output = output
  return payload
}

function decodeParameters(json: JsonObject, payload: Writable<ChatPayload>): void {
  const set = <K extends keyof ChatPayload>(field: K, value: ChatPayload[K] | undefined): void => {
    if (value !== undefined) payload[field] = value
  }
  set('maxOutputTokens', asCount(json.max_completion_tokens) ?? asCount(json.max_tokens))
  set('temperature', asNumber(json.temperature))
  set('topP', asNumber(json.top_p))
  set('topK', asNumber(json.top_k))
  set('seed', asNumber(json.seed))
  set('frequencyPenalty', asNumber(json.frequency_penalty))
  set('presencePenalty', asNumber(json.presence_penalty))
  set('choices', asCount(json.n))
  set('parallelToolCalls', asBoolean(json.parallel_tool_calls))
  set('userId', asString(json.user) ?? asString(json.safety_identifier))
  const { stop } = json
  if (typeof stop === 'string') payload.stop = [stop]
  else if (Array.isArray(stop)) payload.stop = stop.filter((item) => typeof item === 'string')
}

function decodeTools(tools: readonly unknown[], extra: Extra): Tool[] {
  const decoded: Tool[] = []
  for (const [index, value] of tools.entries()) {
    const path = `tools[${index}]`
    const tool = asObject(value)
    const made = asObject(tool?.function)
    const name = asString(made?.name)
    if (tool === undefined || made === undefined || name === undefined) {
      extra.set(path, value)
      continue
    }
    keepRest(tool, toolMembers, path, extra)
    keepRest(made, functionMembers, `${path}.function`, extra)
    const description = asString(made.description)
    const strict = asBoolean(made.strict)
    const control = asObject(tool.cache_control)
    decoded.push({
      name,
      schema: made.parameters ?? undefined,
      path: `${path}.function`,
      ...(description !== undefined && { description }),
      ...(strict !== undefined && { strict }),
      ...(control && { cache: control.ttl === '1h' ? { ttl: '1h' } : {} }),
    })
  }
  return decoded
}

/** `any` is what several servers call `required`. */
function decodeToolChoice(value: unknown): ToolChoice | undefined {
  if (value === 'auto' || value === 'none') return { type: value }
  if (value === 'required' || value === 'any') return { type: 'required' }
  const choice = asObject(value)
  const name = asString(asObject(choice?.function)?.name)
  if (name !== undefined) return { type: 'tool', name }
  const allowed = asObject(choice?.allowed_tools)
  if (choice?.type !== 'allowed_tools' || allowed === undefined) return undefined
  const names = asArray(allowed.tools).map((tool) => asString(asObject(asObject(tool)?.function)?.name))
  if (!names.every((item) => item !== undefined)) return undefined
  return { type: 'allowed', mode: allowed.mode === 'required' ? 'required' : 'auto', names }
}

function decodeOutput(format: JsonObject | undefined, extra: Extra): ChatPayload['output'] {
  if (format === undefined) return undefined
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json_object') return { type: 'json' }
  const wanted = asObject(format.json_schema)
  if (format.type !== 'json_schema' || wanted === undefined) {
    extra.set('response_format', format)
    return undefined
  }
  keepRest(wanted, schemaMembers, 'response_format.json_schema', extra)
  const name = asString(wanted.name)
  const description = asString(wanted.description)
  const strict = asBoolean(wanted.strict)
  return {
    type: 'jsonSchema',
    schema: wanted.schema ?? {},
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(strict !== undefined && { strict }),
  }
}
