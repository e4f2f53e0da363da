import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildVersion, createEngine, type Engine, loadCatalogue } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CasesReport, runCases } from '../../../policies/cases/run-cases.ts'

const workspace: Record<string, string> = {
  'signalbox.yaml': `name: acme
connections:
  openai: { provider: openai, credential: env:OPENAI_API_KEY }
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem }
models:
  smart: [openai/gpt-5.5, local/llama3.3]
  cheap: [openai/gpt-5-mini]
metadata:
  tier: { enum: [free, paid] }
environments:
  staging: { models: { smart: [local/llama3.3] } }
`,
  'policies/first.policy.ts': `import { param, route, rule, use } from '@signalbox/policies'
const words = param.int('long_chars', { default: 1000, min: 0, max: 100000 })
export default route('first', { rules: [
  rule('long', { when: (f) => f.request.messages.chars > words(), then: () => use('smart') }),
] })
`,
  'policies/second.policy.ts': `import { deny, route, rule, use } from '@signalbox/policies'
export default route('second', { rules: [
  rule('free', { when: (f) => f.request.metadata.tier === 'free' && f.request.stream, then: () => deny('NO_FREE_STREAMS', { http: 402 }) }),
  rule('other', { then: () => use('cheap') }),
] })
`,
  'policies/guard.policy.json': JSON.stringify({
    kind: 'constraint',
    id: 'guard',
    onError: 'deny',
    rules: [
      {
        id: 'night',
        when: {
          all: [{ gte: [{ fact: 'request.bytes' }, 0] }, { gte: [{ fact: 'nowMs' }, Date.UTC(2027, 0, 1)] }],
        },
        then: { deny: { code: 'TOO_LATE' } },
      },
    ],
  }),
}
let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

async function run(
  files: Record<string, string>,
  options: { updateSnapshotsIn?: string } = {},
): Promise<CasesReport> {
  const all = new Map(Object.entries({ ...workspace, ...files }))
  const catalogue = loadCatalogue()
  const { version, problems } = await buildVersion(all, { catalogue, typeCheck: false })
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  if (version === null) throw new Error('does not build')
  return runCases(version, all, { engine, catalogue, ...options })
}
const runFile = (text: string) => run({ 'tests/a.cases.yaml': text })
const lines = (report: CasesReport): string[] =>
  report.results.map(({ file, line, column, name, passed, message = '' }) =>
    passed ? `ok ${name}` : `${file}:${line}:${column} ${name}: ${message}`,
  )

describe('cases of one policy', () => {
  it('ask that policy alone', async () => {
    const report = await runFile(`policy: second
facts: { request: { messages: { chars: 50000 } } }
cases:
  - { name: chooses, expect: { effect: allow, rule: other, plan.target: openai/gpt-5-mini } }
  - name: denies
    set: { request.metadata.tier: free, request.stream: true }
    expect: { effect: deny, rule: free, reasons: [{ code: NO_FREE_STREAMS, http: 402 }] }
`)
    expect(lines(report)).toEqual(['ok chooses', 'ok denies'])
    expect(report).toMatchObject({ passed: 2, failed: 0, problems: [] })
    expect(report.fuelMax).toBeGreaterThan(0)
  })

  it('tell a rule that leaves the choice from one that makes it', async () => {
    const report = await runFile(`policy: first
cases:
  - { name: short, expect: { effect: continue, rule: null } }
  - { name: long, set: { request.messages.chars: 1001 }, expect: { effect: allow, rule: long } }
  - { name: param, params: { long_chars: 5000 }, set: { request.messages.chars: 1001 }, expect: { effect: noEffect } }
`)
    expect(lines(report)).toEqual(['ok short', 'ok long', 'ok param'])
  })

  it('show the place, what was expected and what came', async () => {
    const report = await runFile(`policy: first
cases:
  - name: wrong
    expect: { effect: deny, rule: long }
`)
    expect(lines(report)).toEqual([
      'tests/a.cases.yaml:3:5 wrong: effect: expected "deny", got "noEffect"\nrule: expected "long", got nothing\n' +
        'policies/first.policy.ts:4 long did not match:\n  FALSE request.messages.chars 100 > long_chars 1,000',
    ])
    expect(report).toMatchObject({ passed: 0, failed: 1 })
  })

  it('make every combination of a matrix a case', async () => {
    const report = await runFile(`policy: second
cases:
  - name: both
    matrix: { request.metadata.tier: [free, paid], request.stream: [true, false] }
    expect: { rule: other }
`)
    expect(lines(report)).toEqual([
      expect.stringMatching(
        /^tests\/a\.cases\.yaml:3:5 both \[request\.metadata\.tier=free, request\.stream=true\]: rule: /,
      ),
      'ok both [request.metadata.tier=free, request.stream=false]',
      'ok both [request.metadata.tier=paid, request.stream=true]',
      'ok both [request.metadata.tier=paid, request.stream=false]',
    ])
  })

  it('take the time and the environment that the file or the case says', async () => {
    const report = await runFile(`bundle: all
now: 2027-01-01T00:00:00Z
facts: { request: { messages: { chars: 50000 } } }
cases:
  - { name: late, expect: { effect: deny, policy: guard, rule: night, reasons: [{ code: TOO_LATE, policy: guard }] } }
  - { name: early, now: 2026-12-31T23:59:59.999Z, expect: { policy: first, plan.strategy: ordered } }
  - { name: staging, now: 2026-06-01T00:00:00Z, environment: staging, expect: { plan.target: local/llama3.3 } }
`)
    expect(lines(report)).toEqual(['ok late', 'ok early', 'ok staging'])
  })
})

describe('a case that makes the policy throw', () => {
  it('sees what the policy does when it breaks', async () => {
    const constraint =
      'policy: guard\ncases:\n  - { name: a, throw: true, expect: { effect: deny, error: exception } }\n'
    const report = await run({
      'tests/a.cases.yaml': constraint,
      'tests/b.cases.yaml':
        'policy: first\ncases:\n  - { name: b, throw: true, expect: { effect: deny, rule: long } }\n',
      'tests/c.cases.yaml': 'policy: plain\ncases:\n  - { name: c, throw: true, expect: { effect: deny } }\n',
      'tests/d.cases.yaml': 'bundle: all\ncases:\n  - { name: d, throw: true, expect: { effect: deny } }\n',
      'policies/plain.policy.ts': `import { route, rule, use } from '@signalbox/policies'
export default route('plain', { rules: [rule('all', { then: () => use('cheap') })] })
`,
    })
    expect(lines(report)).toEqual([
      'ok a',
      'ok b',
      expect.stringMatching(/^tests\/c\.cases\.yaml:3:23 c: no rule of the policy can throw/),
      'tests/d.cases.yaml:3:5 the file is valid: "throw" needs a single policy',
    ])
  })
})

describe('broken cases', () => {
  it('fail with their place and what would be right', async () => {
    const report = await runFile(`policy: first
cases:
  - { name: path, set: { request.mesages.chars: 1 }, expect: { effect: continue } }
  - { name: metadata, set: { request.metadata.teir: free }, expect: { effect: continue } }
  - { name: value, set: { request.metadata.tier: gold }, expect: { effect: continue } }
  - { name: type, set: { request.stream: 1 }, expect: { effect: continue } }
  - { name: param, params: { long_char: 1 }, expect: { effect: continue } }
  - { name: range, params: { long_chars: -1 }, expect: { effect: continue } }
  - { name: fixture, facts: fixtures/bse.facts.json, expect: { effect: continue } }
  - { name: expectation, expect: { efect: continue } }
  - { name: inline, facts: { request: 5 }, expect: { effect: continue } }
  - { name: matrix, matrix: { seed: [${'0,'.repeat(64)}], nowMs: [${'0,'.repeat(64)}] }, expect: { effect: continue } }
`)
    const wanted = [
      '"set" names request.mesages.chars, which is no path of the facts',
      'signalbox.yaml declares no metadata "teir"',
      'no call can have this metadata: tier must be one of free, paid',
      'the facts are not valid: request.stream must be boolean',
      'no policy declares a param "long_char"; did you mean "long_chars"?',
      'param "long_chars" cannot be -1',
      'there is no file fixtures/bse.facts.json',
      '"expect" names efect; it can name effect',
      'the facts are not valid: request must be object',
      'the matrix has 4096 combinations',
    ]
    expect(report.results.map(({ line }) => line)).toEqual(wanted.map((_, index) => index + 3))
    for (const [index, text] of wanted.entries()) expect(report.results[index]?.message).toContain(text)
    expect(report.failed).toBe(wanted.length)
  })

  it('fail where the file or what it names is wrong, and leave other files alone', async () => {
    const report = await run({
      'tests/a.cases.yaml': 'policy: frist\ncases:\n  - { name: a, expect: { effect: continue } }\n',
      'tests/b.cases.yaml': 'policy: first\ncasse: []\n',
      'tests/c.cases.yml': 'policy: first\ncases:\n  - { name: a, expect: { effect: continue } }\n',
      'tests/d.cases.yaml': 'guardrail: none\ncases:\n  - { name: a, expect: { verdict: pass } }\n',
      'tests/e.cases.yaml': 'prompt: none\ncases:\n  - { name: a, expect: { text: a } }\n',
    })
    expect(lines(report)).toEqual([
      'tests/a.cases.yaml:1:9 the file is valid: there is no policy "frist"; did you mean "first"?',
      'tests/b.cases.yaml:2:1 the file is valid: unknown member "casse"; did you mean "cases"?',
      'ok a',
      'tests/d.cases.yaml:1:12 the file is valid: there is no guardrail "none"',
      'tests/e.cases.yaml:1:9 the file is valid: there is no prompt "none"',
    ])
  })

  it('warn where there are none', async () => {
    const report = await run({})
    expect(report).toMatchObject({ results: [], passed: 0, failed: 0 })
    expect(report.problems).toMatchObject([{ severity: 'warning', code: 'noCases' }])
  })
})

describe('snapshots', () => {
  const cases = `policy: second
cases:
  - { name: kept, matrix: { request.stream: [true, false] }, snapshot: true }
`
  it('are written when asked, compared otherwise, and fail where missing or different', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-snapshots-'))
    mkdirSync(join(folder, 'tests'))
    const files = { 'tests/deep/a.cases.yaml': cases }
    const missing = await run(files)
    expect(missing.failed).toBe(2)
    expect(missing.results[0]?.message).toContain('tests/__snapshots__/deep/a.json has no snapshot of it')
    expect((await run(files, { updateSnapshotsIn: folder })).failed).toBe(0)
    const text = readFileSync(join(folder, 'tests/__snapshots__/deep/a.json'), 'utf8')
    const path = 'tests/__snapshots__/deep/a.json'
    expect((await run({ ...files, [path]: text })).failed).toBe(0)
    const changed = await run({ ...files, [path]: text.replace('gpt-5-mini', 'gpt-5') })
    expect(changed.failed).toBe(1)
    expect(changed.results[0]?.message).toContain('differs from tests/__snapshots__/deep/a.json')
    expect(lines(await run({ ...files, [path]: '{' }))).toEqual([
      'tests/deep/a.cases.yaml:1:1 the file is valid: tests/__snapshots__/deep/a.json is not JSON',
    ])
    rmSync(folder, { recursive: true })
  })
})

describe('coverage', () => {
  it('says which conditions were seen true and false by cases that asked about the policy', async () => {
    const { coverage } = await runFile(`policy: second
cases:
  - { name: one, set: { request.metadata.tier: free, request.stream: false }, expect: { rule: other } }
`)
    const seen = coverage.map(({ policy, conditions }) => ({
      policy,
      conditions: conditions.map(({ rule, seenTrue, seenFalse }) => [rule, seenTrue, seenFalse]),
    }))
    const second = seen.find(({ policy }) => policy === 'second')
    expect(second?.conditions.some(([, seenTrue]) => seenTrue)).toBe(true)
    expect(second?.conditions.some(([, , seenFalse]) => seenFalse)).toBe(true)
    expect(second?.conditions.every(([, seenTrue, seenFalse]) => seenTrue && seenFalse)).toBe(false)
    expect(seen.find(({ policy }) => policy === 'first')?.conditions).toEqual([['long', false, false]])
  })
})
