import { findingsMax, type Match } from '../detectors/detector.ts'
import type { GuardrailKind } from './guardrail-kind.ts'
import { objectionTo } from './wildcard.ts'

const urlMax = 2048
const schemesDefault = ['http', 'https']
const schemeEnd = /([a-z][a-z0-9+.-]{0,31}):\/\/$/i
const rest = /[^\s"'<>`{}|\\^]{1,2048}/y
/** Signs that end a sentence, not a URL. */
const trailing = /[.,;:!?)\]]+$/

function hostOf(url: string): string {
  try {
    return new URL(url).hostname
  } catch {
    return ''
  }
}

/** Addresses in a text: all, or those whose hosts are not allowed. A host that cannot be read is found too. */
export const urls: GuardrailKind<'urls'> = {
  kind: 'urls',
  check: () => undefined,
  hold: () => ({ chars: 40, run: true }),
  create: ({ schemes = schemesDefault, ...listed }) => {
    const wanted = new Set(schemes.map((scheme) => scheme.toLowerCase()))
    const isListed = listed.allow !== undefined || listed.deny !== undefined
    return {
      scan(text) {
        const findings: Match[] = []
        for (let at = text.indexOf('://'); at !== -1; at = text.indexOf('://', at)) {
          const next = at + 3
          const [, scheme = ''] = schemeEnd.exec(text.slice(Math.max(0, at - 32), next)) ?? []
          at = next
          if (!wanted.has(scheme.toLowerCase())) continue
          rest.lastIndex = next
          const [found] = rest.exec(text) ?? []
          if (found === undefined) continue
          const start = next - 3 - scheme.length
          const end = next + found.replace(trailing, '').length
          at = Math.max(next, end)
          const host = hostOf(text.slice(start, Math.min(end, start + urlMax)))
          const kind = isListed ? (host === '' ? 'notAllowed' : objectionTo(host, listed)) : 'url'
          if (kind !== undefined) findings.push({ kind, start, end })
          if (findings.length >= findingsMax) break
        }
        return { findings }
      },
    }
  },
}
