import { buildVersion, createEngine, loadCatalogue, runMutants } from '@signalbox/policies'
import { describe, expect, it } from 'vitest'
import { applyEdit } from '../../../policies/mutation/edits.ts'
import { formatMutants } from '../../../policies/mutation/format-mutants.ts'
import { mutateJson } from '../../../policies/mutation/mutate-json.ts'
import { mutateTypeScript } from '../../../policies/mutation/mutate-typescript.ts'

const other = (name: string): string | undefined => (name === 'smart' ? 'cheap' : undefined)
const typescript = `import { deny, route, rule, use } from '@signalbox/policies'
export default route('r', { onError: 'continue', rules: [
  rule('a', {
    when: (f) => (f.request.metadata.tier ?? 'paid') === 'free' && f.request.bytes > 5,
    then: () => deny('NO', { http: 402 }),
  }),
  rule('b', { then: () => use('smart').maxOutputTokens(10) }),
] })
`
const json = JSON.stringify({
  kind: 'constraint',
  id: 'c',
  onError: 'deny',
  rules: [
    {
      id: 'a',
      when: { all: [{ lte: [{ fact: 'request.bytes' }, 5] }, { not: { fact: 'request.stream' } }] },
      then: [{ only: { where: { locality: 'cloud' }, code: 'NO' } }, { cap: { maxOutputTokens: 5 } }],
    },
  ],
})

describe('mutants', () => {
  it('of TypeScript change one thing each', () => {
    const edits = mutateTypeScript('policies/r.policy.ts', typescript, other)
    const found = edits.map(({ description }) => description)
    const condition = "(f.request.metadata.tier ?? 'paid') === 'free'"
    const wanted = [
      "'continue' → 'deny'",
      'rule a dropped',
      'rule a without its condition',
      'rule b dropped',
      `${condition} → (f.request.metadata.tier ?? 'paid') !== 'free'`,
      "'paid' → 'free'",
      'f.request.bytes > 5 → f.request.bytes >= 5',
      'f.request.bytes > 5 → f.request.bytes <= 5',
      '5 → 4',
      "'NO' → 'NOT_NO'",
      '402 → 403',
      "'smart' → 'cheap'",
      '10 → 11',
    ]
    expect(found.filter((each) => !each.includes('…')).toSorted()).toEqual(wanted.toSorted())
    const texts = edits.map(({ text }) => text)
    expect(texts).toContain(`(${condition}) || (f.request.bytes > 5)`)
    expect(texts).toContain(condition)
    expect(texts).toContain('f.request.bytes > 5')
    expect(found).toHaveLength(wanted.length + 3)
  })

  it('of a guardrail are those of its rules', () => {
    const text = `import { block, guardrail, redact, rule } from '@signalbox/policies'
export default guardrail('g', { direction: 'output', onError: 'continue', rules: [
  rule('a', { when: (f) => f.text.chars > 5, then: () => block('LONG') }),
  rule('b', { when: (f) => f.stream, then: () => redact('STREAM', { with: '-' }), onError: 'deny' }),
] })
`
    const edits = mutateTypeScript('guardrails/g.guardrail.ts', text, other)
    expect(edits.map(({ description }) => description).toSorted()).toEqual(
      [
        "'continue' → 'deny'",
        "'deny' → 'continue'",
        'rule a dropped',
        'rule a without its condition',
        'rule b dropped',
        'rule b without its condition',
        'f.text.chars > 5 → f.text.chars >= 5',
        'f.text.chars > 5 → f.text.chars <= 5',
        '5 → 4',
        "'LONG' → 'NOT_LONG'",
        "'STREAM' → 'NOT_STREAM'",
      ].toSorted(),
    )
    const document = { kind: 'guardrail', id: 'g', direction: 'input', onError: 'deny' }
    const short = JSON.stringify({ ...document, when: { fact: 'stream' }, then: { flag: { code: 'A' } } })
    const found = mutateJson('guardrails/g.guardrail.json', short, other).map(
      ({ description }) => description,
    )
    expect(found.toSorted()).toEqual(['"A" → "NOT_A"', '"deny" → "continue"'])
  })
})

describe('edits', () => {
  it('of TypeScript and JSON leave files that still parse', () => {
    for (const edit of mutateTypeScript('policies/r.policy.ts', typescript, other)) {
      expect(
        mutateTypeScript('policies/r.policy.ts', applyEdit(typescript, edit), other).length,
      ).toBeGreaterThan(0)
    }
    for (const edit of mutateJson('policies/c.policy.json', json, other)) {
      const text = applyEdit(json, edit)
      expect(text).not.toBe(json)
      expect(() => JSON.parse(text)).not.toThrow()
    }
  })

  it('of JSON shift boundaries, swap operators and effects, and drop conditions', () => {
    const found = mutateJson('policies/c.policy.json', json, other).map(({ description }) => description)
    for (const wanted of [
      '{"lte":[{"fact":"request.bytes"},5]} → {"lt":[{"fact":"request.bytes"},5]}',
      '{"lte":[{"fact":"request.bytes"},5]} → {"gt":[{"fact":"request.bytes"},5]}',
      '5 → 4',
      '{"not":{"fact":"request.stream"}} dropped',
      '{"not":{"fact":"request.stream"}} → {"fact":"request.stream"}',
      'rule a dropped',
      'rule a without its condition',
      '"cloud" → "on-prem"',
      '"NO" → "NOT_NO"',
      '5 → 6',
      '"deny" → "continue"',
    ]) {
      expect(found).toContain(wanted)
    }
  })
})

describe('runMutants', () => {
  const files = new Map(
    Object.entries({
      'signalbox.yaml': 'name: acme\nmodels:\n  smart: [openai/gpt-5.5]\n  cheap: [openai/gpt-5-mini]\n',
      'policies/r.policy.ts': `import { deny, route, rule, use } from '@signalbox/policies'
export default route('r', { rules: [
  rule('a', { when: (f) => f.request.bytes > 5, then: () => deny('NO') }),
  rule('b', { then: () => use('smart') }),
] })
`,
      'tests/r.cases.yaml': `policy: r
cases:
  - { name: large, set: { request.bytes: 100 }, expect: { effect: deny, reasons: [{ code: NO }] } }
  - { name: small, set: { request.bytes: 1 }, expect: { effect: allow } }
`,
      'tests/all.cases.yaml': `bundle: all
cases:
  - { name: target, set: { request.bytes: 1 }, expect: { plan.target: openai/gpt-5.5 } }
`,
    }),
  )

  it('lets a property notice what no case does', async () => {
    const catalogue = loadCatalogue()
    const property = `import { evalPolicy, property, suite } from '@signalbox/policies/test'
suite('limits', (t) => {
  t.property('six bytes are too many, five are not', property.facts({ 'request.bytes': [5, 6] }), (f) =>
    (evalPolicy('r', f).effect === 'deny') === f.request.bytes > 5)
})
`
    const more = new Map([...files, ['tests/r.test.ts', property]])
    const { version } = await buildVersion(more, { catalogue, typeCheck: false })
    if (version === null) throw new Error('does not build')
    const engine = await createEngine()
    try {
      const report = await runMutants(version, more, { engine, catalogue, timeLimitMs: 60_000 })
      expect(report).toMatchObject({ killed: 8, survivors: [], notRun: 0 })
    } finally {
      engine.dispose()
    }
  })

  it('names what no case notices, in the order of places, and lets cases of all policies count', async () => {
    const catalogue = loadCatalogue()
    const { version } = await buildVersion(files, { catalogue, typeCheck: false })
    if (version === null) throw new Error('does not build')
    const engine = await createEngine()
    try {
      const seen: number[] = []
      const options = { engine, catalogue, onProgress: (done: number) => seen.push(done) }
      const report = await runMutants(version, files, { ...options, timeLimitMs: 60_000 })
      expect(report.survivors.map(({ line, description }) => `${line} ${description}`)).toEqual([
        '3 f.request.bytes > 5 → f.request.bytes >= 5',
        '3 5 → 4',
      ])
      expect(report).toMatchObject({ killed: 6, invalid: 0, notRun: 0 })
      expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
      expect(formatMutants(report, { colour: false })).toMatch(
        /^mutants 6 killed of 8 in \d+ ms\n {2}policies\/r\.policy\.ts:3:28 survived: /,
      )
      const none = await runMutants(version, files, { engine, catalogue, timeLimitMs: -1 })
      expect(none).toMatchObject({ killed: 0, notRun: 8 })
      expect(formatMutants(none, { colour: false })).toContain('8 not run: the time is over')
      const others = await runMutants(version, files, {
        engine,
        catalogue,
        timeLimitMs: 1,
        wanted: () => false,
      })
      expect(others).toMatchObject({ killed: 0, notRun: 0 })
    } finally {
      engine.dispose()
    }
  })
})
