import { createHash } from 'node:crypto'
import type { Call, Delta, Reply } from '../call.ts'
import type { StreamEncoder } from '../dialect.ts'

/** Longest name of a tool in Chat Completions; Messages takes twice as much, and agents use it. */
export const toolNameLengthMax = 64
const messagesNameLengthMax = 128

const otherLetters = /[^\w-]/g
/** Gemini takes dots and colons too. */
const otherThanGemini = /[^\w.:-]/g

/**
 * A name that Chat Completions takes: long ones, and those with other letters than it knows, end in eight digits of
 * their SHA-256, so that no two become one.
 */
export function shortToolName(name: string): string {
  return fitName(name, toolNameLengthMax, otherLetters)
}

/** A name that Messages takes. */
export function messagesToolName(name: string): string {
  return fitName(name, messagesNameLengthMax, otherLetters)
}

/** A name that Gemini takes. */
export function geminiToolName(name: string): string {
  return fitName(name, toolNameLengthMax, otherThanGemini)
}

function fitName(name: string, lengthMax: number, others: RegExp): string {
  const plain = name.replace(others, '_')
  if (name.length <= lengthMax && plain === name) return name
  const digits = createHash('sha256').update(name).digest('hex').slice(0, 8)
  return `${plain.slice(0, lengthMax - 9)}_${digits}`
}

/** Finds the name that a call's own tools have for one that was made to fit. */
export function createToolNames(names: readonly string[]): (name: string) => string {
  const own = new Map<string, string>()
  for (const name of names) {
    for (const fitted of [shortToolName(name), messagesToolName(name), geminiToolName(name)]) {
      if (fitted !== name) own.set(fitted, name)
    }
  }
  if (own.size === 0) return (name) => name
  return (name) => own.get(name) ?? name
}

/** The answer with the caller's own names of tools. */
export function withOwnNames(reply: Reply, { summary }: Call): Reply {
  const nameOf = createToolNames(summary.toolNames)
  const blocks = reply.blocks.map((block) =>
    block.type === 'toolCall' ? { ...block, name: nameOf(block.name) } : block,
  )
  return { ...reply, blocks }
}

/** The encoder of a stream, which reads the caller's own names of tools. */
export function encodingOwnNames(encoder: StreamEncoder, { summary }: Call): StreamEncoder {
  const nameOf = createToolNames(summary.toolNames)
  const named = (delta: Delta): Delta => {
    if (delta.type !== 'blockStart' || delta.block.type !== 'toolCall') return delta
    return { ...delta, block: { ...delta.block, name: nameOf(delta.block.name) } }
  }
  return {
    push: (delta) => encoder.push(named(delta)),
    end: () => encoder.end(),
    fail: (refusal, recordId) => encoder.fail(refusal, recordId),
  }
}
