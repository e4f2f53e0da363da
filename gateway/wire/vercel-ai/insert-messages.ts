import type { RenderedMessage } from '@signalbox/policies'
import { scanArray, scanObject } from '../json-scan.ts'
import { spliceRequest } from '../json-splice.ts'

const system = /^\s*\{\s*"role"\s*:\s*"system"/

/** A call with the messages of a prompt: system ones first, the others behind the caller's own system messages. */
export function insertVercelMessages(raw: Buffer, messages: readonly RenderedMessage[]): Buffer {
  const member = scanObject(raw).members.findLast(({ name }) => name === 'prompt')
  if (member === undefined) return raw
  const { items } = scanArray(raw, member.valueStart)
  const own = items.map(({ start, end }) => raw.toString('utf8', start, end))
  const leading = own.findIndex((text) => !system.test(text))
  const count = leading === -1 ? own.length : leading
  const written = ({ role, text }: RenderedMessage): string =>
    JSON.stringify({ role, content: role === 'system' ? text : [{ type: 'text', text }] })
  const value = [
    ...messages.filter(({ role }) => role === 'system').map(written),
    ...own.slice(0, count),
    ...messages.filter(({ role }) => role !== 'system').map(written),
    ...own.slice(count),
  ]
  return spliceRequest(raw, [{ path: ['prompt'], value: `[${value.join()}]` }])
}
