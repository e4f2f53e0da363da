import type { CallSummary } from '../../call.ts'
import { checkBase64 } from '../check-content.ts'
import { asArray, asCount, asNumber, asString, isObject, type JsonObject } from '../json-value.ts'
import { type MemberKind, Problems } from '../problems.ts'
import { asList, readFields } from './read-fields.ts'

/** Members that are looked at, with what they must be. Source: API reference of generateContent. */
const members: Readonly<Record<string, MemberKind>> = {
  systemInstruction: 'object',
  generationConfig: 'object',
  toolConfig: 'object',
  safetySettings: 'array',
  cachedContent: 'string',
  labels: 'object',
}
const configMembers: Readonly<Record<string, MemberKind>> = {
  stopSequences: 'strings',
  responseMimeType: 'string',
  candidateCount: 'count',
  maxOutputTokens: 'count',
  temperature: 'upTo2',
  topP: 'share',
  topK: 'notNegative',
  seed: 'number',
  presencePenalty: 'number',
  frequencyPenalty: 'number',
  responseLogprobs: 'boolean',
  logprobs: 'count',
  thinkingConfig: 'object',
}
const roles = new Set<unknown>(['user', 'model', 'function', 'system', undefined, null, ''])

const modes = ['AUTO', 'ANY', 'NONE', 'VALIDATED', 'MODE_UNSPECIFIED']

interface Counts {
  chars: number
  hasImages: boolean
  lastRole: string
}

/**
 * Checks a Gemini request and reads from it what facts and admission need. Parts and members that it does not know
 * are let be. Throws a Refusal `invalid_request` that names all that is wrong.
 */
export function checkGeminiRequest(json: JsonObject): CallSummary {
  const problems = new Problems()
  const body = readFields(json) ?? {}
  problems.check(body, members)
  const config = readFields(body.generationConfig) ?? {}
  problems.check(config, configMembers, 'generationConfig.')
  const choice = readFields(readFields(body.toolConfig)?.functionCallingConfig) ?? {}
  problems.oneOf(choice, 'mode', modes, 'toolConfig.functionCallingConfig.')
  const counts: Counts = { chars: 0, hasImages: false, lastRole: '' }
  const system = readFields(body.systemInstruction)
  countParts(system?.parts, 'systemInstruction.parts', counts, problems)
  const hasSystem = asList(system?.parts).length > 0
  const contents = asList(body.contents)
  if (body.contents === undefined || body.contents === null) problems.require(body, 'contents', 'array')
  else if (contents.length === 0) problems.add('contents', 'must be an array that is not empty')
  for (const [index, content] of contents.entries()) countContent(content, index, counts, problems)
  const toolNames = checkTools(body.tools, problems)
  problems.throwIfAny()
  return summarise(body, config, { count: contents.length, ...counts, hasSystem }, toolNames)
}

function countContent(value: unknown, index: number, counts: Counts, problems: Problems): void {
  const path = `contents[${index}]`
  const content = readFields(value)
  if (content === undefined) {
    problems.add(path, 'must be an object')
    return
  }
  if (!roles.has(content.role)) problems.add(`${path}.role`, 'must be user or model')
  const parts = asList(content.parts)
  const isResult = parts.some((part) => readFields(part)?.functionResponse !== undefined)
  counts.lastRole = content.role === 'model' ? 'assistant' : isResult ? 'tool' : 'user'
  if (content.parts !== undefined && content.parts !== null && !isListOrObject(content.parts)) {
    problems.add(`${path}.parts`, 'must be an array')
  }
  countParts(content.parts, `${path}.parts`, counts, problems)
  for (const [at, part] of parts.entries()) {
    const { functionCall, functionResponse } = readFields(part) ?? {}
    const place = `${path}.parts[${at}]`
    if (functionCall != null && content.role === 'user')
      problems.add(`${place}.functionCall`, 'may stand in contents of the model alone')
    if (functionResponse != null && content.role === 'model')
      problems.add(`${place}.functionResponse`, 'may not stand in contents of the model')
  }
}

const isListOrObject = (value: unknown): boolean => Array.isArray(value) || isObject(value)

function countParts(parts: unknown, parent: string, counts: Counts, problems: Problems): void {
  for (const [index, value] of asList(parts).entries()) {
    const path = `${parent}[${index}]`
    const part = readFields(value)
    if (part === undefined) problems.add(path, 'must be an object')
    else countPart(part, path, counts, problems)
  }
}

function countPart(part: JsonObject, path: string, counts: Counts, problems: Problems): void {
  problems.check(part, { text: 'string', thoughtSignature: 'string', thought: 'boolean' }, `${path}.`)
  if (typeof part.text === 'string') counts.chars += part.text.length
  for (const name of ['inlineData', 'fileData', 'functionCall', 'functionResponse'] as const) {
    if (part[name] === undefined || part[name] === null) continue
    const inner = readFields(part[name])
    if (inner === undefined) problems.add(`${path}.${name}`, 'must be an object')
    else countData(name, inner, `${path}.${name}.`, counts, problems)
  }
}

function countData(
  kind: 'inlineData' | 'fileData' | 'functionCall' | 'functionResponse',
  data: JsonObject,
  parent: string,
  counts: Counts,
  problems: Problems,
): void {
  if (kind === 'inlineData' || kind === 'fileData') {
    if (asString(data.mimeType)?.startsWith('image/')) counts.hasImages = true
    if (kind === 'fileData') problems.require(data, 'fileUri', 'string', parent)
    else {
      const isTyped = problems.require(data, 'mimeType', 'string', parent)
      if (!problems.require(data, 'data', 'string', parent) || !isTyped) return
      const media = { type: String(data.mimeType), data: String(data.data) }
      checkBase64(media, { type: `${parent}mimeType`, data: `${parent}data` }, problems)
    }
    return
  }
  problems.require(data, 'name', 'string', parent)
  problems.check(data, { id: 'string', args: 'object', response: 'object', parts: 'array' }, parent)
  const said = kind === 'functionCall' ? data.args : data.response
  if (isObject(said)) counts.chars += JSON.stringify(said).length
}

/** Tools that run at Google go by the name of their member: `googleSearch`. */
function checkTools(value: unknown, problems: Problems): string[] {
  const names: string[] = []
  if (value !== undefined && value !== null && !isListOrObject(value))
    problems.add('tools', 'must be an array')
  for (const [index, each] of asList(value).entries()) {
    const tool = readFields(each)
    if (tool === undefined) {
      problems.add(`tools[${index}]`, 'must be an object')
      continue
    }
    for (const [at, inner] of asList(tool.functionDeclarations).entries()) {
      const path = `tools[${index}].functionDeclarations[${at}]`
      const declaration = readFields(inner)
      if (declaration === undefined) problems.add(path, 'must be an object')
      else if (problems.require(declaration, 'name', 'string', `${path}.`))
        names.push(String(declaration.name))
    }
    for (const name of Object.keys(tool)) {
      if (name !== 'functionDeclarations' && isObject(tool[name])) names.push(name)
    }
  }
  return names
}

function summarise(
  body: JsonObject,
  config: JsonObject,
  messages: CallSummary['messages'],
  toolNames: readonly string[],
): CallSummary {
  const maxOutputTokens = asCount(config.maxOutputTokens)
  const temperature = asNumber(config.temperature)
  const choices = asCount(config.candidateCount)
  const thinking = readFields(config.thinkingConfig)
  const level = asNumber(thinking?.thinkingBudget) === 0 ? 'none' : asString(thinking?.thinkingLevel)
  const responseFormat = readResponseFormat(config)
  return {
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperaturePpm: Math.round(temperature * 1_000_000) }),
    ...(level !== undefined && { reasoningLevel: level.toLowerCase() }),
    ...(responseFormat !== undefined && { responseFormat }),
    ...(choices !== undefined && { choices }),
    messages,
    toolNames,
    metadata: isObject(body.labels) ? body.labels : {},
  }
}

function readResponseFormat(config: JsonObject): CallSummary['responseFormat'] {
  const schema = config.responseSchema ?? config.responseJsonSchema ?? config._responseJsonSchema
  if (isObject(schema)) return 'jsonSchema'
  if (config.responseMimeType === 'application/json') return 'json'
  return asArray([config.responseMimeType]).includes('text/plain') ? 'text' : undefined
}
