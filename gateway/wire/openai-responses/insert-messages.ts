import type { RenderedMessage } from '@signalbox/policies'
import { scanArray, scanObject } from '../json-scan.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'

/** Between two texts that stand in one. */
const paragraph = '\n\n'

/** The caller's own items, in his own words; a text alone is what a user says. */
function ownItems(raw: Buffer, value: unknown, valueStart: number): string[] {
  if (typeof value === 'string') return [JSON.stringify({ role: 'user', content: value })]
  if (!Array.isArray(value)) return []
  return scanArray(raw, valueStart).items.map(({ start, end }) => raw.toString('utf8', start, end))
}

/**
 * A Responses request with the messages of a prompt: system ones before the caller's `instructions`, the others before
 * his first item.
 */
export function insertResponsesItems(raw: Buffer, messages: readonly RenderedMessage[]): Buffer {
  const { members } = scanObject(raw)
  const own = (wanted: string) => {
    const member = members.findLast(({ name }) => name === wanted)
    if (member === undefined) return { value: undefined, start: 0 }
    const value: unknown = JSON.parse(raw.toString('utf8', member.valueStart, member.valueEnd))
    return { value, start: member.valueStart }
  }
  const edits: JsonEdit[] = []
  const system = messages.filter(({ role }) => role === 'system').map(({ text }) => text)
  if (system.length > 0) {
    const { value } = own('instructions')
    const texts = typeof value === 'string' && value !== '' ? [...system, value] : system
    edits.push({ path: ['instructions'], value: JSON.stringify(texts.join(paragraph)) })
  }
  const others = messages.filter(({ role }) => role !== 'system')
  if (others.length > 0) {
    const { value, start } = own('input')
    const items = others.map(({ role, text }) => JSON.stringify({ role, content: text }))
    edits.push({ path: ['input'], value: `[${[...items, ...ownItems(raw, value, start)].join()}]` })
  }
  return spliceRequest(raw, edits)
}
