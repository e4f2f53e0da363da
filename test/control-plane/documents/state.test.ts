import type { KeyRow, TreeBlob } from '@signalbox/sdk/contract'
import { createLogger, digestOf, keyIndexRoot } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, describe, expect, it } from 'vitest'
import { refreshDocuments } from '../../../control-plane/documents/refresh.ts'
import { documentReissueMs } from '../../../control-plane/documents/write-document.ts'
import { loadBlob } from '../../../control-plane/stores/blobs.ts'
import { createTestDatabase } from '../../support/database.ts'
import { environment, hashOfKey, insertKeys, startTestPublishing } from './test-publishing.ts'

const databaseUrl = await createTestDatabase()
const publishing = await startTestPublishing(databaseUrl)
const { publisher, db, organisationId, clock, readState } = publishing
afterAll(() => publishing.stop())

const publish = async () => {
  const { sequence } = await publisher.publishState(organisationId, environment)
  const state = await readState()
  expect(state.sequence).toBe(sequence)
  return state
}
const blob = async (digest: string) => {
  const bytes = await loadBlob(db, organisationId, digest)
  if (bytes === undefined) throw new Error(`there is no blob ${digest}`)
  expect(digestOf(bytes)).toBe(digest)
  return Buffer.from(bytes).toString('utf8')
}
const rowsOf = async (digest: string) =>
  (await blob(digest))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as KeyRow)
const countRows = async () => {
  const { rows } = await db.execute<{ blobs: number; states: number }>(sql`select
    (select count(*)::int from blob) as blobs,
    (select count(*)::int from document where kind = 'state' and environment = ${environment}) as states`)
  return rows[0]
}

/** Every key of 0..count stands in the one shard that its hash names, and in no other. */
async function expectIndexed(count: number) {
  const state = await publish()
  const { keys } = state
  expect(keys).toMatchObject({ format: 'kidx/1', count })
  expect(keys.root).toBe(keyIndexRoot(keys.shards.map((shard) => shard.digest)))
  const found = new Set<string>()
  for (const shard of keys.shards) {
    const rows = await rowsOf(shard.digest)
    expect(rows).toHaveLength(shard.count)
    expect(rows.every((row) => row.hash.startsWith(shard.prefix))).toBe(true)
    for (const row of rows) found.add(row.hash)
  }
  expect(found.size).toBe(count)
  for (const index of [0, 1].slice(0, count)) expect(found).toContain(hashOfKey(index))
  return state
}

describe('the state document', () => {
  it('stands from the first start, signed, without keys', async () => {
    const state = await expectIndexed(0)
    expect(state).toMatchObject({
      type: 'state/1',
      sequence: 1,
      organisationId,
      environment,
      rollbackOf: null,
    })
    expect(state.keys.shards).toEqual([])
    const tree = JSON.parse(await blob(state.tree)) as TreeBlob
    expect(tree.nodes).toMatchObject([{ kind: 'organisation', parentId: null }])
  })

  it('is not made again while it says the same', async () => {
    const before = await countRows()
    expect((await publish()).sequence).toBe(1)
    expect(await countRows()).toEqual(before)
  })

  it('is made again, with the same content, long before it expires', async () => {
    const before = await readState()
    clock.nowMs += documentReissueMs
    const again = await publish()
    expect(again).toEqual({
      ...before,
      sequence: before.sequence + 1,
      createdMs: clock.nowMs,
      expiresMs: clock.nowMs + 7 * 86_400_000,
    })
    expect(before.expiresMs).toBeGreaterThan(clock.nowMs + 86_400_000)
  })

  it('is made by the next refresh where a change was not published', async () => {
    const before = await readState()
    await insertKeys(publishing, 500_000, 500_001)
    expect(await refreshDocuments({ db, publisher, log: createLogger('test', 'silent') })).toBe(0)
    const after = await readState()
    expect(after).toMatchObject({ sequence: before.sequence + 1, keys: { count: 1 } })
    await db.execute(sql`delete from api_key`)
    expect((await publish()).keys).toMatchObject({ count: 0, shards: [] })
  })

  it('shares one new document between many changes at once', async () => {
    const { sequence } = await readState()
    await insertKeys(publishing, 0, 3)
    const sequences = await Promise.all(
      Array.from({ length: 50 }, () => publish().then((each) => each.sequence)),
    )
    expect(new Set(sequences)).toEqual(new Set([sequence + 1]))
    expect((await expectIndexed(3)).keys).toMatchObject({
      prefixLength: 0,
      shards: [{ prefix: '', count: 3 }],
    })
  })

  it('keeps 10,000 keys in one shard', async () => {
    await insertKeys(publishing, 3, 10_000)
    const { keys } = await expectIndexed(10_000)
    expect(keys).toMatchObject({ prefixLength: 0, shards: [{ prefix: '', count: 10_000 }] })
  })

  it('splits into shards by hash at 10,001', async () => {
    await insertKeys(publishing, 10_000, 10_001)
    const { keys } = await expectIndexed(10_001)
    expect(keys.prefixLength).toBe(1)
    expect(keys.shards.map((shard) => shard.prefix)).toEqual([...'0123456789abcdef'])
  })
})

describe('revoked keys', () => {
  const revoke = (index: number) =>
    db.execute(sql`update api_key set revoked = ${new Date(clock.nowMs).toISOString()}::timestamptz
      where hash = ${hashOfKey(index)}`)

  it('are named at once, without any shard being rewritten', async () => {
    const before = await publish()
    clock.nowMs += 1000
    await revoke(7)
    const after = await publish()
    expect(after.sequence).toBe(before.sequence + 1)
    expect(after.revoked).toEqual([hashOfKey(7)])
    expect(after.keys).toEqual(before.keys)
  })

  it('leave their shard the next day and stay named for 30 days', async () => {
    const before = await publish()
    clock.nowMs += 86_400_000
    const next = await publish()
    expect(next.revoked).toEqual([hashOfKey(7)])
    expect(next.keys.count).toBe(before.keys.count - 1)
    const shard = next.keys.shards.find(({ prefix }) => hashOfKey(7).startsWith(prefix))
    const hashes = (await rowsOf(shard?.digest ?? '')).map((row) => row.hash)
    expect(hashes).not.toContain(hashOfKey(7))
    clock.nowMs += 31 * 86_400_000
    expect((await publish()).revoked).toEqual([])
  })
})

describe('blobs of states', () => {
  it('that no recent state names are forgotten', async () => {
    const seen = new Set<string>()
    for (let index = 60_000; index < 60_020; index++) {
      await insertKeys(publishing, index, index + 1)
      for (const shard of (await publish()).keys.shards) seen.add(shard.digest)
    }
    const state = await readState()
    for (const shard of state.keys.shards) await blob(shard.digest)
    const current = new Set(state.keys.shards.map((shard) => shard.digest))
    const old = [...seen].filter((digest) => !current.has(digest))
    const kept = await Promise.all(old.map((digest) => loadBlob(db, organisationId, digest)))
    expect(kept.filter((bytes) => bytes !== undefined).length).toBeLessThanOrEqual(8)
    expect(old.length).toBeGreaterThanOrEqual(19)
  }, 60_000)
})

describe('several control planes on one database', () => {
  it('make documents one after the other, without doubles or holes', async () => {
    const second = await startTestPublishing(databaseUrl)
    try {
      second.clock.nowMs = clock.nowMs
      const { sequence } = await readState()
      for (let round = 0; round < 5; round++) {
        await insertKeys(publishing, 70_000 + round, 70_001 + round)
        await Promise.all([publish(), second.publisher.publishState(organisationId, environment)])
      }
      expect((await readState()).sequence).toBe(sequence + 5)
      expect((await second.readState()).sequence).toBe(sequence + 5)
    } finally {
      await second.stop()
    }
  })
})

describe('50,000 keys', () => {
  it('have shards of about 250, of which a new key rewrites one', async () => {
    const { count } = (await publish()).keys
    await insertKeys(publishing, 1_000_000, 1_050_000 - count)
    const before = await expectIndexed(50_000)
    expect(before.keys).toMatchObject({ prefixLength: 2 })
    expect(before.keys.shards).toHaveLength(256)
    await insertKeys(publishing, 2_000_000, 2_000_001)
    const after = await publish()
    const known = new Set(before.keys.shards.map((shard) => shard.digest))
    const changed = after.keys.shards.filter((shard) => !known.has(shard.digest))
    expect(changed).toMatchObject([{ prefix: hashOfKey(2_000_000).slice(0, 2) }])
    expect(after.keys.root).not.toBe(before.keys.root)
  })
})
