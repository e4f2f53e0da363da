import type { ChatPayload, Message, Reasoning, Tool, ToolChoice } from '../../call.ts'
import type { WebSearch } from '../../web-search.ts'
import { asArray, asBoolean, asCount, asNumber, asString, type JsonObject } from '../json-value.ts'
import { keepRest } from '../rest.ts'
import { searchOfGemini } from '../web-search-request.ts'
import { CallIds } from './call-ids.ts'
import { decodeParts } from './decode-part.ts'
import { hostedTools } from './extra-rules.ts'
import { asList, readFields } from './read-fields.ts'
import { schemaOfOpenApi } from './schema.ts'

const members = new Set(['contents', 'systemInstruction', 'tools', 'toolConfig', 'generationConfig'])
const contentMembers = new Set(['role', 'parts'])
const configMembers = new Set([
  'stopSequences',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  '_responseJsonSchema',
  'candidateCount',
  'maxOutputTokens',
  'temperature',
  'topP',
  'topK',
  'seed',
  'presencePenalty',
  'frequencyPenalty',
  'thinkingConfig',
])
const thinkingMembers = new Set(['includeThoughts', 'thinkingBudget', 'thinkingLevel'])
const declarationMembers = new Set(['name', 'description', 'parameters', 'parametersJsonSchema'])
const choiceMembers = new Set(['mode', 'allowedFunctionNames'])
const hosted = new Set<string>(hostedTools)

type Extra = Map<string, unknown>
type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Where the parameters stand in a Gemini body. */
const paths: ChatPayload['paths'] = {
  maxOutputTokens: 'generationConfig.maxOutputTokens',
  temperature: 'generationConfig.temperature',
  topP: 'generationConfig.topP',
  topK: 'generationConfig.topK',
  seed: 'generationConfig.seed',
  stop: 'generationConfig.stopSequences',
  frequencyPenalty: 'generationConfig.frequencyPenalty',
  presencePenalty: 'generationConfig.presencePenalty',
  choices: 'generationConfig.candidateCount',
  reasoning: 'generationConfig.thinkingConfig',
  toolChoice: 'toolConfig.functionCallingConfig',
}

/** A checked Gemini request in canonical form; what no field stands for is in `extra`. */
export function decodeGeminiRequest(json: JsonObject): ChatPayload {
  const extra: Extra = new Map()
  const body = readFields(json) ?? {}
  const config = readFields(body.generationConfig) ?? {}
  keepRest(body, members, '', extra)
  keepRest(config, configMembers, 'generationConfig', extra)
  const schemaMember = ['responseSchema', 'responseJsonSchema', '_responseJsonSchema'].find(
    (name) => config[name] !== undefined && config[name] !== null,
  )
  const payload: Writable<ChatPayload> = {
    origin: 'gemini',
    paths: {
      ...paths,
      output: `generationConfig.${schemaMember ?? 'responseMimeType'}`,
      ...(schemaMember !== undefined && { outputSchema: `generationConfig.${schemaMember}` }),
    },
    messages: decodeMessages(body, extra),
    tools: decodeTools(asList(body.tools), extra),
    extra,
  }
  const webSearch = decodeSearch(asList(body.tools), extra)
  if (webSearch !== undefined) payload.webSearch = webSearch
  decodeParameters(config, payload)
  const choice = decodeToolChoice(body, extra)
  if (choice !== undefined) payload.toolChoice = choice
  const output = decodeOutput(config, schemaMember, extra)
  if (output !== undefined) payload.output = output
  return payload
}

function decodeParameters(config: JsonObject, payload: Writable<ChatPayload>): void {
  const set = <K extends keyof ChatPayload>(field: K, value: ChatPayload[K] | undefined): void => {
    if (value !== undefined) payload[field] = value
  }
  set('maxOutputTokens', asCount(config.maxOutputTokens))
  set('temperature', asNumber(config.temperature))
  set('topP', asNumber(config.topP))
  set('topK', asNumber(config.topK))
  set('seed', asNumber(config.seed))
  set('frequencyPenalty', asNumber(config.frequencyPenalty))
  set('presencePenalty', asNumber(config.presencePenalty))
  set('choices', asCount(config.candidateCount))
  const stop = asArray(config.stopSequences).filter((each) => typeof each === 'string')
  if (stop.length > 0) payload.stop = stop
  set('reasoning', decodeThinking(readFields(config.thinkingConfig), payload))
}

/** A budget of 0 is no thinking, one of -1 as much as the model likes. */
function decodeThinking(thinking: JsonObject | undefined, { extra }: ChatPayload): Reasoning | undefined {
  if (thinking === undefined) return undefined
  keepRest(thinking, thinkingMembers, 'generationConfig.thinkingConfig', extra as Extra)
  const level = asString(thinking.thinkingLevel)?.toLowerCase()
  const budget = asNumber(thinking.thinkingBudget)
  const visible = asBoolean(thinking.includeThoughts) === true
  if (budget === 0) return { level: 'none', visible }
  const isNamed = level !== undefined && level !== 'thinking_level_unspecified'
  return {
    ...(isNamed && { level }),
    ...(budget !== undefined && budget > 0 && { budgetTokens: budget }),
    visible,
  }
}

function decodeMessages(body: JsonObject, extra: Extra): Message[] {
  const context = { ids: new CallIds(), extra }
  const messages: Message[] = []
  const system = readFields(body.systemInstruction)
  if (system !== undefined) {
    keepRest(system, contentMembers, 'systemInstruction', extra)
    const blocks = decodeParts(system.parts, 'systemInstruction.parts', context)
    if (blocks.length > 0) messages.push({ role: 'system', blocks, path: 'systemInstruction' })
  }
  for (const [index, value] of asList(body.contents).entries()) {
    const path = `contents[${index}]`
    const content = readFields(value) ?? {}
    keepRest(content, contentMembers, path, extra)
    const role = content.role === 'model' ? 'assistant' : 'user'
    messages.push({ role, blocks: decodeParts(content.parts, `${path}.parts`, context), path })
  }
  return messages
}

/** Functions of all tools; every other member of a tool is something that runs at Google, even an empty one. */
function decodeTools(tools: readonly unknown[], extra: Extra): Tool[] {
  return tools.flatMap((value, index) => {
    const path = `tools[${index}]`
    const tool = readFields(value) ?? {}
    for (const name of Object.keys(tool)) {
      if (name === 'functionDeclarations' || tool[name] === null || tool[name] === undefined) continue
      extra.set(hosted.has(name) ? `${path}.${name}` : path, { [name]: tool[name] })
    }
    return asList(tool.functionDeclarations).map((declaration, at) =>
      decodeDeclaration(readFields(declaration) ?? {}, `${path}.functionDeclarations[${at}]`, extra),
    )
  })
}

function decodeSearch(tools: readonly unknown[], extra: Extra): WebSearch | undefined {
  for (const [index, value] of tools.entries()) {
    const path = `tools[${index}].googleSearch`
    const search = readFields(value)?.googleSearch
    if (search === undefined || search === null) continue
    extra.delete(path)
    return searchOfGemini(search, path, extra)
  }
  return undefined
}

function decodeDeclaration(declaration: JsonObject, path: string, extra: Extra): Tool {
  keepRest(declaration, declarationMembers, path, extra)
  const description = asString(declaration.description)
  const { parametersJsonSchema, parameters } = declaration
  return {
    name: asString(declaration.name) ?? '',
    ...(description !== undefined && { description }),
    schema: parametersJsonSchema ?? (parameters === null ? undefined : schemaOfOpenApi(parameters)),
    path,
  }
}

function decodeToolChoice(body: JsonObject, extra: Extra): ToolChoice | undefined {
  const toolConfig = readFields(body.toolConfig) ?? {}
  keepRest(toolConfig, new Set(['functionCallingConfig']), 'toolConfig', extra)
  const config = readFields(toolConfig.functionCallingConfig)
  if (config === undefined) return undefined
  const path = 'toolConfig.functionCallingConfig'
  keepRest(config, choiceMembers, path, extra)
  const names = asArray(config.allowedFunctionNames).filter((name) => typeof name === 'string')
  const [name] = names
  switch (config.mode) {
    case 'NONE':
      return { type: 'none' }
    case 'ANY':
      if (name !== undefined && names.length === 1) return { type: 'tool', name }
      return names.length > 0 ? { type: 'allowed', mode: 'required', names } : { type: 'required' }
    case 'VALIDATED':
      extra.set(`${path}.mode`, config.mode)
      break
  }
  if (names.length > 0) return { type: 'allowed', mode: 'auto', names }
  return config.mode === undefined || config.mode === 'MODE_UNSPECIFIED' ? undefined : { type: 'auto' }
}

function decodeOutput(
  config: JsonObject,
  schemaMember: string | undefined,
  extra: Extra,
): ChatPayload['output'] {
  const type = asString(config.responseMimeType)
  const isJson = type === 'application/json'
  if (type !== undefined && !isJson && type !== 'text/plain') {
    extra.set('generationConfig.responseMimeType', type)
    return undefined
  }
  if (schemaMember === undefined) return type === undefined ? undefined : { type: isJson ? 'json' : 'text' }
  const schema = config[schemaMember]
  return { type: 'jsonSchema', schema: schemaMember === 'responseSchema' ? schemaOfOpenApi(schema) : schema }
}
