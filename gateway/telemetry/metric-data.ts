import type { HrTime } from '@opentelemetry/api'
import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics'
import type {
  CounterSeries,
  HistogramSeries,
  MetricFamily,
  MetricHead,
  MetricRegistry,
  ObservedMetric,
} from './metric-registry.ts'

// As `@opentelemetry/api` and `sdk-metrics` number them; neither is loaded before metrics are first read.
const valueTypeDouble = 1
const cumulative = 1
const dataPointHistogram = 0
const dataPointGauge = 2
const dataPointSum = 3

interface Interval {
  readonly startTime: HrTime
  readonly endTime: HrTime
}

function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}

const headOf = (head: MetricHead) => ({
  descriptor: { ...head, valueType: valueTypeDouble },
  aggregationTemporality: cumulative,
})

function counterData(
  { head, all }: { head: MetricHead; all: MetricFamily<CounterSeries> },
  interval: Interval,
): MetricData {
  const dataPoints = [...all.all()].map(({ attributes, series }) => ({
    ...interval,
    attributes,
    value: series.value,
  }))
  return { ...headOf(head), dataPointType: dataPointSum, isMonotonic: true, dataPoints }
}

function histogramData(family: MetricFamily<HistogramSeries>, interval: Interval): MetricData {
  const dataPoints = [...family.all()].map(({ attributes, series }) => ({
    ...interval,
    attributes,
    value: {
      buckets: { boundaries: [...series.boundaries], counts: [...series.counts] },
      count: series.count,
      sum: series.sum,
      ...(series.count > 0 && { min: series.min, max: series.max }),
    },
  }))
  return { ...headOf(family.head), dataPointType: dataPointHistogram, dataPoints }
}

function observedData({ head, kind, observe }: ObservedMetric, interval: Interval): MetricData {
  const observed = observe()
  const all = typeof observed === 'number' ? [{ value: observed }] : observed
  const dataPoints = all.map(({ value, attributes = {} }) => ({ ...interval, attributes, value }))
  return kind === 'counter'
    ? { ...headOf(head), dataPointType: dataPointSum, isMonotonic: true, dataPoints }
    : { ...headOf(head), dataPointType: dataPointGauge, dataPoints }
}

/** Everything in the registry, now, as OpenTelemetry's exporters read it: sums since the start of the program. */
export function collectMetrics(registry: MetricRegistry, nowMs: number): ScopeMetrics {
  const interval = { startTime: hrTimeOf(registry.startMs), endTime: hrTimeOf(nowMs) }
  const metrics = [
    ...registry.counters.map((family) => counterData({ head: family.head, all: family }, interval)),
    ...registry.histograms.map((family) => histogramData(family, interval)),
    ...registry.observed.map((metric) => observedData(metric, interval)),
  ]
  return { scope: { name: 'signalbox' }, metrics: metrics.filter(({ dataPoints }) => dataPoints.length > 0) }
}
