import { buildVersion, createEngine, type Engine, loadCatalogue, runProperties } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkTypes } from '../../../policies/typecheck/check-types.ts'

const workspace: Record<string, string> = {
  'signalbox.yaml': `name: acme
connections:
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem }
models:
  cheap: [openai/gpt-5-mini, local/llama3.3]
metadata:
  tier: { enum: [free, paid] }
catalogue:
  local/llama3.3: { input: 0, output: 0, contextTokens: 128000 }
`,
  'policies/large.policy.ts': `import { deny, param, route, rule, use } from '@signalbox/policies'
const limit = param.int('limit', { default: 4000, min: 0, max: 100000 })
export default route('large', { onError: 'continue', rules: [
  rule('too-large', { when: (f) => f.request.bytes >= limit() && f.request.metadata.tier !== 'paid', then: () => deny('TOO_LARGE') }),
  rule('boundary', { when: (f) => f.request.estimate.outputTokens === 7_321, then: () => deny('ODD') }),
  rule('rest', { then: () => use('cheap') }),
] })
`,
}
const head = "import { assert, equal, evalPolicy, facts, property, suite } from '@signalbox/policies/test'\n"
const catalogue = loadCatalogue()
let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

async function run(
  body: string,
  options: { seed?: number; runs?: number } = {},
  files: Record<string, string> = {},
) {
  const all = new Map(Object.entries({ ...workspace, ...files, 'tests/a.test.ts': body }))
  const { version, problems } = await buildVersion(all, { catalogue, typeCheck: false })
  expect(problems).toEqual([])
  if (version === null) throw new Error('does not build')
  return runProperties(version, all, { engine, catalogue, ...options })
}
const inSuite = (tests: string): string => `${head}suite('s', (t) => {\n${tests}\n})\n`
const lines = ({ results }: Awaited<ReturnType<typeof run>>): string[] =>
  results.map(
    ({ line, column, name, passed, message = '' }) => `${line}:${column} ${name}: ${passed ? 'ok' : message}`,
  )

describe('properties', () => {
  it('hold for all facts that are made up, of the kind that was asked for', async () => {
    const report = await run(
      inSuite(`  t.property('paid calls are never too large',
    property.facts({ 'request.metadata.tier': ['paid'], 'request.bytes': { min: 4000, max: 9000 }, 'request.stream': [true] }),
    (f) => {
      assert(f.request.metadata.tier === 'paid' && f.request.bytes >= 4000 && f.request.bytes <= 9000 && f.request.stream)
      return evalPolicy('large', f).rule !== 'too-large'
    }, { runs: 60 })`),
    )
    expect(lines(report)).toEqual(['3:3 s: paid calls are never too large: ok'])
    expect(report.runs).toBe(60)
  })

  it('find the one value that a condition is about, and make the rest of the facts go away', async () => {
    const report = await run(
      inSuite(
        `  t.property('is never odd', property.facts(), (f) => !evalPolicy('large', f, { params: { limit: 100000 } }).reasons.some((r) => r.code === 'ODD'), { runs: 2000 })`,
      ),
    )
    expect(report.results[0]?.message).toMatch(
      /^gave false\n {2}does not hold for \(after \d+ runs, made smaller \d+ times; seed -?\d+\):\n {2}set:\n {4}request\.estimate\.outputTokens: 7321$/,
    )
  })

  it('repeat for the same names and for the same seed', async () => {
    const body = inSuite(
      `  t.property('small', property.facts(), (f) => f.request.bytes < 5000, { runs: 500 })`,
    )
    const [first, second, other] = [await run(body), await run(body), await run(body, { seed: 7 })]
    expect(first.results).toEqual(second.results)
    expect(first.results[0]?.passed).toBe(false)
    expect(other.results[0]?.message).toContain('seed 7)')
    expect(lines(await run(body, { runs: 1, seed: 3 }))[0]).toMatch(/ok$|after 1 runs/)
  })

  it('refuse paths that facts do not have, and choices that are none', async () => {
    const report = await run(
      inSuite(`  t.property('a', property.facts({ 'request.byts': [1] }), () => true)
  t.property('b', property.facts({ 'request.metadata.teir': ['x'] }), () => true)
  t.property('c', property.facts({ 'request.bytes': [] }), () => true)
  t.property('d', property.facts({ 'request.bytes': { min: 5, max: 1 } }), () => true)
  t.property('e', property.facts({}, { base: 'fixtures/none.facts.json' }), () => true)
  t.property('f', property.facts({ 'request.stream': ['yes'] }), () => true)`),
    )
    expect(report.results.map(({ message }) => message)).toEqual([
      'property.facts names request.byts, which is no path of the facts',
      'property.facts names request.metadata.teir, which is no path of the facts',
      'what "request.bytes" may be is a list of values, or { min, max } of whole numbers',
      '"request.bytes" has a "min" above its "max"',
      'there is no file fixtures/none.facts.json',
      'the facts are not valid: request.stream must be boolean',
    ])
  })
})

describe('tests', () => {
  it('ask policies alone and together, with params, and where a rule throws', async () => {
    const report = await run(
      inSuite(`  t.test('asks', () => {
    const f = facts({ 'request.bytes': 5000, 'request.model.requested': 'cheap' })
    equal(evalPolicy('large', f).reasons.map((r) => r.code), ['TOO_LARGE'])
    const d = evalPolicy('bundle:all', f, { params: { limit: 6000 } })
    equal(d.targets, ['openai/gpt-5-mini', 'local/llama3.3'])
    equal(f.model('local/llama3.3').locality, 'on-prem')
    equal(evalPolicy('large', f, { throw: true }).policies[0]?.outcome, 'failed')
    const paid = facts({ 'request.metadata.tier': 'paid' }, f)
    equal(paid.request.bytes, 5000)
    equal(evalPolicy('large', { ...paid, request: { ...paid.request, bytes: 9 } }).rule, 'rest')
  })`),
    )
    expect(lines(report)).toEqual(['3:3 s: asks: ok'])
  })

  it('fail with the message and the place where they threw', async () => {
    const report = await run(
      inSuite(`  t.test('equal', () => equal(1, 2, 'the count'))
  t.test('false', () => false)
  t.test('caught', () => {
    try { evalPolicy('large', facts()) } catch { return true }
    return evalPolicy('large', facts()).rule === 'rest'
  })
  t.test('unknown', () => { evalPolicy('lrge', facts()) })
  t.test('broken', () => {
    const nothing: string[] = []
    return nothing[0]!.length > 1
  })`),
    )
    const [equal, gaveFalse, caught, unknown, broken] = lines(report)
    expect(equal).toContain('the count: expected 2, got 1')
    expect(gaveFalse).toBe('4:3 s: false: gave false')
    expect(caught).toBe('5:3 s: caught: ok')
    expect(unknown).toContain('there is no policy "lrge"; did you mean "large"?')
    expect(broken).toMatch(/cannot read property 'length' of undefined\n {2}at tests\/a\.test\.ts:12:/)
  })

  it('have no way out of the sandbox and no end without limit', async () => {
    const report = await run(
      inSuite(`  t.test('clock', () => typeof (globalThis as { Date?: unknown }).Date === 'undefined')
  t.test('process', () => typeof (globalThis as { process?: unknown }).process === 'undefined')
  t.test('loop', () => { for (;;); })
  t.test('after', () => true)`),
    )
    const [clock, process, loop, after] = lines(report)
    expect([clock, process, after]).toEqual(['3:3 s: clock: ok', '4:3 s: process: ok', '6:3 s: after: ok'])
    expect(loop).toContain('the test broke the sandbox: timeout')
  })

  it('say what is wrong with a file that cannot be loaded, or holds no test', async () => {
    const importing = await run("import { it } from 'vitest'\nit('a', () => {})\n")
    expect(lines(importing)).toEqual(['1:20 the file is valid: cannot import "vitest"'])
    const throwing = await run(`${head}\nthrow new Error('no')\n`)
    expect(throwing.results[0]?.message).toContain('the file cannot be loaded: Error: no')
    expect(lines(await run(head))).toEqual([expect.stringContaining('the file has tests: registers no test')])
  })

  it('may import files of the workspace', async () => {
    const files = { 'policies/lib/limits.ts': 'export const limits = { large: 4000 } as const\n' }
    const report = await run(
      `import { limits } from '../policies/lib/limits.ts'\n${inSuite(`  t.test('imports', () => limits.large === 4000)`)}`,
      {},
      files,
    )
    expect(report.results).toMatchObject([{ passed: true }])
  })
})

describe('the types of tests', () => {
  it('know every path of the facts, the values there, and the metadata of the workspace', async () => {
    const right =
      inSuite(`  t.property('a', property.facts({ 'request.metadata.tier': ['free'], 'request.bytes': { min: 1 } }), (f) => f.request.stream)
  t.test('b', () => { facts({ 'request.model.tier': 'large', 'subject.userId': null }) })`)
    const wrong = inSuite(`  t.test('a', () => { facts({ 'request.byts': 1 }) })
  t.test('b', () => { facts({ 'request.metadata.tier': 'fre' }) })
  t.property('c', property.facts({ 'request.stream': ['yes'] }), () => true)
  t.property('d', property.facts({ 'request.stream': { min: 1 } }), () => true)`)
    const check = (text: string) =>
      checkTypes(new Map(Object.entries({ ...workspace, 'tests/a.test.ts': text })))
    expect(await check(right)).toEqual([])
    expect((await check(wrong)).map(({ line }) => line)).toEqual([3, 4, 5, 6])
  })
})
