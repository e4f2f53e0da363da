import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../control-plane/db/connect.ts'
import { createTestDatabase } from '../support/database.ts'
import { refusalOf, startPushing, workspaceFile } from './pushing.ts'
import { workspaceFiles } from './workspace-files.ts'

const databaseUrl = await createTestDatabase()
const { controlPlane, client } = await startPushing(databaseUrl)
afterAll(() => controlPlane.stop())

const constraint = 'policies/no-free.policy.json'
const policy = workspaceFiles().find(({ path }) => path === constraint)?.text ?? ''

beforeAll(async () => {
  await client.pushVersion({ files: workspaceFiles() })
  const narrower = policy.replace(
    '"when": { "eq": [{ "fact": "request.metadata.tier", "or": "paid" }, "free"] }',
    '"when": { "all": [{ "eq": [{ "fact": "request.metadata.tier", "or": "paid" }, "free"] }, { "eq": [{ "fact": "request.metadata.feature", "or": "none" }, "chat"] }] }',
  )
  expect(narrower).not.toBe(policy)
  const files = workspaceFiles({
    [constraint]: narrower,
    'signalbox.yaml': workspaceFile.replace('anthropic/claude-opus-4-8, openai/gpt-5.5', 'openai/gpt-5.5'),
  })
  const { version } = await client.pushVersion({ files, commit: 'abc123' })
  expect(version).toBe(2)
  await client.pushVersion({
    files: workspaceFiles({ 'signalbox.yaml': workspaceFile.replace('name: acme', 'name: other') }),
  })
})

describe('comparing versions', () => {
  it('says what the later one means differently, what is weakened and which files differ', async () => {
    const changes = await client.compareVersions({ version: 'v2', from: 'v1' })
    expect(changes).toMatchObject({
      workspace: 'acme',
      before: { version: 1 },
      after: { version: 2 },
      rebuilt: [],
      files: [
        { path: constraint, change: 'changed' },
        { path: 'signalbox.yaml', change: 'changed' },
      ],
    })
    const rule = changes.changes.find(({ thing }) => thing === 'rule')
    expect(rule).toMatchObject({ name: 'no-free/free', change: 'changed', file: constraint })
    expect(rule?.details.join()).toContain('fewer calls')
    expect(changes.changes.find(({ thing }) => thing === 'alias')).toMatchObject({ name: 'smart' })
    expect(changes.weakened.map(({ what }) => what)).toEqual(['no-free/free'])
    expect(await client.compareVersions({ version: 'v2', from: 'v1' })).toEqual(changes)
  })

  it('finds nothing weakened the other way round, and nothing at all between a version and itself', async () => {
    expect((await client.compareVersions({ version: 'v1', from: 'v2' })).weakened).toEqual([])
    const same = await client.compareVersions({ version: 'v1', from: 'v1' })
    expect(same).toMatchObject({ changes: [], weakened: [], costs: [], files: [] })
  })

  it('refuses versions of different workspaces, and names that are none', async () => {
    const refusal = await refusalOf(client.compareVersions({ version: 'v3', from: 'v1' }))
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(refusal.message).toContain('workspace "acme"')
    expect(await refusalOf(client.compareVersions({ version: 'v9', from: 'v1' }))).toMatchObject({
      status: 404,
    })
  })

  it('tells in lists which versions Git has', async () => {
    const { items } = await client.listVersions({ workspace: 'acme' })
    expect(items.map(({ version, inGit, parent }) => ({ version, inGit, parent }))).toEqual([
      { version: 2, inGit: true, parent: null },
      { version: 1, inGit: false, parent: null },
    ])
    expect(items[0]?.push).toMatchObject({ commit: 'abc123', ciRun: null })
  })

  it('names the parent of an edit outside Git, until a commit brings it', async () => {
    const [parent] = (await client.listVersions({ workspace: 'acme' })).items.slice(-1)
    const files = workspaceFiles({
      'policies/no-free.policy.json': policy.replace('TIER_BLOCKED', 'NO_FREE'),
    })
    const { digest, version } = await client.pushVersion({ files, source: 'console' })
    // Who edits in a console says the parent with the push; here it is put where that leaves it.
    const { db, close } = connectDatabase(databaseUrl, createLogger('test', 'silent'))
    await db.execute(sql`update version set parent_digest = ${parent?.digest} where digest = ${digest}`)
    await close()
    const seen = async () => {
      const { parent: own, inGit } = await client.getVersion({ version: `v${version}` })
      return { own, inGit }
    }
    expect(await seen()).toEqual({ own: parent?.digest, inGit: false })
    await client.pushVersion({ files, commit: '0123456789-dirty' })
    expect((await seen()).inGit).toBe(false)
    await client.pushVersion({ files, commit: '0123456789' })
    expect((await seen()).inGit).toBe(true)
  })
})
