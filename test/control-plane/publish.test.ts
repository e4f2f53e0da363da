import { createClient } from '@signalbox/sdk'
import { pushBytesMax } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import { afterAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { refusalOf, startPushing, variant, workspaceFile } from './pushing.ts'
import { workspaceFiles } from './workspace-files.ts'

const databaseUrl = await createTestDatabase()
const { controlPlane, client, pushVariant } = await startPushing(databaseUrl)
afterAll(() => controlPlane.stop())

const cases = (code: string) => `policy: no-free
cases:
  - name: blocks the free tier
    set: { request.metadata.tier: free }
    expect: { reasons: [{ code: ${code} }] }
`

describe('a push', () => {
  it('makes a version that says where it came from', async () => {
    const pushed = await client.pushVersion({
      files: workspaceFiles({ 'tests/no-free.cases.yaml': cases('TIER_BLOCKED') }),
      source: 'github.com/acme/policies',
      commit: 'abc123',
      author: 'ada',
      message: 'first',
    })
    expect(pushed).toMatchObject({
      version: 1,
      workspace: 'acme',
      created: true,
      policies: 2,
      cases: { passed: 1, failed: 0 },
      deployment: null,
      environments: [],
      push: {
        by: 'root',
        source: 'github.com/acme/policies',
        commit: 'abc123',
        author: 'ada',
        message: 'first',
      },
    })
    expect(pushed.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('of the same sources gives the same version, whatever their order and whoever pushes', async () => {
    const first = await pushVariant('same')
    const again = await client.pushVersion({ files: variant('same').toReversed(), author: 'bob' })
    expect(first.created).toBe(true)
    expect(again).toMatchObject({ created: false, version: first.version, digest: first.digest })
    expect(again.push).toEqual(first.push)
    expect((await pushVariant('different')).version).toBe(first.version + 1)
  })

  it('of the same sources many times at once makes one version', async () => {
    const pushed = await Promise.all(Array.from({ length: 5 }, () => pushVariant('at once')))
    expect(new Set(pushed.map(({ version }) => version)).size).toBe(1)
    expect(pushed.filter(({ created }) => created)).toHaveLength(1)
  })

  it('is refused with every problem and its place where a policy is broken', async () => {
    const before = (await client.listVersions()).items.length
    const broken = workspaceFiles({
      'policies/switch.policy.ts': `import { route, rule, use } from '@signalbox/policies'

export default route('switch', {
  rules: [
    rule('polish', {
      when: (f) => f.request.metadata.BROKEN === 'polish',
      then: () => use('anthropic/claude-opus-4-8'),
    }),
  ],
})
`,
    })
    const refusal = await refusalOf(client.pushVersion({ files: broken, environment: 'development' }))
    expect(refusal).toMatchObject({ status: 422, code: 'check_failed' })
    expect(refusal.problems).toEqual([
      {
        link: 'policies/README.md#facts',
        text: "BROKEN === 'polish',",
        severity: 'error',
        code: 'TS2339',
        file: 'policies/switch.policy.ts',
        line: 6,
        column: 39,
        message: expect.stringMatching(
          /^there is no "BROKEN" in f\.request\.metadata \("metadata" of signalbox\.yaml/,
        ),
      },
    ])
    expect((await client.listVersions()).items).toHaveLength(before)
  })

  it('is refused where a case fails, at the case', async () => {
    const files = workspaceFiles({ 'tests/no-free.cases.yaml': cases('FAILED_ON_PURPOSE') })
    const refusal = await refusalOf(client.pushVersion({ files }))
    expect(refusal).toMatchObject({ status: 422, code: 'check_failed', message: '1 of 1 cases failed.' })
    expect(refusal.problems).toHaveLength(1)
    expect(refusal.problems[0]).toMatchObject({
      code: 'case_failed',
      file: 'tests/no-free.cases.yaml',
      line: 3,
      message: expect.stringMatching(/^case "blocks the free tier": .*FAILED_ON_PURPOSE/s),
    })
  })

  it('is refused where cases see less than the environment asks for, with the figures', async () => {
    const files = workspaceFiles({
      'signalbox.yaml': `${workspaceFile}environments:\n  development: { coverage: 100 }\n`,
      'tests/no-free.cases.yaml': cases('TIER_BLOCKED'),
    })
    const refusal = await refusalOf(client.pushVersion({ files, environment: 'development' }))
    expect(refusal).toMatchObject({
      status: 422,
      code: 'check_failed',
      message: expect.stringMatching(
        /^coverage is \d\d % \(\d+ of \d+\), 100 % is needed for the environment "dev/,
      ),
    })
    expect(refusal.problems[0]).toMatchObject({ code: 'coverage', file: 'signalbox.yaml' })
    expect(refusal.problems.slice(1).every(({ code }) => code === 'uncovered')).toBe(true)
    const { version, deployment } = await client.pushVersion({ files })
    expect(deployment).toBeNull()
    // Nor does it come there by another way.
    const promoted = await refusalOf(
      client.promoteVersion({ version: String(version), environment: 'development' }),
    )
    expect(promoted).toMatchObject({ status: 422, code: 'check_failed', message: refusal.message })
    expect(promoted.problems).toEqual(refusal.problems)
    expect(await client.promoteVersion({ version: String(version), environment: 'staging' })).toMatchObject({
      environment: 'staging',
    })
  })

  it('is refused where the sender has built another version, and names both', async () => {
    const { digest } = await pushVariant('digest')
    const other = digestOf('another program')
    const refusal = await refusalOf(client.pushVersion({ files: variant('digest'), digest: other }))
    expect(refusal.code).toBe('check_failed')
    expect(refusal.problems[0]?.message).toContain(digest)
    expect(refusal.problems[0]?.message).toContain(other)
    expect((await client.pushVersion({ files: variant('digest'), digest })).digest).toBe(digest)
  })

  it.each([
    ['a path that leaves the workspace', { '../outside.md': 'x' }, 'invalid_request'],
    ['an absolute path', { '/etc/passwd': 'x' }, 'invalid_request'],
    ['a path with a backslash', { 'policies\\a.policy.ts': 'x' }, 'invalid_request'],
    ['bytes that are no text', { 'prompts/a.md': 'a\u0000b' }, 'invalid_request'],
    ['more than 4 MiB', { 'prompts/a.md': 'ä'.repeat(pushBytesMax / 2) }, 'request_too_large'],
  ])('is refused with %s', async (_, change, code) => {
    expect(await refusalOf(client.pushVersion({ files: workspaceFiles(change) }))).toMatchObject({ code })
  })

  it('is refused with the same path twice', async () => {
    const files = [...workspaceFiles(), ...workspaceFiles().slice(0, 1)]
    expect(await refusalOf(client.pushVersion({ files }))).toMatchObject({
      code: 'invalid_request',
      param: 'files[3].path',
    })
  })

  it('may be a member; deploying may not', async () => {
    const { token } = await client.createToken({ name: 'ci', role: 'developer' })
    const member = createClient({ url: controlPlane.url, token })
    expect(await member.pushVersion({ files: variant('by member') })).toMatchObject({ push: { by: 'ci' } })
    const refusal = await refusalOf(
      member.pushVersion({ files: variant('by member'), environment: 'development' }),
    )
    expect(refusal).toMatchObject({ status: 403, code: 'forbidden', param: 'environment' })
    expect(
      await refusalOf(member.promoteVersion({ version: 'v1', environment: 'development' })),
    ).toMatchObject({
      code: 'forbidden',
    })
  })
})

describe('a version', () => {
  it('is found by number, by digest and by its start', async () => {
    const { digest, version } = await pushVariant('found')
    const references = [`v${version}`, String(version), digest, digest.slice(7), digest.slice(7, 15)]
    for (const reference of references) {
      expect((await client.getVersion({ version: reference })).digest).toBe(digest)
    }
    for (const reference of ['v999999', 'nonsense', '0123abcd', digest.slice(7, 12)]) {
      expect(await refusalOf(client.getVersion({ version: reference }))).toMatchObject({ code: 'not_found' })
    }
  })

  it('gives back its sources and what was made of them', async () => {
    const { version } = await pushVariant('sources')
    const found = await client.getVersion({ version: `v${version}` })
    const pushed = variant('sources')
    expect(found.compiled).toMatchObject({ schema: 'compiled/1', name: 'acme' })
    expect(found.compiled.policies.map(({ id }) => id).toSorted()).toEqual(['no-free', 'switch'])
    for (const { path, bytes, digest } of found.files) {
      const { text } = await client.getVersionFile({ version: `v${version}`, path })
      expect(text).toBe(pushed.find((file) => file.path === path)?.text)
      expect(bytes).toBe(Buffer.byteLength(text))
      expect(digest).toBe(digestOf(text))
    }
    expect(found.files.map(({ path }) => path)).toContain('policies/switch.policy.ts')
    const missing = client.getVersionFile({ version: `v${version}`, path: 'compiled/policies.js' })
    expect(await refusalOf(missing)).toMatchObject({ code: 'not_found' })
  })

  it('is listed newest first, by workspace', async () => {
    const { items } = await client.listVersions({ limit: 3 })
    expect(items).toHaveLength(3)
    const numbers = items.map(({ version }) => version)
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a))
    expect((await client.listVersions({ workspace: 'nobody' })).items).toEqual([])
  })
})
