import { type DetectorKind, detectorKinds } from '@signalbox/sdk/contract'
import type { Detector } from './detector.ts'
import { languagesOfWord, lettersOf } from './language/function-words.ts'
import { countScripts } from './language/scripts.ts'

type Language = DetectorKind<'language'>

/** Characters that are looked at: more change nothing. */
const sampleChars = 2048
const whole = 1_000_000
/** Function words that are needed, and how far the first must be ahead of the second. */
const hitsMin = 1
const leadMin = 1.15
const scoreMin = 1
/** Share of another script among the letters from which on the text is in it. */
const scriptShareMin = 0.3

const beyondAscii = /[\u0080-\uffff]/
const latinWord = /[a-z\u00df-\u024f\u1e00-\u1eff]+/g
/** Letters of languages in these scripts that are not on the list: no answer is better than a wrong one. */
const otherArabic = /[پچژگکی]/
const otherCyrillic = /[ђјљњћџўәіңғүұқөһ]/
const ukrainian = /[іїєґ]/

interface Guess {
  readonly language: Language
  readonly scorePpm: number
}

function refine(language: Language, text: string): Language | undefined {
  const lower = text.toLowerCase()
  if (language === 'ar') return otherArabic.test(lower) ? undefined : 'ar'
  if (language !== 'ru') return language
  if (ukrainian.test(lower) && !/[ыэъ]/.test(lower)) return 'uk'
  return otherCyrillic.test(lower) ? undefined : 'ru'
}

/** A guess from letters of another script than Latin; undefined where they are few, null where none is on the list. */
function byScript(text: string): Guess | null | undefined {
  const { latin, others } = countScripts(text)
  const foreign = [...others.values()].reduce((sum, found) => sum + found, 0)
  const letters = latin + foreign
  if (foreign === 0 || foreign / letters < scriptShareMin) return undefined
  const [first] = [...others].sort((a, b) => b[1] - a[1])
  // Japanese has Han characters too, and is known by its kana.
  const isJapanese = first?.[0] === 'zh' && (others.get('ja') ?? 0) * 10 >= foreign
  const likely = isJapanese ? 'ja' : (first?.[0] ?? 'zh')
  const language = refine(likely, text)
  const mass = likely === 'ja' ? foreign : (first?.[1] ?? 0)
  return language === undefined ? null : { language, scorePpm: Math.round((whole * mass) / letters) }
}

function byWords(text: string): Guess | undefined {
  const lower = text.toLowerCase()
  const scores = new Map<Language, number>()
  let hits = 0
  for (const word of lower.match(latinWord) ?? []) {
    const languages = languagesOfWord.get(word)
    if (languages === undefined) continue
    // Letters that are words say little: formulas have them too.
    if (word.length > 1) hits++
    const weight = (word.length > 1 ? 1 : 0.3) / languages.length
    for (const each of languages) scores.set(each, (scores.get(each) ?? 0) + weight)
  }
  if (hits < hitsMin) return undefined
  for (const [letters, languages] of beyondAscii.test(lower) ? lettersOf : []) {
    if (!letters.test(lower)) continue
    for (const each of languages) scores.set(each, (scores.get(each) ?? 0) + 1.5 / languages.length)
  }
  const [first, second] = [...scores].sort((a, b) => b[1] - a[1])
  if (first === undefined || first[1] < (second?.[1] ?? 0) * leadMin || first[1] < scoreMin) return undefined
  const scorePpm = Math.round((whole * first[1]) / (first[1] + (second?.[1] ?? 0)))
  return { language: first[0], scorePpm }
}

/** The language that most of the start of a text is in, where that is clear; short texts have none. */
export const language: Detector<'language'> = {
  id: 'language',
  kinds: detectorKinds.language,
  lookBehind: Object.fromEntries(detectorKinds.language.map((kind) => [kind, 0])) as Record<Language, number>,
  scan(text) {
    const sample = text.length > sampleChars ? text.slice(0, sampleChars) : text
    const script = byScript(sample)
    const guess = script === undefined ? byWords(sample) : script
    if (guess === undefined || guess === null) return { findings: [] }
    const finding = { kind: guess.language, start: 0, end: sample.length }
    return { findings: [finding], scorePpm: Math.min(whole, guess.scorePpm) }
  },
}
