import {
  backtestLines,
  backtestReport,
  createEngine,
  type Engine,
  linesOf,
  readExportedRecord,
  runBacktest,
  type Thresholds,
} from '@signalbox/policies'
import type { CallRecord } from '@signalbox/sdk/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Backtester } from '../../../policies/backtest/backtester.ts'
import {
  buildTraffic,
  RecordedTraffic,
  type TrafficVersion,
  trafficFiles,
  trafficLibrary,
  trafficWorkspace,
} from '../../support/recorded-traffic.ts'

const pick = trafficFiles['policies/pick.policy.ts'] ?? ''
const free = trafficFiles['policies/free.policy.json'] ?? ''
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

type Change = (record: CallRecord, index: number) => CallRecord

/** What a thread of a backtest does, in this one. */
async function here(
  versions: ConstructorParameters<typeof Backtester>[2],
  records: AsyncIterable<Uint8Array>,
) {
  const backtester = new Backtester(engine, trafficLibrary([version]), versions)
  for await (const batch of records) {
    for (const line of linesOf(batch)) {
      const record = readExportedRecord(line, { check: false })
      if (record !== undefined) await backtester.add(record)
    }
  }
  return backtester.tally
}

/** Backtests a workspace that differs in some files over so many calls. */
async function backtest(
  files: Readonly<Record<string, string>>,
  {
    calls = 120,
    change,
    baseline,
    thresholds = {},
    threads = 0,
  }: {
    calls?: number
    change?: Change
    baseline?: TrafficVersion
    thresholds?: Thresholds
    threads?: number
  } = {},
) {
  const candidate = await buildTraffic({ ...trafficFiles, ...files }, 2)
  const versions = { candidate, ...(baseline !== undefined && { baseline }) }
  const [records, library] = [traffic.lines(calls, change), trafficLibrary([version])]
  const tally =
    threads === 0
      ? await here(versions, records)
      : await runBacktest({ ...versions, threads, records, library })
  return backtestReport(tally, {
    ...{ candidate, engine: engine.digest, catalogue: candidate.catalogue, thresholds },
    ...(baseline !== undefined && { baseline }),
  })
}
const everyone = { 'policies/pick.policy.ts': pick.replace('500_000', '1_000_000') }

describe('a backtest', () => {
  it('finds that the same workspace decides every call the same', async () => {
    const report = await backtest({})
    expect(report).toMatchObject({
      ok: true,
      compared: 120,
      changed: 0,
      changedPpm: 0,
      unanswerable: [],
      cohorts: [],
    })
    expect(report.replay).toMatchObject({ records: 120, same: 120, different: 0, replayablePpm: 1_000_000 })
    expect(Object.values(report.transitions).flat()).toEqual([])
    expect(report.cost.after).toEqual(report.cost.before)
    expect(report.cost.changeHighPpm).toBe(0)
  })

  it('counts what goes elsewhere by target and rule, with calls to look at, and the dearest cohorts', async () => {
    const report = await backtest(everyone)
    const [target] = report.transitions.target
    expect(target).toMatchObject({ from: 'anthropic/claude-opus-4-8', to: 'openai/gpt-5-mini' })
    expect(target?.examples[0]).toMatch(/^[0-9a-f-]{36}$/)
    expect(target?.calls).toBe(report.changed)
    expect(report.transitions.rule).toMatchObject([{ from: '—', to: 'pick/split', calls: report.changed }])
    expect(report.transitions.outcome).toEqual([])
    expect(report.cohorts.map(({ by }) => by)).toContain('metadata.feature')
    expect(report.cohorts.find(({ name }) => name === 'polish')).toBeUndefined()
    const { changed, compared } = report
    expect(changed).toBeGreaterThan(10)
    expect(compared).toBe(120)
  })

  it('prices moved calls by their own tokens at the prices of the other target', async () => {
    const { cost } = await backtest(everyone)
    expect(cost.after.estimated).toBeGreaterThan(0)
    expect(cost.changeHighPpm).toBeLessThan(-100_000)
    expect(cost.after.lowNanoUsd).toBe(cost.after.highNanoUsd)
  })

  it('gives a band where a call was denied and nobody knows how long its answer would have been', async () => {
    const report = await backtest(
      { 'policies/free.policy.json': free.replace('900', '90000') },
      {
        change: (record, index) => {
          const usage = { ...record.row.usage, output: 60 + 20 * (index % 7) }
          return { ...record, row: { ...record.row, usage } }
        },
      },
    )
    expect(report.transitions.outcome).toMatchObject([{ from: 'deny TOO_LONG', to: 'allow' }])
    expect(BigInt(report.cost.after.highNanoUsd)).toBeGreaterThan(BigInt(report.cost.after.lowNanoUsd))
    expect(report.deadRules).toEqual([{ rule: 'acme/free/long', before: report.changed }])
    expect(report.reasons).toEqual([{ code: 'TOO_LONG', before: report.changed, after: 0 }])
  })

  it('resolves aliases anew, and takes a name that means nothing any more for a denial', async () => {
    const renamed = trafficWorkspace.replace(
      'smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]',
      'clever: [openai/gpt-5.5]',
    )
    const moved = trafficWorkspace.replace(
      'smart: [anthropic/claude-opus-4-8, openai/gpt-5.5]',
      'smart: [openai/gpt-5.5]',
    )
    const gone = await backtest({
      'signalbox.yaml': renamed,
      'policies/pick.policy.ts': pick.replace("use('smart')", "use('clever')"),
    })
    expect(gone.transitions.outcome[0]).toMatchObject({ from: 'allow', to: 'deny model_not_found' })
    const report = await backtest({ 'signalbox.yaml': moved })
    expect(report.transitions.target).toMatchObject([
      { from: 'anthropic/claude-opus-4-8', to: 'openai/gpt-5.5' },
    ])
    expect(report.unanswerable).toEqual([])
  })

  it('says what it had to assume of a target that was no candidate then', async () => {
    const report = await backtest({
      'policies/pick.policy.ts': pick.replace("use('openai/gpt-5-mini')", "use('openai/gpt-5.2')"),
    })
    expect(report.assumed).toMatchObject([{ what: 'openai/gpt-5.2 was up', calls: 120 }])
    expect(report.transitions.target[0]?.to).toBe('openai/gpt-5.2')
    expect(report.latency.unknown).toBe(report.transitions.target[0]?.calls)
  })

  it('compares with what is deployed, where other versions decided the calls', async () => {
    const baseline = await buildTraffic({ ...trafficFiles, ...everyone }, 3)
    const report = await backtest(everyone, { baseline })
    expect(report).toMatchObject({ compared: 120, changed: 0, baseline: { version: 3 } })
  })

  it('comes to the same figures with one thread and with several', async () => {
    const { replay: one, ...alone } = await backtest(everyone, { calls: 700, threads: 1 })
    const { replay: two, ...together } = await backtest(everyone, { calls: 700, threads: 2 })
    expect(together).toEqual(alone)
    expect(two).toEqual(one)
  })
})

describe('the honesty of a backtest', () => {
  it('reports injected nondeterminism: the call is named, not compared, and the run fails', async () => {
    const report = await backtest(
      {},
      {
        change: (record, index) =>
          index === 17
            ? { ...record, row: { ...record.row, decisionDigest: `sha256:${'0'.repeat(64)}` } }
            : record,
      },
    )
    expect(report).toMatchObject({ ok: false, compared: 119, changed: 0 })
    expect(report.replay).toMatchObject({ ok: false, different: 1, same: 119 })
    const { id } = traffic.record(17).row
    expect(report.replay.differences).toMatchObject([{ id, recordedDigest: `sha256:${'0'.repeat(64)}` }])
    expect(backtestLines(report).join('\n')).toContain(`different  ${id}`)
  })

  it('reports a masked field that the candidate reads, and counts the call as neither changed nor unchanged', async () => {
    const reads = pick.replace(
      'f.request.metadata.feature',
      "f.subject.keyName === 'x' || f.request.metadata.feature",
    )
    const report = await backtest(
      { 'policies/pick.policy.ts': reads },
      {
        change: (record, index) =>
          index % 4 === 0 ? { ...record, body: { ...record.body, masked: ['subject.keyName'] } } : record,
      },
    )
    expect(report).toMatchObject({ ok: true, compared: 90, changed: 0 })
    expect(report.unanswerable).toMatchObject([{ what: 'subject.keyName is masked', calls: 30 }])
    expect(report.replay.factsClasses).toEqual({ full: 90, masked: 30 })
    expect(backtestLines(report).join('\n')).toContain('left out  30 of 120 decided calls')
  })

  it.each([
    [
      'a detector that did not run then',
      '(f.data.detectors.pii?.hits ?? 0) > 0 || ',
      'the detector pii did not run then',
    ],
    [
      'a rank that was not worked out then',
      '(f.data.sensitivity?.rank ?? 0) > 3 || ',
      'data.sensitivity was not worked out then',
    ],
  ])('reports %s', async (_, condition, what) => {
    const report = await backtest({
      'policies/pick.policy.ts': pick.replace('(f) => ', `(f) => ${condition}`),
    })
    expect(report.compared).toBe(0)
    expect(report.unanswerable).toMatchObject([{ what, calls: 120 }])
  })

  it('reports metadata that was sent and not yet declared', async () => {
    const declared = trafficWorkspace.replace('feature:', 'task: { type: string }\n  feature:')
    const reads = pick.replace('(f) => ', "(f) => f.request.metadata.task === 'x' || ")
    const report = await backtest(
      { 'signalbox.yaml': declared, 'policies/pick.policy.ts': reads },
      {
        change: (record, index) =>
          index < 10 ? { ...record, body: { ...record.body, undeclaredMetadata: ['task'] } } : record,
      },
    )
    expect(report).toMatchObject({ compared: 110, changed: 0 })
    expect(report.unanswerable).toMatchObject([
      { what: 'request.metadata.task was not declared then', calls: 10 },
    ])
  })

  it('says how much of the records can be replayed at all', async () => {
    const report = await backtest(
      {},
      {
        change(record, index) {
          const { facts: _, ...body } = record.body
          return index < 30 ? { ...record, body: { ...body, factsClass: 'digest' } } : record
        },
      },
    )
    expect(report.replay).toMatchObject({ replayablePpm: 750_000, factsClasses: { full: 90, digest: 30 } })
    expect(report.replay.notReplayable).toMatchObject([{ what: 'the facts were not recorded', calls: 30 }])
    expect(report.compared).toBe(90)
  })
})

describe('limits of a change', () => {
  it('hold for no change and break where more changes than they allow', async () => {
    const limits = { maxChangedPpm: 50_000, maxCostPpm: 100_000, maxDeniedPpm: 0, minComparedPpm: 900_000 }
    expect(await backtest({}, { thresholds: limits })).toMatchObject({ ok: true })
    const dear = await backtest(everyone, { thresholds: limits })
    expect(dear.ok).toBe(false)
    expect(dear.thresholds.map(({ name, passed }) => [name, passed])).toEqual([
      ['maxChanged', false],
      ['maxCost', true],
      ['maxDenied', true],
      ['minCompared', true],
    ])
    const denying = await backtest(
      { 'policies/free.policy.json': free.replace('900', '1') },
      { thresholds: limits },
    )
    expect(denying.thresholds.find(({ name }) => name === 'maxDenied')).toMatchObject({ passed: false })
  })

  it('do not hold where no call could be compared', async () => {
    const report = await backtest(
      {},
      {
        thresholds: { maxChangedPpm: 1_000_000 },
        change: (record) => ({ ...record, body: { ...record.body, masked: ['request.metadata'] } }),
      },
    )
    expect(report).toMatchObject({ ok: false, compared: 0 })
    expect(report.thresholds[0]?.text).toBe('no call could be compared')
  })
})
