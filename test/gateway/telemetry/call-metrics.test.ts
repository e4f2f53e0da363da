import { describe, expect, it } from 'vitest'
import { CallMetrics } from '../../../gateway/telemetry/call-metrics.ts'
import { collectMetrics } from '../../../gateway/telemetry/metric-data.ts'
import { HistogramSeries, MetricRegistry } from '../../../gateway/telemetry/metric-registry.ts'
import { finishedCall } from './finished-call.ts'

function createMetrics(isKnownTarget: (target: string) => boolean = () => true) {
  const registry = new MetricRegistry(1_800_000_000_000)
  const metrics = new CallMetrics({ registry, conventions: '1.41', providerName: (id) => id, isKnownTarget })
  const points = (name: string) =>
    collectMetrics(registry, 1_800_000_001_000)
      .metrics.filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })))
  return { metrics, points }
}

describe('the metrics of calls', () => {
  it('count calls, tokens and cost by target', () => {
    const { metrics, points } = createMetrics()
    metrics.count(finishedCall())
    metrics.count(finishedCall())
    metrics.count(finishedCall({ status: 403, effect: 'deny', errorCode: 'TIER_BLOCKED' }))
    expect(points('signalbox.calls').map(({ value }) => value)).toEqual([2, 1])
    expect(points('signalbox.calls')[1]?.attributes).toMatchObject({ 'error.type': 'policy_denied' })
    expect(points('signalbox.cost')).toEqual([
      { attributes: { 'signalbox.target': 'openai/gpt-5.5' }, value: expect.closeTo(0.0037035, 12) },
    ])
    const tokens = points('signalbox.tokens').map(({ attributes, value }) => [
      attributes['signalbox.usage.unit'],
      value,
    ])
    expect(tokens).toEqual([
      ['input', 900],
      ['output', 360],
    ])
    expect(points('gen_ai.client.token.usage')[0]).toMatchObject({ value: { count: 3, sum: 900 } })
  })

  it('tell the arms of a rollout apart, and name none where there is no rollout', () => {
    const { metrics, points } = createMetrics()
    for (const arm of ['stable', 'candidate', 'candidate'] as const) metrics.count(finishedCall({ arm }))
    metrics.count(finishedCall())
    const arms = points('signalbox.calls').map(({ attributes, value }) => [
      attributes['signalbox.arm'],
      value,
    ])
    expect(arms).toEqual([
      ['stable', 1],
      ['candidate', 2],
      [undefined, 1],
    ])
    expect(points('signalbox.call.duration')).toHaveLength(3)
  })

  it('call models that callers make up `other`', () => {
    const { metrics, points } = createMetrics(() => false)
    for (let index = 0; index < 50; index++) {
      const target = `openai/made-up-${index}`
      metrics.count(finishedCall({ target }, { target, model: `made-up-${index}` }))
    }
    expect(points('signalbox.calls')).toMatchObject([
      { attributes: { 'signalbox.target': 'other' }, value: 50 },
    ])
    expect(JSON.stringify(points('gen_ai.client.operation.duration'))).not.toContain('made-up')
  })

  it('count together what has too many different attributes', () => {
    const { metrics, points } = createMetrics()
    for (let index = 0; index < 2100; index++) metrics.count(finishedCall({}, { target: `c${index}/m` }))
    const attempts = points('signalbox.attempts')
    expect(attempts).toHaveLength(2001)
    expect(attempts.at(-1)).toEqual({ attributes: { 'otel.metric.overflow': true }, value: 100 })
  })

  it('name losses that nobody was told of', () => {
    const { metrics, points } = createMetrics()
    metrics.count(finishedCall())
    expect(points('signalbox.undeclared_loss')).toEqual([])
    metrics.count(finishedCall({}, {}, { undeclaredLosses: 2 }))
    expect(points('signalbox.undeclared_loss')).toEqual([{ attributes: {}, value: 2 }])
  })
})

describe('a histogram', () => {
  it('puts a value on a boundary into the bucket below it', () => {
    const series = new HistogramSeries([1, 2, 4])
    for (const value of [0, 1, 1.5, 2, 3, 4, 5]) series.record(value)
    expect(series).toMatchObject({ counts: [2, 2, 2, 1], count: 7, sum: 16.5, min: 0, max: 5 })
  })
})
