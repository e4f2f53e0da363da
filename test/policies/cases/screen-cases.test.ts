import { buildVersion, createEngine, formatCoverage, loadCatalogue } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CasesReport, runCases } from '../../../policies/cases/run-cases.ts'
import { promptFile } from '../prompts/prompts.ts'

const guard = `import { block, flag, guardrail, param, redact, rule } from '@signalbox/policies'
const limit = param.int('limit', { default: 10, min: 0, max: 100 })
export default guardrail('guard', { direction: 'output', window: { firstBytes: 12 }, rules: [
  rule('start', { when: (f) => f.text.first === 'Dear Madam, ', then: () => flag('FORMAL') }),
  rule('pii', { when: (f) => (f.findings.pii?.byKind.email ?? 0) > 0 && f.target === 'a/b', then: () => redact('PII', { kinds: ['email'] }) }),
  rule('long', { when: (f) => f.text.chars > limit(), then: () => block('LONG', { message: 'Too long.' }), onError: 'continue' }),
] })
`
const front =
  'variables: { loud: { type: boolean }, tags: { type: array, items: { type: string } } }\npartials: [end]'
const files: Record<string, string> = {
  'signalbox.yaml': 'name: acme\n',
  'guardrails/guard.guardrail.ts': guard,
  'prompts/a.prompt.md': promptFile('a', front, '{{#loud}}A{{/loud}}{{#tags}}{{.}}{{/tags}}{{> end}}'),
  'prompts/end.prompt.md': promptFile('end', 'variables: { loud: { type: boolean } }', '{{^loud}}.{{/loud}}'),
  'tests/guard.cases.yaml': `guardrail: guard
cases:
  - name: reads the window and the target
    text: Dear Madam, write to a@b.c
    target: a/b
    params: { limit: 100 }
    findings: { pii: { spans: [{ kind: email, start: 21, end: 26 }, { kind: name, start: 5, end: 10 }] } }
    expect:
      rule: pii
      said: [{ rule: pii, action: redact, code: PII }, { rule: start, action: flag, code: FORMAL }]
      redacted: "Dear Madam, write to [REDACTED]"
  - name: stops
    text: Dear Madam or Sir
    expect: { action: block, code: LONG, message: Too long. }
  - name: names a detector that is not read
    findings: { ppi: { hits: 1 } }
    expect: { verdict: pass }
  - name: names a param that is none
    params: { limmit: 5 }
    expect: { verdict: pass }
  - name: expects what is not so
    expect: { verdict: fail, colour: red }
`,
  'tests/a.cases.yaml': `prompt: a
cases:
  - name: shows what is there
    variables: { loud: true, tags: [x, y] }
    expect: { text: Axy, messages: [{ role: system }] }
  - name: is wrong
    variables: { loud: true, tags: [1] }
    expect: { variable: tags, error: nothing }
`,
}

let report: CasesReport
beforeAll(async () => {
  const engine = await createEngine()
  const catalogue = loadCatalogue()
  const sources = new Map(Object.entries(files))
  const { version, problems } = await buildVersion(sources, { catalogue, typeCheck: false })
  if (version === null) throw new Error(JSON.stringify(problems))
  report = await runCases(version, sources, { engine, catalogue })
  engine.dispose()
})
afterAll(() => expect(report.fuelMax).toBeGreaterThan(0))

describe('cases of guardrails and prompts', () => {
  it('pass, or say what is wrong', () => {
    expect(report.results.map(({ passed }) => passed)).toEqual([true, false, true, true, false, false, false])
    const messages = report.results.flatMap((each) => (each.passed ? [] : [each.message]))
    expect(messages).toEqual([
      'error: expected "nothing", got "The prompt\'s variable \\"tags\\" is not of its type."',
      'the guardrail "guard" does not read the detector "ppi", it reads pii; did you mean "pii"?',
      'no policy declares a param "limmit"; did you mean "limit"?',
      [
        'verdict: expected "fail", got "pass"',
        '"expect" names colour; it can name verdict, action, rule, code, message, said, redacted, error',
      ].join('\n'),
    ])
  })

  it('say which conditions and sections were seen both ways', () => {
    const seen = report.coverage.map(({ kind, policy, conditions }) => [
      kind,
      policy,
      ...conditions.map(({ seenTrue, seenFalse }) => `${Number(seenTrue)}${Number(seenFalse)}`),
    ])
    expect(seen).toEqual([
      ['guardrail', 'guard', '11', '11', '10', '11'],
      ['prompt', 'a', '10', '10'],
      ['prompt', 'end', '01'],
    ])
    const text = formatCoverage(report, { colour: false })
    expect(text).toContain('guard         3/3    3/4')
    expect(text).toContain("guardrails/guard.guardrail.ts:5:3 pii: never false: f.target === 'a/b'")
    expect(text).toContain('prompts/end.prompt.md:5:1 end: never true: {{^loud}}')
  })
})
