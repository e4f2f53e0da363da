import type { ConstraintEffect, Effect, RouteEffect } from './effects.ts'
import type { Facts, GuardrailFacts } from './facts.ts'

export type Operation = 'chat' | 'embeddings' | 'completion' | 'rerank' | 'image' | 'audio' | 'moderation'
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

export interface RuleOptions<E extends Effect> {
  /** Always true if left out. */
  readonly when?: (f: Facts) => boolean
  readonly then: (f: Facts) => E | readonly E[]
  readonly onError?: OnError
}
export class Rule<E extends Effect> {
  readonly id: string
  readonly options: RuleOptions<E>
  constructor(id: string, options: RuleOptions<E>) {
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
  readonly safeRoute?: string
  /** What an exception in a rule does: the safe route where there is one, else `deny`. */
  readonly onError?: OnError
  readonly rules: readonly Rule<RouteEffect>[]
}
export type GuardrailAction =
  | { readonly block: { readonly code: string; readonly message?: string } }
  | { readonly flag: { readonly code: string } }
export interface GuardrailOptions {
  readonly description?: string
  readonly direction: 'input' | 'output'
  readonly when: (f: GuardrailFacts) => boolean
  readonly then: () => GuardrailAction
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
export type Guardrail = Definition<'guardrail', GuardrailOptions>

/** A rule: what follows when a condition holds. The id stands in decisions, tests and coverage. */
export function rule<E extends Effect>(id: string, options: RuleOptions<E>): Rule<E> {
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

/** A check over the input or the output of a call. */
export function guardrail(id: string, options: GuardrailOptions): Guardrail {
  return new Definition('guardrail', id, options)
}

/** Stops the text. The caller reads `code` and the message. */
export function block(code: string, options: { readonly message?: string } = {}): GuardrailAction {
  return { block: { code, ...options } }
}

/** Lets the text pass and notes the finding. */
export function flag(code: string): GuardrailAction {
  return { flag: { code } }
}
