import type { Match, Scan } from '../detectors/detector.ts'
import { aboutAll, type GuardrailKind } from './guardrail-kind.ts'

const findingsMax = 1000
const kindForm = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/

/** A service of one's own: it gets the text and says `{ "pass": true }`, or what it found. */
export const webhook: GuardrailKind<'webhook'> = {
  kind: 'webhook',
  check: () => undefined,
  hold: () => undefined,
}

/** What it is told. */
export interface WebhookQuestion {
  readonly guardrail: string
  readonly direction: 'input' | 'output'
  readonly text: string
  readonly metadata: Readonly<Record<string, unknown>>
}

function matchOf(found: unknown, text: string): Match {
  const { kind, start = 0, end = text.length } = Object(found)
  const isPlace =
    Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end <= text.length
  if (typeof kind !== 'string' || !kindForm.test(kind) || !isPlace)
    throw new Error('a finding has no kind or no place')
  return { kind, start, end }
}

/** `{ pass, findings?: [{ kind, start?, end? }], scorePpm? }`. Throws an Error for anything else. */
export function readWebhook(answer: unknown, text: string): Scan<string> {
  const { pass, findings = [], scorePpm } = Object(answer)
  if (typeof pass !== 'boolean' || !Array.isArray(findings) || findings.length > findingsMax) {
    throw new Error('the answer has no "pass"')
  }
  const score = Number.isInteger(scorePpm) && scorePpm >= 0 && scorePpm <= 1_000_000 ? { scorePpm } : {}
  if (pass) return { findings: [], ...score }
  const found = findings.map((each: unknown) => matchOf(each, text))
  return {
    findings: found.length === 0 ? [aboutAll('failed', text)] : found.sort((a, b) => a.start - b.start),
    ...score,
  }
}
