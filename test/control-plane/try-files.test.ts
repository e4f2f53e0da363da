import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { refusalOf, startPushing } from './pushing.ts'
import { workspaceFiles } from './workspace-files.ts'

const databaseUrl = await createTestDatabase()
const { controlPlane, client } = await startPushing(databaseUrl)
const policy = 'policies/no-free.policy.json'
const cases = `policy: no-free
cases:
  - name: blocks the free tier
    set: { request.metadata.tier: free }
    expect: { reasons: [{ code: TIER_BLOCKED }] }
`
let pushedDigest = ''

beforeAll(async () => {
  pushedDigest = (await client.pushVersion({ files: workspaceFiles({ 'tests/no-free.cases.yaml': cases }) }))
    .digest
})
afterAll(() => controlPlane.stop())

const edited = (from: string, to: string) => {
  const text = workspaceFiles().find(({ path }) => path === policy)?.text ?? ''
  return { path: policy, text: text.replace(from, to) }
}

describe('trying files', () => {
  it('gives what the engine loads, with the digest that a push would give', async () => {
    const tried = await client.tryFiles({ version: '1', files: [], complete: false })
    expect(tried).toMatchObject({ cases: null, build: { digest: pushedDigest, compiled: { name: 'acme' } } })
    expect(tried.build?.script).toContain('TIER_BLOCKED')
    const { models } = await client.getCatalogue({})
    expect(models.length).toBeGreaterThan(100)
  })

  it('lays files over the version, runs its cases, and stores nothing', async () => {
    const before = await client.listVersions({})
    const tried = await client.tryFiles({
      version: '1',
      files: [edited('TIER_BLOCKED', 'OTHER')],
      complete: true,
    })
    expect(tried.build?.digest).not.toBe(pushedDigest)
    expect(tried.cases?.results).toMatchObject([{ name: 'blocks the free tier', passed: false }])
    expect(tried.cases?.coverage[0]?.conditions[0]).toMatchObject({
      rule: 'free',
      seenTrue: true,
      seenFalse: false,
    })
    expect(await client.listVersions({})).toEqual(before)
    const taken = await client.tryFiles({
      version: '1',
      files: [{ path: policy, text: null }],
      complete: false,
    })
    expect(taken.build?.compiled.policies.map(({ id }) => id)).toEqual(['switch'])
  })

  it('answers what is wrong with its place, types only where asked for', async () => {
    const broken = await client.tryFiles({
      version: '1',
      files: [edited('"deny": {', '"dny": {')],
      complete: false,
    })
    expect(broken.build).toBeNull()
    expect(broken.problems[0]).toMatchObject({ severity: 'error', file: policy, line: 9 })
    const mistyped = {
      path: 'policies/switch.policy.ts',
      text: "import { route, rule, use } from '@signalbox/policies'\nconst model: number = 'cheap'\nexport default route('switch', { rules: [rule('all', { then: () => use(String(model)) })] })\n",
    }
    const quick = await client.tryFiles({ version: '1', files: [mistyped], complete: false })
    expect(quick.problems.filter(({ code }) => code.startsWith('TS'))).toEqual([])
    const whole = await client.tryFiles({ version: '1', files: [mistyped], complete: true })
    expect(whole.problems).toContainEqual(expect.objectContaining({ code: 'TS2322', line: 2, column: 7 }))
  })

  it('refuses a version that is not there, and paths that lead out', async () => {
    const unknown = await refusalOf(client.tryFiles({ version: 'v99', files: [], complete: false }))
    expect(unknown.code).toBe('not_found')
    const outside = { path: '../etc/passwd', text: '' }
    const refused = await refusalOf(client.tryFiles({ version: '1', files: [outside], complete: false }))
    expect(refused.code).toBe('invalid_request')
  })

  it('ends what takes too much as a push does, and serves the next', async () => {
    const endless =
      "import { route } from '@signalbox/policies'\nfor (;;) {}\nexport default route('switch', { rules: [] })\n"
    const hostile = { path: 'policies/switch.policy.ts', text: endless }
    const tried = await client.tryFiles({ version: '1', files: [hostile], complete: false })
    expect(tried.build).toBeNull()
    expect(tried.problems[0]?.message).toContain('fuel')
    expect((await client.tryFiles({ version: '1', files: [], complete: false })).build?.digest).toBe(
      pushedDigest,
    )
  })
})
