import { Refusal, type WorkspaceFile } from '@signalbox/sdk/contract'
import type { Database } from './db/connect.ts'
import { applyDeclaredBudgets, type TeamBudgets } from './declared-budgets.ts'
import { applyDeclaredLimits } from './declared-limits.ts'
import { withAudit } from './stores/audit.ts'
import { databaseClock } from './stores/ledger-book.ts'
import { findNodeByPath, insertNode, lockTree, setDeclaredFields } from './stores/nodes.ts'

export interface TeamTools {
  readonly db: Database
  readonly nowMs: () => number
  readonly newId: () => string
}
export type DeclaredTeams = NonNullable<WorkspaceFile['teams']>

/**
 * Makes the teams that a workspace declares below its owning node, with their budgets and limits, and updates the
 * fields that the file names. What the file does not name stays; nothing is ever deleted.
 * @returns Whether the tree has changed.
 */
export async function applyDeclaredTeams(
  tools: TeamTools,
  context: { readonly organisationId: string; readonly actor: string; readonly action: string },
  declared: { readonly ownerPath: string; readonly teams: DeclaredTeams },
): Promise<boolean> {
  const { organisationId } = context
  if (Object.keys(declared.teams).length === 0) return false
  return await withAudit(tools, context, async (tx) => {
    await lockTree(tx, organisationId)
    const owner = await findNodeByPath(tx, organisationId, declared.ownerPath)
    if (owner === undefined) {
      throw new Refusal('not_found', {
        message: `There is no node "${declared.ownerPath}" to own the workspace.`,
      })
    }
    const created: string[] = []
    const updated: string[] = []
    const limits: string[] = []
    const declaredBudgets: TeamBudgets[] = []
    for (const [name, team] of Object.entries(declared.teams)) {
      const path = owner.path === '' ? name : `${owner.path}/${name}`
      const known = await findNodeByPath(tx, organisationId, path)
      const nodeId = known?.id ?? tools.newId()
      if (known === undefined) {
        const ids = { id: nodeId, organisationId, parentId: owner.id }
        const row = { ...ids, kind: 'team', name, path, managedBy: 'workspace', revision: 1 } as const
        await insertNode(tx, { ...row, createdMs: tools.nowMs() })
        created.push(path)
      } else if (known.managedBy !== 'workspace') {
        await setDeclaredFields(tx, known.id, { managedBy: 'workspace' })
        updated.push(path)
      }
      if (team.limits !== undefined) {
        const declared = { organisationId, nodeId, declared: team.limits }
        limits.push(...(await applyDeclaredLimits(tx, tools, declared)))
      }
      if (team.budget !== undefined) declaredBudgets.push({ nodeId, declared: team.budget })
    }
    const money = { ...tools, clock: databaseClock }
    const budgets = await applyDeclaredBudgets(tx, money, { organisationId, teams: declaredBudgets })
    const changed = created.length + updated.length + budgets.length + limits.length > 0
    const detail = {
      created,
      updated,
      ...(budgets.length > 0 && { budgets }),
      ...(limits.length > 0 && { limits }),
    }
    return { result: changed, audit: changed ? { object: 'tree', detail } : null }
  })
}
