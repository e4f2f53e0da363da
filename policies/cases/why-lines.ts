import type { CompiledPolicy, ExplainedPolicy, ExplainedRule, PolicyResult } from '@signalbox/sdk/contract'
import { compileParams } from '../evaluation/param-values.ts'
import { explainPolicy } from '../explain/explain-policies.ts'
import type { InspectedEvaluation, InspectionInput, ParamValue } from '../program.ts'
import type { CaseRun } from './case-run.ts'

/** Rules, or policies, that are told of below a failed case. */
const shownMax = 4

/** A case that came out otherwise than it expects. */
export interface FailedCase {
  readonly run: CaseRun
  readonly environment: string
  readonly input: InspectionInput
  readonly evaluation: InspectedEvaluation
  /** The policy under test; all of them where there is none. */
  readonly policy: string | undefined
  /** The rule that it expects. */
  readonly rule: unknown
}

const outcomes: Readonly<Record<ExplainedPolicy['outcome'], string>> = {
  denied: 'denied',
  narrowed: 'narrowed',
  chosen: 'chose',
  continued: 'left the choice to the next',
  noEffect: 'had no effect',
  notApplicable: 'was not asked: its match does not hold',
  notReached: 'was not asked: a route before it chose',
  failed: 'failed',
}
const ruleOutcomes: Readonly<Record<ExplainedRule['outcome'], string>> = {
  matched: 'matched',
  notMatched: 'did not match',
  notAsked: 'was not asked',
  failed: 'broke',
  unknown: 'is unknown',
}
const marks = { true: 'TRUE ', false: 'FALSE', threw: 'THREW', unknown: '?    ', notEvaluated: '' } as const

function more(count: number, what: string): string[] {
  return count > 0 ? [`and ${count} more ${what}`] : []
}

function ruleLines(file: string, { id, line, outcome, conditions }: ExplainedRule): string[] {
  const shown = conditions.flatMap((condition) =>
    condition.outcome === 'notEvaluated' ? [] : [`  ${marks[condition.outcome]} ${condition.shown}`],
  )
  const end = shown.length > 0 ? ':' : ''
  return [`${file}:${line} ${id} ${ruleOutcomes[outcome]}${end}`, ...shown]
}

function linesOfPolicy({ file, rules, outcome, id, error }: ExplainedPolicy, wanted: unknown): string[] {
  const isAsked = outcome !== 'notApplicable' && outcome !== 'notReached'
  if (!isAsked) return [`${file ?? ''} ${id} ${outcomes[outcome]}`]
  const asked = rules.filter((rule) => rule.outcome !== 'notAsked')
  const named = asked.filter((rule) => rule.id === wanted || rule.outcome === 'matched')
  // Where the expected rule is among those asked, it and the one that matched in its place say all.
  const told = asked.some((rule) => rule.id === wanted) ? named : asked
  const lines = told.slice(0, shownMax).flatMap((rule) => ruleLines(file ?? '', rule))
  const broke = error === undefined ? [] : [`${error.kind}: ${error.message}`]
  return [...broke, ...lines, ...more(told.length - shownMax, 'rules')]
}

function lineOfResult({ id, outcome, rule }: PolicyResult): string {
  return `${id} ${outcomes[outcome]}${rule === null ? '' : ` (rule ${rule})`}`
}

/** Why a failed case came out as it did: the conditions of the rules that were asked, with their values. */
export function whyLines({ run, environment, input, evaluation, policy, rule }: FailedCase): string[] {
  const { compiled } = run
  if (policy === undefined) {
    const told = evaluation.policies.filter(({ outcome }) => outcome !== 'notApplicable')
    return [...told.slice(0, shownMax * 2).map(lineOfResult), ...more(told.length - shownMax * 2, 'policies')]
  }
  const result = evaluation.policies.find(({ id }) => id === policy)
  const source: CompiledPolicy | undefined = compiled.policies.find(({ id }) => id === policy)
  if (result === undefined || source === undefined) return []
  const params: Record<string, ParamValue> = JSON.parse(compileParams(compiled, environment)(input.params))
  const explained = explainPolicy({
    result,
    compiled: source,
    said: evaluation.outcomes.find((each) => each.policy.id === policy),
    effects: undefined,
    facts: { facts: input.facts, masked: [] },
    params,
  })
  return linesOfPolicy(explained, rule)
}
