import { guardrailFactsOf, type ScreenedText } from '@signalbox/policies'
import { type CompiledGuardrail, GuardrailFacts, guardrailSpansMax } from '@signalbox/sdk/contract'
import { violationsOf } from '@signalbox/sdk/node'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const guardrail: CompiledGuardrail = { id: 'g', file: 'g', direction: 'input', detectors: ['pii', 'secrets'] }
const screened = (text: string, rest: Partial<ScreenedText> = {}): ScreenedText => ({
  text,
  findings: [],
  metadata: {},
  ...rest,
})
const finding = (detector: string, kind: string, start: number) => ({ detector, kind, start, end: start + 3 })

describe('the facts of a guardrail', () => {
  test('hold the findings of the detectors that it reads, by kind, and no text', () => {
    const findings = [
      finding('pii', 'email', 4),
      { ...finding('pii', 'phone', 20), scorePpm: 900_000 },
      finding('pii', 'email', 30),
      finding('code', 'sql', 1),
    ]
    const facts = guardrailFactsOf(
      guardrail,
      screened('o'.repeat(40), { findings, metadata: { tier: 'free' } }),
    )
    expect(violationsOf(GuardrailFacts, facts)).toEqual([])
    expect(facts).toMatchObject({
      text: { chars: 40, scannedChars: 40 },
      metadata: { tier: 'free' },
      findings: {
        pii: { hits: 3, kinds: ['email', 'phone'], byKind: { email: 2, phone: 1 }, scorePpm: 900_000 },
        secrets: { hits: 0, kinds: [], byKind: {}, spans: [] },
      },
    })
    expect(facts.findings.pii?.spans[1]).toEqual({ kind: 'phone', start: 20, end: 23, scorePpm: 900_000 })
    expect(Object.keys(facts.findings)).toEqual(['pii', 'secrets'])
    expect(JSON.stringify(facts)).not.toContain('oooo')
  })

  test('miss a detector that failed, and name those that the guardrail reads', () => {
    const facts = guardrailFactsOf(guardrail, screened('x', { detectorErrors: ['secrets', 'code'] }))
    expect([Object.keys(facts.findings), facts.detectorErrors]).toEqual([['pii'], ['secrets']])
  })

  test('hold no more spans than there is room for, count all, and say what was cut', () => {
    const findings = Array.from({ length: 200 }, (_, at) => finding(at < 100 ? 'pii' : 'secrets', 'k', at))
    const { findings: found, truncated } = guardrailFactsOf(guardrail, screened('x', { findings }))
    expect([found.pii?.hits, found.pii?.spans.length]).toEqual([100, 100])
    expect([found.secrets?.hits, found.secrets?.spans.length]).toEqual([100, guardrailSpansMax - 100])
    expect(truncated).toEqual(['findings.secrets.spans'])
  })

  test('hold the beginning and the end of the text in whole characters, within their bytes', () => {
    const sizes = fc.record({
      firstBytes: fc.integer({ min: 1, max: 20 }),
      lastBytes: fc.integer({ min: 1, max: 20 }),
    })
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), sizes, (text, window) => {
        const facts = guardrailFactsOf({ ...guardrail, window }, screened(text))
        const { first = '', last = '', lastStart = -1, chars } = facts.text
        expect(text.startsWith(first)).toBe(true)
        expect(text.slice(lastStart)).toBe(last)
        expect(chars).toBe(text.length)
        expect(Buffer.byteLength(first)).toBeLessThanOrEqual(window.firstBytes)
        expect(Buffer.byteLength(last)).toBeLessThanOrEqual(window.lastBytes)
        expect([first, last].every((part) => part.isWellFormed())).toBe(true)
        expect(facts.truncated.includes('text.first')).toBe(first !== text)
        // No further character would have had room.
        const next = String.fromCodePoint(text.codePointAt(first.length) ?? 0)
        if (first !== text) expect(Buffer.byteLength(first + next)).toBeGreaterThan(window.firstBytes)
      }),
      { numRuns: 300 },
    )
  })
})
