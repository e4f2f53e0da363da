import { outputParts, Refusal, type TextPart } from '@signalbox/sdk/contract'
import type { Guard } from './guard.ts'
import type { Surroundings } from './judge-text.ts'
import { type JoinedText, ScreenedBody } from './screened-body.ts'
import { TextFindings } from './text-findings.ts'

/** A text of a call that guards look at, with what is to be done about it. */
export interface GuardedText {
  /** Undefined where it could not be read. */
  readonly body: ScreenedBody | undefined
  readonly around: Surroundings
  readonly attempt?: number
  readonly stream?: boolean
}
/** Whether a guard is about JSON. */
export const isJsonText = ({ compiled }: Guard): boolean =>
  Object.values(compiled.scan ?? {}).some(({ jsonSchema }) => jsonSchema !== undefined)

/** What others are asked about: what was said, not what stands beside it. */
const conversation: readonly TextPart[] = ['system', 'user', 'assistant', 'toolCall', 'toolResult']

/** Parts that a guard looks at; undefined for all. */
export function partsOf(guard: Guard, native: boolean): readonly TextPart[] | undefined {
  const { parts, direction } = guard.compiled
  if (parts !== undefined) return parts
  if (isJsonText(guard)) return [direction === 'input' ? 'user' : 'assistant']
  if (direction === 'input' && guard.remote.size > 0) return conversation
  return direction === 'input' || native ? undefined : outputParts
}

/** The same beside an answer that calls these tools. */
export const withTools = (around: Surroundings, tools: readonly string[]): Surroundings => ({
  ...around,
  names: { ...around.names, tools },
})

const known = new WeakMap<object, TextFindings>()

/** Built-in detectors look at a text once, whoever asks. */
export function findingsOf(text: JoinedText): TextFindings {
  let found = known.get(text)
  if (found === undefined) {
    found = new TextFindings(text.text, text.seams)
    known.set(text, found)
  }
  return found
}

/** A body that can be read; an empty one has no text. */
export function bodyOf(bytes: Buffer): ScreenedBody | undefined {
  try {
    return new ScreenedBody(bytes.length === 0 ? Buffer.from('{}') : bytes)
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError || error instanceof Refusal)
      return undefined
    throw error
  }
}
