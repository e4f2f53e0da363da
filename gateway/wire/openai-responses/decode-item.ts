import type { Block, Message } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { readMediaUrl } from '../media.ts'
import { openReasoningSeal } from '../reasoning-origin.ts'
import { keepRest } from '../rest.ts'
import { argumentsOfCustom } from './custom-tools.ts'
import { flatToolName, isCallersSearch, listTools, toolSearchName } from './offered-tools.ts'

/** Ids and states of items belong to the server that made them; nothing is lost with them. */
const known = {
  message: new Set(['type', 'role', 'content', 'id', 'status']),
  function_call: new Set(['type', 'id', 'call_id', 'name', 'namespace', 'arguments', 'status']),
  custom_tool_call: new Set(['type', 'id', 'call_id', 'name', 'namespace', 'input', 'status']),
  tool_search_call: new Set(['type', 'id', 'call_id', 'execution', 'arguments', 'status']),
  tool_search_output: new Set(['type', 'id', 'call_id', 'execution', 'tools', 'status']),
  output: new Set(['type', 'id', 'call_id', 'output', 'status']),
  reasoning: new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']),
}
const textMembers = new Set(['type', 'text'])
const refusalMembers = new Set(['type', 'refusal'])
const imageMembers = new Set(['type', 'image_url', 'detail', 'file_id'])
const fileMembers = new Set(['type', 'file_data', 'file_url', 'filename'])

type Extra = Map<string, unknown>
type Role = Message['role']

/** An item of the input: who says it, and what. */
export interface DecodedItem {
  readonly role: Role
  readonly blocks: readonly Block[]
  readonly path: string
  /** It belongs to the turn of its neighbours: calls, their results, thinking. */
  readonly joins: boolean
}

function opaque(value: unknown, path: string): Block {
  return { type: 'opaque', origin: 'openai-responses', value, path }
}

/** Items of hosted tools are of the assistant's turn; what answers a computer or a shell is of the user's. */
function opaqueItem(item: unknown, type: string, path: string): DecodedItem {
  const isUsers = type.endsWith('_output') || type.endsWith('_response') || type === 'item_reference'
  const role = isUsers ? 'user' : 'assistant'
  return { role, blocks: [opaque(item, `${path}.${type}`)], path, joins: !isUsers }
}

export function decodeItem(value: unknown, path: string, extra: Extra): DecodedItem {
  const item = asObject(value) ?? {}
  const type = asString(item.type) ?? 'message'
  const assistant = (block: Block): DecodedItem => ({
    role: 'assistant',
    blocks: [block],
    path,
    joins: true,
  })
  switch (type) {
    case 'message': {
      keepRest(item, known.message, path, extra)
      const role = roleOf(item.role)
      const blocks = decodeContent(item.content, `${path}.content`, extra)
      return { role, blocks, path, joins: role === 'assistant' }
    }
    case 'function_call':
    case 'custom_tool_call': {
      keepRest(item, known[type], path, extra)
      const text = asString(type === 'function_call' ? item.arguments : item.input) ?? ''
      const name = flatToolName(asString(item.namespace), asString(item.name) ?? '')
      const call = { id: asString(item.call_id) ?? '', name }
      const args = type === 'function_call' ? text : argumentsOfCustom(text)
      return assistant({ type: 'toolCall', ...call, arguments: args, path })
    }
    case 'function_call_output':
    case 'custom_tool_call_output': {
      keepRest(item, known.output, path, extra)
      const blocks = decodeContent(item.output, `${path}.output`, extra)
      const toolCallId = asString(item.call_id) ?? ''
      const result: Block = { type: 'toolResult', toolCallId, isError: false, blocks, path }
      return { role: 'user', blocks: [result], path, joins: true }
    }
    case 'tool_search_call':
    case 'tool_search_output':
      if (!isCallersSearch(item)) return opaqueItem(value, type, path)
      keepRest(item, known[type], path, extra)
      return decodeSearch(item, type, path)
    case 'reasoning':
      keepRest(item, known.reasoning, path, extra)
      return assistant(decodeReasoning(item, path))
    default:
      return opaqueItem(value, type, path)
  }
}

/** A search for tools as a call of a function, and what it found: the tools themselves are among the request's. */
function decodeSearch(item: JsonObject, type: string, path: string): DecodedItem {
  const id = asString(item.call_id) ?? ''
  if (type === 'tool_search_call') {
    const text = JSON.stringify(item.arguments ?? {})
    const call: Block = { type: 'toolCall', id, name: toolSearchName, arguments: text, path }
    return { role: 'assistant', blocks: [call], path, joins: true }
  }
  const names = listTools({ tools: item.tools }).offered.map(({ flatName }) => flatName)
  const text: Block = { type: 'text', text: `Tools found: ${JSON.stringify(names)}`, path: `${path}.tools` }
  const result: Block = { type: 'toolResult', toolCallId: id, isError: false, blocks: [text], path }
  return { role: 'user', blocks: [result], path, joins: true }
}

function roleOf(role: unknown): Role {
  if (role === 'system' || role === 'developer') return 'system'
  return role === 'assistant' ? 'assistant' : 'user'
}

/** Content of a message or output of a tool. */
export function decodeContent(content: unknown, path: string, extra: Extra): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content, path }]
  return asArray(content).map((part, index) => decodePart(part, `${path}[${index}]`, extra))
}

function decodePart(part: unknown, path: string, extra: Extra): Block {
  if (!isObject(part)) return opaque(part, path)
  const type = asString(part.type) ?? ''
  if ((type === 'input_text' || type === 'output_text' || type === 'text') && typeof part.text === 'string') {
    keepRest(part, textMembers, path, extra)
    return { type: 'text', text: part.text, path }
  }
  if (type === 'refusal' && typeof part.refusal === 'string') {
    keepRest(part, refusalMembers, path, extra)
    return { type: 'refusal', text: part.refusal, path }
  }
  if (type === 'input_image') return decodeImage(part, path, extra) ?? opaque(part, `${path}.file_id`)
  if (type === 'input_file') return decodeFile(part, path, extra) ?? opaque(part, `${path}.file_id`)
  const audio = asObject(part.input_audio)
  if (type === 'input_audio' && typeof audio?.data === 'string' && typeof audio.format === 'string') {
    return { type: 'audio', format: audio.format, base64: audio.data, path: `${path}.input_audio` }
  }
  return opaque(part, `${path}.${type}`)
}

function decodeImage(part: JsonObject, path: string, extra: Extra): Block | undefined {
  const url = asString(part.image_url)
  if (url === undefined) return undefined
  keepRest(part, imageMembers, path, extra)
  const detail = asString(part.detail)
  return { type: 'image', ...readMediaUrl(url), ...(detail !== undefined && { detail }), path }
}

const base64PdfStart = 'JVBERi0'

function decodeFile(part: JsonObject, path: string, extra: Extra): Block | undefined {
  const data = asString(part.file_data)
  const url = asString(part.file_url)
  if (data === undefined && url === undefined) return undefined
  keepRest(part, fileMembers, path, extra)
  const title = asString(part.filename)
  const source =
    data === undefined
      ? { url: url ?? '' }
      : data.startsWith(base64PdfStart)
        ? { mediaType: 'application/pdf', base64: data }
        : readMediaUrl(data)
  return { type: 'document', ...source, ...(title !== undefined && { title, titleMember: 'filename' }), path }
}

/** The text of a reasoning item: its summary, or where there is none what the model showed of its thinking. */
export function reasoningText(item: JsonObject): string {
  const texts = (parts: unknown): string =>
    asArray(parts)
      .map((part) => asString(asObject(part)?.text) ?? '')
      .filter((text) => text !== '')
      .join('\n\n')
  return texts(item.summary) || texts(item.content)
}

/** Thinking of an earlier turn; what another provider's model thought was sealed here. */
function decodeReasoning(item: JsonObject, path: string): Block {
  const encrypted = asString(item.encrypted_content) || undefined
  const text = reasoningText(item)
  const said = text !== '' && { text }
  const seal = openReasoningSeal(encrypted)
  const place = `${path}.${encrypted === undefined ? 'summary' : 'encrypted_content'}`
  if (seal !== undefined) return { type: 'reasoning', ...said, ...seal, path: place }
  const id = asString(item.id)
  return {
    type: 'reasoning',
    ...said,
    ...(id !== undefined && { signature: id }),
    ...(encrypted !== undefined && { encrypted }),
    origin: 'openai-responses',
    path: place,
  }
}
