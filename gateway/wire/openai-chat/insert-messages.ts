import type { RenderedMessage } from '@signalbox/policies'
import { type JsonItem, scanArray, scanObject } from '../json-scan.ts'
import { spliceRequest } from '../json-splice.ts'

/** Roles of what a caller says before the conversation. */
const systemRoles = new Set(['system', 'developer'])

function isSystem(raw: Buffer, { start, end }: JsonItem): boolean {
  const message: { role?: unknown } = Object(JSON.parse(raw.toString('utf8', start, end)))
  return typeof message.role === 'string' && systemRoles.has(message.role)
}

/**
 * A Chat Completions request with the messages of a prompt: system ones first of all, the others behind the
 * caller's own system messages.
 */
export function insertChatMessages(raw: Buffer, messages: readonly RenderedMessage[]): Buffer {
  const member = scanObject(raw).members.findLast(({ name }) => name === 'messages')
  if (member === undefined) return raw
  const { items } = scanArray(raw, member.valueStart)
  const leading = items.findIndex((item) => !isSystem(raw, item))
  const own = items.map(({ start, end }) => raw.toString('utf8', start, end))
  const count = leading === -1 ? own.length : leading
  const written = ({ role, text }: RenderedMessage): string => JSON.stringify({ role, content: text })
  const value = [
    ...messages.filter(({ role }) => role === 'system').map(written),
    ...own.slice(0, count),
    ...messages.filter(({ role }) => role !== 'system').map(written),
    ...own.slice(count),
  ]
  return spliceRequest(raw, [{ path: ['messages'], value: `[${value.join()}]` }])
}
