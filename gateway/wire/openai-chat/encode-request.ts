import { createHash } from 'node:crypto'
import type { ChatPayload, Tool, ToolChoice } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { geminiExtraRules } from '../gemini/extra-rules.ts'
import { isObject } from '../json-value.ts'
import { type ExtraRules, loseExtra } from '../lose-extra.ts'
import { Losses } from '../losses.ts'
import { responsesExtraRules } from '../openai-responses/extra-rules.ts'
import { limitOutput } from '../output-limit.ts'
import { shortToolName } from '../tool-names.ts'
import { loseSearch } from '../web-search-request.ts'
import { adaptBody } from './adapt-members.ts'
import { encodeMessage } from './encode-message.ts'
import { addSampling, type RequestContext } from './encode-sampling.ts'
import type { ChatQuirks } from './quirks.ts'
import { isStrictSchema } from './strict-schema.ts'

const isResponses = ({ origin }: ChatPayload): boolean => origin === 'openai-responses'

/** Longest end-user id that OpenAI takes; longer ones travel as their SHA-256. */
const userIdLengthMax = 64

/** Members of Anthropic Messages whose loss changes the answer: tools that run at the provider. */
export const messagesExtraRules: ExtraRules = {
  meaning: new Set(['tools[]', 'mcp_servers', 'tool_choice']),
  isDefault: (name, value) =>
    value === false ||
    (name === 'service_tier' && value === 'auto') ||
    (name === 'speed' && value === 'standard') ||
    (name.endsWith('.citations') && (!isObject(value) || value.enabled !== true) && !Array.isArray(value)) ||
    (name.endsWith('.caller') && isObject(value) && value.type === 'direct'),
}

/** Members of Chat Completions itself go back where they were, so none of that format comes here. */
const extraRules: Readonly<Record<ChatPayload['origin'], ExtraRules>> = {
  'openai-chat': messagesExtraRules,
  'openai-responses': responsesExtraRules,
  'anthropic-messages': messagesExtraRules,
  gemini: geminiExtraRules,
  // What its protocol has beyond these is named when it is read.
  'vercel-ai': messagesExtraRules,
}

export interface EncodedRequest {
  readonly body: Record<string, unknown>
  readonly dropped: readonly string[]
  readonly responseDropped: readonly string[]
}

/**
 * A canonical request as a Chat Completions body. What has no place there is named; what would change the
 * meaning is refused as the call's fidelity says. Throws a Refusal `unsupported_feature`.
 */
export function encodeChatRequest(
  payload: ChatPayload,
  stream: boolean,
  options: EncodeOptions,
  quirks: ChatQuirks,
): EncodedRequest {
  const losses = new Losses(options.fidelity)
  const same = payload.origin === 'openai-chat'
  const body: Record<string, unknown> = {
    model: options.model,
    messages: payload.messages.flatMap((message) => encodeMessage(message, { quirks, losses, same })),
  }
  const context: RequestContext = { payload, body, options, quirks, losses, same }
  addTools(context)
  const maxTokens = limitOutput(payload.maxOutputTokens, options)
  if (maxTokens !== undefined) body[quirks.maxTokensMember] = maxTokens
  addSampling(context)
  addOutput(context)
  if (payload.userId !== undefined) body[quirks.userMember] = shortUserId(payload.userId)
  if (stream) Object.assign(body, { stream: true, stream_options: { include_usage: true } })
  if (!same) loseSearch(payload, losses)
  else if (payload.webSearch !== undefined) body.web_search_options = payload.webSearch.value
  if (same) restoreExtra(context)
  else {
    loseExtra(payload, extraRules[payload.origin], losses)
    nameAnswerLosses(context)
  }
  const adapted = adaptBody(body, payload, quirks, losses)
  return { body: adapted, dropped: losses.dropped, responseDropped: losses.responseDropped }
}

export function shortUserId(userId: string): string {
  return userId.length <= userIdLengthMax ? userId : createHash('sha256').update(userId).digest('hex')
}

function addTools({ payload, body, losses, same }: RequestContext): void {
  const tools: unknown[] = payload.tools.map((tool) => encodeTool(tool, losses, same))
  if (same) for (const [path, value] of payload.extra) if (/^tools\[\d+\]$/.test(path)) tools.push(value)
  if (tools.length === 0) return
  body.tools = tools
  if (payload.toolChoice !== undefined) body.tool_choice = encodeToolChoice(payload.toolChoice)
  if (payload.parallelToolCalls !== undefined) body.parallel_tool_calls = payload.parallelToolCalls
}

/** Anthropic enforces schemas that OpenAI does not take as strict; those travel unenforced. */
function takesStrict(strict: boolean | undefined, schema: unknown, same: boolean): boolean | undefined {
  return strict && !same ? isStrictSchema(schema) : strict
}

function encodeTool(tool: Tool, losses: Losses, same: boolean): unknown {
  if (tool.cache && !same) losses.drop(`${tool.path}.cache_control`)
  const strict = takesStrict(tool.strict, tool.schema, same)
  if (tool.strict && !strict) losses.drop(`${tool.path}.strict`)
  return {
    type: 'function',
    function: {
      name: shortToolName(tool.name),
      ...(tool.description !== undefined && { description: tool.description }),
      ...(tool.schema !== undefined && { parameters: tool.schema }),
      ...(strict !== undefined && { strict }),
    },
    ...(tool.cache && same && { cache_control: { type: 'ephemeral', ...tool.cache } }),
  }
}

function encodeToolChoice(choice: ToolChoice): unknown {
  if (choice.type === 'tool') return { type: 'function', function: { name: shortToolName(choice.name) } }
  if (choice.type !== 'allowed') return choice.type
  const tools = choice.names.map((name) => ({ type: 'function', function: { name: shortToolName(name) } }))
  return { type: 'allowed_tools', allowed_tools: { mode: choice.mode, tools } }
}

function addOutput({ payload, body, losses, same }: RequestContext): void {
  const { output } = payload
  if (output === undefined) return
  if (output.type !== 'jsonSchema') {
    body.response_format = { type: output.type === 'json' ? 'json_object' : 'text' }
    return
  }
  const { schema } = output
  const title = isObject(schema) && typeof schema.title === 'string' ? schema.title : undefined
  const name = output.name ?? (title !== undefined && /^[\w-]{1,64}$/.test(title) ? title : 'answer')
  const description = output.description !== undefined && { description: output.description }
  const isStrict = takesStrict(output.strict, schema, same)
  if (output.strict && !isStrict) losses.drop(payload.paths.output ?? 'response_format')
  const strict = isStrict !== undefined && { strict: isStrict }
  body.response_format = { type: 'json_schema', json_schema: { name, ...description, schema, ...strict } }
}

/** Of the caller's own format, members of the top level go back where they were. */
function restoreExtra({ payload, body, losses }: RequestContext): void {
  for (const [path, value] of payload.extra) {
    if (/^tools\[\d+\]$/.test(path)) continue
    if (/[.[]/.test(path) || path === '__proto__') losses.drop(path)
    else body[path] = value
  }
}

function nameAnswerLosses({ payload, quirks, losses }: RequestContext): void {
  if (payload.reasoning?.visible && payload.reasoning.level !== 'none') {
    if (payload.origin === 'gemini') losses.dropAnswer('candidates[].content.parts[].thoughtSignature')
    else if (!isResponses(payload))
      losses.dropAnswer(quirks.showsReasoning ? 'thinking.signature' : 'thinking')
    else if (!quirks.showsReasoning) losses.dropAnswer('output[].summary')
  }
  const isAnthropic = payload.origin === 'anthropic-messages'
  if (isAnthropic && payload.stop !== undefined && payload.stop.length > 0) losses.dropAnswer('stop_sequence')
  for (const [path, value] of payload.extra) {
    if (path.endsWith('.citations') && isObject(value) && value.enabled === true) {
      losses.dropAnswer('content[].citations')
    }
  }
}
