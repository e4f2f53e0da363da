/** What a workspace file imports as `@signalbox/policies`. */
export { inBucket } from './bucket.ts'
export type { ErrorClass, ObligationType, Variant } from './choice.ts'
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
export type {
  DetectorFindings,
  Facts,
  FindingSpan,
  GuardrailFacts,
  InputFacts,
  Model,
  ModelFilter,
  ModelSelection,
  Models,
  OutputFacts,
} from './facts.ts'
export {
  block,
  flag,
  type Guardrail,
  type GuardrailAction,
  type GuardrailOptions,
  type GuardrailWindow,
  guardrail,
  type Redaction,
  redact,
  refuse,
} from './guardrail.ts'
export type { GuardrailScan, GuardrailScans, GuardrailStep, TextPart } from './guardrail-scans.ts'
export { type ParamDeclaration, param } from './params.ts'
export {
  hedged,
  leastBusy,
  lowestCost,
  lowestLatency,
  ordered,
  type PlanEffect,
  pipeline,
  type StrategyEffect,
  type StrategyOptions,
  step,
  sticky,
  target,
  weighted,
} from './plan.ts'
export type { PipelineStep, PlanNode, PlanPart, Strategy } from './plan-node.ts'
export {
  type Constraint,
  type ConstraintOptions,
  constraint,
  type Match,
  type OnError,
  type Route,
  type RouteOptions,
  type Rule,
  type RuleOptions,
  route,
  rule,
} from './policy.ts'
export { type Signal, type SignalCondition, type StepSignal, signal } from './signal.ts'
export {
  type Patch,
  type PromptValues,
  type ReasoningLevel,
  type Timeouts,
  type UseEffect,
  use,
} from './use.ts'
export type {
  AliasName,
  ConnectionName,
  InputGuardrailName,
  Metadata,
  ModelName,
  OutputGuardrailName,
  PromptName,
  Prompts,
  TargetName,
} from './workspace.ts'
