import type { ChatPayload, Tool, ToolChoice } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import type { WebSearch } from '../../web-search.ts'
import { geminiExtraRules } from '../gemini/extra-rules.ts'
import { isObject } from '../json-value.ts'
import { type ExtraRules, loseExtra } from '../lose-extra.ts'
import { Losses } from '../losses.ts'
import { responsesExtraRules } from '../openai-responses/extra-rules.ts'
import { limitOutput } from '../output-limit.ts'
import { messagesToolName } from '../tool-names.ts'
import { loseOptions, searchToolName } from '../web-search-request.ts'
import { adaptSchema } from './adapt-schema.ts'
import { type AnthropicBlock, encodeMessages, type Turn } from './encode-message.ts'
import { addSampling, addThinking } from './encode-thinking.ts'
import { type ClaudeTraits, claudeTraits } from './model-traits.ts'

/** `max_tokens` is required; this stands where neither the caller nor the catalogue names one. */
export const outputTokensDefault = 8192

/** What takes the place of `response_format: json_object`, which Anthropic does not have. */
const jsonHint = 'Answer with one valid JSON object and nothing else.'

/** Members of Chat Completions whose loss changes the answer. */
export const chatExtraRules: ExtraRules = {
  meaning: new Set([
    'tools[]',
    'tool_choice',
    'functions',
    'function_call',
    'messages[].function_call',
    'audio',
    'modalities',
    'logprobs',
    'web_search_options',
    'response_format',
  ]),
  isDefault: (name, value) =>
    value === false ||
    (name === 'service_tier' && (value === 'auto' || value === 'default')) ||
    (name === 'modalities' && Array.isArray(value) && value.every((item) => item === 'text')) ||
    (name === 'verbosity' && value === 'medium') ||
    // An assistant message at the end is continued anyway.
    name === 'messages[].prefix',
}

/** Members of Messages itself go back where they were, so none of that format comes here. */
const extraRules: Readonly<Record<ChatPayload['origin'], ExtraRules>> = {
  'anthropic-messages': chatExtraRules,
  'openai-chat': chatExtraRules,
  'openai-responses': responsesExtraRules,
  gemini: geminiExtraRules,
  // What its protocol has beyond these is named when it is read.
  'vercel-ai': chatExtraRules,
}

export interface EncodedRequest {
  readonly body: Record<string, unknown>
  readonly dropped: readonly string[]
  readonly responseDropped: readonly string[]
}

/**
 * A canonical request as a Messages body. What has no place there is named; what would change the meaning is
 * refused as the call's fidelity says. Throws a Refusal `unsupported_feature`.
 */
export function encodeMessagesRequest(
  payload: ChatPayload,
  stream: boolean,
  options: EncodeOptions,
): EncodedRequest {
  const losses = new Losses(options.fidelity)
  const traits = claudeTraits(options.model)
  const same = payload.origin === 'anthropic-messages'
  const context = { losses, same, systemMessages: traits.systemMessages }
  const { system, turns } = encodeMessages(payload.messages, context)
  if (payload.output?.type === 'json') {
    losses.drop(payload.paths.output ?? 'response_format')
    system.push({ type: 'text', text: jsonHint })
  }
  const body: Record<string, unknown> = {
    model: options.model,
    max_tokens: maxTokens(payload, options, losses),
  }
  addConversation(body, system, turns, losses)
  const thinks = addThinking({ payload, body, traits, options, turns, losses })
  addTools(payload, body, { traits, thinks, losses, same })
  addSampling({ payload, body, traits, options, thinks, losses })
  if (payload.stop !== undefined) addStop(payload.stop, body, losses, payload.paths.stop ?? 'stop')
  addOutput(payload, body, traits, losses)
  if (payload.userId !== undefined) body.metadata = { user_id: payload.userId }
  if (stream) body.stream = true
  if (same) restoreExtra(payload, body, losses)
  else loseChatMembers(payload, losses)
  return { body, dropped: losses.dropped, responseDropped: losses.responseDropped }
}

function maxTokens(payload: ChatPayload, options: EncodeOptions, losses: Losses): number {
  const most = options.outputTokensMax
  const wanted =
    limitOutput(payload.maxOutputTokens ?? most ?? outputTokensDefault, options) ?? outputTokensDefault
  if (most === undefined || wanted <= most) return wanted
  losses.drop(payload.paths.maxOutputTokens ?? 'max_tokens')
  return most
}

/**
 * A conversation has at least one turn; where all of it was the system prompt, that is what the model is
 * asked.
 */
function addConversation(
  body: Record<string, unknown>,
  system: AnthropicBlock[],
  turns: Turn[],
  losses: Losses,
): void {
  if (turns.length === 0 && system.length > 0) {
    losses.drop('messages[].role')
    turns.push({ role: 'user', content: system.splice(0) })
  }
  if (turns.length === 0 && losses.dropped.length > 0) losses.nothingLeft('messages')
  if (system.length > 0) body.system = system
  body.messages = turns
}

interface ToolContext {
  readonly traits: ClaudeTraits
  readonly thinks: boolean
  readonly losses: Losses
  readonly same: boolean
}

function addTools(payload: ChatPayload, body: Record<string, unknown>, context: ToolContext): void {
  const { toolChoice } = payload
  const isAllowed = ({ name }: Tool) => toolChoice?.type !== 'allowed' || toolChoice.names.includes(name)
  const tools: unknown[] = payload.tools.filter(isAllowed).map((tool) => encodeTool(tool, context))
  if (payload.webSearch !== undefined) tools.push(encodeSearch(payload.webSearch, payload, context))
  if (context.same)
    for (const [path, value] of payload.extra) if (/^tools\[\d+\]$/.test(path)) tools.push(value)
  if (tools.length === 0) return
  body.tools = tools
  const choice = toolChoice && encodeToolChoice(toolChoice, context)
  const isSerial = payload.parallelToolCalls === false && choice?.type !== 'none'
  if (isSerial) body.tool_choice = { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true }
  else if (choice !== undefined) body.tool_choice = choice
}

/** Anthropic takes one of the two lists of domains. Quotes and ages of results have no place in Gemini. */
function encodeSearch(search: WebSearch, payload: ChatPayload, { losses, same }: ToolContext): unknown {
  if (same) return search.value
  const { usesMax, allowedDomains, blockedDomains, place } = search
  if (payload.tools.some(({ name }) => messagesToolName(name) === searchToolName)) {
    losses.dropMeaning(search.path, 'A tool of the call has the name of the search of the chosen model.')
  }
  loseOptions(search, ['contextSize'], losses)
  if (allowedDomains !== undefined) loseOptions(search, ['blockedDomains'], losses)
  if (payload.origin === 'gemini') {
    losses.dropAnswer('content[].citations[].cited_text')
    losses.dropAnswer('content[].content[].page_age')
  }
  const isBlocking = allowedDomains === undefined && blockedDomains !== undefined
  return {
    type: 'web_search_20250305',
    name: searchToolName,
    ...(usesMax !== undefined && { max_uses: usesMax }),
    ...(allowedDomains !== undefined && { allowed_domains: allowedDomains }),
    ...(isBlocking && { blocked_domains: blockedDomains }),
    ...(place !== undefined && { user_location: { type: 'approximate', ...place } }),
  }
}

function encodeToolChoice(
  choice: ToolChoice,
  { traits, thinks, losses }: ToolContext,
): { type: string; name?: string } {
  const type = choice.type === 'allowed' ? choice.mode : choice.type
  if (type === 'auto' || type === 'none') return { type }
  if (thinks || !traits.forcedTools) {
    losses.dropMeaning(
      'tool_choice',
      'The chosen model cannot be made to call a tool, at least not while it thinks.',
    )
    return { type: 'auto' }
  }
  return choice.type === 'tool' ? { type: 'tool', name: messagesToolName(choice.name) } : { type: 'any' }
}

function encodeTool(tool: Tool, { traits, losses, same }: ToolContext): unknown {
  const strict = tool.strict === true && (traits.structuredOutput || same)
  if (tool.strict && !strict) losses.drop(`${tool.path}.strict`)
  const adapted = strict && !same ? adaptSchema(tool.schema) : undefined
  if (adapted?.lost) losses.drop(`${tool.path}.parameters`)
  return {
    name: messagesToolName(tool.name),
    ...(tool.description !== undefined && { description: tool.description }),
    input_schema: objectSchema(adapted?.schema ?? tool.schema),
    ...(strict && { strict }),
    ...(tool.cache && { cache_control: { type: 'ephemeral', ...tool.cache } }),
  }
}

/** Anthropic wants the schema of an object, said outright. */
function objectSchema(schema: unknown): unknown {
  if (schema === undefined) return { type: 'object', properties: {} }
  return isObject(schema) && schema.type === undefined ? { type: 'object', ...schema } : schema
}

/** Anthropic refuses stop sequences that are nothing but white space. */
function addStop(stop: readonly string[], body: Record<string, unknown>, losses: Losses, path: string): void {
  const kept = stop.filter((sequence) => sequence.trim() !== '')
  if (kept.length < stop.length) losses.drop(path)
  if (kept.length > 0) body.stop_sequences = kept
}

function addOutput(
  payload: ChatPayload,
  body: Record<string, unknown>,
  traits: ClaudeTraits,
  losses: Losses,
): void {
  const { output } = payload
  if (output?.type !== 'jsonSchema') return
  const path = payload.paths.output ?? 'response_format'
  if (!traits.structuredOutput) {
    losses.dropMeaning(path, 'The chosen model has no structured output.')
    return
  }
  const { schema, lost } =
    payload.origin === 'anthropic-messages' ? { ...output, lost: false } : adaptSchema(output.schema)
  if (lost) losses.drop(payload.paths.outputSchema ?? `${path}.json_schema.schema`)
  const named = {
    ...(output.name !== undefined && { title: output.name }),
    ...(output.description !== undefined && { description: output.description }),
  }
  const format = { type: 'json_schema', schema: isObject(schema) ? { ...named, ...schema } : schema }
  body.output_config = { ...(isObject(body.output_config) && body.output_config), format }
}

function restoreExtra(payload: ChatPayload, body: Record<string, unknown>, losses: Losses): void {
  for (const [path, value] of payload.extra) {
    if (/^tools\[\d+\]$/.test(path)) continue
    if (/[.[]/.test(path) || path === '__proto__') losses.drop(path)
    else body[path] = value
  }
}

/** Parameters that Anthropic has not, and what they would have brought in the answer. */
function loseChatMembers(payload: ChatPayload, losses: Losses): void {
  if ((payload.choices ?? 1) > 1) {
    losses.dropMeaning(payload.paths.choices ?? 'n', 'The chosen model gives one answer at a time.')
    losses.dropAnswer('choices[]')
  }
  if (payload.seed !== undefined) losses.drop(payload.paths.seed ?? 'seed')
  if (payload.frequencyPenalty) losses.drop(payload.paths.frequencyPenalty ?? 'frequency_penalty')
  if (payload.presencePenalty) losses.drop(payload.paths.presencePenalty ?? 'presence_penalty')
  loseExtra(payload, extraRules[payload.origin], losses)
  if (payload.extra.get('logprobs') === true) losses.dropAnswer('choices[].logprobs')
  if (payload.extra.has('audio')) losses.dropAnswer('choices[].message.audio')
}
