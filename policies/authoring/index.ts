/** What a workspace file imports as `@signalbox/policies`. */
export { inBucket } from './bucket.ts'
export {
  type CapEffect,
  type ConstraintEffect,
  type ContinueEffect,
  cap,
  continueRoute,
  type DenyEffect,
  deny,
  type Effect,
  next,
  type OnlyEffect,
  only,
  type RequireGuardEffect,
  type RouteEffect,
  requireGuard,
} from './effects.ts'
export type { Facts, GuardrailFacts, Model, ModelFilter, ModelSelection, Models } from './facts.ts'
export { type ParamDeclaration, param } from './params.ts'
export {
  hedged,
  leastBusy,
  lowestCost,
  lowestLatency,
  ordered,
  type PlanEffect,
  type PlanNode,
  type PlanPart,
  pipeline,
  step,
  sticky,
  target,
  weighted,
} from './plan.ts'
export {
  block,
  type Constraint,
  type ConstraintOptions,
  constraint,
  flag,
  type Guardrail,
  type GuardrailAction,
  type GuardrailOptions,
  guardrail,
  type Match,
  type OnError,
  type Route,
  type RouteOptions,
  type Rule,
  type RuleOptions,
  route,
  rule,
} from './policy.ts'
export { type Patch, type ReasoningLevel, type UseEffect, use } from './use.ts'
