import type { LimitUnit, LimitWindow, WorkspaceFile } from '@signalbox/sdk/contract'
import type { Transaction } from './db/connect.ts'
import { type LimitTools, planLimit, writeLimit } from './set-limit.ts'

export type LimitDeclaration = NonNullable<NonNullable<WorkspaceFile['teams']>[string]['limits']>

const places: Readonly<
  Record<Exclude<keyof LimitDeclaration, 'mode'>, { readonly unit: LimitUnit; readonly window?: LimitWindow }>
> = {
  rpm: { unit: 'requests', window: 'minute' },
  rph: { unit: 'requests', window: 'hour' },
  rpd: { unit: 'requests', window: 'day' },
  tpm: { unit: 'tokens', window: 'minute' },
  tph: { unit: 'tokens', window: 'hour' },
  tpd: { unit: 'tokens', window: 'day' },
  concurrency: { unit: 'concurrency' },
}

/** Makes or updates the limits that `signalbox.yaml` declares for a team. Gives those that changed. */
export async function applyDeclaredLimits(
  tx: Transaction,
  tools: LimitTools,
  team: { readonly organisationId: string; readonly nodeId: string; readonly declared: LimitDeclaration },
): Promise<string[]> {
  const { organisationId, nodeId, declared } = team
  const changed: string[] = []
  for (const [name, place] of Object.entries(places)) {
    const limit = declared[name as keyof typeof places]
    if (limit === undefined) continue
    const wanted = { team: nodeId, ...place, limit, mode: declared.mode ?? ('hard' as const) }
    const change = await planLimit(tx, tools, { organisationId, wanted, managedBy: 'workspace' })
    if (change.before?.revision === change.after.revision) continue
    await writeLimit(tx, change)
    changed.push(`${change.after.path} ${name}`)
  }
  return changed
}
