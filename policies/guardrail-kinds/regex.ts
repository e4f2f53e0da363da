import { regexCharsMax } from '@signalbox/sdk/contract'
import { RE2JS } from 're2js'
import { findingsMax, type Match } from '../detectors/detector.ts'
import type { GuardrailKind } from './guardrail-kind.ts'

/** After so many matches the rest is searched in slices, so that no pattern goes over the whole text for each. */
const wholeMatchesMax = 32
const sliceChars = 4096

interface Pattern {
  readonly name: string
  readonly form: RE2JS
}

function compile(patterns: Readonly<Record<string, string>>, ignoreCase: boolean): Pattern[] {
  const flags = ignoreCase ? RE2JS.CASE_INSENSITIVE : 0
  return Object.entries(patterns).map(([name, pattern]) => ({ name, form: RE2JS.compile(pattern, flags) }))
}

/** Matches of a pattern from a place on, until `matchesMax` or the end of the text; gives where it stopped. */
function collect(
  { name, form }: Pattern,
  text: string,
  { from, charsMax, matchesMax }: { from: number; charsMax: number; matchesMax: number },
  found: Match[],
): number {
  const matcher = form.matcher(text)
  let at = from
  for (let matches = 0; matches < matchesMax && at <= text.length && matcher.find(at); matches++) {
    const [start, end] = [matcher.start(), matcher.end()]
    if (end > start && end - start <= charsMax) found.push({ kind: name, start, end })
    at = Math.max(end, start + 1)
    if (found.length >= findingsMax) return text.length
  }
  return matcher.find(Math.min(at, text.length)) && at < text.length ? at : text.length
}

function scanWith(pattern: Pattern, text: string, charsMax: number): Match[] {
  if (!pattern.form.test(text)) return []
  const found: Match[] = []
  let at = collect(pattern, text, { from: 0, charsMax, matchesMax: wholeMatchesMax }, found)
  while (at < text.length && found.length < findingsMax) {
    const slice = text.slice(at, at + sliceChars + charsMax)
    const inSlice: Match[] = []
    collect(pattern, slice, { from: 0, charsMax, matchesMax: findingsMax }, inSlice)
    let next = at + sliceChars
    for (const { kind, start, end } of inSlice) {
      if (start >= sliceChars) break
      found.push({ kind, start: at + start, end: at + end })
      next = Math.max(next, at + end)
    }
    at = next
  }
  return found
}

/** Patterns of one's own, in linear time. */
export const regex: GuardrailKind<'regex'> = {
  kind: 'regex',
  check({ patterns, ignoreCase = false }) {
    for (const [name, pattern] of Object.entries(patterns)) {
      try {
        const [compiled] = compile({ [name]: pattern }, ignoreCase)
        if (compiled?.form.matches('') === true)
          return `pattern "${name}" matches where nothing stands: ${pattern}`
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        return `pattern "${name}" is none of RE2, which has no look-around and no back references: ${why}`
      }
    }
    return undefined
  },
  hold: ({ charsMax = regexCharsMax }) => ({ chars: charsMax, run: false }),
  create({ patterns, ignoreCase = false, charsMax = regexCharsMax }) {
    const compiled = compile(patterns, ignoreCase)
    return {
      scan(text) {
        const all = compiled.flatMap((pattern) => scanWith(pattern, text, charsMax))
        const findings: Match[] = []
        for (const match of all.sort((a, b) => a.start - b.start || b.end - a.end)) {
          const last = findings.at(-1)
          if (last === undefined || match.start >= last.end) findings.push(match)
          else if (match.end > last.end) findings[findings.length - 1] = { ...last, end: match.end }
        }
        return { findings: findings.slice(0, findingsMax) }
      },
    }
  },
}
