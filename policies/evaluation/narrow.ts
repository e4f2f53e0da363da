import type { Caps, Decision, Effect, GuardrailReference, ModelFilter, Reason } from '@signalbox/sdk/contract'
import { type FilterColumns, fitsFilter } from './layer-path.ts'
import { type Failure, isPassedOver, type PolicyOutcome, reasonOfFailure } from './outcomes.ts'

/** Status of a denial whose rule names none. */
const denyStatus = 403
const narrowCode = 'MODEL_NOT_ALLOWED'

/** An `only` that held. */
export interface Filter {
  readonly where: ModelFilter
  readonly reason: Reason
}
/** What all constraints leave. */
export interface Narrowed {
  /** Rules that deny, root first. */
  readonly denials: readonly Reason[]
  /** Failures that deny, root first. */
  readonly failures: readonly Failure[]
  readonly filters: readonly Filter[]
  readonly caps: Caps
  readonly guardrails: Decision['guardrails']
}

export function denialOf(
  deny: { code: string; http?: number; message?: string; audience?: 'caller' | 'operator' },
  by: { policy: string; rule: string; workspace: string },
): Reason {
  const { code, http = denyStatus, message, audience = 'caller' } = deny
  return { code, ...by, http, audience, ...(message !== undefined && { message }) }
}

type Demand = Extract<Effect, { requireGuard: unknown }>['requireGuard']
type StreamMode = NonNullable<GuardrailReference['stream']>
const streamModes: readonly (StreamMode | undefined)[] = ['post', undefined, 'window', 'hold']

/** The stricter way with streams; where nobody says one, the guardrail's own holds. */
function stricterStream(one: StreamMode | undefined, other: StreamMode | undefined): StreamMode | undefined {
  return streamModes.indexOf(one) >= streamModes.indexOf(other) ? one : other
}

function stricter(one: GuardrailReference, other: GuardrailReference): GuardrailReference {
  const stream = stricterStream(one.stream, other.stream)
  const enforced = [one, other].filter(({ mode }) => mode === 'enforce')
  const deciding = enforced.length === 0 ? [one, other] : enforced
  return {
    id: one.id,
    mode: enforced.length === 0 ? 'audit' : 'enforce',
    onError: deciding.some(({ onError }) => onError === 'block') ? 'block' : 'pass',
    ...(stream !== undefined && { stream }),
  }
}

/** Demands for guardrails, each once; of two the stricter holds: enforcing, blocking on error, holding streams. */
class Demands {
  readonly #byKey = new Map<string, { direction: 'input' | 'output'; reference: GuardrailReference }>()

  add({ id, direction, onError = 'block', mode = 'enforce', stream }: Demand): void {
    const key = `${direction} ${id}`
    const known = this.#byKey.get(key)?.reference
    const own: GuardrailReference = { id, mode, onError, ...(stream !== undefined && { stream }) }
    this.#byKey.set(key, { direction, reference: known === undefined ? own : stricter(known, own) })
  }

  of(direction: 'input' | 'output'): GuardrailReference[] {
    const all = [...this.#byKey.values()].filter((demand) => demand.direction === direction)
    return all.map(({ reference }) => reference)
  }
}

/** The smaller of each cap. */
export function smallerCaps(one: Caps, other: Caps): Caps {
  const caps: Caps = { ...one }
  for (const name of ['maxOutputTokens', 'costNanoUsd'] as const) {
    const value = other[name]
    if (value !== undefined) caps[name] = Math.min(caps[name] ?? value, value)
  }
  return caps
}

/**
 * Lays what all constraints say on top of each other: any denial denies, filters intersect, guardrails unite, the
 * smallest caps hold. The order of the outcomes only orders the reasons.
 */
export function narrow(constraints: readonly PolicyOutcome[]): Narrowed {
  const denials: Reason[] = []
  const filters: Filter[] = []
  const demands = new Demands()
  let caps: Caps = {}
  for (const { policy, said } of constraints) {
    for (const { rule, effects } of said) {
      const by = { policy: policy.id, rule: rule.id, workspace: policy.workspace }
      for (const effect of effects) {
        if ('deny' in effect) denials.push(denialOf(effect.deny, by))
        else if ('only' in effect) {
          const { where, code = narrowCode } = effect.only
          filters.push({ where, reason: { code, ...by, audience: 'operator' } })
        } else if ('requireGuard' in effect) demands.add(effect.requireGuard)
        else if ('cap' in effect) caps = smallerCaps(caps, effect.cap)
      }
    }
  }
  const failures = constraints.flatMap((outcome) =>
    outcome.failures.filter((failure) => !isPassedOver(failure)),
  )
  const guardrails = { input: demands.of('input'), output: demands.of('output') }
  return { denials, failures, filters, caps, guardrails }
}

/** Whether the filters let a target pass. */
export function isAllowed(
  target: string,
  filters: readonly Filter[],
  columnsOf: (target: string) => FilterColumns,
): boolean {
  if (filters.length === 0) return true
  const columns = columnsOf(target)
  return filters.every(({ where }) => fitsFilter(columns, where))
}

/** Reasons of the filters that take away at least one of the targets. */
export function reasonsOfElimination(
  targets: readonly string[],
  filters: readonly Filter[],
  columnsOf: (target: string) => FilterColumns,
): Reason[] {
  if (filters.length === 0) return []
  const columns = targets.map(columnsOf)
  const eliminating = filters.filter(({ where }) => columns.some((each) => !fitsFilter(each, where)))
  return eliminating.map(({ reason }) => reason)
}

/** Reasons of everything that denies: rules first, since theirs is the status the caller sees. */
export function reasonsToDeny({ denials, failures }: Narrowed): Reason[] {
  return [...denials, ...failures.map(reasonOfFailure)]
}
