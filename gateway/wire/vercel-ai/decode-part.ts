import type { Block, CacheMark } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { type MediaSource, readMediaUrl } from '../media.ts'
import { openReasoningSeal } from '../reasoning-origin.ts'
import { keepRest } from '../rest.ts'

type Extra = Map<string, unknown>
type ResultBlock = Extract<Block, { type: 'toolResult' }>

/** Options by vendor that have a field of their own here; all others are named as they stand. */
const known = {
  text: new Set(['type', 'text', 'providerOptions']),
  file: new Set(['type', 'data', 'mediaType', 'filename', 'providerOptions']),
  reasoning: new Set(['type', 'text', 'providerOptions']),
  'tool-call': new Set(['type', 'toolCallId', 'toolName', 'input', 'providerOptions', 'providerExecuted']),
  'tool-result': new Set(['type', 'toolCallId', 'toolName', 'output', 'providerOptions']),
}
const signatureMembers = new Set([
  'signature',
  'redactedData',
  'itemId',
  'reasoningEncryptedContent',
  'origin',
])

function opaque(value: unknown, path: string): Block {
  return { type: 'opaque', origin: 'vercel-ai', value, path }
}

/** Anthropic's cache mark, as its AI SDK provider spells it; what else a part says to a vendor is kept by path. */
export function readCache(part: JsonObject, path: string, extra: Extra): { cache?: CacheMark } {
  let cache: CacheMark | undefined
  for (const [vendor, value] of Object.entries(asObject(part.providerOptions) ?? {})) {
    for (const [name, option] of Object.entries(asObject(value) ?? {})) {
      const isCache = name === 'cacheControl' || name === 'cache_control'
      if (isCache && isObject(option)) {
        cache = option.ttl === '5m' || option.ttl === '1h' ? { ttl: option.ttl } : {}
      } else if (!signatureMembers.has(name)) extra.set(`${path}.providerOptions.${vendor}.${name}`, option)
    }
  }
  return cache === undefined ? {} : { cache }
}

/** A part of a message. */
export function decodePart(value: unknown, path: string, extra: Extra): Block {
  if (!isObject(value)) return opaque(value, path)
  const type = asString(value.type) ?? ''
  const block = decodeKnown(type, value, path, extra)
  if (block === undefined) return opaque(value, `${path}.${type}`)
  keepRest(value, known[type as keyof typeof known], path, extra)
  return block
}

function decodeKnown(type: string, part: JsonObject, path: string, extra: Extra): Block | undefined {
  const cache = type === 'reasoning' ? {} : readCache(part, path, extra)
  switch (type) {
    case 'text':
      return { type: 'text', text: asString(part.text) ?? '', path, ...cache }
    case 'reasoning':
      return decodeReasoning(part, path)
    case 'file':
      return decodeFile(part, path, cache)
    case 'tool-call': {
      // Its result came from the provider too; only that one knows what it means.
      if (part.providerExecuted === true) return undefined
      const call = { id: asString(part.toolCallId) ?? '', name: asString(part.toolName) ?? '' }
      const text = typeof part.input === 'string' ? part.input : JSON.stringify(part.input ?? {})
      return { type: 'toolCall', ...call, arguments: text, path, ...cache }
    }
    case 'tool-result':
      return { ...decodeResult(part, path, extra), ...cache }
    default:
      return undefined
  }
}

/** Thinking goes back with what its vendor signed it with, under the names that the vendors' AI SDK providers use. */
function decodeReasoning(part: JsonObject, path: string): Block {
  const text = asString(part.text) ?? ''
  const options = asObject(part.providerOptions)
  const anthropic = asObject(options?.anthropic)
  const openai = asObject(options?.openai)
  const signature = asString(anthropic?.signature)
  const redacted = asString(anthropic?.redactedData)
  const reasoning = { type: 'reasoning', path } as const
  if (redacted !== undefined) return { ...reasoning, encrypted: redacted, origin: 'anthropic-messages' }
  if (signature !== undefined) return { ...reasoning, text, signature, origin: 'anthropic-messages' }
  const itemId = asString(openai?.itemId)
  const encrypted = asString(openai?.reasoningEncryptedContent)
  if (encrypted !== undefined || itemId !== undefined) {
    const own = {
      ...(itemId !== undefined && { signature: itemId }),
      ...(encrypted !== undefined && { encrypted }),
    }
    return { ...reasoning, text, ...own, origin: 'openai-responses' }
  }
  const mark = asString(asObject(options?.signalbox)?.signature)
  const seal = openReasoningSeal(mark)
  if (seal !== undefined) return { ...reasoning, text, ...seal }
  return { ...reasoning, text, ...(mark !== undefined && { signature: mark }), origin: 'openai-chat' }
}

type FileSource = MediaSource & { readonly text?: string }

/** V3 has base64 or a URL as it is; V4 says which it is. Undefined for a vendor's own reference. */
function readData(data: unknown, mediaType: string): FileSource | undefined {
  const plain = (text: string): MediaSource =>
    /^(?:https?|gs|s3):/.test(text) || text.startsWith('data:')
      ? readMediaUrl(text)
      : { mediaType, base64: text }
  if (typeof data === 'string') return plain(data)
  const tagged = asObject(data)
  if (tagged?.type === 'data' && typeof tagged.data === 'string') return plain(tagged.data)
  if (tagged?.type === 'url') {
    const url = asString(tagged.originalUrl) ?? asString(tagged.url)
    return url === undefined ? undefined : readMediaUrl(url)
  }
  return tagged?.type === 'text' && typeof tagged.text === 'string' ? { text: tagged.text } : undefined
}

function decodeFile(part: JsonObject, path: string, cache: object): Block | undefined {
  const mediaType = asString(part.mediaType) ?? 'application/octet-stream'
  const source = readData(part.data, mediaType)
  if (source === undefined) return undefined
  const title = asString(part.filename)
  const [kind, subtype = ''] = mediaType.split('/')
  if (kind === 'image' && source.text === undefined) {
    // `image/*` means any; the bytes themselves say which.
    const said = source.mediaType ?? (subtype === '*' || subtype === '' ? undefined : mediaType)
    const exact = said?.endsWith('/*') === true ? sniffed(source.base64) : said
    const { text: _text, ...media } = source
    return { type: 'image', ...media, ...(exact !== undefined && { mediaType: exact }), path, ...cache }
  }
  if (kind === 'audio' && source.base64 !== undefined) {
    const format = subtype === 'mpeg' ? 'mp3' : subtype.replace(/^x-/, '')
    return { type: 'audio', format, base64: source.base64, path }
  }
  const named = title !== undefined && { title, titleMember: 'filename' }
  // What a URL leads to is what the part says it is.
  const typed = source.url !== undefined && !mediaType.endsWith('/*') && { mediaType }
  return { type: 'document', ...source, ...typed, ...named, path, ...cache }
}

/** Starts of images in base64. */
const imageStarts = [
  ['iVBOR', 'image/png'],
  ['/9j/', 'image/jpeg'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
] as const

function sniffed(base64: string | undefined): string {
  return imageStarts.find(([start]) => base64?.startsWith(start))?.[1] ?? 'image/png'
}

function decodeResult(part: JsonObject, path: string, extra: Extra): ResultBlock {
  const output = asObject(part.output)
  const type = asString(output?.type) ?? ''
  const at = `${path}.output.value`
  const text = (said: string): Block[] => [{ type: 'text', text: said, path: at }]
  const rest = { type: 'toolResult', toolCallId: asString(part.toolCallId) ?? '', path } as const
  const isError = type.startsWith('error-') || type === 'execution-denied'
  if (type === 'content') {
    const blocks = asArray(output?.value).map((value, index) => decodeInner(value, `${at}[${index}]`, extra))
    return { ...rest, isError, blocks }
  }
  if (type === 'text' || type === 'error-text')
    return { ...rest, isError, blocks: text(String(output?.value ?? '')) }
  if (type === 'execution-denied') {
    return { ...rest, isError, blocks: text(asString(output?.reason) ?? 'The tool was not allowed to run.') }
  }
  return { ...rest, isError, blocks: text(JSON.stringify(output?.value ?? part.output ?? null)) }
}

/** A result holds texts and files; V3 called bytes `media` and `file-data`. */
function decodeInner(value: unknown, path: string, extra: Extra): Block {
  const part = asObject(value)
  const isFile = part?.type === 'media' || part?.type === 'file-data' || part?.type === 'image-data'
  if (part?.type === 'tool-result') return opaque(value, path)
  return decodePart(isFile ? { ...part, type: 'file' } : value, path, extra)
}
