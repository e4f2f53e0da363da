import { accessOperations } from './operations/access.ts'
import { alertOperations } from './operations/alerts.ts'
import { batchOperations } from './operations/batches.ts'
import { budgetOperations } from './operations/budgets.ts'
import { ciOperations } from './operations/ci.ts'
import { deploymentOperations } from './operations/deployments.ts'
import { drillOperations } from './operations/drills.ts'
import { gatewayOperations } from './operations/gateway.ts'
import { keyOperations } from './operations/keys.ts'
import { limitOperations } from './operations/limits.ts'
import { moneyOperations } from './operations/money.ts'
import { promptOperations } from './operations/prompts.ts'
import { recordOperations } from './operations/records.ts'
import { replayOperations } from './operations/replay.ts'
import { retentionOperations } from './operations/retention.ts'
import { statusOperations } from './operations/status.ts'
import { switchOperations } from './operations/switches.ts'
import { tokenOperations } from './operations/tokens.ts'
import { treeOperations } from './operations/tree.ts'
import { trustOperations } from './operations/trust.ts'
import { userOperations } from './operations/users.ts'
import { versionOperations } from './operations/versions.ts'

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
}

/** Every operation of the control plane, by id. */
export const operations = {
  ...tokenOperations,
  ...userOperations,
  ...treeOperations,
  ...keyOperations,
  ...accessOperations,
  ...versionOperations,
  ...promptOperations,
  ...deploymentOperations,
  ...switchOperations,
  // Before the records, whose `:id` would take the word "export".
  ...replayOperations,
  ...retentionOperations,
  ...recordOperations,
  ...statusOperations,
  ...gatewayOperations,
  ...budgetOperations,
  ...limitOperations,
  ...moneyOperations,
  ...batchOperations,
  ...alertOperations,
  ...drillOperations,
  ...trustOperations,
  ...ciOperations,
} as const
export type OperationId = keyof typeof operations
