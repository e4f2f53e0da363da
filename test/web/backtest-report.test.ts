import { describe, expect, it } from 'vitest'
import { readReport } from '../../web/backtest/report.ts'

const spend = { calls: 2, lowNanoUsd: '10', highNanoUsd: '20', unpriced: 0, estimated: 1 }
const quantiles = { p50Ms: 5, p95Ms: null }
const report = {
  ok: true,
  candidate: { workspace: 'acme', digest: 'sha256:00' },
  baseline: null,
  replay: {
    ...{ ok: true, records: 2, decided: 2, different: 0, replayablePpm: 1_000_000, notReplayable: [] },
    ...{ sinceMs: null, untilMs: null },
  },
  ...{ compared: 2, changed: 0, changedPpm: 0, unanswerable: [], assumed: [], failures: [] },
  transitions: { outcome: [], target: [], rule: [], guardrails: [], prompt: [] },
  ...{ cohorts: [], deadRules: [], reasons: [] },
  cost: { before: spend, after: spend, changeLowPpm: 0, changeHighPpm: null },
  latency: { before: quantiles, after: quantiles, unknown: 0 },
  ...{ thresholds: [], assumptions: ['Answers are not simulated.'] },
}

describe('reading the report of a backtest', () => {
  it('takes a report, and the impact of a plan', () => {
    expect(readReport(JSON.stringify(report))).toEqual(report)
    expect(readReport(JSON.stringify({ weakened: [], impact: report })).compared).toBe(2)
  })

  it('says of a plan without an impact why it has none', () => {
    const plan = { weakened: [], impact: null, whyNoImpact: 'no records in this time' }
    expect(() => readReport(JSON.stringify(plan))).toThrow('no records in this time')
  })

  it('refuses what is no JSON, and names the member that is not as it should be', () => {
    expect(() => readReport('not json')).toThrow('is not JSON')
    expect(() => readReport('[]')).toThrow('"ok" is not as expected')
    expect(() => readReport('null')).toThrow('it is no object')
    const cohorts = [{ by: 'team', name: 'search', compared: '3', changed: 1, examples: [] }]
    expect(() => readReport(JSON.stringify({ ...report, cohorts }))).toThrow('"cohorts[0].compared"')
    expect(() => readReport(JSON.stringify({ ...report, transitions: {} }))).toThrow('"transitions.outcome"')
  })
})
