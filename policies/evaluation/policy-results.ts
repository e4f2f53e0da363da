import type { PolicyResult } from '@signalbox/sdk/contract'
import type { Said } from './combine.ts'
import type { Layer, LayerPolicy } from './layer.ts'
import { type Failure, isPassedOver, type PolicyOutcome } from './outcomes.ts'

interface Around {
  /** Layers of the call, root first. */
  readonly layers: readonly Layer[]
  /** Whether the call is about a policy. */
  readonly applies: (policy: LayerPolicy) => boolean
  /** Why the route that was decisive broke. */
  readonly routeFailure: Failure | undefined
}

function errorOf(failure: Failure | undefined): Pick<PolicyResult, 'error'> {
  return failure === undefined ? {} : { error: { kind: failure.kind, message: failure.message } }
}

function constraintOutcome({ said, failures }: PolicyOutcome): PolicyResult['outcome'] {
  const effects = said.flatMap((ruling) => ruling.effects)
  if (effects.some((effect) => 'deny' in effect)) return 'denied'
  if (failures.some((failure) => !isPassedOver(failure))) return 'failed'
  if (effects.length > 0) return 'narrowed'
  return failures.length > 0 ? 'failed' : 'noEffect'
}

function routeOutcome({ said, failures }: PolicyOutcome): PolicyResult['outcome'] {
  const [effect] = said[0]?.effects ?? []
  if (failures.length > 0) return 'failed'
  if (effect === undefined) return 'noEffect'
  if ('deny' in effect) return 'denied'
  return 'continue' in effect ? 'continued' : 'chosen'
}

function resultOf(outcome: PolicyOutcome, around: Around): PolicyResult {
  const { policy, trace, said } = outcome
  const late = around.routeFailure?.policy === policy ? around.routeFailure : undefined
  const failure = outcome.failures[0] ?? late
  const own = policy.kind === 'constraint' ? constraintOutcome(outcome) : routeOutcome(outcome)
  return {
    id: policy.id,
    kind: policy.kind,
    workspace: policy.workspace,
    rule: said[0]?.rule.id ?? failure?.rule?.id ?? null,
    outcome: late === undefined ? own : 'failed',
    ...errorOf(failure),
    trace,
  }
}

function notAsked(policy: LayerPolicy, { applies }: Around): PolicyResult {
  const outcome = applies(policy) ? 'notReached' : 'notApplicable'
  const { id, kind, workspace } = policy
  return { id, kind, workspace, rule: null, outcome, trace: policy.silentTrace }
}

/** A row for every policy of the layers, asked or not: constraints root first, routes in the order of asking. */
export function resultsOf(said: Said, around: Around): PolicyResult[] {
  const outcomes = new Map([...said.constraints, ...said.routes].map((outcome) => [outcome.policy, outcome]))
  const constraints = around.layers.flatMap((layer) => layer.constraints)
  const routes = [...around.layers].reverse().flatMap((layer) => layer.routes)
  return [...constraints, ...routes].map((policy) => {
    const outcome = outcomes.get(policy)
    return outcome === undefined ? notAsked(policy, around) : resultOf(outcome, around)
  })
}
