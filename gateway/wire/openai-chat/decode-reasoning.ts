import type { Block } from '../../call.ts'
import { asArray, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import {
  anthropicReasoningFormat,
  chatReasoningMark,
  geminiReasoningFormat,
  responsesReasoningFormat,
  translatedDetailId,
} from '../reasoning-origin.ts'

/**
 * One entry of `reasoning_details`, in the convention of OpenRouter, put together from its streamed pieces.
 */
export interface ReasoningDetail {
  readonly type: string
  readonly index: number | undefined
  readonly isAnthropic: boolean
  readonly text: string
  readonly signature: string | undefined
  readonly data: string | undefined
  readonly value: unknown
}

/** Reads one entry as it is. Without a format, a signed text can only be Anthropic's. */
export function readDetail(detail: JsonObject): ReasoningDetail {
  const signature = asString(detail.signature)
  const format = asString(detail.format)
  const isText = detail.type === 'reasoning.text'
  return {
    type: asString(detail.type) ?? '',
    index: typeof detail.index === 'number' ? detail.index : undefined,
    isAnthropic: format === anthropicReasoningFormat || (format === undefined && isText && !!signature),
    text: asString(detail.text) ?? asString(detail.summary) ?? '',
    signature: signature === '' ? undefined : signature,
    data: asString(detail.data),
    value: detail,
  }
}

/**
 * The entries of a message. Clients send streamed pieces back as they came: those of one index are one entry.
 */
export function readDetails(value: unknown): ReasoningDetail[] {
  const details: ReasoningDetail[] = []
  for (const item of asArray(value)) {
    if (!isObject(item)) continue
    const detail = readDetail(item)
    const last = details.at(-1)
    const continues = last !== undefined && last.index !== undefined && last.index === detail.index
    if (continues && last.type === detail.type && last.signature === undefined && last.data === undefined) {
      details[details.length - 1] = join(last, detail)
    } else details.push(detail)
  }
  return details
}

function join(first: ReasoningDetail, next: ReasoningDetail): ReasoningDetail {
  return {
    ...first,
    isAnthropic: first.isAnthropic || next.isAnthropic,
    text: first.text + next.text,
    signature: next.signature,
    data: next.data,
  }
}

/** The thinking of an earlier turn, as an assistant message of the caller holds it. */
export function decodeReasoning(message: JsonObject, path: string): Block[] {
  const details = readDetails(message.reasoning_details)
  if (details.length > 0)
    return details.map((detail, index) => detailBlock(detail, `${path}.reasoning_details[${index}]`))
  for (const member of ['reasoning_content', 'reasoning'] as const) {
    const text = asString(message[member])
    if (!text) continue
    const signature = chatReasoningMark(member)
    return [{ type: 'reasoning', text, signature, origin: 'openai-chat', path: `${path}.${member}` }]
  }
  return []
}

function detailBlock(detail: ReasoningDetail, path: string): Block {
  const item = asObject(detail.value)
  const id = asString(item?.id)
  if (item?.format === responsesReasoningFormat && id?.startsWith(translatedDetailId) && detail.data) {
    const signature = id.slice(translatedDetailId.length)
    return { type: 'reasoning', signature, encrypted: detail.data, origin: 'openai-responses', path }
  }
  if (item?.format === geminiReasoningFormat && id?.startsWith(translatedDetailId)) {
    const { text, signature, data: encrypted } = detail
    const proof = {
      ...(signature !== undefined && { signature }),
      ...(encrypted !== undefined && { encrypted }),
    }
    return { type: 'reasoning', text, ...proof, origin: 'gemini', path }
  }
  if (!detail.isAnthropic) return { type: 'opaque', origin: 'openai-chat', value: detail.value, path }
  if (detail.data !== undefined) {
    return { type: 'reasoning', encrypted: detail.data, origin: 'anthropic-messages', path }
  }
  const signature = detail.signature !== undefined && { signature: detail.signature }
  return { type: 'reasoning', text: detail.text, ...signature, origin: 'anthropic-messages', path }
}

/**
 * Reasoning that is asked for, in any of the spellings in use: `reasoning_effort`, `reasoning`, `thinking`.
 */
export function readReasoningRequest(
  json: JsonObject,
): { level?: string; budgetTokens?: number; visible: boolean; member: string } | undefined {
  const effort = asString(json.reasoning_effort)
  if (effort !== undefined) return { level: effort, visible: false, member: 'reasoning_effort' }
  const reasoning = asObject(json.reasoning)
  if (reasoning !== undefined) {
    const level = asString(reasoning.effort) ?? (reasoning.enabled === false ? 'none' : undefined)
    const budgetTokens = typeof reasoning.max_tokens === 'number' ? reasoning.max_tokens : undefined
    return { ...pick(level, budgetTokens), visible: reasoning.exclude !== true, member: 'reasoning' }
  }
  const thinking = asObject(json.thinking)
  if (thinking === undefined) return undefined
  const level = thinking.type === 'disabled' ? 'none' : undefined
  const budgetTokens = typeof thinking.budget_tokens === 'number' ? thinking.budget_tokens : undefined
  return { ...pick(level, budgetTokens), visible: true, member: 'thinking' }
}

function pick(level: string | undefined, budgetTokens: number | undefined) {
  return {
    ...(level !== undefined && { level }),
    ...(budgetTokens !== undefined && { budgetTokens }),
  }
}
