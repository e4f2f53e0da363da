import { addLengths, type Lengths } from './answer-lengths.ts'
import { addCounts, type Counts } from './counts.ts'
import { addDurations, type Durations } from './latency.ts'
import { addCosts, type CostSums, emptyCosts, emptySpend, type Spend } from './spend.ts'

/** What calls are told apart by where two versions decide differently. */
export const dimensions = ['outcome', 'target', 'rule', 'guardrails', 'prompt'] as const
export type Dimension = (typeof dimensions)[number]
/** Groups of callers and calls that changes are counted for. */
export type Cohorts = Map<string, Map<string, Cohort>>
export interface Cohort {
  compared: number
  changed: number
  examples: string[]
}

export interface Difference {
  readonly id: string
  readonly recordedDigest: string | null
  readonly replayedDigest: string | null
  readonly why: string | null
}
/** How recorded calls came out when they were decided again by the versions of their time. */
export interface SelfReplay {
  records: number
  /** Calls that ended before any policy was asked. */
  undecided: number
  same: number
  different: number
  /** The first ones. */
  differences: Difference[]
  /** By reason. */
  notReplayable: Counts
  /** Classes of facts: full, masked, digest, or gone. */
  classes: Counts
  /** Engines that decided and are not the one here. */
  otherEngines: Counts
  selections: { same: number; different: number; unchecked: number }
  differentSelections: Counts
  fromMs: number
  toMs: number
}
export interface Latency {
  /** Durations of answered calls by the target that answered. */
  observed: Map<string, Durations>
  before: Durations
  /** Of calls whose target stays. */
  kept: Durations
  /** Calls that would have gone to another target. */
  moved: Map<string, number>
}
/** How recorded calls would have been decided by another version. */
export interface Comparison {
  compared: number
  changed: number
  /** Calls that the other version cannot be asked about, by reason. */
  unanswerable: Counts
  /** Calls to which something had to be added that was not recorded, by what. */
  assumed: Counts
  /** Names are `before\u0000after`. */
  transitions: Record<Dimension, Counts>
  cohorts: Cohorts
  /** Rules that held, by `workspace/policy/rule`. */
  rulesBefore: Counts
  rulesAfter: Counts
  reasonsBefore: Counts
  reasonsAfter: Counts
  /** Policies that broke, by what. */
  failures: Counts
  spendBefore: Spend
  spendAfter: Spend
  /** By how much more each call costs after than before. */
  spendChange: CostSums
  /** Of the answers that were counted, by target. */
  lengths: Map<string, Lengths>
  latency: Latency
  fuelBefore: { max: number; sum: number }
  fuelAfter: { max: number; sum: number }
}
/** All that one pass over records comes to. Plain data; its size does not grow with the number of records. */
export interface Tally {
  readonly self: SelfReplay
  readonly comparison: Comparison
}

const differencesMax = 20

export function emptyTally(): Tally {
  return {
    self: {
      ...{ records: 0, undecided: 0, same: 0, different: 0, differences: [] },
      ...{ notReplayable: new Map(), classes: new Map(), otherEngines: new Map() },
      selections: { same: 0, different: 0, unchecked: 0 },
      differentSelections: new Map(),
      ...{ fromMs: Number.MAX_SAFE_INTEGER, toMs: 0 },
    },
    comparison: {
      ...{ compared: 0, changed: 0, unanswerable: new Map(), assumed: new Map() },
      transitions: {
        ...{ outcome: new Map(), target: new Map(), rule: new Map() },
        ...{ guardrails: new Map(), prompt: new Map() },
      },
      cohorts: new Map(),
      ...{ rulesBefore: new Map(), rulesAfter: new Map() },
      ...{ reasonsBefore: new Map(), reasonsAfter: new Map(), failures: new Map() },
      ...{ spendBefore: emptySpend(), spendAfter: emptySpend(), spendChange: emptyCosts() },
      lengths: new Map(),
      latency: { observed: new Map(), before: [], kept: [], moved: new Map() },
      ...{ fuelBefore: { max: 0, sum: 0 }, fuelAfter: { max: 0, sum: 0 } },
    },
  }
}

/** Keeps the first differences, in the order of time. */
export function keepDifferences(self: SelfReplay, found: readonly Difference[]): void {
  self.differences = [...self.differences, ...found]
    .sort((one, other) => (one.id < other.id ? -1 : 1))
    .slice(0, differencesMax)
}

function addSelf(into: SelfReplay, other: SelfReplay): void {
  for (const name of ['records', 'undecided', 'same', 'different'] as const) into[name] += other[name]
  for (const name of ['same', 'different', 'unchecked'] as const)
    into.selections[name] += other.selections[name]
  for (const name of ['notReplayable', 'classes', 'otherEngines', 'differentSelections'] as const) {
    addCounts(into[name], other[name])
  }
  keepDifferences(into, other.differences)
  into.fromMs = Math.min(into.fromMs, other.fromMs)
  into.toMs = Math.max(into.toMs, other.toMs)
}

function addSpend(into: Spend, other: Spend): void {
  into.calls += other.calls
  into.estimated += other.estimated
  addCosts(into, other)
}

/** The cohort of a name, made where it is not there yet; undefined where there are too many. */
export function cohortOf(cohorts: Cohorts, dimension: string, name: string): Cohort | undefined {
  let all = cohorts.get(dimension)
  if (all === undefined) {
    if (cohorts.size >= cohortDimensionsMax) return undefined
    all = new Map()
    cohorts.set(dimension, all)
  }
  let cohort = all.get(name)
  if (cohort === undefined) {
    if (all.size >= cohortsMax) return undefined
    cohort = { compared: 0, changed: 0, examples: [] }
    all.set(name, cohort)
  }
  return cohort
}
const cohortDimensionsMax = 32
const cohortsMax = 300
const examplesMax = 5

function addCohorts(into: Cohorts, other: Cohorts): void {
  for (const [dimension, all] of other) {
    for (const [name, { compared, changed, examples }] of all) {
      const cohort = cohortOf(into, dimension, name)
      if (cohort === undefined) continue
      cohort.compared += compared
      cohort.changed += changed
      cohort.examples = [...cohort.examples, ...examples].sort().slice(0, examplesMax)
    }
  }
}

function addLatency(into: Latency, other: Latency): void {
  for (const [target, durations] of other.observed) {
    const own = into.observed.get(target) ?? []
    into.observed.set(target, own)
    addDurations(own, durations)
  }
  addDurations(into.before, other.before)
  addDurations(into.kept, other.kept)
  for (const [target, calls] of other.moved) into.moved.set(target, (into.moved.get(target) ?? 0) + calls)
}

function addFuel(into: Comparison['fuelBefore'], other: Comparison['fuelBefore']): void {
  into.max = Math.max(into.max, other.max)
  into.sum += other.sum
}

/** Adds what another thread found. */
export function addTally(into: Tally, other: Tally): void {
  addSelf(into.self, other.self)
  const [own, more] = [into.comparison, other.comparison]
  own.compared += more.compared
  own.changed += more.changed
  const tables = [
    'unanswerable',
    'assumed',
    'rulesBefore',
    'rulesAfter',
    'reasonsBefore',
    'reasonsAfter',
  ] as const
  for (const name of [...tables, 'failures'] as const) addCounts(own[name], more[name])
  for (const dimension of dimensions) addCounts(own.transitions[dimension], more.transitions[dimension])
  addCohorts(own.cohorts, more.cohorts)
  addSpend(own.spendBefore, more.spendBefore)
  addSpend(own.spendAfter, more.spendAfter)
  addCosts(own.spendChange, more.spendChange)
  addLengths(own.lengths, more.lengths)
  addLatency(own.latency, more.latency)
  addFuel(own.fuelBefore, more.fuelBefore)
  addFuel(own.fuelAfter, more.fuelAfter)
}
