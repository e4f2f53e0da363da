import type { Block, CacheMark } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { openReasoningSeal } from '../reasoning-origin.ts'
import { keepRest } from '../rest.ts'
import { argumentsOfInput } from './tool-arguments.ts'

type Extra = Map<string, unknown>

const known = {
  text: new Set(['type', 'text', 'cache_control']),
  image: new Set(['type', 'source', 'cache_control']),
  document: new Set(['type', 'source', 'title', 'cache_control']),
  tool_use: new Set(['type', 'id', 'name', 'input', 'cache_control']),
  tool_result: new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']),
  thinking: new Set(['type', 'thinking', 'signature']),
  redacted_thinking: new Set(['type', 'data']),
}

/** The content of a Messages message or of its system prompt. */
export function decodeContent(content: unknown, path: string, extra: Extra): Block[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content, path }]
  return asArray(content).map((block, index) => decodeBlock(block, `${path}[${index}]`, extra))
}

/** A result holds no results: one level down is as deep as it goes. */
function decodeResult(content: unknown, path: string, extra: Extra): Block[] {
  const isNested = asArray(content).some((block) => asObject(block)?.type === 'tool_result')
  return isNested ? [opaque(content, path)] : decodeContent(content, path, extra)
}

function opaque(value: unknown, path: string): Block {
  return { type: 'opaque', origin: 'anthropic-messages', value, path }
}

/** `cache_control` of a block or tool. */
export function readCache(value: JsonObject): { cache: CacheMark } | undefined {
  const control = asObject(value.cache_control)
  if (control === undefined) return undefined
  return { cache: control.ttl === '5m' || control.ttl === '1h' ? { ttl: control.ttl } : {} }
}

function decodeBlock(value: unknown, path: string, extra: Extra): Block {
  if (!isObject(value)) return opaque(value, path)
  const type = asString(value.type) ?? ''
  const block = decodeKnown(type, value, path, extra)
  if (block === undefined) return opaque(value, `${path}.${type}`)
  keepRest(value, known[type as keyof typeof known], path, extra)
  return block
}

function decodeKnown(type: string, value: JsonObject, path: string, extra: Extra): Block | undefined {
  const cache = readCache(value)
  switch (type) {
    case 'text':
      return { type, text: asString(value.text) ?? '', path, ...cache }
    case 'image':
      return decodeImage(asObject(value.source), path, cache)
    case 'document':
      return decodeDocument(value, path, cache)
    case 'tool_use': {
      const call = { id: asString(value.id) ?? '', name: asString(value.name) ?? '' }
      return { type: 'toolCall', ...call, arguments: argumentsOfInput(value.input), path, ...cache }
    }
    case 'tool_result': {
      const blocks = decodeResult(value.content, `${path}.content`, extra)
      const toolCallId = asString(value.tool_use_id) ?? ''
      return { type: 'toolResult', toolCallId, isError: value.is_error === true, blocks, path, ...cache }
    }
    case 'thinking': {
      const signature = asString(value.signature) || undefined
      const own = { ...(signature !== undefined && { signature }), origin: 'anthropic-messages' } as const
      return {
        type: 'reasoning',
        text: asString(value.thinking) ?? '',
        ...(openReasoningSeal(signature) ?? own),
        path: `${path}.thinking`,
      }
    }
    case 'redacted_thinking': {
      const encrypted = asString(value.data)
      if (encrypted === undefined) return undefined
      return { type: 'reasoning', encrypted, origin: 'anthropic-messages', path: `${path}.data` }
    }
    default:
      return undefined
  }
}

function decodeImage(
  source: JsonObject | undefined,
  path: string,
  cache: object | undefined,
): Block | undefined {
  const mediaType = asString(source?.media_type)
  const base64 = asString(source?.data)
  const url = asString(source?.url)
  if (source?.type === 'base64' && base64 !== undefined && mediaType !== undefined) {
    return { type: 'image', mediaType, base64, path, ...cache }
  }
  return source?.type === 'url' && url !== undefined ? { type: 'image', url, path, ...cache } : undefined
}

function decodeDocument(value: JsonObject, path: string, cache: object | undefined): Block | undefined {
  const source = asObject(value.source)
  const title = asString(value.title)
  const rest = { path, ...(title !== undefined && { title }), ...cache }
  const data = asString(source?.data)
  const url = asString(source?.url)
  const mediaType = asString(source?.media_type) ?? 'application/pdf'
  if (source?.type === 'base64' && data !== undefined)
    return { type: 'document', mediaType, base64: data, ...rest }
  if (source?.type === 'text' && data !== undefined) return { type: 'document', text: data, ...rest }
  if (source?.type === 'url' && url !== undefined) return { type: 'document', url, ...rest }
  if (source?.type !== 'content') return undefined
  const text = asString(source.content) ?? joinTexts(asArray(source.content))
  return text === undefined ? undefined : { type: 'document', text, ...rest }
}

/** Undefined where there is more than text. */
function joinTexts(blocks: readonly unknown[]): string | undefined {
  const texts = blocks.map((block) => asString(asObject(block)?.text))
  return texts.every((text) => text !== undefined) ? texts.join('\n') : undefined
}
