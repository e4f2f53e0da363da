import type { Block } from '../../call.ts'
import { argumentsOfInput } from '../anthropic-messages/tool-arguments.ts'
import { asString, isObject, type JsonObject } from '../json-value.ts'
import { keepRest } from '../rest.ts'
import type { CallIds } from './call-ids.ts'
import { asList, readFields } from './read-fields.ts'
import { openSignature, signatureBlock } from './thought-signature.ts'

/** How the parts of one content are read. */
export interface PartContext {
  readonly ids: CallIds
  readonly extra: Map<string, unknown>
}

const partMembers = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
])
const callMembers = new Set(['id', 'name', 'args'])
const responseMembers = new Set(['id', 'name', 'response', 'parts'])
const blobMembers = new Set(['mimeType', 'data', 'displayName'])
const fileMembers = new Set(['mimeType', 'fileUri', 'displayName'])
/** Files that only Google can read: of its own store, or of a bucket. */
const googleFile = /^(?:gs:|https:\/\/generativelanguage\.googleapis\.com\/)/

function opaque(value: unknown, path: string): Block {
  return { type: 'opaque', origin: 'gemini', value, path }
}

/** The parts of a content. A signature becomes a block of its own before the part that it stands on. */
export function decodeParts(parts: unknown, path: string, context: PartContext): Block[] {
  const blocks: Block[] = []
  for (const [index, value] of asList(parts).entries()) {
    const place = `${path}[${index}]`
    const part = readFields(value)
    if (part === undefined) {
      blocks.push(opaque(value, place))
      continue
    }
    const signature = asString(part.thoughtSignature) || undefined
    if (part.thought === true && typeof part.text === 'string') {
      addThought(part.text, signature, place, blocks)
      continue
    }
    const before = signature === undefined ? undefined : signatureBlock(signature, place)
    if (before !== undefined) blocks.push(before)
    if (signature !== undefined && part.text === '') continue
    blocks.push(decodePart(part, place, context))
  }
  return blocks
}

/** Streamed thoughts come back in their pieces, the last of which may bring the proof of all. */
function addThought(text: string, signature: string | undefined, path: string, blocks: Block[]): void {
  const last = blocks.at(-1)
  const isOpen =
    last?.type === 'reasoning' && last.signature === undefined && last.encrypted === undefined && last.text
  const whole = isOpen ? isOpen + text : text
  const proof = signature === undefined ? undefined : openSignature(signature)
  const own = { origin: 'gemini', ...(signature !== undefined && { signature }) } as const
  if (isOpen) blocks.pop()
  const place = `${path}.${signature === undefined ? 'thought' : 'thoughtSignature'}`
  blocks.push({ type: 'reasoning', text: whole, ...(proof ?? own), path: place })
}

function decodePart(part: JsonObject, path: string, context: PartContext): Block {
  const block = decodeKnown(part, path, context)
  if (block === undefined) {
    const [member] = Object.keys(part).filter((name) => !partMembers.has(name) || isObject(part[name]))
    return opaque(part, member === undefined ? path : `${path}.${member}`)
  }
  keepRest(part, partMembers, path, context.extra)
  return block
}

function decodeKnown(part: JsonObject, path: string, context: PartContext): Block | undefined {
  if (typeof part.text === 'string') return { type: 'text', text: part.text, path }
  const blob = readFields(part.inlineData)
  if (blob !== undefined) return decodeBlob(blob, path, context)
  const file = readFields(part.fileData)
  if (file !== undefined) return decodeFile(file, path, context)
  const call = readFields(part.functionCall)
  const response = readFields(part.functionResponse)
  if (call !== undefined) {
    keepRest(call, callMembers, `${path}.functionCall`, context.extra)
    const name = asString(call.name) ?? ''
    const id = context.ids.call(asString(call.id), name)
    return { type: 'toolCall', id, name, arguments: argumentsOfInput(call.args), path }
  }
  return response === undefined ? undefined : decodeResponse(response, path, context)
}

const audioFormats: Readonly<Record<string, string>> = {
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mpeg': 'mp3',
}

function decodeBlob(blob: JsonObject, path: string, { extra }: PartContext): Block | undefined {
  const base64 = asString(blob.data)
  const mediaType = asString(blob.mimeType)
  if (base64 === undefined || mediaType === undefined) return undefined
  keepRest(blob, blobMembers, `${path}.inlineData`, extra)
  if (mediaType.startsWith('image/')) return { type: 'image', mediaType, base64, path }
  if (mediaType.startsWith('audio/')) {
    const format = audioFormats[mediaType] ?? mediaType.slice('audio/'.length).split(';')[0] ?? ''
    return { type: 'audio', format, base64, path: `${path}.inlineData` }
  }
  if (mediaType.startsWith('video/')) return undefined
  const title = asString(blob.displayName)
  const named = title !== undefined && { title, titleMember: 'inlineData.displayName' }
  return { type: 'document', mediaType, base64, ...named, path }
}

function decodeFile(file: JsonObject, path: string, { extra }: PartContext): Block | undefined {
  const url = asString(file.fileUri)
  if (url === undefined || googleFile.test(url) || !/^https?:/.test(url)) return undefined
  const mediaType = asString(file.mimeType)
  const isImage = mediaType?.startsWith('image/') ?? /\.(?:png|jpe?g|webp|gif)(?:\?|$)/i.test(url)
  const isText = mediaType === undefined || mediaType.startsWith('text/') || mediaType === 'application/pdf'
  if (!isImage && !isText) return undefined
  keepRest(file, fileMembers, `${path}.fileData`, extra)
  const source = { url, ...(mediaType !== undefined && { mediaType }) }
  if (isImage) return { type: 'image', ...source, path }
  const title = asString(file.displayName)
  const named = title !== undefined && { title, titleMember: 'fileData.displayName' }
  return { type: 'document', ...source, ...named, path }
}

/** `output` and `error` are Google's own names for the result of a function; a single text stands for itself. */
function decodeResponse(response: JsonObject, path: string, context: PartContext): Block {
  keepRest(response, responseMembers, `${path}.functionResponse`, context.extra)
  const toolCallId = context.ids.answer(asString(response.id), asString(response.name) ?? '')
  const said = isObject(response.response) ? response.response : {}
  const [name, ...others] = Object.keys(said)
  const only = name !== undefined && others.length === 0 ? said[name] : undefined
  const isError = name === 'error' && others.length === 0 && only !== null
  const stands = isError || ((name === 'output' || name === 'result') && typeof only === 'string')
  const value = stands ? only : said
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const place = `${path}.functionResponse`
  const inner = decodeParts(response.parts, `${place}.parts`, context)
  const isEmpty = name === undefined && inner.length > 0
  const blocks: Block[] = isEmpty || text === '' ? inner : [{ type: 'text', text, path: place }, ...inner]
  return { type: 'toolResult', toolCallId, isError, blocks, path }
}
