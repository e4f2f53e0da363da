import type { RenderedMessage } from '@signalbox/policies'
import { type JsonMember, scanArray, scanObject } from '../json-scan.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'

function itemsOf(raw: Buffer, { valueStart }: JsonMember): string[] {
  return scanArray(raw, valueStart).items.map(({ start, end }) => raw.toString('utf8', start, end))
}

const textBlock = (text: string): string => JSON.stringify({ type: 'text', text })

/** The caller's own system prompt as blocks, in its own words; none where there is no text. */
function ownSystem(raw: Buffer, member: JsonMember | undefined): string[] {
  if (member === undefined) return []
  const value: unknown = JSON.parse(raw.toString('utf8', member.valueStart, member.valueEnd))
  if (typeof value === 'string') return value === '' ? [] : [textBlock(value)]
  return Array.isArray(value) ? itemsOf(raw, member) : []
}

/**
 * A Messages request with the messages of a prompt: system ones as text blocks before those of the caller, the others
 * before his first turn.
 */
export function insertMessagesTurns(raw: Buffer, messages: readonly RenderedMessage[]): Buffer {
  const { members } = scanObject(raw)
  const last = (wanted: string): JsonMember | undefined => members.findLast(({ name }) => name === wanted)
  const edits: JsonEdit[] = []
  const system = messages.filter(({ role }) => role === 'system').map(({ text }) => textBlock(text))
  if (system.length > 0) {
    edits.push({ path: ['system'], value: `[${[...system, ...ownSystem(raw, last('system'))].join()}]` })
  }
  const turns = messages
    .filter(({ role }) => role !== 'system')
    .map(({ role, text }) => JSON.stringify({ role, content: text }))
  const own = last('messages')
  if (turns.length > 0 && own !== undefined) {
    edits.push({ path: ['messages'], value: `[${[...turns, ...itemsOf(raw, own)].join()}]` })
  }
  return spliceRequest(raw, edits)
}
