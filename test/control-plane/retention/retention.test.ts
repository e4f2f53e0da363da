import type { CallRecord } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { createPartitions, listPartitions } from '../../../control-plane/db/partitions.ts'
import { sweepRecords } from '../../../control-plane/retention/sweep-records.ts'
import { createTestDatabase } from '../../support/database.ts'
import { callRecord, packSegment } from '../segment-lines.ts'
import { startTestControlPlane, type TestControlPlane } from '../test-control-plane.ts'
import { enrolGateway, type TestGateway } from '../test-gateway.ts'

const databaseUrl = await createTestDatabase()
const log = createLogger('test', 'silent')
const { db, close } = connectDatabase(databaseUrl, log)
const dayMs = 86_400_000
type Payload = { payload: string }
type Wanted = Parameters<TestControlPlane['client']['setRetention']>[0]
let plane: TestControlPlane
let gateway: TestGateway
let search: { id: string }
let other: { id: string }
beforeAll(async () => {
  plane = await startTestControlPlane(databaseUrl)
  gateway = await enrolGateway(plane, 'development')
  search = await plane.client.createTeam({ name: 'search' })
  other = await plane.client.createTeam({ name: 'other' })
})
afterAll(async () => {
  await plane.stop()
  await close()
})

const sweepAt = (nowMs: number) =>
  sweepRecords({ db, log, partitions: createPartitions(db), nowMs: () => nowMs })
const send = async (records: readonly CallRecord[], chain?: { incarnation: string; previous?: string }) => {
  const segment = packSegment(records)
  const query = { records: records.length, incarnation: newId(), ...chain }
  expect((await gateway.segment(segment, query)).status).toBe(200)
  return segment.digest
}
/** A record with a body that says something. */
const spoken = (row: Partial<CallRecord['row']>): CallRecord =>
  callRecord(row, {
    policies: [{ workspace: 'acme', id: 'pick', kind: 'route', rule: 'x', outcome: 'chosen', trace: '' }],
  })
const bodyOf = (id: string) =>
  plane.client.getRecord({ id }).then(
    () => 'kept',
    (error: { code: string }) => error.code,
  )
const verified = async () => {
  const { broken, brokenSegments } = await plane.client.verifyAudit({})
  return { broken, brokenSegments }
}
const sound = { broken: null, brokenSegments: [] }

describe('rules', () => {
  it('say days of one owner each, and what holds elsewhere', async () => {
    const { client } = plane
    const made = await client.setRetention({ environment: 'staging', bodies: 30 })
    expect(made).toMatchObject({ environment: 'staging', bodies: 30, rows: 400, revision: 1 })
    const changed = await client.setRetention({ environment: 'staging', bodies: 'forever', rows: 'forever' })
    expect(changed).toMatchObject({ id: made.id, bodies: 'forever', rows: 'forever', revision: 2 })
    expect(await client.listRetention()).toMatchObject({
      items: [{ id: made.id }],
      defaults: { bodyDays: 14, rowDays: 400 },
    })
    await client.deleteRetention({ id: made.id })
    expect((await client.listRetention()).items).toEqual([])
  })

  it.each([
    ['nobody', { bodies: 1 }, 'invalid_request'],
    ['two owners', { environment: 'staging', team: 'search', bodies: 1 }, 'invalid_request'],
    ['rows that go before bodies', { team: 'search', bodies: 30, rows: 7 }, 'invalid_request'],
    ['a key that is not there', { key: newId(), bodies: 1 }, 'not_found'],
    ['a mask where nothing is masked', { team: 'search', bodies: 1, mask: ['session'] }, 'invalid_request'],
    [
      'a mask of what cannot be masked',
      { team: 'search', bodies: 1, facts: 'masked', mask: ['budget.levels'] },
      'invalid_request',
    ],
    ['an old revision', { team: 'search', bodies: 1, revision: 4 }, 'conflict'],
  ] satisfies [string, Wanted, string][])('of %s are refused', async (_, wanted, code) => {
    await expect(plane.client.setRetention(wanted)).rejects.toMatchObject({ code })
  })

  it('reach gateways in the state where they say none', async () => {
    const rule = await plane.client.setRetention({ team: 'search', bodies: 'none' })
    const { payload } = (await (await gateway.document('state')).json()) as { payload: string }
    expect(JSON.parse(payload)).toMatchObject({ unrecorded: { all: false, nodes: [search.id], keys: [] } })
    await plane.client.deleteRetention({ id: rule.id })
    const after = (await (await gateway.document('state')).json()) as { payload: string }
    expect(JSON.parse(after.payload)).not.toHaveProperty('unrecorded')
  })
})

describe('classes of facts', () => {
  it('stand in the state where they are not full, with what is masked', async () => {
    const { client } = plane
    const state = async () =>
      JSON.parse(((await (await gateway.document('state')).json()) as Payload).payload)
    const mask = ['session', 'request.metadata.email']
    const wanted: Wanted = { team: 'search', bodies: 14, facts: 'masked', mask }
    const rule = await client.setRetention(wanted)
    expect(rule).toMatchObject({ facts: 'masked', mask: ['request.metadata.email', 'session'] })
    const owner = { kind: 'node', id: search.id }
    expect(await state()).toMatchObject({ factsRules: [{ owner, class: 'masked', mask: rule.mask }] })
    const digests = await client.setRetention({ environment: 'development', bodies: 14, facts: 'digest' })
    const here = { owner: { kind: 'environment', id: 'development' }, class: 'digest' }
    expect((await state()).factsRules).toContainEqual(here)
    for (const { id } of [rule, digests]) await client.deleteRetention({ id })
    expect(await state()).not.toHaveProperty('factsRules')
  })
})

describe('the sweep', () => {
  it('drops the bytes of whole segments after 14 days, keeps rows and sums, and the audit still verifies', async () => {
    const timeMs = Date.now()
    const first = spoken({ timeMs, nodeId: search.id })
    const incarnation = newId()
    const previous = await send([first], { incarnation })
    await send([spoken({ timeMs, nodeId: search.id })], { incarnation, previous })
    await sweepAt(timeMs + 14 * dayMs)
    expect(await bodyOf(first.row.id)).toBe('kept')
    const swept = await sweepAt(timeMs + 16 * dayMs)
    expect(swept.droppedSegments).toBe(2)
    expect(await bodyOf(first.row.id)).toBe('not_found')
    expect((await plane.client.listRecords({ team: 'search' })).items).toHaveLength(2)
    expect(await verified()).toEqual(sound)
  })

  it('takes the bodies of a shorter rule out of a segment that others share', async () => {
    const rule = await plane.client.setRetention({ team: 'search', bodies: 3 })
    const timeMs = Date.now()
    const [short, long] = [spoken({ timeMs, nodeId: search.id }), spoken({ timeMs, nodeId: other.id })]
    await send([short, long])
    expect((await sweepAt(timeMs + 5 * dayMs)).rewrittenSegments).toBe(1)
    expect([await bodyOf(short.row.id), await bodyOf(long.row.id)]).toEqual(['not_found', 'kept'])
    expect((await sweepAt(timeMs + 5 * dayMs)).rewrittenSegments).toBe(0)
    expect(await verified()).toEqual(sound)
    await plane.client.deleteRetention({ id: rule.id })
    expect((await sweepAt(timeMs + 16 * dayMs)).droppedSegments).toBe(1)
    expect(await bodyOf(long.row.id)).toBe('not_found')
  })

  it('holds a new rule against what came before it, the shortest of environment, node and key', async () => {
    const timeMs = Date.now()
    const key = await plane.client.createKey({ team: 'other', name: 'short' })
    const record = spoken({ timeMs, nodeId: other.id, keyId: key.id })
    await send([record])
    const wide = await plane.client.setRetention({
      environment: 'development',
      bodies: 'forever',
      rows: 'forever',
    })
    const narrow = await plane.client.setRetention({ key: key.id, bodies: 2 })
    await sweepAt(timeMs + 2 * dayMs)
    expect(await bodyOf(record.row.id)).toBe('kept')
    await sweepAt(timeMs + 4 * dayMs)
    expect(await bodyOf(record.row.id)).toBe('not_found')
    for (const { id } of [wide, narrow]) await plane.client.deleteRetention({ id })
  })

  it('takes at once what a gateway sent that had not heard of none', async () => {
    const rule = await plane.client.setRetention({ team: 'search', bodies: 'none' })
    const record = spoken({ nodeId: search.id, metadata: { feature: 'MARK-4711' }, modelRequested: 'MARK' })
    await send([record])
    await sweepAt(Date.now())
    expect(await bodyOf(record.row.id)).toBe('not_found')
    const [row] = (await plane.client.listRecords({ team: 'search', limit: 1 })).items
    expect(row).toMatchObject({ id: record.row.id, metadata: {}, modelRequested: '', costNanoUsd: '1234500' })
    expect(await verified()).toEqual(sound)
    await plane.client.deleteRetention({ id: rule.id })
  })

  it('deletes rows by rule and whole days by partition, and keeps the sums', async () => {
    const timeMs = Date.now() - 50 * dayMs
    const team = await plane.client.createTeam({ name: 'brief' })
    const brief = spoken({ timeMs, nodeId: team.id })
    await send([brief, spoken({ timeMs, nodeId: other.id })])
    const rule = await plane.client.setRetention({ team: 'brief', bodies: 7, rows: 30 })
    expect((await sweepAt(Date.now())).deletedRows).toBe(1)
    expect((await plane.client.listRecords({ team: 'brief' })).items).toEqual([])
    await plane.client.deleteRetention({ id: rule.id })
    const before = (await listPartitions(db)).length
    expect((await sweepAt(Date.now() + 360 * dayMs)).droppedDays).toBe(1)
    expect(await listPartitions(db)).toHaveLength(before - 1)
    const usage = await plane.client.getUsage({ by: 'node', sinceMs: timeMs - dayMs })
    expect(usage.items.find(({ label }) => label === 'brief')).toMatchObject({
      calls: 1,
      costNanoUsd: '1234500',
      inputTokens: 12,
    })
    const overview = await plane.client.getOverview({ sinceMs: timeMs - dayMs, untilMs: timeMs + dayMs })
    expect(overview.totals.calls).toBe(2)
    expect(await verified()).toEqual(sound)
  })
})

describe('an erasure', () => {
  it('takes an end user out of bodies, metadata and sums, and leaves what his calls cost', async () => {
    const mine = callRecord({ metadata: { user: 'u-4711', feature: 'chat' }, nodeId: other.id })
    const theirs = callRecord({ metadata: { user: 'u-4712' }, nodeId: other.id })
    const digest = await send([mine, theirs])
    const usersOf = async () =>
      (await plane.client.getUsage({ by: 'metadata', name: 'user' })).items.map(({ value, calls }) => [
        value,
        calls,
      ])
    expect(await usersOf()).toEqual([
      ['u-4711', 1],
      ['u-4712', 1],
    ])
    expect(await plane.client.eraseRecords({ user: 'u-4711' })).toEqual({
      records: 1,
      segments: 1,
      done: true,
    })
    expect([await bodyOf(mine.row.id), await bodyOf(theirs.row.id)]).toEqual(['not_found', 'kept'])
    expect(await usersOf()).toEqual([
      ['', 1],
      ['u-4712', 1],
    ])
    const row = (await plane.client.listRecords({ team: 'other' })).items.find(({ id }) => id === mine.row.id)
    expect(row).toMatchObject({ metadata: {}, costNanoUsd: '1234500' })
    expect(await verified()).toEqual(sound)
    const [audit] = (await plane.client.listAudit({ action: 'eraseRecords' })).items
    expect(audit?.detail).toMatchObject({
      reason: 'user',
      records: 1,
      segments: { [digest]: expect.any(String) },
    })
    expect(JSON.stringify(audit)).not.toContain('u-4711')
    expect(await plane.client.eraseRecords({ user: 'u-4711' })).toEqual({
      records: 0,
      segments: 0,
      done: true,
    })
  })

  it('is no cover for a change of other bytes, nor retention for a loss', async () => {
    const digest = await send([callRecord({ metadata: { user: 'u-1' } })])
    await plane.client.eraseRecords({ user: 'u-1' })
    const gone = await send([callRecord({ nodeId: other.id })])
    const alter = (text: string) => db.execute(text)
    await alter(
      `update segment set kept_digest = 'sha256:' || encode(sha256('x'), 'hex'), bytes = 'x' where digest = '${digest}'`,
    )
    await alter(`update segment set bytes = null where digest = '${gone}'`)
    const { brokenSegments } = await verified()
    expect([...brokenSegments].sort()).toEqual([digest, gone].sort())
  })
})

it('lets refused reports go that were decided long ago, and none that waits for a decision', async () => {
  const report = { error: 'no', tries: 5, incarnation: newId(), report: '{}', timeMs: Date.now() }
  const [decided, open] = [newId(), newId()]
  const reply = await gateway.request('/settlements/refused', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ reports: [decided, open].map((id) => ({ ...report, id })) }),
  })
  expect(reply.status).toBe(200)
  await plane.client.voidRefusedReport({ id: decided, note: 'a bug' })
  const idsOf = async () => (await plane.client.listRefusedReports()).items.map(({ id }) => id).sort()
  expect((await sweepAt(Date.now() + 399 * dayMs)).deletedReports).toBe(0)
  expect(await idsOf()).toEqual([decided, open].sort())
  expect((await sweepAt(Date.now() + 402 * dayMs)).deletedReports).toBe(1)
  expect(await idsOf()).toEqual([open])
})
