import type { GuardrailScanOptions } from '@signalbox/sdk/contract'
import type { Match } from '../detectors/detector.ts'
import { aboutAll, type GuardrailKind } from './guardrail-kind.ts'

const word = /[^\s]+/g
const sentence = /[.!?…。！？]+(?=\s|$)/g

function countOf(text: string, form: RegExp): number {
  form.lastIndex = 0
  let count = 0
  while (form.test(text)) count++
  return count
}

type Limits = GuardrailScanOptions<'length'>
const pairs = [
  ['charsMin', 'charsMax'],
  ['wordsMin', 'wordsMax'],
] as const

function findingsOf(text: string, limits: Limits): Match[] {
  const {
    charsMin = 0,
    charsMax = Number.POSITIVE_INFINITY,
    wordsMin = 0,
    wordsMax,
    linesMax,
    sentencesMax,
  } = limits
  const found: Match[] = []
  if (text.length > charsMax) found.push({ kind: 'tooLong', start: charsMax, end: text.length })
  if (text.length < charsMin) found.push(aboutAll('tooShort', text))
  if (wordsMax !== undefined || wordsMin > 0) {
    const words = countOf(text, word)
    if (words > (wordsMax ?? words)) found.push(aboutAll('tooManyWords', text))
    if (words < wordsMin) found.push(aboutAll('tooFewWords', text))
  }
  if (linesMax !== undefined && countOf(text, /\n/g) + 1 > linesMax)
    found.push(aboutAll('tooManyLines', text))
  if (sentencesMax !== undefined && countOf(text, sentence) > sentencesMax)
    found.push(aboutAll('tooManySentences', text))
  return found
}

/** Texts that are too long or too short. */
export const length: GuardrailKind<'length'> = {
  kind: 'length',
  check(limits) {
    for (const [least, most] of pairs) {
      const [min = 0, max = Number.POSITIVE_INFINITY] = [limits[least], limits[most]]
      if (min > max) return `"${least}" (${min}) is greater than "${most}" (${max})`
    }
    return undefined
  },
  hold: () => undefined,
  create: (limits) => ({ scan: (text) => ({ findings: findingsOf(text, limits) }) }),
}
