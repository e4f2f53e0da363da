import { Refusal } from '@signalbox/sdk/contract'
import type { Reply, ReplyBlock } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { namePath } from '../losses.ts'
import { chatReasoningMark } from '../reasoning-origin.ts'
import { type ReasoningDetail, readDetails } from './decode-reasoning.ts'
import { decodeFinish } from './finish.ts'
import { readChatUsage } from './usage.ts'
import { citeTexts, readSearch } from './web-search.ts'

/**
 * Parts of an answer that say something and have no canonical form. What describes only the service is let
 * be.
 */
export const lostMembers = ['images', 'related_questions', 'moderation'] as const

/**
 * A whole Chat Completions answer in canonical form; of several choices the first. Throws a Refusal
 * `upstream_invalid` where there is none.
 */
export function decodeChatReply(json: unknown): Reply {
  const answer = asObject(json)
  const choices = asArray(answer?.choices)
  const choice = asObject(choices[0])
  const message = asObject(choice?.message)
  if (answer === undefined || choice === undefined || message === undefined) {
    throw new Refusal('upstream_invalid', { detail: 'the answer has no choices[0].message' })
  }
  const lost = new Set<string>()
  const lose = (path: string): void => void lost.add(`response.${namePath(path)}`)
  for (const member of lostMembers) if (hasContent(answer[member])) lose(member)
  if (choices.length > 1) lose('choices[]')
  if (hasContent(choice.logprobs)) lose('choices[].logprobs')
  const id = asString(answer.id) ?? ''
  const search = readSearch(answer, id)
  const blocks: ReplyBlock[] = [
    ...(search === undefined ? [] : [{ type: 'search' as const, ...search }]),
    ...decodeReasoning(message, lose),
    ...citeTexts(decodeContent(message, lose), message, answer, lose),
    ...decodeToolCalls(message, id, lose),
  ]
  const nativeFinish = asString(choice.finish_reason) ?? ''
  const hasToolCalls = blocks.some(({ type }) => type === 'toolCall')
  return {
    id,
    model: asString(answer.model) ?? '',
    blocks,
    finish: decodeFinish(nativeFinish, hasToolCalls, choice.native_finish_reason),
    nativeFinish,
    usage: readChatUsage(answer) ?? {},
    lost: [...lost],
  }
}

export function hasContent(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  return isObject(value) && Object.keys(value).length > 0
}

function decodeReasoning(message: JsonObject, lose: (path: string) => void): ReplyBlock[] {
  const details = readDetails(message.reasoning_details)
  const readable = details.filter(({ text, isAnthropic }) => text !== '' || isAnthropic)
  if (readable.length < details.length) lose('choices[].message.reasoning_details')
  if (readable.length > 0) return readable.map(detailBlock)
  for (const member of ['reasoning_content', 'reasoning'] as const) {
    const text = asString(message[member])
    if (text)
      return [{ type: 'reasoning', text, signature: chatReasoningMark(member), origin: 'openai-chat' }]
  }
  return readThinkingParts(message.content)
}

function detailBlock(detail: ReasoningDetail): ReplyBlock {
  const { text, data, signature, isAnthropic } = detail
  if (!isAnthropic)
    return { type: 'reasoning', text, signature: chatReasoningMark('reasoning'), origin: 'openai-chat' }
  return {
    type: 'reasoning',
    text,
    ...(signature !== undefined && { signature }),
    ...(data !== undefined && { encrypted: data }),
    origin: 'anthropic-messages',
  }
}

/** Mistral puts thinking among the parts of the content. */
function readThinkingParts(content: unknown): ReplyBlock[] {
  const text = asArray(content)
    .flatMap((part) => asArray(asObject(part)?.thinking))
    .map((part) => asString(asObject(part)?.text) ?? '')
    .join('')
  if (text === '') return []
  return [{ type: 'reasoning', text, signature: chatReasoningMark('reasoning'), origin: 'openai-chat' }]
}

function decodeContent(message: JsonObject, lose: (path: string) => void): ReplyBlock[] {
  const blocks: ReplyBlock[] = []
  if (typeof message.content === 'string' && message.content !== '') {
    blocks.push({ type: 'text', text: message.content })
  }
  for (const value of asArray(message.content)) {
    const part = asObject(value)
    if (typeof part?.text === 'string') blocks.push({ type: 'text', text: part.text })
    else if (part?.thinking === undefined)
      lose(`choices[].message.content[].${asString(part?.type) ?? 'type'}`)
  }
  if (typeof message.refusal === 'string' && message.refusal !== '') {
    blocks.push({ type: 'refusal', text: message.refusal })
  }
  for (const member of ['audio', 'images'] as const) {
    if (hasContent(message[member])) lose(`choices[].message.${member}`)
  }
  return blocks
}

function decodeToolCalls(message: JsonObject, replyId: string, lose: (path: string) => void): ReplyBlock[] {
  const old = asObject(message.function_call)
  const calls = old === undefined ? asArray(message.tool_calls) : [{ function: old }]
  return calls.flatMap((value, index): ReplyBlock[] => {
    const call = asObject(value)
    const called = asObject(call?.function)
    const name = asString(called?.name)
    if (name === undefined) {
      lose(`choices[].message.tool_calls[].${asString(call?.type) ?? 'type'}`)
      return []
    }
    const id = asString(call?.id) || makeCallId(replyId, index)
    return [{ type: 'toolCall', id, name, arguments: asString(called?.arguments) ?? '' }]
  })
}

/**
 * An id for a tool call that came without one: the same for the same answer, in letters that every format
 * takes.
 */
export function makeCallId(replyId: string, index: number): string {
  return `call_${replyId.replace(/[^\w-]/g, '').slice(-40)}_${index}`
}
