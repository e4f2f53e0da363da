import type { Attributes } from '@opentelemetry/api'
import {
  type Attempt,
  errorTable,
  type RecordRow,
  type UsageUnit,
  type Verdict,
} from '@signalbox/sdk/contract'
import { type ConventionVersion, inputTokensOf, operationNames } from './attributes.ts'
import { conventionMetrics, labels, metricNames } from './metric-names.ts'
import type { CounterSeries, HistogramSeries, MetricFamily, MetricRegistry } from './metric-registry.ts'
import type { FinishedCall } from './telemetry.ts'

// Boundaries of the conventions; those in seconds are narrower at the low end, where a gateway's own time is.
const secondsBoundaries = [
  0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
]
const tokenBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]
const policySecondsBoundaries = [
  0.000_02, 0.000_04, 0.000_06, 0.000_08, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.005, 0.01, 0.02,
]
const fuelBoundaries = [
  1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
]
/** In the place of what callers made up. */
const other = 'other'

interface CallSeries {
  readonly calls: CounterSeries
  readonly duration: HistogramSeries
  readonly requestDuration: HistogramSeries
  readonly firstToken: HistogramSeries
}
interface AttemptSeries {
  readonly attempts: CounterSeries
  readonly duration: HistogramSeries
  readonly firstChunk: HistogramSeries
  readonly inputTokens: HistogramSeries
  readonly outputTokens: HistogramSeries
  readonly cost: CounterSeries
  readonly target: string
}

export interface CallMetricsOptions {
  readonly registry: MetricRegistry
  readonly conventions: ConventionVersion
  /** `gen_ai.provider.name` of a provider adapter. */
  readonly providerName: (provider: string) => string
  /** Whether a target is one that the workspace or the catalogue names; others are `other`. */
  readonly isKnownTarget: (target: string) => boolean
}

/** Counts finished calls. The series of a call are found by one look-up, those of an attempt by another. */
export class CallMetrics {
  readonly #options: CallMetricsOptions
  readonly #families: ReturnType<typeof createFamilies>
  readonly #calls = new Map<string, CallSeries>()
  readonly #attempts = new Map<string, AttemptSeries>()

  constructor(options: CallMetricsOptions) {
    this.#options = options
    this.#families = createFamilies(options.registry, options.conventions)
  }

  count(call: FinishedCall): void {
    const { row, body } = call.record
    const series = this.#callSeries(call, row)
    const seconds = row.durationMs / 1000
    series.calls.add(1)
    series.duration.record(seconds)
    series.requestDuration.record(seconds)
    if (row.firstTokenMs !== undefined) series.firstToken.record(row.firstTokenMs / 1000)
    for (const attempt of body.attempts) this.#countAttempt(attempt, row)
    if (row.attempts > 1) this.#families.fallbacks.of('', () => ({})).add(row.attempts - 1)
    if (call.policy !== undefined) {
      const { effect } = row
      this.#families.policyDuration
        .of(effect, () => ({ [labels.effect]: effect }))
        .record(body.evaluationUs / 1e6)
      this.#families.policyFuel.of('', () => ({})).record(body.fuel)
    }
    for (const verdict of body.verdicts) this.#countVerdict(verdict)
    const losses = call.undeclaredLosses ?? 0
    if (losses > 0) this.#families.undeclaredLoss.of('', () => ({})).add(losses)
  }

  /** Ids of guardrails are the workspace's own, so there are few. */
  #countVerdict({ guardrail, verdict, action }: Verdict): void {
    const attributes = { [labels.guardrail]: guardrail, [labels.verdict]: verdict, [labels.action]: action }
    this.#families.guardrails.of(`${guardrail} ${verdict} ${action}`, () => attributes).add(1)
  }

  #targetOf(target: string): string {
    return this.#options.isKnownTarget(target) ? target : other
  }

  #callSeries(call: FinishedCall, row: RecordRow): CallSeries {
    const target = row.target === undefined ? '' : this.#targetOf(row.target)
    const error = errorOf(row.errorCode)
    const key = `${call.httpRoute} ${row.status} ${row.effect} ${row.stream} ${target} ${error} ${row.arm ?? ''}`
    const known = this.#calls.get(key)
    if (known !== undefined) return known
    const { calls, callDuration, requestDuration, firstToken } = this.#families
    const operation = operationNames[row.operation]
    const place: Attributes = {
      [labels.dialect]: row.dialect,
      [labels.operation]: operation,
      [labels.stream]: row.stream,
      ...(row.arm !== undefined && { [labels.arm]: row.arm }),
    }
    const attributes = (): Attributes => ({
      ...place,
      [labels.effect]: row.effect,
      [labels.httpStatus]: row.status,
      ...(target !== '' && { [labels.target]: target }),
      ...(error !== '' && { [labels.errorType]: error }),
    })
    const http = {
      [labels.httpMethod]: call.method,
      [labels.httpRoute]: call.httpRoute,
      [labels.httpStatus]: row.status,
    }
    const placeKey = `${row.dialect} ${operation} ${row.stream} ${row.arm ?? ''}`
    const series = {
      calls: calls.of(key, attributes),
      duration: callDuration.of(placeKey, () => place),
      requestDuration: requestDuration.of(`${call.method} ${call.httpRoute} ${row.status}`, () => http),
      firstToken: firstToken.of(placeKey, () => place),
    }
    return keep(this.#calls, key, series)
  }

  #countAttempt(attempt: Attempt, row: RecordRow): void {
    const series = this.#attemptSeries(attempt, row)
    series.attempts.add(1)
    series.duration.record(attempt.durationMs / 1000)
    if (attempt.firstByteMs !== undefined) series.firstChunk.record(attempt.firstByteMs / 1000)
    if (attempt.costNanoUsd !== undefined) series.cost.add(Number(attempt.costNanoUsd) / 1e9)
    const { usage } = attempt
    if (usage === undefined) return
    const input = inputTokensOf(usage)
    if (input !== undefined) series.inputTokens.record(input)
    if (usage.output !== undefined) series.outputTokens.record(usage.output)
    for (const name in usage) {
      const unit = name as UsageUnit
      const count = usage[unit]
      if (count !== undefined) this.#unitSeries(series.target, unit).add(count)
    }
  }

  #unitSeries(target: string, unit: UsageUnit): CounterSeries {
    const attributes = (): Attributes => ({ [labels.target]: target, [labels.unit]: unit })
    return this.#families.tokens.of(`${target} ${unit}`, attributes)
  }

  #attemptSeries(attempt: Attempt, row: RecordRow): AttemptSeries {
    const target = this.#targetOf(attempt.target)
    const key = `${row.operation} ${target} ${attempt.provider} ${attempt.outcome}`
    const known = this.#attempts.get(key)
    if (known !== undefined) return known
    return keep(this.#attempts, key, this.#createAttemptSeries(attempt, row, target))
  }

  #createAttemptSeries(attempt: Attempt, row: RecordRow, target: string): AttemptSeries {
    const families = this.#families
    const { outcome } = attempt
    const provider = this.#options.providerName(attempt.provider)
    const model: Attributes = {
      [labels.operation]: operationNames[row.operation],
      [labels.provider]: provider,
      [labels.requestModel]: target === other ? other : target.slice(target.indexOf('/') + 1),
    }
    const modelKey = `${row.operation} ${provider} ${target}`
    const ended = outcome === 'ok' ? model : { ...model, [labels.errorType]: outcome }
    const endedKey = `${modelKey} ${outcome}`
    const tokensOf = (type: string): HistogramSeries =>
      families.tokenUsage.of(`${modelKey} ${type}`, () => ({ ...model, [labels.tokenType]: type }))
    return {
      attempts: families.attempts.of(`${target} ${outcome}`, () => ({
        [labels.target]: target,
        [labels.outcome]: outcome,
      })),
      duration: families.operationDuration.of(endedKey, () => ended),
      firstChunk: families.timeToFirstChunk.of(endedKey, () => ended),
      inputTokens: tokensOf('input'),
      outputTokens: tokensOf('output'),
      cost: families.cost.of(target, () => ({ [labels.target]: target })),
      target,
    }
  }
}

const keptMax = 4096

/** Remembers a combination; beyond the limit it is put together anew each time. */
function keep<T>(kept: Map<string, T>, key: string, value: T): T {
  if (kept.size < keptMax) kept.set(key, value)
  return value
}

/** Our own codes are few; a policy's code is its author's. */
function errorOf(code: string | undefined): string {
  if (code === undefined) return ''
  return code in errorTable ? code : 'policy_denied'
}

function createFamilies(registry: MetricRegistry, version: ConventionVersion) {
  const conventions = conventionMetrics[version]
  const seconds = (name: string, description: string): MetricFamily<HistogramSeries> =>
    registry.histogram({ name, description, unit: 's' }, secondsBoundaries)
  const counter = (name: string, description: string, unit: string): MetricFamily<CounterSeries> =>
    registry.counter({ name, description, unit })
  return {
    calls: counter(metricNames.calls, 'Calls that ended.', '{call}'),
    callDuration: seconds(metricNames.callDuration, 'From the first byte of a call to its last.'),
    requestDuration: seconds(metricNames.requestDuration, 'Duration of HTTP server requests.'),
    firstToken: seconds(metricNames.firstToken, 'From the start of a call to the first piece of its answer.'),
    operationDuration: seconds(conventions.operationDuration, 'Duration of attempts at an upstream.'),
    timeToFirstChunk: seconds(conventions.timeToFirstChunk, 'From an attempt to its first byte.'),
    tokenUsage: registry.histogram(
      { name: metricNames.tokenUsage, description: 'Tokens of one attempt.', unit: '{token}' },
      tokenBoundaries,
    ),
    attempts: counter(metricNames.attempts, 'Attempts at an upstream, by how they ended.', '{attempt}'),
    fallbacks: counter(metricNames.fallbacks, 'Attempts after the first of a call.', '{attempt}'),
    tokens: counter(metricNames.tokens, 'Usage as reported or estimated, by unit.', '{unit}'),
    cost: counter(metricNames.cost, 'Cost of attempts in US dollars.', '{USD}'),
    policyDuration: registry.histogram(
      { name: metricNames.policyDuration, description: 'Time to decide.', unit: 's' },
      policySecondsBoundaries,
    ),
    policyFuel: registry.histogram(
      { name: metricNames.policyFuel, description: 'Fuel of a decision.', unit: '{fuel}' },
      fuelBoundaries,
    ),
    guardrails: counter(metricNames.guardrails, 'Verdicts of guardrails, and what was done.', '{verdict}'),
    undeclaredLoss: counter(
      metricNames.undeclaredLoss,
      'Losses in translation that were found too late to be named: each is a bug.',
      '{loss}',
    ),
  }
}
