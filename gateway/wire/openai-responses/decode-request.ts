import type { ChatPayload, Message, Tool, ToolChoice } from '../../call.ts'
import type { WebSearch } from '../../web-search.ts'
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
import { isSearchOfResponses, searchOfResponses, searchToolName } from '../web-search-request.ts'
import { customToolSchema, describeCustomTool } from './custom-tools.ts'
import { type DecodedItem, decodeContent, decodeItem } from './decode-item.ts'
import { additionalTools, flatToolName, listTools } from './offered-tools.ts'

const members = new Set([
  'model',
  'input',
  'instructions',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'max_output_tokens',
  'temperature',
  'top_p',
  'text',
  'reasoning',
  'include',
  'user',
  'safety_identifier',
])
/** Extra bytes against eavesdroppers are no part of the answer. */
const streamOptions = new Set(['include_obfuscation'])
const toolMembers = {
  function: new Set(['type', 'name', 'description', 'parameters', 'strict']),
  custom: new Set(['type', 'name', 'description']),
  toolSearch: new Set(['type', 'execution', 'description', 'parameters']),
} as const
const textMembers = new Set(['format'])
const formatMembers = new Set(['type', 'name', 'description', 'schema', 'strict'])
const reasoningMembers = new Set(['effort', 'summary', 'generate_summary'])
/** What else can be included is of tools that run at the provider, or comes anyway. */
const logprobs = 'message.output_text.logprobs'

type Extra = Map<string, unknown>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * A checked Responses request in canonical form. Custom tools become functions of one text, tools of a namespace
 * functions with its name before their own; what no field stands for is in `extra`.
 */
export function decodeResponsesRequest(json: JsonObject): ChatPayload {
  const extra: Extra = new Map()
  keepRest(json, members, '', extra)
  keepRest(asObject(json.stream_options) ?? {}, streamOptions, 'stream_options', extra)
  keepRest(asObject(json.text) ?? {}, textMembers, 'text', extra)
  keepRest(asObject(json.reasoning) ?? {}, reasoningMembers, 'reasoning', extra)
  if (asArray(json.include).includes(logprobs)) extra.set('include', [logprobs])
  const payload: Writable<ChatPayload> = {
    origin: 'openai-responses',
    paths: {
      maxOutputTokens: 'max_output_tokens',
      reasoning: 'reasoning.effort',
      userId: typeof json.user === 'string' ? 'user' : 'safety_identifier',
      output: 'text.format',
      outputSchema: 'text.format.schema',
    },
    messages: decodeMessages(json, extra),
    tools: decodeTools(json, extra),
    extra,
  }
  const webSearch = decodeSearch(json, extra)
  if (webSearch !== undefined) payload.webSearch = webSearch
  decodeParameters(json, payload)
  const choice = decodeToolChoice(json.tool_choice)
  if (choice !== undefined) payload.toolChoice = choice
  else if (isObject(json.tool_choice)) extra.set('tool_choice', json.tool_choice)
  const output = decodeOutput(asObject(asObject(json.text)?.format), extra)
  if (output !== undefined) payload.output = output
  return payload
}

function decodeParameters(json: JsonObject, payload: Writable<ChatPayload>): void {
  const set = <K extends keyof ChatPayload>(field: K, value: ChatPayload[K] | undefined): void => {
    if (value !== undefined) payload[field] = value
  }
  set('maxOutputTokens', asCount(json.max_output_tokens))
  set('temperature', asNumber(json.temperature))
  set('topP', asNumber(json.top_p))
  set('parallelToolCalls', asBoolean(json.parallel_tool_calls))
  set('userId', asString(json.user) ?? asString(json.safety_identifier))
  const reasoning = asObject(json.reasoning)
  if (reasoning === undefined) return
  const level = asString(reasoning.effort)
  const visible = typeof (reasoning.summary ?? reasoning.generate_summary) === 'string'
  if (level !== undefined || visible) payload.reasoning = { ...(level !== undefined && { level }), visible }
}

/** Items of one turn become one message: other formats hold a turn's thinking, text and calls together. */
function decodeMessages(json: JsonObject, extra: Extra): Message[] {
  const items: DecodedItem[] = []
  const { instructions, input } = json
  if (typeof instructions === 'string' && instructions !== '') {
    const blocks = decodeContent(instructions, 'instructions', extra)
    items.push({ role: 'system', blocks, path: 'instructions', joins: false })
  }
  for (const [index, item] of asArray(instructions).entries()) {
    items.push(decodeItem(item, `instructions[${index}]`, extra))
  }
  if (typeof input === 'string') {
    items.push({
      role: 'user',
      blocks: decodeContent(input, 'input', extra),
      path: 'input',
      joins: false,
    })
  }
  for (const [index, item] of asArray(input).entries()) {
    if (asObject(item)?.type === additionalTools) continue
    items.push(decodeItem(item, `input[${index}]`, extra))
  }
  const messages: Message[] = []
  let before: DecodedItem | undefined
  for (const item of items) {
    const last = messages.at(-1)
    if (last !== undefined && before?.joins && item.joins && last.role === item.role) {
      messages[messages.length - 1] = { ...last, blocks: [...last.blocks, ...item.blocks] }
    } else messages.push({ role: item.role, blocks: item.blocks, path: item.path })
    before = item
  }
  return messages
}

function decodeTools(json: JsonObject, extra: Extra): Tool[] {
  const { offered, others } = listTools(json)
  for (const { path, value } of others) extra.set(path, value)
  return offered.map(({ kind, flatName, definition, path }) => {
    const isCustom = kind === 'custom'
    keepRest(definition, toolMembers[kind], path, extra)
    const description = isCustom ? describeCustomTool(definition) : asString(definition.description)
    const strict = asBoolean(definition.strict)
    return {
      name: flatName,
      schema: isCustom ? customToolSchema : (definition.parameters ?? undefined),
      path,
      ...(description !== undefined && { description }),
      ...(strict !== undefined && { strict }),
    }
  })
}

/** The first offered search of the web; a second one stays among what no field stands for. */
function decodeSearch(json: JsonObject, extra: Extra): WebSearch | undefined {
  for (const { value, path } of listTools(json).others) {
    const search = searchOfResponses(value, path, json, extra)
    if (search === undefined) continue
    extra.delete(path)
    return search
  }
  return undefined
}

function decodeToolChoice(value: unknown): ToolChoice | undefined {
  if (value === 'auto' || value === 'none' || value === 'required') return { type: value }
  const choice = asObject(value)
  const name = asString(choice?.name)
  if ((choice?.type === 'function' || choice?.type === 'custom') && name !== undefined) {
    return { type: 'tool', name: flatToolName(asString(choice?.namespace), name) }
  }
  if (isSearchOfResponses(choice)) return { type: 'tool', name: searchToolName }
  if (choice?.type !== 'allowed_tools') return undefined
  const names = asArray(choice.tools).map((tool) => asString(asObject(tool)?.name))
  if (!names.every((item) => item !== undefined)) return undefined
  return { type: 'allowed', mode: choice.mode === 'required' ? 'required' : 'auto', names }
}

function decodeOutput(format: JsonObject | undefined, extra: Extra): ChatPayload['output'] {
  if (format === undefined) return undefined
  if (format.type === 'text') return { type: 'text' }
  if (format.type === 'json_object') return { type: 'json' }
  if (format.type !== 'json_schema') {
    extra.set('text.format', format)
    return undefined
  }
  keepRest(format, formatMembers, 'text.format', extra)
  const name = asString(format.name)
  const description = asString(format.description)
  const strict = asBoolean(format.strict)
  return {
    type: 'jsonSchema',
    schema: format.schema ?? {},
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(strict !== undefined && { strict }),
  }
}
