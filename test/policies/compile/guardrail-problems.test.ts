import { describe, expect, test } from 'vitest'
import { problemsOf, versionOf } from './builds.ts'

const typescript = 'guardrails/g.guardrail.ts'
const script = (body: string): Record<string, string> => ({
  [typescript]: `import { block, flag, guardrail, redact, refuse, rule } from '@signalbox/policies'
export default guardrail('g', ${body})
`,
})
const rules = (body: string, rest = ''): Record<string, string> =>
  script(`{ direction: 'input', ${rest}rules: [\n  ${body}\n] }`)
const found = async (files: Record<string, string>, typeCheck = false): Promise<string[]> =>
  (await problemsOf(files, typeCheck)).map((each) => each.replace(/^guardrails\/g\.guardrail\./, ''))

describe('a guardrail in TypeScript', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'an unknown fact',
      rules("rule('x', { when: (f) => f.text.char > 5, then: () => flag('X') }),"),
      'ts:3:28 unknown fact "text.char"; did you mean "text.chars"?',
    ],
    [
      'a fact of the answer in a check of the input',
      rules("rule('x', { when: (f) => f.target === 'a/b', then: () => flag('X') }),"),
      'ts:3:28 unknown fact "target"',
    ],
    [
      'undeclared metadata',
      rules("rule('x', { when: (f) => f.metadata.teir === 'free', then: () => flag('X') }),"),
      'ts:3:28 unknown fact "metadata.teir": "metadata" of signalbox.yaml does not declare "teir"; did you mean "tier"?',
    ],
    [
      'an effect of a policy',
      rules("rule('x', { then: () => ({ deny: { code: 'X' } }) as never }),"),
      'ts:3:21 a guardrail says { "block": … }, { "refuse": … }, { "redact": … }, { "flag": … }',
    ],
    [
      'a code that is none',
      rules("rule('x', { then: () => block('no way') }),"),
      'ts:3:21 "code" "no way" is not allowed here',
    ],
    [
      'two rules of one id',
      rules("rule('x', { then: () => flag('X') }), rule('x', { then: () => flag('Y') }),"),
      'ts:3:46 the guardrail "g" has two rules "x"',
    ],
    [
      'a member that it does not have',
      rules("rule('x', { wen: () => true, then: () => flag('X') } as never),"),
      'ts:3:3 unknown member "wen"; did you mean "when"?',
    ],
    ['no rules', script("{ direction: 'input', rules: [] }"), 'ts:2:16 a guardrail needs at least one rule'],
    [
      'text that its window does not declare',
      rules(
        "rule('x', { when: (f) => f.text.last?.includes('a') === true, then: () => flag('X') }),",
        'window: { firstBytes: 10 }, ',
      ),
      'ts:2:16 "text.last" is never there: declare "window": { "lastBytes": … }',
    ],
    [
      'a window that is too large',
      rules(
        "rule('x', { when: (f) => f.text.last !== f.text.first, then: () => flag('X') }),",
        'window: { firstBytes: 8000, lastBytes: 8000 }, ',
      ),
      'ts:2:16 "window" has 16000 bytes, at most 8192 are possible',
    ],
    [
      'detectors that nobody can see',
      rules("rule('x', { when: (f) => Object.keys(f.findings).length > 0, then: () => flag('X') }),"),
      'ts:2:16 it cannot be seen which detectors this guardrail reads: name them in "detectors"',
    ],
    [
      'a detector beside those that it names',
      rules(
        "rule('x', { when: (f) => (f.findings.pii?.hits ?? 0) > 0, then: () => flag('X') }),",
        "detectors: ['secrets'], ",
      ),
      'ts:2:16 "pii" is read but not named in "detectors"',
    ],
    [
      'nothing to redact',
      rules("rule('x', { when: (f) => f.text.chars > 5, then: () => redact('X') }),"),
      'ts:2:16 this guardrail redacts what no detector can find: it reads none',
    ],
  ])('with %s is refused at its place', async (_, files, expected) => {
    expect((await found(files)).join('\n')).toContain(expected)
  })

  test('has facts of its phase: the target is known of an answer, and of nothing else', async () => {
    const of = (direction: string) =>
      script(
        `{ direction: '${direction}', rules: [rule('x', { when: (f) => f.target === 'a/b', then: () => flag('X') })] }`,
      )
    expect(await found(of('output'), true)).toEqual([])
    expect((await found(of('input'), true)).join()).toContain('there is no "target" in f')
    const misspelt = rules("rule('x', { when: (f) => f.text.char > 5, then: () => block('X') }),")
    expect((await found(misspelt, true)).join()).toContain('there is no "char" in f.text')
    const policy = {
      'policies/p.policy.ts': `import { block, constraint, rule } from '@signalbox/policies'
export default constraint('p', { rules: [rule('x', { when: (f) => f.request.stream, then: () => block('X') })] })
`,
    }
    expect((await problemsOf(policy, true)).join()).toContain('not assignable')
  })
})

describe('a guardrail in JSON', () => {
  const json = (body: string): Record<string, string> => ({
    'guardrails/g.guardrail.json': `{ "kind": "guardrail", "id": "g", "direction": "input",\n ${body} }`,
  })
  test.each<[string, string, string]>([
    [
      'neither rules nor a condition',
      '"then": { "flag": { "code": "X" } }',
      'json:1:1 a guardrail without "rules" needs the member "when"',
    ],
    [
      'rules and a condition',
      '"when": true, "rules": [{ "id": "x", "then": { "flag": { "code": "X" } } }]',
      'json:2:2 "when" belongs into a rule: this guardrail has "rules"',
    ],
    [
      'a refusal without words',
      '"rules": [{ "id": "x", "then": { "refuse": { "code": "X" } } }]',
      'json:2:45 "refuse" needs the member "message"',
    ],
    [
      'an unknown detector member',
      '"rules": [{ "id": "x", "when": { "gt": [{ "fact": "findings.pii.hist", "or": 0 }, 0] }, "then": { "flag": { "code": "X" } } }]',
      'unknown fact "findings.pii.hist"; did you mean "findings.pii.hits"?',
    ],
    [
      'an empty window',
      '"window": {}, "when": true, "then": { "flag": { "code": "X" } }',
      'json:2:12 "window" needs at least 1 member',
    ],
    [
      'a window that nothing reads',
      '"window": { "lastBytes": 9 }, "when": true, "then": { "flag": { "code": "X" } }',
      'warning: "window" hands over "text.last", which nothing reads',
    ],
  ])('with %s is told so at its place', async (_, body, expected) => {
    expect((await found(json(body))).join('\n')).toContain(expected)
  })
})

test('the version says which detectors and which text a guardrail needs, and nothing else', async () => {
  const version = await versionOf({
    [typescript]: `import { guardrail, redact, flag, rule } from '@signalbox/policies'
export default guardrail('g', { direction: 'output', window: { lastBytes: 512 }, description: 'd', rules: [
  rule('keys', { when: (f) => (f.findings.secrets?.hits ?? 0) > 0 && f.metadata.tier === 'free', then: () => flag('K') }),
  rule('mail', { when: (f) => f.text.last !== '', then: () => redact('M', { detectors: ['pii'], kinds: ['email'] }) }),
] })
`,
  })
  expect(version.compiled.guardrails).toEqual([
    {
      id: 'g',
      file: typescript,
      direction: 'output',
      description: 'd',
      detectors: ['pii', 'secrets'],
      window: { lastBytes: 512 },
      params: {},
      reads: ['findings.secrets.hits', 'metadata.tier', 'text.last'],
      rules: [
        {
          id: 'keys',
          line: 3,
          column: 3,
          conditions: [
            { text: '(f.findings.secrets?.hits ?? 0) > 0', reads: ['findings.secrets.hits'], lifted: true },
            { text: "f.metadata.tier === 'free'", reads: ['metadata.tier'], lifted: true },
          ],
        },
        {
          id: 'mail',
          line: 4,
          column: 3,
          conditions: [{ text: "f.text.last !== ''", reads: ['text.last'], lifted: true }],
        },
      ],
    },
  ])
})
