import type { RenderedMessage } from '@signalbox/policies'
import { type JsonMember, scanArray, scanObject } from '../json-scan.ts'
import { type JsonEdit, spliceRequest } from '../json-splice.ts'

const systemNames = ['systemInstruction', 'system_instruction']

function itemsOf(raw: Buffer, { valueStart }: JsonMember): string[] {
  return scanArray(raw, valueStart).items.map(({ start, end }) => raw.toString('utf8', start, end))
}

/** The caller's own parts of the system instruction, in his own words. */
function ownParts(raw: Buffer, instruction: JsonMember | undefined): string[] {
  if (instruction === undefined) return []
  const value: { parts?: unknown } = Object(
    JSON.parse(raw.toString('utf8', instruction.valueStart, instruction.valueEnd)),
  )
  if (!Array.isArray(value.parts)) return value.parts === undefined ? [] : [JSON.stringify(value.parts)]
  const parts = scanObject(raw, instruction.valueStart).members.findLast(({ name }) => name === 'parts')
  return parts === undefined ? [] : itemsOf(raw, parts)
}

/**
 * A Gemini request with the messages of a prompt: system ones as parts before those of the caller's
 * `systemInstruction`, the others before his first content.
 */
export function insertContents(raw: Buffer, messages: readonly RenderedMessage[]): Buffer {
  const { members } = scanObject(raw)
  const last = (names: readonly string[]) => members.findLast(({ name }) => names.includes(name))
  const edits: JsonEdit[] = []
  const system = messages.filter(({ role }) => role === 'system').map(({ text }) => JSON.stringify({ text }))
  if (system.length > 0) {
    const own = last(systemNames)
    const parts = [...system, ...ownParts(raw, own)].join()
    edits.push({ path: [own?.name ?? 'systemInstruction'], value: `{"parts":[${parts}]}` })
  }
  const turns = messages
    .filter(({ role }) => role !== 'system')
    .map(({ role, text }) => ({ role: role === 'assistant' ? 'model' : 'user', parts: [{ text }] }))
    .map((content) => JSON.stringify(content))
  const contents = last(['contents'])
  if (turns.length > 0 && contents !== undefined) {
    const isList = raw[contents.valueStart] === '['.charCodeAt(0)
    const own = isList
      ? itemsOf(raw, contents)
      : [raw.toString('utf8', contents.valueStart, contents.valueEnd)]
    edits.push({ path: ['contents'], value: `[${[...turns, ...own].join()}]` })
  }
  return spliceRequest(raw, edits)
}
