/**
 * What crosses a process boundary in Signalbox. The words used everywhere:
 *
 * call        one request in canonical form; its operation (chat, embeddings, …) is data
 * dialect     a wire format spoken to our clients: `openai-chat`, `anthropic-messages`, …
 * provider    an adapter to an upstream API; a connection is a configured provider
 * target      connection + model: `openai/gpt-5.5`; an alias names an ordered list of targets
 * policy      user code or JSON that turns facts into a decision; `constraint` narrows, `route` chooses
 * guardrail   a check over text, input or output, with a verdict and an action
 * plan        the tree of targets and strategies in a decision; the selection is what the host picked in it
 * workspace   the user's Git folder; a version is an immutable compile of it
 * deployment  points (environment, workspace) at a stable version
 * release     the signed document that calls are decided with; state: whom and what it applies to
 * node        organisation → teams → projects; keys hang on nodes
 * record      what the gateway reports of a call
 */
export * from './batch.ts'
export * from './catalogue.ts'
export * from './decision.ts'
export * from './detectors.ts'
export * from './direct.ts'
export * from './documents.ts'
export * from './drill.ts'
export * from './errors.ts'
export * from './explanation.ts'
export * from './facts.ts'
export * from './facts-class.ts'
export * from './gateway-report.ts'
export * from './guardrail.ts'
export * from './guardrail-scans.ts'
export * from './guardrail-verdict.ts'
export * from './hosts.ts'
export * from './keys.ts'
export * from './limits.ts'
export * from './money.ts'
export * from './operation.ts'
export { AlertMessage, alertKinds, BudgetAlert, Webhook } from './operations/alerts.ts'
export { batchesPerClaimMax } from './operations/batches.ts'
export { BudgetExplanation, BudgetPreview } from './operations/budget-views.ts'
export { CiTrust } from './operations/ci.ts'
export {
  Approval,
  Candidate,
  Deployment,
  ShadowChange,
} from './operations/deployments.ts'
export { type DrillAlertMessage, DrilledRoute, DrillSchedule } from './operations/drills.ts'
export { rotationGraceSMax } from './operations/keys.ts'
export { Budget, BudgetOverride, budgetShape } from './operations/money.ts'
export {
  ExportEnd,
  ExportedRecord,
  exportPageBytesMax,
  ReleaseContext,
  VersionBuild,
} from './operations/replay.ts'
export { Retention, retentionDefaults } from './operations/retention.ts'
export { FreezeView } from './operations/switches.ts'
export { Grant } from './operations/tokens.ts'
export { Trust } from './operations/trust.ts'
export { passwordLengthMin } from './operations/users.ts'
export { CaseResult, pushBytesMax } from './operations/versions.ts'
export {
  accessOperations,
  alertOperations,
  batchOperations,
  budgetOperations,
  ciOperations,
  deploymentOperations,
  drillOperations,
  gatewayOperations,
  keyOperations,
  limitOperations,
  moneyOperations,
  type OperationId,
  operations as apiOperations,
  promptOperations,
  recordOperations,
  replayOperations,
  retentionOperations,
  statusOperations,
  switchOperations,
  tokenOperations,
  treeOperations,
  trustOperations,
  userOperations,
  versionOperations,
} from './operations.ts'
export * from './param-value.ts'
export * from './plan.ts'
export * from './policy.ts'
export * from './prompt.ts'
export * from './record.ts'
export * from './rollout.ts'
export * from './scalars.ts'
export * from './version.ts'
export * from './version-changes.ts'
export * from './workspace.ts'
