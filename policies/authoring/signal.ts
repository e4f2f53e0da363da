/** What is known of a step of a pipeline once it has ended. */
export type StepSignal =
  | 'finish'
  | 'chars'
  | 'inputTokens'
  | 'outputTokens'
  | 'confidencePpm'
  | 'costNanoUsd'
  | 'durationMs'
type Operand = string | number | boolean
type Comparison = readonly [{ readonly signal: string }, Operand]
/** When a step of a pipeline runs: data, since the gateway asks it between two steps, without the policy. */
export type SignalCondition =
  | { readonly all: readonly SignalCondition[] }
  | { readonly any: readonly SignalCondition[] }
  | { readonly not: SignalCondition }
  | { readonly eq: Comparison }
  | { readonly ne: Comparison }
  | { readonly lt: Comparison }
  | { readonly lte: Comparison }
  | { readonly gt: Comparison }
  | { readonly gte: Comparison }

/** A signal, to be compared with a value. */
export interface Signal {
  eq(value: Operand): SignalCondition
  ne(value: Operand): SignalCondition
  lt(value: number): SignalCondition
  lte(value: number): SignalCondition
  gt(value: number): SignalCondition
  gte(value: number): SignalCondition
}

/** A signal of an earlier step, for `onlyIf`: `signal('draft.confidencePpm').lt(800_000)`. */
export function signal(name: `${string}.${StepSignal}`): Signal {
  const of = { signal: name }
  return {
    eq: (value) => ({ eq: [of, value] }),
    ne: (value) => ({ ne: [of, value] }),
    lt: (value) => ({ lt: [of, value] }),
    lte: (value) => ({ lte: [of, value] }),
    gt: (value) => ({ gt: [of, value] }),
    gte: (value) => ({ gte: [of, value] }),
  }
}
