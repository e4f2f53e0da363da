import { accessOperations } from './operations/access.ts'
import { gatewayOperations } from './operations/gateway.ts'
import { recordOperations } from './operations/records.ts'
import { statusOperations } from './operations/status.ts'
import { versionOperations } from './operations/versions.ts'

export { accessOperations, gatewayOperations, recordOperations, statusOperations, versionOperations }

/** Every operation of the control plane, by id. */
export const operations = {
  ...accessOperations,
  ...versionOperations,
  ...recordOperations,
  ...statusOperations,
  ...gatewayOperations,
} as const
export type OperationId = keyof typeof operations
