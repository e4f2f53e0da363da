import type { ChatPayload, Tool, ToolChoice } from '../../call.ts'
import type { EncodeOptions } from '../../provider.ts'
import { chatExtraRules } from '../anthropic-messages/encode-request.ts'
import { isObject } from '../json-value.ts'
import { type ExtraRules, loseExtra } from '../lose-extra.ts'
import { Losses } from '../losses.ts'
import { messagesExtraRules } from '../openai-chat/encode-request.ts'
import { responsesExtraRules } from '../openai-responses/extra-rules.ts'
import { limitOutput, patchedTemperature } from '../output-limit.ts'
import { geminiToolName } from '../tool-names.ts'
import { loseOptions } from '../web-search-request.ts'
import { encodeContents } from './encode-content.ts'
import { encodeThinking } from './encode-thinking.ts'
import { geminiExtraRules } from './extra-rules.ts'
import { type GeminiTraits, geminiTraits } from './model-traits.ts'

/** Google takes at most this many stop sequences. */
const stopsMax = 5
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
  /** The `generationConfig`. */
  readonly config: Record<string, unknown>
  readonly options: EncodeOptions
  readonly traits: GeminiTraits
  readonly losses: Losses
}

/**
 * A canonical request of another format as a Gemini body. What has no place there is named; what would change the
 * meaning is refused as the call's fidelity says. Throws a Refusal `unsupported_feature`.
 */
export function encodeGeminiRequest(payload: ChatPayload, options: EncodeOptions): EncodedRequest {
  const losses = new Losses(options.fidelity)
  const traits = geminiTraits(options.model)
  const { system, contents } = encodeContents(payload.messages, { losses, traits, names: new Map() })
  // A conversation has at least one turn; where all of it was the system prompt, that is what the model is asked.
  const isAllSystem = contents.length === 0 && system.length > 0
  if (isAllSystem) losses.drop('messages[].role')
  else if (contents.length === 0 && losses.dropped.length > 0) losses.nothingLeft('messages')
  const body: Record<string, unknown> = {
    contents: isAllSystem ? [{ role: 'user', parts: system }] : contents,
    ...(system.length > 0 && !isAllSystem && { systemInstruction: { parts: system } }),
  }
  const context: RequestContext = { payload, body, config: {}, options, traits, losses }
  addTools(context)
  addSearch(context)
  addParameters(context)
  addOutput(context)
  const thinking = encodeThinking(payload, options, losses)
  if (thinking !== undefined && Object.keys(thinking).length > 0) context.config.thinkingConfig = thinking
  if (Object.keys(context.config).length > 0) body.generationConfig = context.config
  loseRest(context)
  return { body, dropped: losses.dropped, responseDropped: losses.responseDropped }
}

/** A search beside functions is taken by few models, and not in the same form. */
function addSearch({ payload, body, losses }: RequestContext): void {
  const { webSearch, toolChoice } = payload
  if (webSearch === undefined || toolChoice?.type === 'none') return
  if (payload.tools.length > 0) {
    const message = 'The chosen model cannot have functions and its search of the web together.'
    losses.dropMeaning(webSearch.path, message)
    return
  }
  if (toolChoice !== undefined && toolChoice.type !== 'auto') {
    losses.dropMeaning('tool_choice', 'The chosen model cannot be made to search.')
  }
  loseOptions(webSearch, ['usesMax', 'allowedDomains', 'blockedDomains', 'place', 'contextSize'], losses)
  // How Google wants its search to be shown.
  losses.dropAnswer('candidates[].groundingMetadata.searchEntryPoint')
  body.tools = [{ googleSearch: {} }]
}

function addTools({ payload, body, losses }: RequestContext): void {
  if (payload.tools.length === 0) return
  body.tools = [{ functionDeclarations: payload.tools.map((tool) => encodeTool(tool, losses)) }]
  const { toolChoice } = payload
  if (toolChoice !== undefined) body.toolConfig = { functionCallingConfig: encodeToolChoice(toolChoice) }
  if (payload.parallelToolCalls === false && toolChoice?.type !== 'none') {
    losses.dropMeaning(
      payload.paths.parallelToolCalls ?? 'parallel_tool_calls',
      'The chosen model cannot be told to call one tool at a time.',
    )
  }
}

function encodeTool(tool: Tool, losses: Losses): unknown {
  if (tool.cache) losses.drop(`${tool.path}.cache_control`)
  if (tool.strict) losses.drop(`${tool.path}.strict`)
  return {
    name: geminiToolName(tool.name),
    ...(tool.description !== undefined && { description: tool.description }),
    ...(tool.schema !== undefined && { parametersJsonSchema: withoutDraft(tool.schema) }),
  }
}

/** Google does not take the name of the draft that a schema is written in. */
function withoutDraft(schema: unknown): unknown {
  if (!isObject(schema)) return schema
  const { $schema: _draft, ...rest } = schema
  return rest
}

function encodeToolChoice(choice: ToolChoice): unknown {
  switch (choice.type) {
    case 'auto':
      return { mode: 'AUTO' }
    case 'none':
      return { mode: 'NONE' }
    case 'required':
      return { mode: 'ANY' }
    case 'tool':
      return { mode: 'ANY', allowedFunctionNames: [geminiToolName(choice.name)] }
    case 'allowed': {
      // Names are taken with ANY and VALIDATED alone.
      const mode = choice.mode === 'required' ? 'ANY' : 'VALIDATED'
      return { mode, allowedFunctionNames: choice.names.map(geminiToolName) }
    }
  }
}

function addParameters({ payload, config, options, losses }: RequestContext): void {
  const set = (member: string, value: unknown): void => {
    if (value !== undefined) config[member] = value
  }
  set('maxOutputTokens', limitOutput(payload.maxOutputTokens, options))
  set('temperature', patchedTemperature(options) ?? payload.temperature)
  set('topP', payload.topP)
  set('topK', payload.topK)
  set('seed', payload.seed)
  set('frequencyPenalty', payload.frequencyPenalty)
  set('presencePenalty', payload.presencePenalty)
  const stop = payload.stop ?? []
  if (stop.length > 0) config.stopSequences = stop.slice(0, stopsMax)
  if (stop.length > stopsMax) losses.drop(payload.paths.stop ?? 'stop')
}

function addOutput({ payload, body, config, traits, losses }: RequestContext): void {
  const { output } = payload
  if (output === undefined || output.type === 'text') return
  if (body.tools !== undefined && !traits.toolsWithJson) {
    const path = payload.paths.output ?? 'response_format'
    losses.dropMeaning(path, 'The chosen model cannot have tools and structured output together.')
    return
  }
  config.responseMimeType = 'application/json'
  if (output.type !== 'jsonSchema') return
  const named = {
    ...(output.name !== undefined && { title: output.name }),
    ...(output.description !== undefined && { description: output.description }),
  }
  const schema = withoutDraft(output.schema)
  config.responseJsonSchema = isObject(schema) ? { ...named, ...schema } : schema
}

/** Parameters that Gemini has not, and what they would have brought in the answer. */
function loseRest({ payload, losses }: RequestContext): void {
  if ((payload.choices ?? 1) > 1) {
    losses.dropMeaning(payload.paths.choices ?? 'n', 'The chosen model gives one answer at a time.')
    losses.dropAnswer('choices[]')
  }
  if (payload.userId !== undefined) losses.drop(payload.paths.userId ?? 'user')
  if (payload.origin === 'anthropic-messages' && (payload.stop?.length ?? 0) > 0) {
    losses.dropAnswer('stop_sequence')
  }
  loseExtra(payload, extraRules[payload.origin], losses)
  if (payload.extra.get('logprobs') === true) losses.dropAnswer('choices[].logprobs')
  if (payload.extra.has('audio')) losses.dropAnswer('choices[].message.audio')
  for (const [path, value] of payload.extra) {
    if (path.endsWith('.citations') && isObject(value) && value.enabled === true) {
      losses.dropAnswer('content[].citations')
    }
  }
}
