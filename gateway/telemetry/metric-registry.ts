import type { Attributes } from '@opentelemetry/api'

/** So many different sets of attributes are kept of one metric; all others are counted together. */
const seriesMax = 2000
const overflow: Attributes = { 'otel.metric.overflow': true }

export interface MetricHead {
  readonly name: string
  readonly description: string
  /** UCUM: `s`, `By`, `{token}`. */
  readonly unit: string
}

/** A sum that only grows. */
export class CounterSeries {
  value = 0
  add(amount: number): void {
    this.value += amount
  }
}

/** How many values fell into each bucket. */
export class HistogramSeries {
  readonly boundaries: readonly number[]
  readonly counts: number[]
  count = 0
  sum = 0
  min = Number.POSITIVE_INFINITY
  max = Number.NEGATIVE_INFINITY

  constructor(boundaries: readonly number[]) {
    this.boundaries = boundaries
    this.counts = new Array<number>(boundaries.length + 1).fill(0)
  }

  record(value: number): void {
    let low = 0
    let high = this.boundaries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value > (this.boundaries[middle] ?? 0)) low = middle + 1
      else high = middle
    }
    this.counts[low] = (this.counts[low] ?? 0) + 1
    this.count++
    this.sum += value
    if (value < this.min) this.min = value
    if (value > this.max) this.max = value
  }
}

/** One metric with its series, by a key that the caller makes of their attributes. */
export class MetricFamily<T> {
  readonly head: MetricHead
  readonly #create: () => T
  readonly #series = new Map<string, { readonly attributes: Attributes; readonly series: T }>()

  constructor(head: MetricHead, create: () => T) {
    this.head = head
    this.#create = create
  }

  /** The series of this key; `attributes` is asked for a new one only. */
  of(key: string, attributes: () => Attributes): T {
    const known = this.#series.get(key)
    if (known !== undefined) return known.series
    if (this.#series.size >= seriesMax && key !== '') return this.of('', () => overflow)
    const added = { attributes: attributes(), series: this.#create() }
    this.#series.set(key, added)
    return added.series
  }

  all(): Iterable<{ readonly attributes: Attributes; readonly series: T }> {
    return this.#series.values()
  }
}

/** A value that is looked up when metrics are read. */
export interface Observation {
  readonly value: number
  readonly attributes?: Attributes
}
export interface ObservedMetric {
  readonly head: MetricHead
  /** `counter` only grows. */
  readonly kind: 'counter' | 'gauge'
  readonly observe: () => number | readonly Observation[]
}

/**
 * All metrics of the program. Adding to a series is a few machine operations; OpenTelemetry's own instruments cost some
 * 0.7 µs a value, and a call has a dozen. Exporters of both kinds read from here.
 */
export class MetricRegistry {
  readonly startMs: number
  readonly counters: MetricFamily<CounterSeries>[] = []
  readonly histograms: MetricFamily<HistogramSeries>[] = []
  readonly observed: ObservedMetric[] = []

  constructor(startMs: number) {
    this.startMs = startMs
  }

  counter(head: MetricHead): MetricFamily<CounterSeries> {
    const family = new MetricFamily(head, () => new CounterSeries())
    this.counters.push(family)
    return family
  }

  histogram(head: MetricHead, boundaries: readonly number[]): MetricFamily<HistogramSeries> {
    const family = new MetricFamily(head, () => new HistogramSeries(boundaries))
    this.histograms.push(family)
    return family
  }

  observe(metric: ObservedMetric): void {
    this.observed.push(metric)
  }
}
