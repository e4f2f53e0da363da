import type { ChatPayload, Message, Tool, ToolChoice } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import type { WebSearch } from '../../web-search.ts'
import { chatExtraRules } from '../anthropic-messages/encode-request.ts'
import { geminiExtraRules } from '../gemini/extra-rules.ts'
import { isObject } from '../json-value.ts'
import { type ExtraRules, loseExtra } from '../lose-extra.ts'
import { Losses } from '../losses.ts'
import { messagesExtraRules, shortUserId } from '../openai-chat/encode-request.ts'
import { refusesSampling } from '../openai-chat/encode-sampling.ts'
import type { ChatQuirks } from '../openai-chat/quirks.ts'
import { isStrictSchema } from '../openai-chat/strict-schema.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { levelOfBudget, loseReasoning } from '../reasoning-level.ts'
import { shortToolName } from '../tool-names.ts'
import { loseOptions, searchToolName } from '../web-search-request.ts'
import { encodeItems } from './encode-item.ts'
import { responsesExtraRules } from './extra-rules.ts'

/** Requests in Responses itself pass as they are, so none of that format comes here. */
const extraRules: Readonly<Record<ChatPayload['origin'], ExtraRules>> = {
  'openai-chat': chatExtraRules,
  'openai-responses': responsesExtraRules,
  'anthropic-messages': messagesExtraRules,
  gemini: geminiExtraRules,
  // What its protocol has beyond these is named when it is read.
  'vercel-ai': chatExtraRules,
}

export interface EncodedRequest {
  readonly body: Record<string, unknown>
  readonly dropped: readonly string[]
  readonly responseDropped: readonly string[]
}
interface RequestContext {
  readonly payload: ChatPayload
  readonly body: Record<string, unknown>
  readonly options: EncodeOptions
  readonly quirks: ChatQuirks
  readonly losses: Losses
}

/** Members that Chat Completions and Responses have in common, by name and meaning. */
const sharedMembers = new Set([
  'metadata',
  'service_tier',
  'prompt_cache_key',
  'prompt_cache_retention',
  'safety_identifier',
])

/**
 * A canonical request of another format as a Responses body. Nothing is stored at the provider: the thinking comes
 * encrypted, and goes back with the next turn. What has no place is named; what would change the meaning is refused
 * as the call's fidelity says. Throws a Refusal `unsupported_feature`.
 */
export function encodeResponsesRequest(
  payload: ChatPayload,
  stream: boolean,
  options: EncodeOptions,
  quirks: ChatQuirks,
): EncodedRequest {
  const losses = new Losses(options.fidelity)
  const { instructions, messages } = splitInstructions(payload.messages)
  const body: Record<string, unknown> = {
    model: options.model,
    ...(instructions !== undefined && { instructions }),
    input: messages.flatMap((message) => encodeItems(message, { losses })),
    store: false,
    include: ['reasoning.encrypted_content'],
  }
  const context: RequestContext = { payload, body, options, quirks, losses }
  addTools(context)
  const maxTokens = limitOutput(payload.maxOutputTokens, options)
  if (maxTokens !== undefined) body.max_output_tokens = maxTokens
  addSampling(context)
  addOutput(context)
  if (payload.userId !== undefined) body.safety_identifier = shortUserId(payload.userId)
  if (stream) body.stream = true
  loseRest(context)
  return { body, dropped: losses.dropped, responseDropped: losses.responseDropped }
}

/** The system prompt at the start, as far as it is text; with nothing after it, it is what the model is asked. */
function splitInstructions(all: readonly Message[]): {
  instructions: string | undefined
  messages: readonly Message[]
} {
  const isPrompt = ({ role, name, blocks }: Message): boolean =>
    role === 'system' && name === undefined && blocks.every(({ type, cache }) => type === 'text' && !cache)
  const first = all.findIndex((message) => !isPrompt(message))
  if (first <= 0) return { instructions: undefined, messages: all }
  const texts = all
    .slice(0, first)
    .flatMap(({ blocks }) => blocks.map((block) => (block.type === 'text' ? block.text : '')))
  return { instructions: texts.join('\n\n'), messages: all.slice(first) }
}

/** The default of Responses is strict, that of the other formats is not: it is always said. */
function addTools({ payload, body, losses }: RequestContext): void {
  const tools: unknown[] = payload.tools.map((tool) => encodeTool(tool, losses))
  if (payload.webSearch !== undefined) {
    tools.push(encodeSearch(payload.webSearch, losses))
    body.include = ['reasoning.encrypted_content', 'web_search_call.action.sources']
    const usesMax = payload.webSearch.usesMax
    // All tools that run at OpenAI are counted together, and it is the only one.
    if (usesMax !== undefined) body.max_tool_calls = usesMax
  }
  if (tools.length === 0) return
  body.tools = tools
  if (payload.toolChoice !== undefined)
    body.tool_choice = encodeToolChoice(payload.toolChoice, payload.webSearch)
  if (payload.parallelToolCalls !== undefined) body.parallel_tool_calls = payload.parallelToolCalls
}

function encodeTool(tool: Tool, losses: Losses): unknown {
  if (tool.cache) losses.drop(`${tool.path}.cache_control`)
  const strict = tool.strict === true && isStrictSchema(tool.schema)
  if (tool.strict && !strict) losses.drop(`${tool.path}.strict`)
  return {
    type: 'function',
    name: shortToolName(tool.name),
    ...(tool.description !== undefined && { description: tool.description }),
    parameters: tool.schema ?? { type: 'object', properties: {} },
    strict,
  }
}

function encodeSearch(search: WebSearch, losses: Losses): unknown {
  const { allowedDomains, place, contextSize } = search
  loseOptions(search, ['blockedDomains'], losses)
  return {
    type: 'web_search',
    ...(allowedDomains !== undefined && { filters: { allowed_domains: allowedDomains } }),
    ...(place !== undefined && { user_location: { type: 'approximate', ...place } }),
    ...(contextSize !== undefined && { search_context_size: contextSize }),
  }
}

function encodeToolChoice(choice: ToolChoice, webSearch: WebSearch | undefined): unknown {
  if (webSearch !== undefined && choice.type === 'tool' && choice.name === searchToolName) {
    return { type: 'web_search' }
  }
  if (choice.type === 'tool') return { type: 'function', name: shortToolName(choice.name) }
  if (choice.type !== 'allowed') return choice.type
  const tools = choice.names.map((name) => ({ type: 'function', name: shortToolName(name) }))
  return { type: 'allowed_tools', mode: choice.mode, tools }
}

/** Sampling and reasoning as far as the model takes them. */
function addSampling(context: RequestContext): void {
  const { payload, body, options, quirks, losses } = context
  const level = addReasoning(context)
  const isRefused = refusesSampling(options.model, level, quirks)
  const set = (member: string, value: unknown, path = member): void => {
    if (value === undefined) return
    if (isRefused) losses.drop(path)
    else body[member] = value
  }
  set('temperature', patchedTemperature(options) ?? payload.temperature, payload.paths.temperature)
  set('top_p', payload.topP, payload.paths.topP)
}

function addReasoning({ payload, body, options, quirks, losses }: RequestContext): string | undefined {
  const asked = payload.reasoning
  const budget = asked?.budgetTokens
  const wanted =
    options.patch?.reasoningLevel ??
    asked?.level ??
    (budget === undefined ? undefined : levelOfBudget(budget))
  const model = quirks.models.find(({ pattern }) => pattern.test(options.model))
  const reasons = model === undefined || model.lowestLevel !== undefined
  const summary = asked?.visible === true && wanted !== 'none' && reasons && { summary: 'auto' }
  if (wanted === undefined) {
    if (summary) body.reasoning = summary
    return undefined
  }
  if (reasons && (wanted !== 'none' || model === undefined)) {
    body.reasoning = { effort: wanted, ...summary }
    return wanted
  }
  // Not to reason is what a model does that cannot.
  if (wanted !== 'none') loseReasoning(payload, losses)
  else if (model?.lowestLevel !== undefined) {
    if (model.lowestLevel !== 'none') loseReasoning(payload, losses)
    body.reasoning = { effort: model.lowestLevel }
  }
  return model?.lowestLevel
}

function addOutput({ payload, body, losses }: RequestContext): void {
  const { output } = payload
  const verbosity = payload.extra.get('verbosity')
  const text: Record<string, unknown> = { ...(typeof verbosity === 'string' && { verbosity }) }
  if (output?.type === 'jsonSchema') {
    const path = payload.paths.output ?? 'response_format'
    const { schema } = output
    const strict = output.strict === true && isStrictSchema(schema)
    if (output.strict && !strict) losses.drop(path)
    const title = isObject(schema) && typeof schema.title === 'string' ? schema.title : ''
    const name = output.name ?? (/^[\w-]{1,64}$/.test(title) ? title : 'answer')
    const description = output.description !== undefined && { description: output.description }
    text.format = { type: 'json_schema', name, ...description, schema, strict }
  } else if (output !== undefined) {
    text.format = { type: output.type === 'json' ? 'json_object' : 'text' }
  }
  if (Object.keys(text).length > 0) body.text = text
}

/** Parameters that Responses has not, and what they would have brought in the answer. */
function loseRest({ payload, body, losses }: RequestContext): void {
  const isChat = payload.origin === 'openai-chat'
  if ((payload.choices ?? 1) > 1) {
    losses.dropMeaning(payload.paths.choices ?? 'n', 'The chosen model gives one answer at a time.')
    losses.dropAnswer('choices[]')
  }
  if (payload.stop !== undefined && payload.stop.length > 0) {
    losses.dropMeaning(payload.paths.stop ?? 'stop', 'The chosen model cannot be told where to stop.')
    if (payload.origin === 'anthropic-messages') losses.dropAnswer('stop_sequence')
  }
  if (payload.seed !== undefined) losses.drop(payload.paths.seed ?? 'seed')
  if (payload.topK !== undefined) losses.drop(payload.paths.topK ?? 'top_k')
  if (payload.frequencyPenalty) losses.drop(payload.paths.frequencyPenalty ?? 'frequency_penalty')
  if (payload.presencePenalty) losses.drop(payload.paths.presencePenalty ?? 'presence_penalty')
  const rest = new Map(payload.extra)
  if (isChat) {
    rest.delete('verbosity')
    for (const [name, value] of payload.extra) {
      if (!sharedMembers.has(name)) continue
      body[name] = value
      rest.delete(name)
    }
  }
  loseExtra({ ...payload, extra: rest }, extraRules[payload.origin], losses)
  if (payload.extra.get('logprobs') === true) losses.dropAnswer('choices[].logprobs')
  if (payload.extra.has('audio')) losses.dropAnswer('choices[].message.audio')
}
