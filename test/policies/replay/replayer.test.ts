import { createEngine, type Engine, Replayer } from '@signalbox/policies'
import type { CallRecord, ExportedRecord } from '@signalbox/sdk/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  buildTraffic,
  RecordedTraffic,
  type TrafficVersion,
  trafficLibrary,
} from '../../support/recorded-traffic.ts'

let engine: Engine
let version: TrafficVersion
let traffic: RecordedTraffic
beforeAll(async () => {
  engine = await createEngine()
  version = await buildTraffic()
  traffic = await RecordedTraffic.start(version)
})
afterAll(() => {
  traffic.dispose()
  engine.dispose()
})

const replay = async (record: ExportedRecord, library = trafficLibrary([version])) =>
  (await new Replayer(engine, library).replay(record)).replay
/** A record as it comes from another machine: nothing but its JSON. */
const copy = (record: CallRecord): CallRecord => JSON.parse(JSON.stringify(record)) as CallRecord

describe('a recorded call that is decided again', () => {
  it('gives the same digest and the same selection from nothing but its JSON and the version', async () => {
    const allowed = copy(traffic.record(1))
    expect(await replay(allowed)).toMatchObject({
      status: 'same',
      recordedDigest: allowed.row.decisionDigest,
      replayedDigest: allowed.row.decisionDigest,
      why: null,
      engine: { recorded: engine.digest, here: engine.digest, same: true },
      selection: { status: 'same', recorded: allowed.body.selection?.order },
    })
    const denied = copy(
      traffic.record(24, { request: { metadata: { tier: 'free' }, estimate: { inputTokens: 2000 } } }),
    )
    expect(denied.row.effect).toBe('deny')
    expect(await replay(denied)).toMatchObject({ status: 'same', selection: null })
  })

  it('is decided with the params of its time, from the record or else from the state of the time', async () => {
    const params = { acme: { share: 0 } }
    const recorded = copy(traffic.record(2, {}, params))
    expect(await replay(recorded, trafficLibrary([version], { acme: { share: 1_000_000 } }))).toMatchObject({
      status: 'same',
    })
    const { params: _, ...body } = recorded.body
    expect(await replay({ ...recorded, body }, trafficLibrary([version], params))).toMatchObject({
      status: 'same',
    })
  })

  it('is different where the facts and digest do not belong together, and says so', async () => {
    const record = copy(traffic.record(3))
    const { row } = record
    const forged = { ...record, row: { ...row, decisionDigest: `sha256:${'0'.repeat(64)}` } }
    expect(await replay(forged)).toMatchObject({
      status: 'different',
      replayedDigest: row.decisionDigest,
      why: 'the same version and facts decide differently here',
    })
  })

  it('names both engines where another one decided, and compares all the same', async () => {
    const other = `sha256:${'e'.repeat(64)}`
    const library = trafficLibrary([{ ...version, engine: other }])
    const record = copy(traffic.record(4))
    const engines = { recorded: other, here: engine.digest, same: false }
    expect(await replay(record, library)).toMatchObject({ status: 'same', engine: engines })
    const forged = { ...record, row: { ...record.row, decisionDigest: `sha256:${'0'.repeat(64)}` } }
    expect((await replay(forged, library)).why).toBe(
      `another engine decides differently: recorded with ${other}, replayed with ${engine.digest}`,
    )
  })

  it('is different where the same plan and health pick other targets', async () => {
    const record = copy(traffic.record(5, { request: { metadata: { feature: 'polish' } } }))
    const selection = { seed: 1, order: ['openai/gpt-5.5', 'anthropic/claude-opus-4-8'], skipped: [] }
    const found = await replay({ ...record, body: { ...record.body, selection } })
    expect(found).toMatchObject({
      status: 'same',
      selection: { status: 'different', recorded: selection.order },
    })
    expect(found.selection?.replayed).toEqual(selection.order.toReversed())
  })

  it('passes over targets that were unavailable then', async () => {
    const models = (
      ['anthropic/claude-opus-4-8', 'openai/gpt-5.5', 'openai/gpt-5-mini', 'local/llama3.3'] as const
    ).map((target) => ({
      target,
      lossless: true,
      health: {
        state: target.startsWith('anthropic') ? ('unavailable' as const) : ('up' as const),
        errorPpm: 0,
      },
    }))
    const record = copy(traffic.record(6, { models, request: { metadata: { feature: 'polish' } } }))
    expect((await replay(record)).selection).toMatchObject({ status: 'same', replayed: ['openai/gpt-5.5'] })
  })
})

describe('a recorded call that cannot be decided again', () => {
  it.each([
    [
      'its facts are masked where policies read them',
      { masked: ['request.metadata'] },
      'policies read facts that are masked: request.metadata',
    ],
    [
      'only a digest of its facts was kept',
      { factsClass: 'digest', facts: undefined },
      'the facts were not recorded',
    ],
  ] as const)('is not replayable where %s', async (_, change, why) => {
    const record = copy(traffic.record(7))
    const body = JSON.parse(JSON.stringify({ ...record.body, ...change }))
    expect(await replay({ ...record, body })).toMatchObject({
      status: 'notReplayable',
      replayedDigest: null,
      why,
    })
  })

  it('is replayable where only facts are masked that no policy reads', async () => {
    const record = copy(traffic.record(8))
    const facts = { ...record.body.facts, subject: { ...record.body.facts?.subject, keyName: '' } }
    const body = { ...record.body, facts, masked: ['subject.keyName'] } as CallRecord['body']
    expect(await replay({ ...record, body })).toMatchObject({ status: 'same' })
  })

  it('is not replayable where facts were changed without a word, even if the decision would be the same', async () => {
    const record = copy(traffic.record(9))
    const facts = { ...record.body.facts, degraded: true }
    const body = { ...record.body, facts } as CallRecord['body']
    const found = await replay({ ...record, body })
    expect(found).toMatchObject({ status: 'notReplayable' })
    expect(found.why).toContain('changed after the call')
  })

  it('says which version is gone, and that a body is gone', async () => {
    const record = copy(traffic.record(10))
    const found = await replay(record, trafficLibrary([]))
    expect(found.why).toBe('the version of workspace "acme" is not here')
    expect(await replay({ row: record.row, body: null })).toMatchObject({
      status: 'notReplayable',
      why: 'the body of the record is no longer kept',
    })
  })

  it('has nothing to replay where no policy was asked', async () => {
    const { row, body } = copy(traffic.record(11))
    const { decision: _, facts: __, selection: ___, ...rest } = body
    const { decisionDigest: ____, ...plain } = row
    const early = {
      row: { ...plain, effect: 'none', status: 401 },
      body: { ...rest, policies: [] },
    } as CallRecord
    expect(await replay(early)).toMatchObject({ status: 'undecided', why: 'no policy was asked' })
  })
})
