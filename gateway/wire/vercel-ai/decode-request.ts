import type { Block, ChatPayload, Message, Tool, ToolChoice } from '../../call.ts'
import type { WebSearch } from '../../web-search.ts'
import { asArray, asBoolean, asCount, asNumber, asObject, asString, type JsonObject } from '../json-value.ts'
import { keepRest } from '../rest.ts'
import { searchOfVercel } from '../web-search-request.ts'
import { decodePart, readCache } from './decode-part.ts'

const members = new Set([
  'prompt',
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'presencePenalty',
  'frequencyPenalty',
  'seed',
  'stopSequences',
  'responseFormat',
  'tools',
  'toolChoice',
  'reasoning',
  'providerOptions',
  // They came as headers too, and those are what counts.
  'headers',
  'includeRawChunks',
])
const toolMembers = new Set(['type', 'name', 'description', 'inputSchema', 'strict', 'providerOptions'])
const messageMembers = new Set(['role', 'content', 'providerOptions'])

type Extra = Map<string, unknown>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Where the parameters stand in a call of the protocol. */
const paths: ChatPayload['paths'] = {
  maxOutputTokens: 'maxOutputTokens',
  temperature: 'temperature',
  topP: 'topP',
  topK: 'topK',
  seed: 'seed',
  stop: 'stopSequences',
  frequencyPenalty: 'frequencyPenalty',
  presencePenalty: 'presencePenalty',
  reasoning: 'reasoning',
  toolChoice: 'toolChoice',
  parallelToolCalls: 'providerOptions.openai.parallelToolCalls',
  userId: 'providerOptions.gateway.user',
  output: 'responseFormat',
  outputSchema: 'responseFormat.schema',
}

/** A checked language model call of the AI SDK's gateway protocol in canonical form. */
export function decodeVercelRequest(json: JsonObject): ChatPayload {
  const extra: Extra = new Map()
  keepRest(json, members, '', extra)
  const payload: Writable<ChatPayload> = {
    origin: 'vercel-ai',
    paths: { ...paths, reasoning: reasoningPath(json) },
    messages: asArray(json.prompt).map((message, index) =>
      decodeMessage(asObject(message) ?? {}, `prompt[${index}]`, extra),
    ),
    tools: decodeTools(asArray(json.tools), extra),
    extra,
  }
  const webSearch = decodeSearch(asArray(json.tools), extra)
  if (webSearch !== undefined) payload.webSearch = webSearch
  decodeParameters(json, payload)
  decodeProviderOptions(asObject(json.providerOptions) ?? {}, payload, extra)
  const choice = decodeToolChoice(asObject(json.toolChoice))
  if (choice !== undefined) payload.toolChoice = choice
  const output = decodeOutput(asObject(json.responseFormat))
  if (output !== undefined) payload.output = output
  return payload
}

/** Where a caller says how hard to think: of the places that have a say, the one that wins. */
function reasoningPath({ providerOptions, reasoning }: JsonObject): string {
  const options = asObject(providerOptions)
  const openai = asObject(options?.openai)
  const anthropic = asObject(options?.anthropic)
  if (anthropic?.thinking !== undefined) return 'providerOptions.anthropic.thinking'
  if (anthropic?.effort !== undefined) return 'providerOptions.anthropic.effort'
  if (openai?.reasoningEffort !== undefined && reasoning === undefined)
    return 'providerOptions.openai.reasoningEffort'
  return 'reasoning'
}

function decodeMessage(message: JsonObject, path: string, extra: Extra): Message {
  keepRest(message, messageMembers, path, extra)
  const cache = readCache(message, path, extra)
  if (message.role === 'system') {
    const text = asString(message.content) ?? ''
    return { role: 'system', path, blocks: [{ type: 'text', text, path: `${path}.content`, ...cache }] }
  }
  const blocks = asArray(message.content).map((part, index) =>
    decodePart(part, `${path}.content[${index}]`, extra),
  )
  // A mark on the message stands for one on its last part.
  const last = blocks.at(-1)
  if (cache.cache !== undefined && last !== undefined)
    blocks[blocks.length - 1] = { ...last, ...cache } as Block
  return { role: message.role === 'assistant' ? 'assistant' : 'user', path, blocks }
}

function decodeTools(tools: readonly unknown[], extra: Extra): Tool[] {
  return tools.flatMap((value, index): Tool[] => {
    const path = `tools[${index}]`
    const tool = asObject(value)
    const name = asString(tool?.name)
    // Tools of a provider run there; no other has them.
    if (tool === undefined || name === undefined || tool.type !== 'function') {
      extra.set(path, value)
      return []
    }
    keepRest(tool, toolMembers, path, extra)
    const description = asString(tool.description)
    const strict = asBoolean(tool.strict)
    return [
      {
        name,
        schema: tool.inputSchema,
        path,
        ...(description !== undefined && { description }),
        ...(strict !== undefined && { strict }),
        ...readCache(tool, path, extra),
      },
    ]
  })
}

function decodeSearch(tools: readonly unknown[], extra: Extra): WebSearch | undefined {
  for (const [index, tool] of tools.entries()) {
    const path = `tools[${index}]`
    const search = searchOfVercel(tool, path, extra)
    if (search === undefined) continue
    extra.delete(path)
    return search
  }
  return undefined
}

function decodeParameters(json: JsonObject, payload: Writable<ChatPayload>): void {
  const set = <K extends keyof ChatPayload>(field: K, value: ChatPayload[K] | undefined): void => {
    if (value !== undefined) payload[field] = value
  }
  set('maxOutputTokens', asCount(json.maxOutputTokens))
  set('temperature', asNumber(json.temperature))
  set('topP', asNumber(json.topP))
  set('topK', asNumber(json.topK))
  set('seed', asNumber(json.seed))
  set('frequencyPenalty', asNumber(json.frequencyPenalty))
  set('presencePenalty', asNumber(json.presencePenalty))
  const stop = asArray(json.stopSequences).filter((each) => typeof each === 'string')
  if (stop.length > 0) payload.stop = stop
  const level = asString(json.reasoning)
  if (level !== undefined && level !== 'provider-default') payload.reasoning = { level, visible: true }
}

/** What vendors' AI SDK providers read and this form has too; the rest is kept by path, and named where it is lost. */
function decodeProviderOptions(options: JsonObject, payload: Writable<ChatPayload>, extra: Extra): void {
  for (const [vendor, value] of Object.entries(options)) {
    for (const [name, option] of Object.entries(asObject(value) ?? {})) {
      if (option === null || option === undefined) continue
      const budgetTokens = asCount(asObject(option)?.budgetTokens)
      const kind = `${vendor}.${name}`
      if (kind === 'gateway.user' && typeof option === 'string') payload.userId = option
      else if (kind === 'anthropic.thinking' && budgetTokens !== undefined) {
        payload.reasoning = { ...payload.reasoning, budgetTokens, visible: true }
      } else if (kind === 'anthropic.thinking' && asObject(option)?.type === 'disabled') {
        payload.reasoning = { level: 'none', visible: false }
      } else if (
        (kind === 'openai.reasoningEffort' || kind === 'anthropic.effort') &&
        typeof option === 'string'
      ) {
        payload.reasoning = { ...payload.reasoning, level: option, visible: true }
      } else if (kind === 'openai.parallelToolCalls' && typeof option === 'boolean') {
        payload.parallelToolCalls = option
      } else extra.set(`providerOptions.${kind}`, option)
    }
  }
}

function decodeToolChoice(choice: JsonObject | undefined): ToolChoice | undefined {
  if (choice?.type === 'auto' || choice?.type === 'none' || choice?.type === 'required')
    return { type: choice.type }
  const name = asString(choice?.toolName)
  return choice?.type === 'tool' && name !== undefined ? { type: 'tool', name } : undefined
}

function decodeOutput(format: JsonObject | undefined): ChatPayload['output'] {
  if (format?.type === 'text') return { type: 'text' }
  if (format?.type !== 'json') return undefined
  if (format.schema === undefined) return { type: 'json' }
  const name = asString(format.name)
  const description = asString(format.description)
  return {
    type: 'jsonSchema',
    schema: format.schema,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
  }
}
