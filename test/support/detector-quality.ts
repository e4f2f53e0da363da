import { existsSync, readFileSync } from 'node:fs'
import { detectors, type Match } from '@signalbox/policies'

/* Runs the detectors over the labelled texts of test/fixtures/detectors and counts. */

/** A line of pii.ndjson and secrets.ndjson: what stands in the text, by kind. */
interface Spans {
  readonly text: string
  readonly expect: readonly (readonly [kind: string, value: string])[]
}
export interface Quality {
  readonly name: string
  /** What should have been found, what was found of it, and what was found beside it. */
  readonly wanted: number
  readonly right: number
  readonly wrong: number
}
export interface Miss {
  readonly name: string
  readonly text: string
  readonly missing: boolean
  readonly found?: string
}

/** Score from which on a text counts as an attempt, in ppm. */
export const injectionThresholdPpm = 500_000

/**
 * The texts that the detectors were corrected by, or those that were written apart from them, by someone who had not
 * looked at the patterns. The second set is by the hand that widened the patterns after the first was measured.
 */
export type LabelledSet = 'labelled' | 'held-out' | 'held-out-2'
const folders: Readonly<Record<LabelledSet, string>> = {
  labelled: '',
  'held-out': 'held-out/',
  'held-out-2': 'held-out-2/',
}

function rowsOf<T>(set: LabelledSet, name: string): T[] {
  const file = `../fixtures/detectors/${folders[set]}${name}.ndjson`
  const url = new URL(file, import.meta.url)
  // The second set has texts for the detectors that were changed after the first.
  const text = existsSync(url) ? readFileSync(url, 'utf8') : ''
  if (text === '') return []
  return text
    .trim()
    .split('\n')
    .map((line): T => JSON.parse(line))
}

class Counter {
  readonly #counts = new Map<string, { wanted: number; right: number; wrong: number }>()
  readonly misses: Miss[] = []

  count(name: string, what: 'wanted' | 'right' | 'wrong'): void {
    const counts = this.#counts.get(name) ?? { wanted: 0, right: 0, wrong: 0 }
    counts[what]++
    this.#counts.set(name, counts)
  }

  get rows(): Quality[] {
    return [...this.#counts].map(([name, counts]) => ({ name, ...counts })).sort(byName)
  }
}
const byName = (a: Quality, b: Quality): number => (a.name < b.name ? -1 : 1)

function measureSpans(set: LabelledSet, id: 'pii' | 'secrets', counter: Counter): number {
  const rows = rowsOf<Spans>(set, id)
  for (const { text, expect } of rows) {
    const left = new Set<Match>(detectors[id].scan(text).findings)
    for (const [kind, value] of expect) {
      const start = text.indexOf(value)
      const end = start + value.length
      const hit = [...left].find((each) => each.kind === kind && each.start < end && each.end > start)
      counter.count(`${id} ${kind}`, 'wanted')
      if (hit === undefined) counter.misses.push({ name: `${id} ${kind}`, text, missing: true })
      else {
        left.delete(hit)
        counter.count(`${id} ${kind}`, 'right')
      }
    }
    for (const { kind, start, end } of left) {
      counter.count(`${id} ${kind}`, 'wrong')
      counter.misses.push({ name: `${id} ${kind}`, text, missing: false, found: text.slice(start, end) })
    }
  }
  return rows.length
}

function count(counter: Counter, name: string, text: string, wanted: unknown, found: unknown): void {
  const isWanted = wanted !== null && wanted !== false
  if (isWanted) counter.count(name, 'wanted')
  if (wanted === found) {
    if (isWanted) counter.count(name, 'right')
    return
  }
  const isFound = found !== null && found !== false
  if (isFound) counter.count(name, 'wrong')
  counter.misses.push({ name, text, missing: !isFound, found: String(found) })
}

/** Precision and recall of everything, the texts behind it, and what went wrong. */
export function measureDetectors(set: LabelledSet): {
  rows: readonly Quality[]
  texts: number
  misses: readonly Miss[]
} {
  const counter = new Counter()
  let texts = measureSpans(set, 'pii', counter) + measureSpans(set, 'secrets', counter)
  for (const { text, injection } of rowsOf<{ text: string; injection: boolean }>(set, 'injection')) {
    const { scorePpm = 0 } = detectors.injection.scan(text)
    count(counter, 'injection', text, injection, scorePpm >= injectionThresholdPpm)
    texts++
  }
  for (const { text, language } of rowsOf<{ text: string; language: string | null }>(set, 'language')) {
    const found = detectors.language.scan(text).findings[0]?.kind ?? null
    count(counter, 'language', text, language, found)
    texts++
  }
  for (const { text, code } of rowsOf<{ text: string; code: string | null }>(set, 'code')) {
    const found = detectors.code.scan(text).findings[0]?.kind ?? null
    count(counter, 'code', text, code !== null, found !== null)
    if (code !== null) count(counter, 'code, its language', text, code, found)
    texts++
  }
  return { rows: counter.rows, texts, misses: counter.misses }
}

const share = (part: number, all: number): string => (all === 0 ? '–' : (part / all).toFixed(2))
export const precisionOf = ({ right, wrong }: Quality): number => right / (right + wrong)
export const recallOf = ({ right, wanted }: Quality): number => right / wanted

/** The table of policies/README.md. */
export function qualityTable(rows: readonly Quality[]): string[][] {
  return rows.map((row) => [
    row.name,
    String(row.wanted),
    share(row.right, row.right + row.wrong),
    share(row.right, row.wanted),
  ])
}
