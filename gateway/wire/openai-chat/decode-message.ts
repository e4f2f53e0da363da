import { Refusal } from '@signalbox/sdk/contract'
import type { Block, CacheMark, Message } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { readMediaUrl } from '../media.ts'
import { keepRest } from '../rest.ts'
import { decodeReasoning } from './decode-reasoning.ts'

const messageMembers = new Set([
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'refusal',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'cache_control',
])
const textMembers = new Set(['type', 'text', 'cache_control'])
const imageMembers = new Set(['type', 'image_url', 'cache_control'])
const fileMembers = new Set(['type', 'file', 'cache_control'])
const refusalMembers = new Set(['type', 'refusal'])
const toolCallMembers = new Set(['id', 'type', 'index', 'function', 'cache_control'])

type Extra = Map<string, unknown>

/** A message of a Chat Completions request. Throws a Refusal `invalid_request` where its role is none. */
export function decodeMessage(message: JsonObject, path: string, extra: Extra): Message {
  keepRest(message, messageMembers, path, extra)
  const decoded = decodeByRole(message, path, extra)
  const marked = readCache(message)
  const last = decoded.blocks.at(-1)
  if (marked === undefined) return decoded
  // Agents mark whole messages; a prompt is kept up to a block.
  if (last === undefined || last.type === 'reasoning' || last.type === 'opaque') {
    extra.set(`${path}.cache_control`, message.cache_control)
    return decoded
  }
  return { ...decoded, blocks: [...decoded.blocks.slice(0, -1), { ...marked, ...last }] }
}

function decodeByRole(message: JsonObject, path: string, extra: Extra): Message {
  const name = asString(message.name)
  const named = name === undefined ? undefined : { name }
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', blocks: decodeContent(message.content, path, extra), path, ...named }
    case 'user':
      return { role: 'user', blocks: decodeContent(message.content, path, extra), path, ...named }
    case 'assistant':
      return { role: 'assistant', blocks: decodeAssistant(message, path, extra), path, ...named }
    case 'tool':
      return { role: 'user', blocks: [decodeToolResult(message, path, extra)], path, ...named }
    case 'function':
      return { role: 'user', blocks: [opaque(message, `${path}.role`)], path, ...named }
    default:
      throw new Refusal('invalid_request', {
        message: `\`${path}.role\` must be system, developer, user, assistant or tool.`,
        param: `${path}.role`,
      })
  }
}

function opaque(value: unknown, path: string): Block {
  return { type: 'opaque', origin: 'openai-chat', value, path }
}

function decodeAssistant(message: JsonObject, path: string, extra: Extra): Block[] {
  const blocks = decodeReasoning(message, path)
  blocks.push(...decodeContent(message.content, path, extra))
  const refusal = asString(message.refusal)
  if (refusal) blocks.push({ type: 'refusal', text: refusal, path: `${path}.refusal` })
  for (const [index, call] of asArray(message.tool_calls).entries()) {
    blocks.push(decodeToolCall(call, `${path}.tool_calls[${index}]`, extra))
  }
  return blocks
}

function decodeToolCall(value: unknown, path: string, extra: Extra): Block {
  const call = asObject(value)
  const called = asObject(call?.function)
  const name = asString(called?.name)
  if (call === undefined || name === undefined) return opaque(value, path)
  keepRest(call, toolCallMembers, path, extra)
  const text = asString(called?.arguments) ?? ''
  return { type: 'toolCall', id: asString(call.id) ?? '', name, arguments: text, path, ...readCache(call) }
}

function decodeToolResult(message: JsonObject, path: string, extra: Extra): Block {
  const toolCallId = asString(message.tool_call_id)
  if (toolCallId === undefined) {
    throw new Refusal('invalid_request', {
      message: `\`${path}.tool_call_id\` is missing; it must be a string.`,
      param: `${path}.tool_call_id`,
    })
  }
  const blocks = decodeContent(message.content, path, extra)
  return { type: 'toolResult', toolCallId, isError: false, blocks, path }
}

function decodeContent(content: unknown, path: string, extra: Extra): Block[] {
  if (typeof content === 'string') {
    return content === '' ? [] : [{ type: 'text', text: content, path: `${path}.content` }]
  }
  return asArray(content).map((part, index) => decodePart(part, `${path}.content[${index}]`, extra))
}

/** `cache_control` in Anthropic's form, which several clients send in this format too. */
function readCache(part: JsonObject): { cache: CacheMark } | undefined {
  const control = asObject(part.cache_control)
  if (control === undefined) return undefined
  return { cache: control.ttl === '5m' || control.ttl === '1h' ? { ttl: control.ttl } : {} }
}

function decodePart(part: unknown, path: string, extra: Extra): Block {
  if (!isObject(part)) return opaque(part, path)
  const type = asString(part.type) ?? ''
  if (type === 'text' && typeof part.text === 'string') {
    keepRest(part, textMembers, path, extra)
    return { type: 'text', text: part.text, path, ...readCache(part) }
  }
  if (type === 'refusal' && typeof part.refusal === 'string') {
    keepRest(part, refusalMembers, path, extra)
    return { type: 'refusal', text: part.refusal, path }
  }
  if (type === 'image_url') return decodeImage(part, path, extra) ?? opaque(part, `${path}.image_url`)
  if (type === 'file') return decodeFile(part, path, extra) ?? opaque(part, `${path}.file`)
  const audio = asObject(part.input_audio)
  if (type === 'input_audio' && typeof audio?.data === 'string' && typeof audio.format === 'string') {
    return { type: 'audio', format: audio.format, base64: audio.data, path: `${path}.input_audio` }
  }
  return opaque(part, `${path}.${type}`)
}

function decodeImage(part: JsonObject, path: string, extra: Extra): Block | undefined {
  const image = asObject(part.image_url)
  const url = asString(part.image_url) ?? asString(image?.url)
  if (url === undefined) return undefined
  keepRest(part, imageMembers, path, extra)
  const detail = asString(image?.detail)
  return {
    type: 'image',
    ...readMediaUrl(url),
    ...(detail !== undefined && { detail }),
    path,
    ...readCache(part),
  }
}

const base64PdfStart = 'JVBERi0'

function decodeFile(part: JsonObject, path: string, extra: Extra): Block | undefined {
  const file = asObject(part.file)
  const data = asString(file?.file_data)
  if (data === undefined) return undefined
  keepRest(part, fileMembers, path, extra)
  const title = asString(file?.filename)
  const source = data.startsWith(base64PdfStart)
    ? { mediaType: 'application/pdf', base64: data }
    : readMediaUrl(data)
  const named = title !== undefined && { title, titleMember: 'file.filename' }
  return { type: 'document', ...source, ...named, path, ...readCache(part) }
}
