import { type DetectorKind, detectorKinds } from '@signalbox/sdk/contract'
import { endAt } from './characters.ts'
import { type Detector, findingsMax, type Match } from './detector.ts'
import { type Phrase, phraseLengthMax, phrases } from './injection/phrases.ts'
import { LiteralIndex } from './literal-index.ts'

type Kind = DetectorKind<'injection'>
interface Weighed extends Match<Kind> {
  readonly weightPpm: number
}

const whole = 1_000_000
const byFirst = new Map<string, Phrase[]>()
for (const phrase of phrases) {
  for (const first of phrase.first) byFirst.set(first, [...(byFirst.get(first) ?? []), phrase])
}
const beginnings = new LiteralIndex(byFirst)
/** Tag characters, which no one sees; runs of characters without width; overrides of the direction of text. */
const hidden = /(?:\udb40[\udc00-\udc7f]){4,64}|[\u200b\u2060\ufeff]{4,64}|[\u202d\u202e][^\u202c\n]{4,64}/g
/** Comments of HTML that speak to a model. */
const comment =
  /<!--[^>]{0,80}?\b(?:(?:ai|llm|assistant|language model|chatbot)s?\b|ignore (?:all|any|the|previous))[^>]{0,40}/gi
const hiddenWeightPpm = 700_000
/** Letters that stand apart, as many as a sentence has, and the orders that they spell without the signs between. */
const apart = /(?<!\p{L})(?:\p{L}[ .\-_*|·]{1,4}){9,64}\p{L}(?!\p{L})/gu
const spelt =
  /(?:ignore|disregard|forget|override|bypass)(?:all|any|every|the|your|my|of|these|those)*(?:previous|prior|above|earlier|system|safety)*(?:instructions?|rules|prompts?|guidelines|directives|filters|restrictions)|(?:reveal|show|print|repeat)(?:me|the|your|us)*(?:system|hidden|secret)?(?:prompt|instructions)/i
const apartWeightPpm = 750_000
/** Signs before a phrase that is spoken about, not spoken. */
const quote = /["'“”„«»‘`]$/
const aboutIt =
  /\b(?:such as|like|called|known as|phrases?|example|e\.g\.|attacks?|detect\w*|the words|says?|said|saying|wrote|titled|term)\b[^.\n]{0,24}$/i
const aboutChars = 48

/** Whether a phrase stands in quotes and is mentioned. */
function isMentioned(text: string, start: number): boolean {
  const before = text.slice(Math.max(0, start - aboutChars), start)
  return quote.test(before) || aboutIt.test(before)
}

interface Place {
  readonly start: number
  /** End of the first words. */
  readonly end: number
}

function phraseAt(text: string, place: Place, candidates: readonly Phrase[]): Weighed | undefined {
  const { start } = place
  let best: Weighed | undefined
  for (const { kind, weightPpm, rest } of candidates) {
    if (weightPpm <= (best?.weightPpm ?? 0)) continue
    const end = endAt(rest, text, place.end)
    if (end !== -1) best = { kind, start, end, weightPpm }
  }
  return best !== undefined && isMentioned(text, start) ? { ...best, weightPpm: best.weightPpm >> 2 } : best
}

function findPhrases(text: string): Weighed[] {
  const found: Weighed[] = []
  beginnings.scan(text, (start, end, candidates) => {
    const match = phraseAt(text, { start, end }, candidates)
    if (match !== undefined) found.push(match)
    return found.length >= findingsMax ? -1 : (match?.end ?? end)
  })
  return found
}

function findHidden(text: string): Weighed[] {
  const found: Weighed[] = []
  for (const form of [hidden, comment]) {
    for (const hit of text.matchAll(form)) {
      if (found.length >= findingsMax) break
      const end = hit.index + hit[0].length
      found.push({ kind: 'hiddenText', start: hit.index, end, weightPpm: hiddenWeightPpm })
    }
  }
  return found
}

function findApart(text: string): Weighed[] {
  const found: Weighed[] = []
  for (const { index, 0: run } of text.matchAll(apart)) {
    if (found.length >= findingsMax) break
    if (!spelt.test(run.replaceAll(/\P{L}/gu, ''))) continue
    found.push({
      kind: 'ignoreInstructions',
      start: index,
      end: index + run.length,
      weightPpm: apartWeightPpm,
    })
  }
  return found
}

/** As if each kind were a witness by itself: 1 − Π (1 − weight), the strongest finding of a kind counts. */
function scoreOf(found: readonly Weighed[]): number {
  const strongest = new Map<Kind, number>()
  for (const { kind, weightPpm } of found) {
    strongest.set(kind, Math.max(strongest.get(kind) ?? 0, weightPpm))
  }
  let innocent = 1
  for (const weightPpm of strongest.values()) innocent *= 1 - weightPpm / whole
  return Math.round(whole * (1 - innocent))
}

/** By start, without overlaps. */
function inOrder(found: readonly Weighed[]): Match<Kind>[] {
  const ordered: Match<Kind>[] = []
  for (const { kind, start, end } of [...found].sort((a, b) => a.start - b.start)) {
    if (start >= (ordered.at(-1)?.end ?? 0)) ordered.push({ kind, start, end })
  }
  return ordered.slice(0, findingsMax)
}

/** Attempts of a text to give orders to the model that reads it. A score, no proof: new wordings pass. */
export const injection: Detector<'injection'> = {
  id: 'injection',
  kinds: detectorKinds.injection,
  lookBehind: {
    exfiltration: phraseLengthMax,
    fakeTurn: phraseLengthMax,
    hiddenText: phraseLengthMax,
    ignoreInstructions: phraseLengthMax,
    jailbreak: phraseLengthMax,
    newInstructions: phraseLengthMax,
    promptLeak: phraseLengthMax,
    safetyBypass: phraseLengthMax,
  },
  scan(text) {
    const found = [...findPhrases(text), ...findHidden(text), ...findApart(text)]
    return { findings: inOrder(found), scorePpm: scoreOf(found) }
  },
}
