import { hashText } from '@signalbox/policies'
import type { Call } from './call.ts'

/** Where the formats keep what a prompt begins with, and where its turns. */
const heads = ['system', 'instructions', 'systemInstruction', 'system_instruction'] as const
const turns = ['messages', 'contents', 'input', 'prompt'] as const
/** Providers keep prompts from their first tokens on; the first turns tell conversations apart. */
const turnsRead = 2
const charsMax = 8192

/**
 * A hash of how a prompt begins: the same in every turn of a conversation, so that its calls can stay where the
 * provider still has it.
 */
export function promptStart({ json }: Call): number {
  let text = ''
  for (const name of heads) if (json[name] !== undefined) text += JSON.stringify(json[name])
  for (const name of turns) {
    const value = json[name]
    if (value === undefined) continue
    text += JSON.stringify(Array.isArray(value) ? value.slice(0, turnsRead) : value).slice(0, charsMax)
  }
  return hashText(text.slice(0, charsMax))
}
