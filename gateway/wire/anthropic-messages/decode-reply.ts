import { Refusal } from '@signalbox/sdk/contract'
import type { Reply, ReplyBlock } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { decodeStopReason } from './finish.ts'
import { argumentsOfInput } from './tool-arguments.ts'
import { readMessagesUsage } from './usage.ts'

/** A whole Messages answer in canonical form. Throws a Refusal `upstream_invalid` where it has no content. */
export function decodeMessagesReply(json: unknown): Reply {
  const answer = asObject(json)
  if (answer === undefined || !Array.isArray(answer.content)) {
    throw new Refusal('upstream_invalid', { detail: 'the answer has no content' })
  }
  const lost = new Set<string>()
  for (const path of lostBeside(answer)) lost.add(`response.${path}`)
  const blocks = asArray(answer.content).flatMap((value) => decodeBlock(asObject(value) ?? {}, lost))
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

function decodeBlock(block: JsonObject, lost: Set<string>): ReplyBlock[] {
  const type = asString(block.type) ?? 'type'
  switch (type) {
    case 'text':
      if (asArray(block.citations).length > 0) lost.add('response.content[].citations')
      return block.text ? [{ type: 'text', text: asString(block.text) ?? '' }] : []
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
    default:
      lost.add(`response.content[].${type}`)
      return []
  }
}
