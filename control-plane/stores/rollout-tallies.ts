import { and, eq, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { deployment, rolloutTally } from '../db/schema.ts'

export type RolloutTallyRow = typeof rolloutTally.$inferSelect

/** Of these deployments, those of an environment. */
export async function knownDeployments(
  q: Queryable,
  { organisationId, environment }: { readonly organisationId: string; readonly environment: string },
  ids: readonly string[],
): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await q
    .select({ id: deployment.id })
    .from(deployment)
    .where(
      and(
        eq(deployment.organisationId, organisationId),
        eq(deployment.environment, environment),
        sql`${deployment.id} = any(${sql.param([...ids])}::uuid[])`,
      ),
    )
  return new Set(rows.map(({ id }) => id))
}

/** The tallies of a deployment; an arm without calls has none. */
export async function loadRolloutTallies(q: Queryable, deploymentId: string): Promise<RolloutTallyRow[]> {
  return await q.select().from(rolloutTally).where(eq(rolloutTally.deploymentId, deploymentId))
}

/** Adds to a tally: `merge` gets what is there, which nobody else changes until the transaction ends. */
export async function addToTally(
  tx: Transaction,
  empty: RolloutTallyRow,
  merge: (before: RolloutTallyRow) => RolloutTallyRow,
): Promise<void> {
  await tx.insert(rolloutTally).values(empty).onConflictDoNothing()
  const place = and(eq(rolloutTally.deploymentId, empty.deploymentId), eq(rolloutTally.arm, empty.arm))
  const [before] = await tx.select().from(rolloutTally).where(place).for('update')
  if (before === undefined) throw new Error('the tally is gone')
  await tx.update(rolloutTally).set(merge(before)).where(place)
}
