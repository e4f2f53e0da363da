import { redactedSpans, redactText } from '@signalbox/policies'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const guardrail = { detectors: ['pii', 'secrets'] }
const findings = [
  { detector: 'pii', kind: 'email', start: 5, end: 12 },
  { detector: 'pii', kind: 'phone', start: 20, end: 25 },
  { detector: 'secrets', kind: 'apiKey', start: 22, end: 30 },
  { detector: 'code', kind: 'sql', start: 0, end: 2 },
]
const text = 'mail a@b.com0 and t 12345key67 end'
const redacted = (...redactions: Parameters<typeof redactedSpans>[1]) =>
  redactText(text, redactedSpans(guardrail, redactions, findings))

describe('a redaction', () => {
  test('takes out all findings of the guardrail, neighbours as one', () => {
    expect(redacted({ code: 'X' })).toBe('mail [REDACTED]0 and t [REDACTED] end')
  })

  test('means certain detectors or kinds where it names them', () => {
    expect(redacted({ code: 'X', detectors: ['secrets'], with: '' })).toBe('mail a@b.com0 and t 12 end')
    expect(redacted({ code: 'X', kinds: ['email'], with: '<{kind}>' })).toBe(
      'mail <email>0 and t 12345key67 end',
    )
  })

  test('with spans of its own takes out these, and findings only where it names them', () => {
    expect(redacted({ code: 'X', spans: [{ start: 0, end: 4 }], with: '*' })).toBe(
      '* a@b.com0 and t 12345key67 end',
    )
    expect(redacted({ code: 'X', spans: [{ start: 0, end: 4 }], kinds: ['email'], with: '*' })).toBe(
      '* *0 and t 12345key67 end',
    )
  })

  test('adds up with others, and leaves no byte of what was found', () => {
    const span = fc.record({ start: fc.nat(40), length: fc.integer({ min: 1, max: 12 }) })
    fc.assert(
      fc.property(fc.array(span, { maxLength: 8 }), fc.array(span, { maxLength: 4 }), (found, own) => {
        const marked = Array.from({ length: 60 }, (_, at) => String.fromCodePoint(0x4e00 + at))
        const all = found.map(({ start, length }) => ({
          detector: 'pii',
          kind: 'k',
          start,
          end: start + length,
        }))
        const spans = own.map(({ start, length }) => ({ start, end: start + length }))
        const out = redactText(
          marked.join(''),
          redactedSpans(
            guardrail,
            [
              { code: 'A', with: '#' },
              { code: 'B', spans, with: '#' },
            ],
            all,
          ),
        )
        const gone = (at: number) => [...all, ...spans].some(({ start, end }) => at >= start && at < end)
        expect(out.replaceAll('#', '')).toBe(marked.filter((_, at) => !gone(at)).join(''))
      }),
      { numRuns: 300 },
    )
  })
})
