import { accessOperations } from './operations/access.ts'
import { alertOperations } from './operations/alerts.ts'
import { budgetOperations } from './operations/budgets.ts'
import { gatewayOperations } from './operations/gateway.ts'
import { keyOperations } from './operations/keys.ts'
import { limitOperations } from './operations/limits.ts'
import { moneyOperations } from './operations/money.ts'
import { recordOperations } from './operations/records.ts'
import { replayOperations } from './operations/replay.ts'
import { statusOperations } from './operations/status.ts'
import { tokenOperations } from './operations/tokens.ts'
import { treeOperations } from './operations/tree.ts'
import { userOperations } from './operations/users.ts'
import { versionOperations } from './operations/versions.ts'

export {
  accessOperations,
  alertOperations,
  budgetOperations,
  gatewayOperations,
  keyOperations,
  limitOperations,
  moneyOperations,
  recordOperations,
  replayOperations,
  statusOperations,
  tokenOperations,
  treeOperations,
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
  // Before the records, whose `:id` would take the word "export".
  ...replayOperations,
  ...recordOperations,
  ...statusOperations,
  ...gatewayOperations,
  ...budgetOperations,
  ...limitOperations,
  ...moneyOperations,
  ...alertOperations,
} as const
export type OperationId = keyof typeof operations
