import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkTypes } from '../../../policies/typecheck/check-types.ts'

const workspace = `name: acme
metadata:
  tier: { enum: [free, paid] }
  feature: { type: string }
  seats: { type: integer }
`
const policy = (when: string, then = "use('openai/gpt-5-mini')"): string =>
  `import { route, rule, use } from '@signalbox/policies'
export default route('r', { rules: [
  rule('a', {
    when: (f) => ${when},
    then: () => ${then},
  }),
] })
`
const check = (files: Record<string, string>, limits = {}) =>
  checkTypes(new Map(Object.entries({ 'signalbox.yaml': workspace, ...files })), { limits })
const checkPolicy = (when: string, then?: string) => check({ 'policies/a.policy.ts': policy(when, then) })

describe('checkTypes', () => {
  it('finds nothing in a sound policy', async () => {
    expect(
      await checkPolicy("f.request.metadata.tier === 'free' && (f.request.metadata.seats ?? 0) > 3"),
    ).toEqual([])
  })

  it('has nothing to do in a workspace of JSON', async () => {
    expect(await check({ 'policies/a.policy.json': '{' })).toEqual([])
  })

  it('says file, line, column and code of what does not fit', async () => {
    expect(await checkPolicy('true', 'use(42)')).toEqual([
      {
        severity: 'error',
        code: 'TS2769',
        file: 'policies/a.policy.ts',
        line: 5,
        column: 21,
        message: expect.stringContaining("'number' is not assignable"),
      },
    ])
  })

  it('knows the metadata that the workspace declares, and only those', async () => {
    const [value] = await checkPolicy("f.request.metadata.tier === 'payd'")
    expect(value).toMatchObject({
      code: 'TS2367',
      line: 4,
      message: expect.stringContaining('"free" | "paid"'),
    })
    const [name] = await checkPolicy("f.request.metadata.teir === 'paid'")
    expect(name).toMatchObject({ code: expect.stringMatching(/^TS2(339|551)$/), line: 4 })
    const [missing] = await checkPolicy("f.request.metadata.feature.startsWith('a')")
    expect(missing).toMatchObject({ code: 'TS18048', line: 4 })
  })

  it('knows no facts beside those of the schema', async () => {
    const [problem] = await checkPolicy('f.request.model.requestd === "a"')
    expect(problem).toMatchObject({ code: 'TS2551', file: 'policies/a.policy.ts' })
  })

  it('reports a broken file with its place', async () => {
    const [problem] = await check({ 'policies/deep/x.policy.ts': 'export default {\n  a: 1,,\n}' })
    expect(problem).toMatchObject({ file: 'policies/deep/x.policy.ts', line: 2, code: 'TS1136' })
  })

  it('checks guardrails and what policies import from beside them', async () => {
    const problems = await check({
      'guardrails/g.guardrail.ts':
        "import { flag, guardrail } from '@signalbox/policies'\nguardrail(1, flag)\n",
      'policies/names.ts': 'export const small: number = "a"\n',
      'policies/a.policy.ts': "import { small } from './names.ts'\nexport const text: string = small\n",
    })
    expect(problems.map(({ file, code }) => `${file} ${code}`)).toEqual([
      'guardrails/g.guardrail.ts TS2345',
      'policies/a.policy.ts TS2322',
      'policies/names.ts TS2322',
    ])
  })

  it('leaves the test runner of tests to their author', async () => {
    const text = "import { test } from 'vitest'\ntest('a', () => {})\nconst n: number = 'a'\n"
    const problems = await check({ 'tests/a.test.ts': text })
    expect(problems).toMatchObject([{ file: 'tests/a.test.ts', line: 3, code: 'TS2322' }])
  })

  it('tells nothing of files outside the workspace', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-outside-'))
    writeFileSync(join(folder, 'secret.ts'), "export const secret = { rootKey: 'sbr_1' } as const\n")
    writeFileSync(join(folder, 'secret.json'), '{ "rootKey": "sbr_1" }')
    writeFileSync(join(folder, 'secret-too.js'), "export const secret = { rootKey: 'sbr_1' }\n")
    const outside = join(folder, 'secret.ts')
    const sneaky = outside.replace('/', '\\u002f')
    for (const first of [
      `import { secret } from '${outside}'\nexport const n: number = secret`,
      `import { secret } from '${sneaky}'\nexport const n: number = secret`,
      `export const n: import('${outside}').none = 1`,
      `import secret from '${outside.replace('.ts', '.json')}'\nexport const n: number = secret`,
      `import { secret } from '${outside.replace('.ts', '-too.js')}'\nexport const n: number = secret`,
      `/// <reference path="${outside}" />\nexport const n: number = 'a'`,
    ]) {
      const problems = await check({ 'policies/a.policy.ts': first })
      expect(problems).toMatchObject([{ code: 'importOutside' }])
      expect(JSON.stringify(problems)).not.toMatch(/rootKey|sbr_1/)
    }
    rmSync(folder, { recursive: true })
  })

  it('does not resolve packages of this machine', async () => {
    const [problem] = await check({ 'policies/a.policy.ts': "import 'yaml'\n" })
    expect(problem).toMatchObject({ code: 'TS2882', file: 'policies/a.policy.ts', line: 1 })
  })

  it('ends a check that takes too long, needs too much memory or writes too much', async () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, at) => `export const n${at}: { a: ${at} } = { a: '${at}' }`,
    )
    const large = { 'policies/a.policy.ts': lines.join('\n') }
    const limits = [{ timeoutMs: 50 }, { memoryBytesMax: 32 * 1024 * 1024 }, { outputBytesMax: 1000 }]
    const messages = []
    for (const limit of limits) {
      const problems = await check(large, limit)
      expect(problems).toMatchObject([{ severity: 'error', code: 'typeCheckLimit', file: 'signalbox.yaml' }])
      messages.push(problems[0]?.message)
    }
    expect(messages).toEqual([
      'The type check needs more than 50 ms.',
      'The type check needs more than 33554432 bytes of memory.',
      'The type check needs more than 1000 bytes of messages.',
    ])
  })

  it('reports no more problems than anybody reads', async () => {
    const lines = Array.from({ length: 500 }, (_, at) => `export const n${at}: number = ''`)
    expect(await check({ 'policies/a.policy.ts': lines.join('\n') })).toHaveLength(100)
  })

  it('leaves nothing behind', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('signalbox-types-'))
    await checkPolicy('true')
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith('signalbox-types-'))
    expect(after.filter((name) => !before.includes(name))).toEqual([])
  })
})
