import type { CallRecord, Facts } from '@signalbox/sdk/contract'
import { decisiveRule } from '../evaluation/decisive-rule.ts'
import { targetsOf } from '../evaluation/plan-tree.ts'
import type { Evaluation } from '../program.ts'
import { selectFrom } from '../replay/replay-selection.ts'
import { addLength } from './answer-lengths.ts'
import { type Counts, countCall } from './counts.ts'
import { addDuration } from './latency.ts'
import { addChange, addSpend, callCost, isAnswered, isUsageKnown } from './spend.ts'
import { type Comparison, cohortOf, type Dimension, dimensions } from './tally.ts'
import type { World } from './world.ts'

/** One way of deciding a call: by whom, from what, and what came out. Null where the model name means nothing. */
export interface Decided {
  readonly world: World
  readonly facts: Facts
  readonly evaluation: Evaluation | null
}

const nothing = '—'
const examplesMax = 5
const notFound = 'deny model_not_found'

function outcomeOf({ evaluation }: Decided): string {
  if (evaluation === null) return notFound
  const { decision, failure } = evaluation
  if (failure !== undefined) return `error ${failure.code}`
  return decision.effect === 'allow' ? 'allow' : `deny ${decision.reasons[0]?.code ?? ''}`.trimEnd()
}

/** The target that is tried first; undefined where there is none. */
function firstTarget({ evaluation, facts }: Decided): string | undefined {
  const plan = evaluation?.failure === undefined ? evaluation?.decision.plan : undefined
  if (plan === undefined || evaluation?.decision.effect !== 'allow') return undefined
  const selected = selectFrom(plan, facts)
  return typeof selected === 'string' ? targetsOf(plan)[0] : selected.order[0]
}

function guardrailsOf({ evaluation }: Decided): string {
  if (evaluation === null) return nothing
  const { input, output } = evaluation.decision.guardrails
  const names = [
    ...input.map(({ id, mode }) => `${id} ${mode}`),
    ...output.map(({ id, mode }) => `${id} ${mode}`),
  ]
  return names.length === 0 ? nothing : names.sort().join(', ')
}

/** The prompt of the first target, by its content. */
function promptOf({ evaluation }: Decided): string {
  let node = evaluation?.decision.plan
  while (node !== undefined && !('target' in node))
    node = 'strategy' in node ? node.of[0] : node.pipeline[0]?.node
  const prompt = node?.prompt
  return prompt === undefined ? nothing : `${prompt.name} ${(prompt.digest ?? '').slice(7, 15)}`.trimEnd()
}

function ruleOf({ evaluation }: Decided): string {
  if (evaluation === null) return nothing
  const { policy, rule } = decisiveRule(evaluation)
  return policy === undefined ? nothing : rule === undefined ? policy : `${policy}/${rule}`
}

const tell: { readonly [Name in Dimension]: (decided: Decided) => string } = {
  outcome: outcomeOf,
  target: (decided) => firstTarget(decided) ?? nothing,
  rule: ruleOf,
  guardrails: guardrailsOf,
  prompt: promptOf,
}

function countRules(counts: Counts, { evaluation }: Decided, id: string): void {
  for (const { workspace, id: policy, rule, outcome } of evaluation?.policies ?? []) {
    if (rule !== null && outcome !== 'notReached') countCall(counts, `${workspace}/${policy}/${rule}`, id)
  }
}

function countReasons(counts: Counts, { evaluation }: Decided, id: string): void {
  for (const code of new Set(evaluation?.decision.reasons.map((reason) => reason.code)))
    countCall(counts, code, id)
}

/** Groups that a call belongs to. */
function* cohortsOf({ row }: CallRecord, facts: Facts): Generator<readonly [string, string]> {
  yield ['team', facts.subject.team?.name ?? nothing]
  yield ['model', row.modelRequested]
  yield ['operation', row.operation]
  for (const name in facts.request.metadata) yield [`metadata.${name}`, String(facts.request.metadata[name])]
}

function countCohorts(into: Comparison, record: CallRecord, facts: Facts, isChanged: boolean): void {
  for (const [dimension, name] of cohortsOf(record, facts)) {
    const cohort = cohortOf(into.cohorts, dimension, name)
    if (cohort === undefined) continue
    cohort.compared++
    if (!isChanged) continue
    cohort.changed++
    if (cohort.examples.length < examplesMax) cohort.examples.push(record.row.id)
  }
}

function countLatency(
  into: Comparison,
  { row }: CallRecord,
  before: string | undefined,
  after: string | undefined,
): void {
  const { latency } = into
  if (row.status >= 400 || row.attempts === 0 || row.target === undefined) return
  // Targets are told by the names that plans have; a simulated answer is of the target that was asked.
  const target = before ?? row.target
  const observed = latency.observed.get(target) ?? []
  latency.observed.set(target, observed)
  addDuration(observed, row.durationMs)
  addDuration(latency.before, row.durationMs)
  if (after === undefined) return
  if (after === before) addDuration(latency.kept, row.durationMs)
  else latency.moved.set(after, (latency.moved.get(after) ?? 0) + 1)
}

/** Notes how long an answer was, where that was counted. */
function countLength(into: Comparison, record: CallRecord): void {
  const { row, body } = record
  const target = body.selection?.order[0] ?? row.target
  const tokens = row.usage.output
  if (isAnswered(record) && isUsageKnown(record) && target !== undefined && tokens !== undefined) {
    addLength(into.lengths, target, tokens)
  }
}

function countFuel(fuel: Comparison['fuelBefore'], { evaluation }: Decided): void {
  const used = evaluation?.fuel ?? 0
  fuel.sum += used
  fuel.max = Math.max(fuel.max, used)
}

/** Whether two ways of deciding a call come to another decision, byte for byte. */
function differ(before: Decided, after: Decided): boolean {
  return before.evaluation?.decisionDigest !== after.evaluation?.decisionDigest
}

/** Counts one call that two sets of versions decided. */
export function compareCalls(into: Comparison, record: CallRecord, before: Decided, after: Decided): void {
  const { id } = record.row
  const isChanged = differ(before, after)
  into.compared++
  if (isChanged) into.changed++
  for (const dimension of dimensions) {
    const [was, is] = [tell[dimension](before), tell[dimension](after)]
    if (was !== is) countCall(into.transitions[dimension], `${was}\u0000${is}`, id)
  }
  countRules(into.rulesBefore, before, id)
  countRules(into.rulesAfter, after, id)
  countReasons(into.reasonsBefore, before, id)
  countReasons(into.reasonsAfter, after, id)
  countCohorts(into, record, before.facts, isChanged)
  const failure = after.evaluation?.failure
  if (failure !== undefined) countCall(into.failures, `${failure.policy}: ${failure.message}`, id)
  countFuel(into.fuelBefore, before)
  countFuel(into.fuelAfter, after)
  const [first, other] = [firstTarget(before), firstTarget(after)]
  const was = callCost({ record, facts: before.facts, target: first, world: before.world })
  const is = callCost({ record, facts: after.facts, target: other, world: after.world })
  addSpend(into.spendBefore, was)
  addSpend(into.spendAfter, is)
  addChange(into.spendChange, was, is)
  countLength(into, record)
  countLatency(into, record, first, other)
}
