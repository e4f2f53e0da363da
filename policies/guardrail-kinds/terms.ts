import { termsCharsMax } from '@signalbox/sdk/contract'
import { findingsMax, type Match } from '../detectors/detector.ts'
import { LiteralIndex } from '../detectors/literal-index.ts'
import type { GuardrailKind, TextScan } from './guardrail-kind.ts'

const longest = (terms: readonly string[]): number => Math.max(...terms.map((term) => term.length))

/** Terms anywhere, parts of words too: one pass for each is linear, and there are few. */
function scanAnywhere(terms: readonly string[]): TextScan {
  const wanted = [...new Set(terms.map((term) => term.toLowerCase()))]
  return (text) => {
    const lower = text.toLowerCase()
    const searched = lower.length === text.length ? lower : text
    const findings: Match[] = []
    for (const term of wanted) {
      for (let at = searched.indexOf(term); at !== -1; at = searched.indexOf(term, at + term.length)) {
        findings.push({ kind: 'term', start: at, end: at + term.length })
        if (findings.length >= findingsMax) break
      }
    }
    return { findings: findings.sort((a, b) => a.start - b.start).slice(0, findingsMax) }
  }
}

function scanWords(terms: readonly string[]): TextScan {
  const index = new LiteralIndex(terms.map((term) => [term.toLowerCase(), true] as const))
  return (text) => {
    const findings: Match[] = []
    index.scan(text, (start, end) => {
      findings.push({ kind: 'term', start, end })
      return findings.length >= findingsMax ? -1 : end
    })
    return { findings }
  }
}

/** Names and words that have no place in a text. */
export const terms: GuardrailKind<'terms'> = {
  kind: 'terms',
  check({ any }) {
    const chars = any.reduce((sum, term) => sum + term.length, 0)
    if (chars > termsCharsMax)
      return `the terms have ${chars} characters, at most ${termsCharsMax} are possible`
    const short = any.find((term) => term.trim().length < 2)
    return short === undefined ? undefined : `the term "${short}" is shorter than two characters`
  },
  hold: ({ any }) => ({ chars: longest(any) + 1, run: false }),
  create: ({ any, wholeWords = true }) => ({ scan: wholeWords ? scanWords(any) : scanAnywhere(any) }),
}
