import { type Model, type ModelFilter, ModelSelection } from './facts.ts'
import type { PlanEffect } from './plan.ts'
import type { UseEffect } from './use.ts'
import type { InputGuardrailName, OutputGuardrailName } from './workspace.ts'

export interface DenyEffect {
  readonly deny: {
    readonly code: string
    readonly http?: number
    readonly message?: string
    readonly audience?: 'caller' | 'operator'
  }
}
export interface OnlyEffect {
  readonly only: { readonly where: ModelFilter; readonly code?: string }
}
export interface RequireGuardEffect {
  readonly requireGuard: {
    readonly id: string
    readonly direction: 'input' | 'output'
    readonly onError?: 'block' | 'pass'
    readonly mode?: 'enforce' | 'audit'
    readonly stream?: 'hold' | 'window' | 'post'
  }
}
export interface CapEffect {
  readonly cap: { readonly maxOutputTokens?: number; readonly costNanoUsd?: number }
}
export interface ContinueEffect {
  readonly continue: true
}

/** What a constraint may say: it can only narrow. */
export type ConstraintEffect = DenyEffect | OnlyEffect | RequireGuardEffect | CapEffect
/** What a route may say: it picks inside what is left. */
export type RouteEffect = UseEffect | PlanEffect | DenyEffect | ContinueEffect
export type Effect = ConstraintEffect | RouteEffect

/**
 * Refuses the call. The caller reads `code` and, unless the audience is `operator`, the message.
 * `http` is the status, 403 if left out.
 */
export function deny(code: string, options: Omit<DenyEffect['deny'], 'code'> = {}): DenyEffect {
  return { deny: { code, ...options } }
}

function filterOf(models: ModelFilter | ModelSelection | readonly Model[]): ModelFilter {
  if (models instanceof ModelSelection) return models.filter
  if (Array.isArray(models)) return { target: models.map((model: Model) => model.target) }
  return models as ModelFilter
}

/** Keeps only these candidate models; all others are out, whatever a route says. `code` names the reason. */
export function only(
  models: ModelFilter | ModelSelection | readonly Model[],
  options: { readonly code?: string } = {},
): OnlyEffect {
  return { only: { where: filterOf(models), ...options } }
}

/** Demands that a guardrail runs over the input or the output. If it fails to run, the call is blocked by default. */
export function requireGuard<const Direction extends 'input' | 'output'>(
  direction: Direction,
  id: Direction extends 'input' ? InputGuardrailName : OutputGuardrailName,
  options: Omit<RequireGuardEffect['requireGuard'], 'id' | 'direction'> = {},
): RequireGuardEffect {
  return { requireGuard: { id, direction, ...options } }
}

/** Limits what the call may use; the smallest limit of all constraints holds. Cost in nano-dollars (1e-9 USD). */
export function cap(limits: CapEffect['cap']): CapEffect {
  return { cap: limits }
}

/** Leaves the choice to the next route. */
export function continueRoute(): ContinueEffect {
  return { continue: true }
}
/** Same as `continueRoute`. */
export const next = continueRoute
