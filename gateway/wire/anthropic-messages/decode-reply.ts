import { Refusal } from '@signalbox/sdk/contract'
import type { Reply, ReplyBlock } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { decodeStopReason } from './finish.ts'
import { argumentsOfInput } from './tool-arguments.ts'
import { readMessagesUsage } from './usage.ts'
import { decodeCitation, isSearchUse, SearchPairs } from './web-search.ts'

/** A whole Messages answer in canonical form. Throws a Refusal `upstream_invalid` where it has no content. */
export function decodeMessagesReply(json: unknown): Reply {
  const answer = asObject(json)
  if (answer === undefined || !Array.isArray(answer.content)) {
    throw new Refusal('upstream_invalid', { detail: 'the answer has no content' })
  }
  const lost = new Set<string>()
  for (const path of lostBeside(answer)) lost.add(`response.${path}`)
  const searches = new SearchPairs()
  const blocks = asArray(answer.content).flatMap((value) =>
    decodeBlock(asObject(value) ?? {}, lost, searches),
  )
  blocks.push(...searches.rest().map((search) => ({ type: 'search' as const, ...search })))
  const explanation = readExplanation(answer.stop_details)
  if (explanation !== undefined) blocks.push({ type: 'refusal', text: explanation })
  const nativeFinish = asString(answer.stop_reason) ?? ''
  const stopSequence = asString(answer.stop_sequence)
  return {
    id: asString(answer.id) ?? '',
    model: asString(answer.model) ?? '',
    blocks,
    finish: decodeStopReason(nativeFinish),
    nativeFinish,
    ...(stopSequence !== undefined && { stopSequence }),
    usage: readMessagesUsage(answer) ?? {},
    lost: [...lost],
  }
}

/** What an answer or the end of a stream has beside its content, and other formats have not. */
export function lostBeside(end: JsonObject): string[] {
  const edits = asArray(asObject(end.context_management)?.applied_edits)
  return [
    ...(isObject(end.container) ? ['container'] : []),
    ...(edits.length > 0 ? ['context_management'] : []),
    ...(asString(asObject(end.stop_details)?.category) ? ['stop_details.category'] : []),
  ]
}

/** Why the model refused, in words. */
export function readExplanation(details: unknown): string | undefined {
  return asString(asObject(details)?.explanation) || undefined
}

function decodeBlock(block: JsonObject, lost: Set<string>, searches: SearchPairs): ReplyBlock[] {
  const type = asString(block.type) ?? 'type'
  switch (type) {
    case 'text':
      return decodeText(block, lost)
    case 'thinking': {
      const signature = asString(block.signature)
      const text = asString(block.thinking) ?? ''
      return [{ type: 'reasoning', text, ...(signature && { signature }), origin: 'anthropic-messages' }]
    }
    case 'redacted_thinking': {
      const encrypted = asString(block.data) ?? ''
      return [{ type: 'reasoning', text: '', encrypted, origin: 'anthropic-messages' }]
    }
    case 'tool_use': {
      const call = { id: asString(block.id) ?? '', name: asString(block.name) ?? '' }
      return [{ type: 'toolCall', ...call, arguments: argumentsOfInput(block.input) }]
    }
    case 'server_tool_use':
      if (!isSearchUse(block)) lost.add(`response.content[].${type}`)
      else searches.ask(asString(block.id) ?? '', block.input)
      return []
    case 'web_search_tool_result':
      return [{ type: 'search', ...searches.find(block) }]
    default:
      lost.add(`response.content[].${type}`)
      return []
  }
}

/** A text and its sources on the web; those in documents are lost by name. */
function decodeText(block: JsonObject, lost: Set<string>): ReplyBlock[] {
  const all = asArray(block.citations).map(decodeCitation)
  const citations = all.filter((citation) => citation !== undefined)
  const text = asString(block.text) ?? ''
  if (citations.length < all.length || (text === '' && all.length > 0)) {
    lost.add('response.content[].citations')
  }
  return text === '' ? [] : [{ type: 'text', text, ...(citations.length > 0 && { citations }) }]
}
