/*
 * What host and sandbox say to each other, as JSON. The script of a version holds its own runtime, so both sides of an
 * old version still fit: members may be added here, never changed.
 */

/** The host's questions. */
export type Question = DescribeQuestion | EvaluateQuestion | ScreenQuestion
/** Asks what the script holds. */
export interface DescribeQuestion {
  readonly describe: true
}
export interface EvaluateQuestion {
  /** Facts, projected to what the policies read. */
  readonly f: object
  /** Param values. */
  readonly p: Readonly<Record<string, unknown>>
  /** Indexes of the constraints to ask; all are asked. */
  readonly c: readonly number[]
  /** Indexes of the routes to ask, in order, until one chooses. */
  readonly r: readonly number[]
  /** A policy and its rules that are to throw instead of being asked: how cases see what `onError` makes of it. */
  readonly t?: readonly [policy: number, rules: readonly number[]]
}
export interface ScreenQuestion {
  /** Index of the guardrail. */
  readonly g: number
  readonly f: object
  readonly p: Readonly<Record<string, unknown>>
  /** As of an EvaluateQuestion; its index is `g` again. */
  readonly t?: EvaluateQuestion['t']
}

/** A rule that matched: its index where its effects are fixed (see `DescribedRule`), else with what it said. */
export type Matched = number | readonly [rule: number, effects: readonly unknown[]]
/** A rule that broke. `exception`: it threw; `invalid`: what it said has no JSON form. */
export type Broken = readonly [rule: number, kind: 'exception' | 'invalid', message: string]
/** What became of one policy that was asked. */
export type PolicyAnswer = readonly [
  policy: number,
  trace: string,
  matched: readonly Matched[],
  broken: readonly Broken[],
]
/**
 * Answer to a ScreenQuestion: whether a rule holds, what broke, and what the rules say that hold. Scripts from before
 * guardrails had several rules say nothing in the last place: their one rule says the definition's `action`.
 */
export type ScreenAnswer = readonly [
  holds: 0 | 1,
  trace: string,
  broken: readonly Broken[],
  matched?: readonly Matched[],
]

export interface DescribedRule {
  readonly id: unknown
  /** Where it stands in the sources: key into the compiler's list of sites. */
  readonly site: string | null
  /** Characters it takes in the trace. */
  readonly conditions: number
  /** Its options without functions. */
  readonly options: Readonly<Record<string, unknown>>
  /** Names of the options that are functions. */
  readonly functions: readonly string[]
  /** What it always says; null where that depends on facts or params. */
  readonly effects: readonly unknown[] | null
  /** What `then` threw although it reads nothing. */
  readonly broken?: string
}
export interface DescribedDefinition {
  readonly file: string
  /** What the file exports by default instead of a definition. */
  readonly instead?: string
  readonly kind?: unknown
  readonly id?: unknown
  readonly site?: string | null
  readonly options?: Readonly<Record<string, unknown>>
  readonly functions?: readonly string[]
  readonly rules?: readonly (DescribedRule | null)[]
  /** Of a guardrail of a script from before guardrails had rules: what it says when its condition holds. */
  readonly action?: unknown
  readonly conditions?: number
  readonly broken?: string
}
export interface Description {
  readonly definitions: readonly DescribedDefinition[]
  readonly params: readonly { readonly name: unknown; readonly declaration: unknown }[]
}
