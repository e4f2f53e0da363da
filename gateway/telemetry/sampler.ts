import type { samplerNames } from '../config.ts'
import type { FinishedCall } from './telemetry.ts'

export type SamplerName = (typeof samplerNames)[number]
/** Whether a call's spans are exported. */
export type Sampler = (call: FinishedCall) => boolean

const randomDigits = 14
const randomMax = 16 ** randomDigits

/** A share of the traces, the same in every program: by the random part of the trace id (its last 56 bits). */
function byRatio(ratio: number): Sampler {
  const limit = ratio * randomMax
  return ({ traceId }) => Number.parseInt(traceId.slice(-randomDigits), 16) < limit
}

/** Calls that nobody wants to miss: denied, failed, cut off, served by a fallback, or not passed by a guardrail. */
export function isNotable({ record }: FinishedCall): boolean {
  const { effect, status, attempts, truncated } = record.row
  if (record.body.verdicts.some(({ verdict }) => verdict !== 'pass' && verdict !== 'skipped')) return true
  return effect === 'deny' || effect === 'error' || status >= 400 || attempts > 1 || truncated
}

/**
 * The sampler of `OTEL_TRACES_SAMPLER`; notable calls pass at any ratio. What is decided for a parent counts only where
 * it is sampled: an unsampled caller gets a trace of ours, which is a root.
 */
export function createSampler(name: SamplerName, ratio: number): Sampler {
  const parentBased = name.startsWith('parentbased_')
  const rule = name.replace('parentbased_', '')
  const root: Sampler =
    rule === 'always_on' ? () => true : rule === 'always_off' ? () => false : byRatio(ratio)
  return (call) => isNotable(call) || (parentBased && call.parent?.sampled === true) || root(call)
}
