import { createEngine, type Engine, type Program } from '@signalbox/policies'
import type { GuardrailFacts } from '@signalbox/sdk/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { programOf } from './programs.ts'

const script = (body: string): string =>
  `import { block, flag, guardrail, param, redact, refuse, rule } from '@signalbox/policies'\n${body}\n`

const all = script(`const limit = param.int('limit', { default: 3 })
export default guardrail('all', { direction: 'input', window: { lastBytes: 100 }, rules: [
  rule('long', { when: (f) => f.text.chars > 100, then: () => flag('LONG', { annotate: { why: 'long' } }) }),
  rule('pii', { when: (f) => (f.findings.pii?.hits ?? 0) > 0, then: () => redact('PII', { with: '<{kind}>' }) }),
  rule('many', { when: (f) => (f.findings.pii?.hits ?? 0) > limit(), then: () => refuse('MANY', 'That is too much.') }),
  rule('key', { when: (f) => (f.findings.secrets?.byKind.apiKey ?? 0) > 0, then: () => block('KEY') }),
  rule('word', { when: (f) => f.text.last?.includes('sesame') === true,
    then: (f) => redact('WORD', { spans: [{ start: (f.text.lastStart ?? 0) + f.text.last!.indexOf('sesame'), end: f.text.chars }] }) }),
] })`)
const broken = (onError: string): string =>
  script(`export default guardrail('broken', { direction: 'output', ${onError} rules: [
  rule('breaks', { when: (f) => f.findings.pii!.hits > 0, then: () => block('NO') }),
  rule('flags', { when: (f) => f.text.chars > 5, then: () => flag('LONG') }),
  rule('blocks', { when: (f) => f.text.chars > 50, then: () => block('TOO_LONG') }),
  rule('strange', { when: (f) => f.metadata.tier === 'free', then: (f) => ({ flag: { code: f.target } }) as never }),
  rule('loops', { when: (f) => { while (f.metadata.tier === 'paid'); return false }, then: () => block('NEVER') }),
] })`)
const json = JSON.stringify({
  kind: 'guardrail',
  id: 'json',
  direction: 'output',
  params: { chars: { type: 'int', default: 10 } },
  rules: [
    {
      id: 'long',
      when: { gt: [{ fact: 'text.chars' }, { param: 'chars' }] },
      then: { flag: { code: 'LONG' } },
    },
    {
      id: 'mail',
      when: { all: [{ has: 'findings.pii.byKind.email' }, { startsWith: [{ fact: 'target' }, 'openai/'] }] },
      then: [{ redact: { code: 'MAIL', kinds: ['email'] } }, { flag: { code: 'SEEN' } }],
    },
  ],
})

const none = { hits: 0, kinds: [], byKind: {}, spans: [] }
const base: GuardrailFacts = {
  schema: 'guardrail-facts/1',
  direction: 'input',
  text: { chars: 5, scannedChars: 5 },
  findings: { pii: none, secrets: none },
  detectorErrors: [],
  metadata: {},
  stream: false,
  truncated: [],
}
const hits = (count: number, kind = 'email') => ({
  hits: count,
  kinds: [kind],
  byKind: { [kind]: count },
  spans: [],
})

let engine: Engine
let program: Program
let lenient: Program
beforeAll(async () => {
  engine = await createEngine()
  const files = { 'guardrails/all.guardrail.ts': all, 'guardrails/json.guardrail.json': json }
  program = await programOf(engine, [{ files: { ...files, 'guardrails/b.guardrail.ts': broken('') } }])
  lenient = await programOf(engine, [
    { files: { 'guardrails/b.guardrail.ts': broken("onError: 'continue',") } },
  ])
})
afterAll(() => engine.dispose())
const ask = (guardrail: string, facts: Partial<GuardrailFacts>, on = program) =>
  on.screen({ layer: 0, guardrail, facts: { ...base, ...facts } })

describe('a guardrail of several rules', () => {
  test('passes where none holds, and says which conditions were seen', () => {
    expect(ask('all', {})).toMatchObject({ verdict: 'pass', said: [], trace: '00000' })
  })

  test('says the strongest of what its rules say, and all of it', () => {
    const text = { chars: 200, scannedChars: 200 }
    const findings = { pii: hits(1), secrets: none }
    expect(ask('all', { text, findings })).toMatchObject({
      verdict: 'fail',
      rule: 'pii',
      code: 'PII',
      action: { redact: { code: 'PII', with: '<{kind}>' } },
      said: [
        { rule: 'pii', action: { redact: {} } },
        { rule: 'long', action: { flag: { code: 'LONG', annotate: { why: 'long' } } } },
      ],
    })
    const more = { pii: hits(9), secrets: hits(1, 'apiKey') }
    expect(ask('all', { text, findings: more }).said.map(({ rule }) => rule)).toEqual([
      'key',
      'many',
      'pii',
      'long',
    ])
    expect(ask('all', { findings: { ...more, secrets: none } })).toMatchObject({
      action: { refuse: { code: 'MANY', message: 'That is too much.' } },
    })
  })

  test('reads params, with their value of the call', () => {
    const input = {
      layer: 0,
      guardrail: 'all',
      facts: { ...base, findings: { pii: hits(2), secrets: none } },
    }
    expect(program.screen(input).code).toBe('PII')
    expect(program.screen({ ...input, params: { acme: { limit: 1 } } }).code).toBe('MANY')
  })

  test('reads the window of the text that it declares, and can say where to redact', () => {
    const last = 'open sesame now'
    const text = { chars: 40, scannedChars: 40, last, lastStart: 25 }
    expect(ask('all', { text })).toMatchObject({
      rule: 'word',
      action: { redact: { spans: [{ start: 30, end: 40 }] } },
    })
  })

  test('in JSON form is the same thing', () => {
    const facts = { direction: 'output', target: 'openai/gpt-5.5', findings: { pii: hits(1) } } as const
    expect(ask('json', facts)).toMatchObject({
      verdict: 'fail',
      trace: '011',
      said: [{ action: { redact: { kinds: ['email'] } } }, { action: { flag: { code: 'SEEN' } } }],
    })
    expect(ask('json', { ...facts, target: 'local/x' })).toMatchObject({ verdict: 'pass', trace: '010' })
    expect(ask('json', { ...facts, findings: { pii: none } })).toMatchObject({
      verdict: 'pass',
      trace: '00-',
    })
  })
})

describe('a guardrail that breaks', () => {
  const output = { direction: 'output', target: 'a b', findings: {} } as const
  test('is an error that names its rule, whatever a weaker rule says', () => {
    expect(ask('broken', { ...output, text: { chars: 10, scannedChars: 10 } })).toMatchObject({
      verdict: 'error',
      rule: 'breaks',
      error: { kind: 'exception' },
      said: [{ rule: 'flags' }],
      trace: '!1000',
    })
  })

  test('still stops what another rule stops', () => {
    expect(ask('broken', { ...output, text: { chars: 60, scannedChars: 60 } })).toMatchObject({
      verdict: 'fail',
      rule: 'blocks',
    })
  })

  test('passes over an exception where its author says so, and over nothing else', () => {
    expect(ask('broken', output, lenient)).toMatchObject({ verdict: 'pass', trace: '!0000' })
    const strange = { ...output, metadata: { tier: 'free' } }
    expect(ask('broken', strange, lenient)).toMatchObject({
      verdict: 'error',
      rule: 'strange',
      error: { kind: 'invalid' },
    })
    const endless = { ...output, metadata: { tier: 'paid' } }
    expect(ask('broken', endless, lenient)).toMatchObject({ verdict: 'error', error: { kind: 'timeout' } })
    expect(ask('broken', output, lenient).verdict).toBe('pass')
  })

  test('does not pass a text that a detector of it did not look at', () => {
    const { pii: _, ...findings } = base.findings
    expect(ask('all', { findings, detectorErrors: ['pii'] })).toMatchObject({
      verdict: 'error',
      error: { kind: 'detector', message: 'these detectors failed: pii' },
    })
  })
})

test('a guardrail that looks at failed detectors itself decides what they mean', async () => {
  const own = script(`export default guardrail('own', { direction: 'input', rules: [
  rule('down', { when: (f) => f.detectorErrors.includes('secrets'), then: () => block('NOT_SCANNED') }),
  rule('key', { when: (f) => (f.findings.secrets?.hits ?? 0) > 0, then: () => block('KEY') }),
] })`)
  const loaded = await programOf(engine, [{ files: { 'guardrails/own.guardrail.ts': own } }])
  expect(ask('own', { detectorErrors: ['secrets'], findings: {} }, loaded).code).toBe('NOT_SCANNED')
  expect(ask('own', { detectorErrors: ['pii'] }, loaded).verdict).toBe('pass')
})
