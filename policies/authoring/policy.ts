import type { ConstraintEffect, Effect, RouteEffect } from './effects.ts'
import type { Facts } from './facts.ts'
import type { GuardrailAction } from './guardrail.ts'
import type { ModelName } from './workspace.ts'

export type Operation =
  | 'chat'
  | 'embeddings'
  | 'completion'
  | 'rerank'
  | 'image'
  | 'audio'
  | 'moderation'
  | 'countTokens'
  | 'files'
  | 'batches'
  | 'realtime'
  | 'passthrough'
/** Which calls a policy is asked about; all given members must hold. */
export interface Match {
  readonly operation?: Operation
  /** Glob over `request.route`: `docs/*`. */
  readonly route?: string
  /** Path of a node: this and all below. */
  readonly node?: string
}
/** Where a broken rule leads: `deny` refuses with 503, `continue` passes over it, `safeRoute` takes the safe route. */
export type OnError = 'deny' | 'continue' | 'safeRoute'

/** What a rule can say: an effect in a policy, an action in a guardrail. */
export type RuleSays = Effect | GuardrailAction

export interface RuleOptions<E extends RuleSays, F = Facts> {
  /** Always true if left out. */
  readonly when?: (f: F) => boolean
  readonly then: (f: F) => E | readonly E[]
  readonly onError?: OnError
}
export class Rule<E extends RuleSays, F = Facts> {
  readonly id: string
  readonly options: RuleOptions<E, F>
  constructor(id: string, options: RuleOptions<E, F>) {
    this.id = id
    this.options = options
  }
}
export interface ConstraintOptions {
  readonly description?: string
  readonly phase?: 'route'
  readonly match?: Match
  /** What an exception in a rule does; `deny` if left out. */
  readonly onError?: 'deny' | 'continue'
  readonly rules: readonly Rule<ConstraintEffect>[]
}
export interface RouteOptions {
  readonly description?: string
  readonly match?: Match
  /** Alias or target for when a rule breaks; the workspace's if left out. */
  readonly safeRoute?: ModelName
  /** What an exception in a rule does: the safe route where there is one, else `deny`. */
  readonly onError?: OnError
  readonly rules: readonly Rule<RouteEffect>[]
}
/** A policy or a guardrail, as a workspace file exports it. */
export class Definition<Kind extends string, Options extends object> {
  readonly kind: Kind
  readonly id: string
  readonly options: Options
  constructor(kind: Kind, id: string, options: Options) {
    this.kind = kind
    this.id = id
    this.options = options
  }
}
export type Constraint = Definition<'constraint', ConstraintOptions>
export type Route = Definition<'route', RouteOptions>

/** A rule: what follows when a condition holds. The id stands in decisions, tests and coverage. */
export function rule<E extends RuleSays, F = Facts>(id: string, options: RuleOptions<E, F>): Rule<E, F> {
  return new Rule(id, options)
}

/** A policy that may only narrow. All rules of all constraints are asked, and what they say accumulates. */
export function constraint(id: string, options: ConstraintOptions): Constraint {
  return new Definition('constraint', id, options)
}

/** A policy that chooses. The first rule that matches decides; without one the next route is asked. */
export function route(id: string, options: RouteOptions): Route {
  return new Definition('route', id, options)
}
