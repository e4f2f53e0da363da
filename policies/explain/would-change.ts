import type {
  CompiledWorkspace,
  Decision,
  Expression,
  PolicyResult,
  WouldChange,
  WouldChangeIf,
} from '@signalbox/sdk/contract'
import { factsSchemaOf } from '../compile/fact-schemas.ts'
import type { FactSchema } from '../compile/fact-types.ts'
import type { Evaluation, EvaluationInput } from '../program.ts'
import { withFact } from './apply-change.ts'
import { capsText, describePlan } from './effect-text.ts'
import { type Change, type FlipScope, flipsOf } from './flips.ts'
import { decisiveReasons, denialText } from './reason-text.ts'
import type { ExplainedVersion, Recomputed } from './recompute.ts'
import { valueText } from './value-text.ts'

/** Evaluations of one explanation, and the fuel of all of them: about a fifth of a second of the worst kind. */
const evaluationsMax = 64
const fuelMax = 20_000_000
/** Changes that are tried for one condition. */
const alternativesMax = 3

/** A condition that was evaluated, and where its mark stands in the trace of its policy. */
interface Evaluated {
  readonly workspace: string
  readonly policy: string
  readonly rule: string
  readonly condition: number
  readonly position: number
  readonly was: boolean
  readonly expression: Expression | undefined
}

function evaluatedOf(result: PolicyResult, compiled: CompiledWorkspace | undefined): Evaluated[] {
  const policy = compiled?.policies.find(({ id }) => id === result.id)
  let position = 0
  return (policy?.rules ?? []).flatMap((rule) =>
    rule.conditions.flatMap(({ expression }, condition) => {
      const at = position++
      const mark = result.trace.charAt(at)
      if (mark !== '0' && mark !== '1') return []
      const { workspace, id } = result
      // Written by the compiler from an expression that it checked.
      const known = expression as Expression | undefined
      return [
        {
          workspace,
          policy: id,
          rule: rule.id,
          condition,
          position: at,
          was: mark === '1',
          expression: known,
        },
      ]
    }),
  )
}

const decisive = ({ decision, policies }: Evaluation) => {
  const [reason] = decisiveReasons(decision.reasons)
  if (decision.effect === 'deny') {
    return { policy: reason?.policy || null, rule: reason?.rule || null, workspace: reason?.workspace }
  }
  const chosen = policies.find(({ outcome }) => outcome === 'chosen')
  return { policy: chosen?.id ?? null, rule: chosen?.rule ?? null, workspace: chosen?.workspace }
}

/** What differs beside the targets: limits, guardrails, the arm of a rollout. */
function extrasText(decision: Decision, before: Decision): string {
  const caps = capsText(decision.caps).join(', ')
  const guards = [...decision.guardrails.input, ...decision.guardrails.output].map(({ id }) => id).join(', ')
  const changed = (name: 'caps' | 'guardrails' | 'variant') =>
    JSON.stringify(decision[name]) !== JSON.stringify(before[name])
  const parts = [
    ...(changed('caps') ? [caps === '' ? 'no caps' : caps] : []),
    ...(changed('guardrails') ? [guards === '' ? 'no guardrails' : `guardrails ${guards}`] : []),
    ...(changed('variant') ? [`arm ${decision.variant?.name ?? 'none'}`] : []),
  ]
  return parts.length === 0 ? '' : `; ${parts.join('; ')}`
}

function outcomeOf(evaluation: Evaluation, before: Decision): WouldChange['outcome'] {
  const { decision, failure } = evaluation
  const { policy, rule, workspace } = decisive(evaluation)
  const by = policy === null ? '' : ` by ${workspace}/${policy}${rule === null ? '' : `, rule ${rule}`}`
  if (failure !== undefined) {
    const text = `ERROR ${failure.code}: ${failure.message}`
    return { effect: 'error', policy: failure.policy, rule: null, target: null, code: failure.code, text }
  }
  if (decision.plan === undefined) {
    const code = decision.reasons[0]?.code ?? 'denied'
    return { effect: 'deny', policy, rule, target: null, code, text: `DENY ${denialText(decision.reasons)}` }
  }
  const plan = describePlan(decision.plan)
  const target = plan.split(', then ')[0] ?? null
  const how = policy === null ? ', the model as asked' : by
  return {
    effect: 'allow',
    policy,
    rule,
    target,
    code: null,
    text: `ALLOW ${plan}${how}${extrasText(decision, before)}`,
  }
}

/** What a thrown error of the engine comes to: the change is shown with it, not left out. */
function brokenOutcome(error: unknown): WouldChange['outcome'] {
  const text = `ERROR ${error instanceof Error ? error.message : String(error)}`
  return { effect: 'error', policy: null, rule: null, target: null, code: null, text }
}

function changedInput(
  input: EvaluationInput,
  change: Change,
  workspace: string,
): EvaluationInput | undefined {
  if (change.fact !== undefined) {
    const facts = withFact(input.facts, change.fact, change.to)
    return facts && { ...input, facts }
  }
  const { param, to } = change
  if (param === undefined || !(typeof to === 'string' || typeof to === 'number' || typeof to === 'boolean')) {
    return undefined
  }
  return { ...input, params: { ...input.params, [workspace]: { ...input.params[workspace], [param]: to } } }
}

/** Tries flips, one after the other, within the limits. */
class Flipper {
  readonly #recomputed: Recomputed
  readonly #scopes: ReadonlyMap<string, FlipScope>
  readonly changes: WouldChange[] = []
  withoutEffect = 0
  untried = 0
  #evaluations = 0
  #fuel = 0

  constructor(recomputed: Recomputed, scopes: ReadonlyMap<string, FlipScope>) {
    this.#recomputed = recomputed
    this.#scopes = scopes
  }

  get exhausted(): boolean {
    return this.#evaluations >= evaluationsMax || this.#fuel >= fuelMax
  }

  #evaluate(input: EvaluationInput): Evaluation {
    this.#evaluations++
    const evaluation = this.#recomputed.program.evaluate(input)
    this.#fuel += evaluation.fuel
    return evaluation
  }

  /** Whether the condition came out the other way. */
  #isFlipped({ policies }: Evaluation, { workspace, policy, position, was }: Evaluated): boolean {
    const trace = policies.find((each) => each.workspace === workspace && each.id === policy)?.trace
    return trace?.charAt(position) === (was ? '0' : '1')
  }

  #note(evaluated: Evaluated, change: Change, outcome: WouldChange['outcome']): void {
    const { fact, param, from, to, shown } = change
    const tried =
      shown.endsWith(`= ${valueText(to)}`) || shown.endsWith('absent') ? '' : ` (tried ${valueText(to)})`
    const same = this.changes.find(
      (each) => each.shown === shown + tried && each.outcome.text === outcome.text,
    )
    if (same !== undefined) return
    const { workspace, policy, rule, condition, was } = evaluated
    this.changes.push({
      ...{ workspace, policy, rule, condition, was },
      shown: shown + tried,
      set: [
        { ...(fact !== undefined && { fact }), ...(param !== undefined && { param }), from, to: to ?? null },
      ],
      outcome,
    })
  }

  try(evaluated: Evaluated): void {
    const scope = this.#scopes.get(evaluated.workspace)
    const { expression, was, workspace } = evaluated
    const flips = expression === undefined || scope === undefined ? [] : flipsOf(expression, !was, scope)
    for (const change of flips.slice(0, alternativesMax)) {
      const input = this.exhausted ? undefined : changedInput(this.#recomputed.input, change, workspace)
      if (input === undefined) continue
      try {
        const evaluation = this.#evaluate(input)
        if (!this.#isFlipped(evaluation, evaluated) && evaluation.failure === undefined) continue
        if (evaluation.decisionDigest === this.#recomputed.evaluation.decisionDigest) this.withoutEffect++
        else this.#note(evaluated, change, outcomeOf(evaluation, this.#recomputed.evaluation.decision))
      } catch (error) {
        this.#note(evaluated, change, brokenOutcome(error))
      }
      return
    }
    this.untried++
  }
}

function scopesOf(
  versions: readonly ExplainedVersion[],
  { input }: Recomputed,
  masked: readonly string[],
  paramsOf: (version: ExplainedVersion) => FlipScope['params'],
): Map<string, FlipScope> {
  const { facts } = input
  const hidden = [...masked, ...facts.truncated]
  return new Map(
    versions.map((version) => {
      // Metadata is declared in JSON Schema.
      const schema: FactSchema = factsSchemaOf(version.compiled.metadata as Record<string, FactSchema>)
      const scope = { facts, params: paramsOf(version), masked: hidden, schema }
      return [version.compiled.name, scope] as const
    }),
  )
}

/** What explains a call that could be decided again. */
export interface WouldChangeOptions {
  readonly recomputed: Recomputed
  readonly versions: readonly ExplainedVersion[]
  readonly masked: readonly string[]
  readonly paramsOf: (version: ExplainedVersion) => FlipScope['params']
  /** Called between evaluations, so that a program can do other work. */
  readonly pause?: () => Promise<void>
}

/**
 * Flips every condition that was evaluated and is data, one at a time, by the smallest change of a fact or a param, and
 * decides again. What comes out differently is told with what would then be decided.
 */
export async function wouldChangeIf(options: WouldChangeOptions): Promise<WouldChangeIf> {
  const { recomputed, versions, masked, paramsOf, pause } = options
  const compiled = new Map(versions.map((version) => [version.compiled.name, version.compiled]))
  const evaluated = recomputed.evaluation.policies.flatMap((result) =>
    evaluatedOf(result, compiled.get(result.workspace)),
  )
  const flipper = new Flipper(recomputed, scopesOf(versions, recomputed, masked, paramsOf))
  for (const each of evaluated) {
    flipper.try(each)
    await pause?.()
  }
  const { changes, withoutEffect, untried } = flipper
  const notData = evaluated.filter(({ expression }) => expression === undefined).length
  const why = flipper.exhausted
    ? `the limit of ${evaluationsMax} evaluations was reached`
    : notData > 0
      ? `${notData} cannot be read as data`
      : null
  return { changes, withoutEffect, untried, why }
}
