import { Refusal } from '@signalbox/sdk/contract'
import type { Reply, ReplyBlock } from '../../call.ts'
import type { Citation } from '../../web-search.ts'
import { decodeAnnotation } from '../citations.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { reasoningText } from './decode-item.ts'
import { decodeEnd } from './finish.ts'
import { readResponsesUsage } from './usage.ts'
import { decodeSearchCall } from './web-search.ts'

type Lose = (path: string) => void

/** A whole Responses answer in canonical form. Throws a Refusal `upstream_invalid` where it has no output. */
export function decodeResponsesReply(json: unknown): Reply {
  const answer = asObject(json)
  if (answer === undefined || !Array.isArray(answer.output)) {
    throw new Refusal('upstream_invalid', { detail: 'the answer has no output' })
  }
  const lost = new Set<string>()
  const lose = (path: string): void => void lost.add(`response.${path}`)
  const blocks = asArray(answer.output).flatMap((item) => decodeOutput(asObject(item) ?? {}, lose))
  const hasToolCalls = blocks.some(({ type }) => type === 'toolCall')
  return {
    id: asString(answer.id) ?? '',
    model: asString(answer.model) ?? '',
    blocks,
    ...decodeEnd(answer, hasToolCalls),
    usage: readResponsesUsage(answer) ?? {},
    lost: [...lost],
  }
}

function decodeOutput(item: JsonObject, lose: Lose): ReplyBlock[] {
  switch (item.type) {
    case 'message':
      return asArray(item.content).flatMap((part) => decodePart(asObject(part) ?? {}, lose))
    case 'function_call': {
      const call = { id: asString(item.call_id) ?? '', name: asString(item.name) ?? '' }
      return [{ type: 'toolCall', ...call, arguments: asString(item.arguments) ?? '' }]
    }
    case 'reasoning':
      return decodeReasoning(item)
    case 'web_search_call': {
      const search = decodeSearchCall(item)
      if (search === undefined) lose('output[].web_search_call.action')
      return search === undefined ? [] : [{ type: 'search', ...search }]
    }
    default:
      lose(`output[].${asString(item.type) ?? 'type'}`)
      return []
  }
}

function decodePart(part: JsonObject, lose: Lose): ReplyBlock[] {
  losePart(part, lose)
  if (typeof part.text === 'string') {
    const citations = citationsOf(part, lose)
    if (part.text === '' && citations.length > 0) lose('output[].content[].annotations')
    if (part.text === '') return []
    return [{ type: 'text', text: part.text, ...(citations.length > 0 && { citations }) }]
  }
  if (typeof part.refusal === 'string') return [{ type: 'refusal', text: part.refusal }]
  lose(`output[].content[].${asString(part.type) ?? 'type'}`)
  return []
}

/** Names what a part has beside its text and its citations. */
export function losePart(part: JsonObject, lose: Lose): void {
  if (asArray(part.logprobs).length > 0) lose('output[].content[].logprobs')
}

/** Sources on the web that a part names; those in files and containers are lost by name. */
export function citationsOf(part: JsonObject, lose: Lose): Citation[] {
  const all = asArray(part.annotations).map((value) => decodeAnnotation(value))
  const citations = all.filter((citation) => citation !== undefined)
  if (citations.length < all.length) lose('output[].content[].annotations')
  return citations
}

/** Thinking that shows nothing and can be taken back by nobody says nothing. */
function decodeReasoning(item: JsonObject): ReplyBlock[] {
  const text = reasoningText(item)
  const encrypted = asString(item.encrypted_content) || undefined
  if (text === '' && encrypted === undefined) return []
  return [{ type: 'reasoning', text, ...reasoningProof(item), origin: 'openai-responses' }]
}

/** What OpenAI needs to take a reasoning item back. */
export function reasoningProof(item: JsonObject): { signature?: string; encrypted?: string } {
  const encrypted = asString(item.encrypted_content) || undefined
  const id = asString(item.id)
  return {
    ...(id !== undefined && { signature: id }),
    ...(encrypted !== undefined && { encrypted }),
  }
}

/** Whether a value is an item that a client may execute or show. */
export function isItem(value: unknown): value is JsonObject {
  return isObject(value) && typeof value.type === 'string'
}
