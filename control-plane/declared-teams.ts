import { Refusal, type WorkspaceFile } from '@signalbox/sdk/contract'
import type { Database } from './db/connect.ts'
import { withAudit } from './stores/audit.ts'
import { findNodeByPath, insertNode, lockTree, type NodeRow, setDeclaredFields } from './stores/nodes.ts'

export interface TeamTools {
  readonly db: Database
  readonly nowMs: () => number
  readonly newId: () => string
}
export type DeclaredTeams = NonNullable<WorkspaceFile['teams']>

function sameLimits(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

/** The limits of a node with those that the file names put over them. */
function limitsWith(known: NodeRow['limits'], declared: DeclaredTeams[string]): Record<string, number> {
  const named = Object.entries(declared.limits ?? {}).filter(([, value]) => value !== undefined)
  return { ...known, ...Object.fromEntries(named) }
}

/**
 * Makes the teams that a workspace declares below its owning node, and updates the fields that the file names. What
 * the file does not name stays; nothing is ever deleted.
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
    for (const [name, team] of Object.entries(declared.teams)) {
      const path = owner.path === '' ? name : `${owner.path}/${name}`
      const known = await findNodeByPath(tx, organisationId, path)
      const limits = limitsWith(known?.limits ?? {}, team)
      if (known === undefined) {
        const ids = { id: tools.newId(), organisationId, parentId: owner.id }
        const row = { ...ids, kind: 'team', name, path, managedBy: 'workspace', limits } as const
        await insertNode(tx, { ...row, createdMs: tools.nowMs() })
        created.push(path)
      } else if (known.managedBy !== 'workspace' || !sameLimits(known.limits, limits)) {
        await setDeclaredFields(tx, known.id, { managedBy: 'workspace', limits })
        updated.push(path)
      }
    }
    const changed = created.length + updated.length > 0
    return { result: changed, audit: changed ? { object: 'tree', detail: { created, updated } } : null }
  })
}
