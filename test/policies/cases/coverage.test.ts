import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  buildVersion,
  type CasesReport,
  coverageProblems,
  createEngine,
  type Engine,
  formatFuel,
  loadCatalogue,
  runCases,
  shortfalls,
  uncovered,
} from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { figuresOf } from '../../../policies/cases/coverage-figures.ts'

const workspace: Record<string, string> = {
  'signalbox.yaml': `name: acme
models:
  cheap: [openai/gpt-5-mini]
safeRoute: cheap
metadata:
  tier: { enum: [free, paid] }
environments:
  production: { coverage: 100 }
`,
  'policies/gate.policy.ts': `import { constraint, deny, only, rule } from '@signalbox/policies'
export default constraint('gate', { onError: 'deny', rules: [
  rule('free', {
    when: (f) => f.request.metadata.tier === 'free' && f.request.stream,
    then: (f) => f.request.messages.chars > 10 ? deny('LONG') : deny('SHORT'),
  }),
  rule('large', {
    when: (f) => f.request.bytes > 1000,
    then: () => only({ target: 'openai/gpt-5-mini' }, { code: 'TOO_LARGE' }),
    onError: 'continue',
  }),
] })
`,
  'policies/choice.policy.json': JSON.stringify({
    kind: 'route',
    id: 'choice',
    rules: [{ id: 'all', then: { use: { model: 'cheap' } } }],
  }),
  'guardrails/keys.guardrail.json': JSON.stringify({
    kind: 'guardrail',
    id: 'keys',
    direction: 'input',
    when: { gt: [{ fact: 'text.chars' }, 5] },
    then: { block: { code: 'KEY' } },
  }),
  'prompts/hello.prompt.md': '---\nname: hello\n---\nHello.\n',
}
const catalogue = loadCatalogue()
let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

async function run(files: Record<string, string>, updateSnapshotsIn?: string): Promise<CasesReport> {
  const all = new Map(Object.entries({ ...workspace, ...files }))
  const { version, problems } = await buildVersion(all, { catalogue, typeCheck: false })
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  if (version === null) throw new Error('does not build')
  const update = updateSnapshotsIn === undefined ? {} : { updateSnapshotsIn }
  return runCases(version, all, { engine, catalogue, ...update })
}
const gate = (cases: string): Record<string, string> => ({
  'tests/gate.cases.yaml': `policy: gate\nfacts: { request: { bytes: 10 } }\ncases:\n${cases}`,
})
const figures = (report: CasesReport, policy: string): Record<string, string> => {
  const found = report.coverage.find((each) => each.policy === policy)
  if (found === undefined) throw new Error(`no coverage of ${policy}`)
  const entries = Object.entries(figuresOf(found))
  return Object.fromEntries(entries.map(([name, { covered, total }]) => [name, `${covered}/${total}`]))
}
const missing = (report: CasesReport): string[] =>
  uncovered(report.coverage).map(({ file, line, message }) => `${file}:${line} ${message}`)
const fullCases = `  - { name: short, set: { request.metadata.tier: free, request.stream: true, request.messages.chars: 1 }, expect: { effect: deny } }
  - { name: long, set: { request.metadata.tier: free, request.stream: true }, expect: { effect: deny } }
  - { name: plain, set: { request.metadata.tier: free }, expect: { effect: noEffect } }
  - { name: paid, set: { request.metadata.tier: paid, request.bytes: 2000 }, expect: { effect: narrow } }
  - { name: broken, throw: free, expect: { effect: deny, error: exception } }
  - { name: passed over, throw: large, expect: { effect: failed, plan.target: openai/gpt-5-mini } }
`
const others: Record<string, string> = {
  'tests/choice.cases.yaml': 'policy: choice\ncases:\n  - { name: a, expect: { rule: all } }\n',
  'tests/keys.cases.yaml':
    'guardrail: keys\ncases:\n  - { name: a, text: abcdefgh, expect: { verdict: fail } }\n  - { name: b, expect: { verdict: pass } }\n  - { name: c, throw: true, expect: { verdict: error } }\n',
  'tests/hello.cases.yaml': 'prompt: hello\ncases:\n  - { name: a, expect: { text: "Hello.\\n" } }\n',
}

describe('coverage', () => {
  it('counts rules, outcomes, branches, reasons and ways out of an error', async () => {
    const report = await run({ ...gate(fullCases), ...others })
    expect(report.results.filter(({ passed }) => !passed)).toEqual([])
    expect(figures(report, 'gate')).toEqual({
      rules: '2/2',
      'both-outcomes': '3/3',
      branches: '4/4',
      reasons: '3/3',
      'on-error': '2/2',
      lifted: '3/3',
    })
    expect(figures(report, 'choice')).toMatchObject({ rules: '1/1', branches: '1/1', 'on-error': '0/0' })
    expect(figures(report, 'keys')).toEqual({
      rules: '1/1',
      'both-outcomes': '1/1',
      branches: '2/2',
      reasons: '1/1',
      'on-error': '1/1',
      lifted: '1/1',
    })
    expect(figures(report, 'hello')).toMatchObject({ rules: '1/1', 'on-error': '0/0' })
    expect(missing(report)).toEqual([])
  })

  it('names what no case saw, at its place and with what to do', async () => {
    const report = await run(
      gate(`  - { name: a, set: { request.metadata.tier: free, request.stream: true }, expect: { effect: deny } }
`),
    )
    expect(missing(report)).toEqual([
      'policies/choice.policy.json:1 all: never matched',
      "policies/gate.policy.ts:3 free: never false: f.request.metadata.tier === 'free'",
      'policies/gate.policy.ts:3 free: never false: f.request.stream',
      'policies/gate.policy.ts:7 large: never true: f.request.bytes > 1000',
      'policies/gate.policy.ts:5 free: never gave the reason SHORT',
      'policies/gate.policy.ts:3 onError of the policy: never taken (add to the cases of "policy: gate": { name: breaks, throw: true, expect: { error: exception } })',
      'policies/gate.policy.ts:7 onError of large: never taken (add to the cases of "policy: gate": { name: breaks, throw: large, expect: { error: exception } })',
      'guardrails/keys.guardrail.json:1 keys: never true or false: {"gt":[{"fact":"text.chars"},5]}',
      'guardrails/keys.guardrail.json:1 onError of the guardrail: never taken (add to the cases of "guardrail: keys": { name: breaks, throw: true, expect: { error: exception } })',
      'prompts/hello.prompt.md:1 hello: never rendered',
    ])
  })

  it('is refused below a threshold, with the figures', async () => {
    const files = { ...gate(fullCases.split('\n').slice(1).join('\n')), ...others }
    const { coverage } = await run(files)
    const sources = new Map(Object.entries({ ...workspace, ...files }))
    expect(shortfalls(coverage, { all: 90, 'both-outcomes': 100 })).toEqual([])
    expect(shortfalls(coverage, { reasons: 100 })).toEqual([
      'coverage of reasons is 75 % (3 of 4), 100 % is needed',
    ])
    expect(coverageProblems(coverage, sources, 'staging')).toEqual([])
    expect(coverageProblems(coverage, sources, 'production')).toMatchObject([
      {
        severity: 'error',
        code: 'coverage',
        line: 8,
        column: 27,
        message: expect.stringMatching(
          /^coverage is 9\d % \(\d+ of \d+\), 100 % is needed for the environment/,
        ),
      },
      { severity: 'warning', code: 'uncovered', message: 'free: never gave the reason SHORT' },
    ])
  })

  it('comes with the fuel and the facts of each policy', async () => {
    const { fuel, fuelMax } = await run({ ...gate(fullCases), ...others })
    expect(fuel.map(({ policy, evaluations }) => [policy, evaluations])).toEqual([
      ['choice', 1],
      ['gate', 6],
      ['guardrail keys', 3],
    ])
    for (const each of fuel) {
      expect(each.fuelP50).toBeGreaterThan(0)
      expect(each.fuelP99).toBeLessThanOrEqual(each.fuelMax)
      expect(each.factsBytesMax).toBeGreaterThan(50)
    }
    expect(fuelMax).toBe(Math.max(...fuel.map((each) => each.fuelMax)))
    expect(formatFuel({ fuel }, { colour: false })).toMatch(/fuel max [\d,]+ of 1,000,000 \(.* of 16,384 B/)
  })
})

const answers: Record<string, string> = {
  'guardrails/answers.guardrail.ts': `import { block, flag, guardrail, redact, rule } from '@signalbox/policies'
export default guardrail('answers', { direction: 'output', rules: [
  rule('long', {
    when: (f) => f.text.chars > 10,
    then: (f) => f.text.chars > 20 ? block('VERY_LONG') : flag('LONG'),
  }),
  rule('people', {
    when: (f) => (f.findings.pii?.hits ?? 0) > 0,
    then: () => redact('PEOPLE'),
    onError: 'continue',
  }),
  rule('always', { then: () => flag('SEEN') }),
] })
`,
}
const answersCases = (cases: string): Record<string, string> => ({
  ...answers,
  'tests/answers.cases.yaml': `guardrail: answers\ncases:\n${cases}`,
})
const answersMissing = (report: CasesReport): string[] =>
  missing(report).filter((each) => each.includes('answers'))

describe('coverage of a guardrail', () => {
  it('counts the codes that its rules give, and each way out of an error', async () => {
    const report = await run(
      answersCases(`  - { name: a, text: some characters, findings: { pii: { hits: 1 } }, expect: { code: PEOPLE } }
  - { name: b, text: few, expect: { code: SEEN } }
`),
    )
    expect(report.results.filter(({ passed }) => !passed)).toEqual([])
    expect(figures(report, 'answers')).toEqual({
      rules: '3/3',
      'both-outcomes': '2/2',
      branches: '5/5',
      reasons: '3/4',
      'on-error': '0/2',
      lifted: '2/2',
    })
    expect(answersMissing(report)).toEqual([
      'guardrails/answers.guardrail.ts:5 long: never gave the reason VERY_LONG',
      'guardrails/answers.guardrail.ts:3 onError of the guardrail: never taken (add to the cases of "guardrail: answers": { name: breaks, throw: true, expect: { error: exception } })',
      'guardrails/answers.guardrail.ts:7 onError of people: never taken (add to the cases of "guardrail: answers": { name: breaks, throw: people, expect: { error: exception } })',
    ])
  })

  it('is seen where one rule throws and the others are asked', async () => {
    const report = await run(
      answersCases(`  - { name: a, throw: people, text: few, expect: { verdict: fail, code: SEEN } }
  - { name: b, throw: long, text: few, expect: { verdict: error, rule: long, error: exception } }
  - { name: c, throw: always, text: few, expect: { verdict: fail } }
  - { name: d, throw: lon, text: few, expect: { verdict: fail } }
`),
    )
    expect(figures(report, 'answers')).toMatchObject({ 'on-error': '2/2', branches: '2/5' })
    expect(report.results.map(({ message }) => message)).toEqual([
      undefined,
      undefined,
      'the rule always never can throw: without a condition, it says what reads nothing',
      '"throw" names the rule lon, which is not there; did you mean "long"?',
    ])
  })

  it('knows a TypeScript guardrail that is one rule', async () => {
    const report = await run({
      'guardrails/one.guardrail.ts': `import { block, guardrail } from '@signalbox/policies'
export default guardrail('one', {
  direction: 'input',
  when: (f) => f.text.chars > 10,
  then: (f) => f.text.chars > 20 ? block('VERY_LONG') : block('LONG'),
  onError: 'continue',
})
`,
      'tests/one.cases.yaml':
        'guardrail: one\ncases:\n  - { name: a, throw: true, expect: { verdict: pass } }\n  - { name: b, text: some characters, expect: { code: LONG } }\n',
    })
    expect(report.results.filter(({ passed }) => !passed)).toEqual([])
    expect(figures(report, 'one')).toMatchObject({ reasons: '1/2', 'on-error': '1/1' })
  })
})

describe('coverage of a prompt', () => {
  it('asks for a value that it refuses where it has variables', async () => {
    const prompt = {
      'prompts/greet.prompt.md':
        '---\nname: greet\nvariables:\n  who: { type: string, maxLength: 5 }\n---\nHello {{ who }}.\n',
    }
    const cases =
      'prompt: greet\ncases:\n  - { name: a, variables: { who: Ada }, expect: { text: "Hello Ada.\\n" } }\n'
    const without = await run({ ...prompt, 'tests/greet.cases.yaml': cases })
    expect(missing(without)).toContain(
      'prompts/greet.prompt.md:1 never refused a value (add a case with a variable that does not fit, and expect "error")',
    )
    const refused = `${cases}  - { name: b, variables: { who: Adelaide }, expect: { variable: who } }\n`
    const report = await run({ ...prompt, 'tests/greet.cases.yaml': refused })
    expect(figures(report, 'greet')).toMatchObject({ rules: '1/1', 'on-error': '1/1' })
  })
})

describe('cases that are yet to be written', () => {
  it('are reported and not run', async () => {
    const report = await run(gate('  - { name: later, todo: what about images }\n'))
    expect(report).toMatchObject({ passed: 0, failed: 0, todo: 1 })
    expect(report.results).toMatchObject([{ name: 'later', passed: true, todo: true, line: 4 }])
  })

  it('expect nothing', async () => {
    const report = await run(gate('  - { name: later, todo: true, expect: { effect: deny } }\n'))
    expect(report.results[0]?.message).toContain('is a "todo" and expects something')
  })
})

describe('a case that makes one rule throw', () => {
  it('says where there is no such rule, or the rule is not asked', async () => {
    const report = await run({
      ...gate('  - { name: a, throw: fre, expect: { effect: deny } }\n'),
      'policies/two.policy.ts': `import { continueRoute, route, rule, use } from '@signalbox/policies'
export default route('two', { rules: [
  rule('first', { when: (f) => f.request.bytes > 1, then: () => use('cheap') }),
  rule('second', { when: (f) => f.request.stream, then: () => continueRoute() }),
] })
`,
      'tests/two.cases.yaml':
        'policy: two\ncases:\n  - { name: b, throw: second, expect: { effect: deny } }\n',
    })
    expect(report.results.map(({ message }) => message)).toEqual([
      '"throw" names the rule fre, which is not there; did you mean "free"?',
      '"throw" shows nothing: with these facts the policy does not ask the rule',
    ])
  })
})

describe('snapshots of no case', () => {
  it('are told of, and removed by an update', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-stale-'))
    const stored = 'tests/__snapshots__'
    mkdirSync(join(folder, stored), { recursive: true })
    const snapshots = {
      [`${stored}/gate.json`]: JSON.stringify({ gone: 1 }),
      [`${stored}/old.json`]: '{}',
    }
    for (const [path, text] of Object.entries(snapshots)) writeFileSync(join(folder, path), text)
    const files = { ...gate('  - { name: kept, snapshot: true }\n'), ...snapshots }
    const report = await run(files)
    expect(report.problems.map(({ file, message }) => `${file} ${message}`)).toEqual([
      `${stored}/gate.json 1 snapshots of no case ("gone"); -u removes them`,
      `${stored}/old.json no cases file has these snapshots; -u removes them`,
    ])
    expect((await run(files, folder)).problems).toEqual([])
    expect(readdirSync(join(folder, stored))).toEqual(['gate.json'])
    const text = readFileSync(join(folder, stored, 'gate.json'), 'utf8')
    expect(Object.keys(JSON.parse(text))).toEqual(['kept'])
    const changed = await run({ ...files, [`${stored}/gate.json`]: text.replace('"noEffect"', '"denied"') })
    expect(changed.results[0]?.message).toBe(
      `differs from ${stored}/gate.json:\n  policies[0].outcome: expected "denied", got "noEffect"`,
    )
    rmSync(folder, { recursive: true })
  })
})
