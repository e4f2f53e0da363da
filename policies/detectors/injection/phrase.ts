import type { DetectorKind } from '@signalbox/sdk/contract'

/** A way to say something: words it begins with, and what must follow them. */
export interface Phrase {
  readonly kind: DetectorKind<'injection'>
  /** How sure such a phrase makes it by itself, in ppm. */
  readonly weightPpm: number
  /** In small letters. */
  readonly first: readonly string[]
  /** What follows the first words, sticky and of bounded length. */
  readonly rest: RegExp
}

/** Characters that may stand between the parts of a phrase, in one sentence. */
export const gap = '[^.!?\\n。！？]{0,48}?'
const following = (pattern: string): RegExp => new RegExp(`${gap}(?:${pattern})`, 'iuy')
/** Makes a phrase; `first` may be several, with `|` between them. */
export const phrase = (
  kind: Phrase['kind'],
  weightPpm: number,
  first: string | readonly string[],
  rest: string | RegExp,
): Phrase => ({
  kind,
  weightPpm,
  first: typeof first === 'string' ? first.split('|') : first,
  rest: typeof rest === 'string' ? following(rest) : rest,
})
