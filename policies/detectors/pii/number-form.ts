import type { DetectorKind } from '@signalbox/sdk/contract'
import type { Match } from '../detector.ts'

/** Where a run of digits begins, what is known of it, and of the letters that stand right before it. */
export interface NumberStart {
  readonly text: string
  readonly start: number
  /** Digits of the run. */
  readonly digits: number
  /** Latin letters right before it, at most 7. */
  readonly lettersBefore: number
  /** What follows as far as it can be one number in groups; its digits count up to 20. */
  readonly ahead: Groups
}
export interface Groups {
  readonly end: number
  readonly digits: number
  readonly groups: number
}

/** Digits of the longest number in groups, and all its characters. */
const digitsMax = 20
export const groupedMax = 36
const separatorsMax = 3
/** Space, no-break space, hyphen, no-break hyphen, full stop, slash, brackets. */
const isSeparator = (code: number): boolean =>
  code === 32 || (code >= 45 && code <= 47) || code === 40 || code === 41 || code === 0xa0 || code === 0x2011
export const isDigitCode = (code: number): boolean => code >= 48 && code <= 57

/** Walks over digits in groups, from a digit on. */
export function groupsFrom(text: string, start: number): Groups {
  let index = start
  let end = start
  let digits = 0
  let groups = 0
  while (digits <= digitsMax && index - start < groupedMax) {
    const first = index
    while (digits <= digitsMax && isDigitCode(text.charCodeAt(index))) {
      index++
      digits++
    }
    if (index === first) break
    end = index
    groups++
    let next = index
    while (next - index < separatorsMax && isSeparator(text.charCodeAt(next))) next++
    if (next === index) break
    index = next
  }
  return { end, digits, groups }
}

/** One kind of personal data that has digits in it. */
export interface NumberForm {
  readonly kind: DetectorKind<'pii'>
  readonly lookBehind: number
  /** The match that the digits belong to; its start may lie before them. Looks at a bounded part of the text. */
  find(place: NumberStart): Match<DetectorKind<'pii'>> | undefined
}
