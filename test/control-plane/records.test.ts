import { type CallRecord, segmentRecordsMax } from '@signalbox/sdk/contract'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { overviewRange } from '../../control-plane/handlers/records.ts'
import { createTestDatabase } from '../support/database.ts'
import { callRecord, packSegment } from './segment-lines.ts'
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts'
import { enrolGateway, type TestGateway } from './test-gateway.ts'

const databaseUrl = await createTestDatabase()
let controlPlane: TestControlPlane
let gateway: TestGateway
beforeAll(async () => {
  controlPlane = await startTestControlPlane(databaseUrl)
  gateway = await enrolGateway(controlPlane, 'development')
})
afterAll(() => controlPlane.stop())

const upload = async (records: readonly CallRecord[], via = gateway) => {
  const response = await via.segment(packSegment(records), { records: records.length, incarnation: newId() })
  expect(response.status).toBe(200)
}
type Query = Parameters<TestControlPlane['client']['listRecords']>[0]
const idsOf = async (query: Query) => (await controlPlane.client.listRecords(query)).items.map(({ id }) => id)

describe('search', () => {
  const baseMs = Date.now() - 3_600_000
  const [teamKey, otherKey] = [newId(), newId()]
  let records: Record<string, CallRecord>
  beforeAll(async () => {
    const { client } = controlPlane
    const search = await client.createTeam({ name: 'search' })
    const ranking = await client.createTeam({ name: 'ranking', parent: 'search' })
    const searching = await client.createTeam({ name: 'searching' })
    const at = (seconds: number) => ({ timeMs: baseMs + seconds * 1000 })
    records = {
      plain: callRecord({ ...at(1), keyId: teamKey, nodeId: search.id }),
      below: callRecord({
        ...at(2),
        keyId: otherKey,
        nodeId: ranking.id,
        target: 'anthropic/claude-opus-4-8',
      }),
      beside: callRecord({ ...at(3), nodeId: searching.id, policy: 'other', rule: 'x' }),
      denied: callRecord({ ...at(4), effect: 'deny', status: 403, errorCode: 'TIER_BLOCKED' }),
      failed: callRecord({ ...at(5), status: 502, errorCode: 'upstream_reset', modelRequested: 'cheap' }),
    }
    await upload(Object.values(records))
    const staged = callRecord(at(6))
    records.staged = staged
    await upload([staged], await enrolGateway(controlPlane, 'staging'))
  })
  const named = async (query: Query) => {
    const ids = await idsOf({ sinceMs: baseMs, ...query })
    return ids.map((id) => Object.entries(records).find(([, record]) => record.row.id === id)?.[0])
  }

  it('gives the newest first', async () => {
    expect(await named({})).toEqual(['staged', 'failed', 'denied', 'beside', 'below', 'plain'])
  })

  it('keeps what fits every filter', async () => {
    expect(await named({ environment: 'staging' })).toEqual(['staged'])
    expect(await named({ key: teamKey })).toEqual(['plain'])
    expect(await named({ target: 'anthropic/claude-opus-4-8' })).toEqual(['below'])
    expect(await named({ model: 'cheap' })).toEqual(['failed'])
    expect(await named({ policy: 'other', rule: 'x' })).toEqual(['beside'])
    expect(await named({ policy: 'other', rule: 'polish' })).toEqual([])
    expect(await named({ effect: 'deny' })).toEqual(['denied'])
    expect(await named({ errorCode: 'upstream_reset' })).toEqual(['failed'])
    expect(await named({ statusMin: 400 })).toEqual(['failed', 'denied'])
    expect(await named({ sinceMs: baseMs + 2000, untilMs: baseMs + 4000 })).toEqual(['beside', 'below'])
  })

  it('takes a team with all below it, by name, path or id, and no team beside it', async () => {
    const { items } = await controlPlane.client.listTeams()
    const id = items.find((team) => team.path === 'search')?.id ?? ''
    for (const team of ['search', id]) expect(await named({ team })).toEqual(['below', 'plain'])
    expect(await named({ team: 'search/ranking' })).toEqual(['below'])
    await expect(named({ team: 'nobody' })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('refuses a cursor that it did not give', async () => {
    await expect(named({ cursor: 'abc' })).rejects.toMatchObject({ code: 'invalid_request', param: 'cursor' })
  })

  it('does not know records that are not there, whatever the id', async () => {
    for (const id of [newId(), 'nonsense', '%']) {
      await expect(controlPlane.client.getRecord({ id })).rejects.toMatchObject({ code: 'not_found' })
    }
  })
})

describe('pages', () => {
  it('hold every record that was there once, without holes, while others come in', async () => {
    const startMs = Date.now() - 7_200_000
    const untilMs = startMs + 1_800_000
    // Few distinct times, so that pages end in the middle of one.
    const make = (count: number) =>
      Array.from({ length: count }, (_, index) => callRecord({ timeMs: startMs + (index % 7) * 250_000 }))
    const there = make(700)
    await upload(there)
    const late: CallRecord[] = []
    const seen: string[] = []
    let cursor: string | null | undefined
    let coming: Promise<void> = Promise.resolve()
    do {
      const page = await controlPlane.client.listRecords({
        sinceMs: startMs,
        untilMs,
        limit: 37,
        ...(cursor === undefined || cursor === null ? {} : { cursor }),
      })
      seen.push(...page.items.map(({ id }) => id))
      const more = make(20)
      late.push(...more)
      coming = coming.then(() => upload(more))
      cursor = page.nextCursor
    } while (cursor !== null)
    await coming
    expect(new Set(seen).size).toBe(seen.length)
    const found = new Set(seen)
    expect(there.filter(({ row }) => !found.has(row.id))).toEqual([])
    const known = new Set([...there, ...late].map(({ row }) => row.id))
    expect(seen.filter((id) => !known.has(id))).toEqual([])
  })

  it('end with a cursor of null, also when the last one is full', async () => {
    const timeMs = Date.now() - 20_000_000
    const ids = Array.from({ length: 4 }, () => callRecord({ timeMs }))
    await upload(ids)
    const range = { sinceMs: timeMs, untilMs: timeMs + 1, limit: 2 }
    const first = await controlPlane.client.listRecords(range)
    const second = await controlPlane.client.listRecords({ ...range, cursor: first.nextCursor ?? '' })
    expect(first.items).toHaveLength(2)
    expect(second.items).toHaveLength(2)
    expect(second.nextCursor).toBeNull()
  })
})

describe('the overview', () => {
  it('sums calls, errors, spend and tokens, in total, by step and by target', async () => {
    const sinceMs = Math.floor((Date.now() - 50_000_000) / 60_000) * 60_000
    const at = (seconds: number) => ({ timeMs: sinceMs + seconds * 1000 })
    const { costNanoUsd: _, ...unpriced } = callRecord(at(61)).row
    await upload([
      callRecord({ ...at(1), durationMs: 10, costNanoUsd: '9007199254740993' }),
      callRecord({ ...at(2), durationMs: 30, costNanoUsd: '1' }),
      callRecord({ ...at(60), durationMs: 20, status: 502 }),
      { ...callRecord(), row: { ...unpriced, target: 'local/llama3.3' } },
      callRecord({ ...at(62), effect: 'deny', status: 403, usage: {}, costNanoUsd: '0' }),
      callRecord({ ...at(63), effect: 'none', direct: true, costNanoUsd: '7', target: 'openai/direct' }),
    ])
    const overview = await controlPlane.client.getOverview({ sinceMs, untilMs: sinceMs + 120_000 })
    expect(overview.totals).toEqual({
      calls: 5,
      errors: 1,
      denied: 1,
      costNanoUsd: String(9007199254740994n + 1_234_500n),
      unpriced: 1,
      inputTokens: 48,
      outputTokens: 20,
    })
    // What was made past the gateways stands apart from all that budgets paid.
    expect(overview.direct).toMatchObject({ calls: 1, costNanoUsd: '7', inputTokens: 12 })
    expect(overview.cache).toEqual({ hits: 0, misses: 0, savedNanoUsd: '0' })
    expect(overview.stepMs).toBe(5000)
    expect(overview.series).toHaveLength(24)
    expect(
      overview.series.filter((step) => step.calls > 0).map(({ timeMs, calls }) => [timeMs - sinceMs, calls]),
    ).toEqual([
      [0, 2],
      [60_000, 3],
    ])
    expect(
      overview.byTarget.map(({ target, calls, durationMsP50 }) => ({ target, calls, durationMsP50 })),
    ).toEqual([
      { target: 'openai/gpt-5.5', calls: 4, durationMsP50: 16.25 },
      { target: 'local/llama3.3', calls: 1, durationMsP50: 12.5 },
    ])
    const cached = sinceMs - 36_000_000
    await upload([
      callRecord({ timeMs: cached, cache: 'hit', savedNanoUsd: '20000', usage: {}, costNanoUsd: '0' }),
      callRecord({ timeMs: cached, cache: 'miss', sequence: 2 }),
    ])
    const { cache } = await controlPlane.client.getOverview({ sinceMs: cached, untilMs: cached + 1000 })
    expect(cache).toEqual({ hits: 1, misses: 1, savedNanoUsd: '20000' })
    const elsewhere = await controlPlane.client.getOverview({ environment: 'production', sinceMs })
    expect(elsewhere.totals.calls).toBe(0)
  })

  it('covers the last day in at most 60 steps whose edges stand still', () => {
    const nowMs = Date.UTC(2026, 8, 1, 12, 34, 56, 789)
    const range = overviewRange({}, nowMs)
    expect(range).toEqual({ sinceMs: Date.UTC(2026, 7, 31, 12, 30), untilMs: nowMs + 1, stepMs: 1_800_000 })
    for (const days of [0.00001, 0.01, 1, 3, 14, 90, 400, 4000]) {
      const { sinceMs, untilMs, stepMs } = overviewRange(
        { sinceMs: nowMs - days * 86_400_000, untilMs: nowMs },
        nowMs,
      )
      expect(Math.ceil((untilMs - sinceMs) / stepMs)).toBeLessThanOrEqual(60)
      expect(sinceMs % stepMs).toBe(0)
    }
    expect(() => overviewRange({ sinceMs: 5, untilMs: 5 }, nowMs)).toThrow('sinceMs must be before untilMs')
  })
})

describe('throughput', () => {
  it('takes thousands of records a second over HTTP', async () => {
    const segments = Array.from({ length: 6 }, (_, segment) =>
      packSegment(
        Array.from({ length: segmentRecordsMax }, (_, index) =>
          callRecord({ sequence: segment * segmentRecordsMax + index + 1 }),
        ),
      ),
    )
    const startMs = performance.now()
    let previous: string | undefined
    for (const segment of segments) {
      const query = { records: segmentRecordsMax, ...(previous === undefined ? {} : { previous }) }
      const response = await gateway.segment(segment, query)
      expect(response.status).toBe(200)
      previous = segment.digest
    }
    const perSecond = (segments.length * segmentRecordsMax * 1000) / (performance.now() - startMs)
    // 10,000 and more on two idle processors; the bar leaves room for a machine that is busy otherwise.
    expect(perSecond).toBeGreaterThan(2000)
  })
})
