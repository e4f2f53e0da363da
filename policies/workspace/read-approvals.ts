import type { WorkspaceFile } from '@signalbox/sdk/contract'
import type { SourceFiles } from '../compile/built-version.ts'
import { parseYamlDocument } from '../compile/yaml-document.ts'

const workspaceFileName = 'signalbox.yaml'

/** How many people must agree to a deployment beside the one who asks, and the role they need; null for any. */
export interface RequiredApprovals {
  readonly count: number
  readonly role: 'owner' | 'admin' | 'security' | null
}

/**
 * `environments.NAME.approvals` of a workspace. Only for a workspace that has been built, so its form is right.
 * A count of 0 where the environment asks for none.
 */
export function readRequiredApprovals(files: SourceFiles, environment: string): RequiredApprovals {
  const document = parseYamlDocument(workspaceFileName, files.get(workspaceFileName) ?? '')
  const { environments = {} } = document.value as WorkspaceFile
  const declared = Object.hasOwn(environments, environment) ? environments[environment] : undefined
  const { approvals = 0 } = declared ?? {}
  return typeof approvals === 'number'
    ? { count: approvals, role: null }
    : { count: approvals.count, role: approvals.role ?? null }
}
