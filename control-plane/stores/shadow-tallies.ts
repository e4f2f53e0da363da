import type { ShadowChange } from '@signalbox/sdk/contract'
import { and, desc, eq } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { shadowTally } from '../db/schema.ts'

export type ShadowTallyRow = typeof shadowTally.$inferSelect

/** Kinds of changes that are shown. */
const changesMax = 500
export const shadowExamplesMax = 10

/** How a deployment's shadows would have decided, the most frequent first. */
export async function loadShadowChanges(
  q: Queryable,
  deploymentId: string,
): Promise<Omit<ShadowChange, 'version'>[]> {
  const rows = await q
    .select()
    .from(shadowTally)
    .where(eq(shadowTally.deploymentId, deploymentId))
    .orderBy(desc(shadowTally.calls))
    .limit(changesMax)
  return rows.map(({ versionDigest, fromRule, toRule, effect, same, calls, examples }) => ({
    ...{ digest: versionDigest, from: fromRule, to: toRule, effect, calls, records: examples },
    same: same === 'true',
  }))
}

/** Adds calls of one kind. */
export async function addToShadowTally(tx: Transaction, row: ShadowTallyRow): Promise<void> {
  await tx
    .insert(shadowTally)
    .values({ ...row, calls: 0, examples: [] })
    .onConflictDoNothing()
  const place = and(
    eq(shadowTally.deploymentId, row.deploymentId),
    eq(shadowTally.versionDigest, row.versionDigest),
    eq(shadowTally.fromRule, row.fromRule),
    eq(shadowTally.toRule, row.toRule),
    eq(shadowTally.effect, row.effect),
    eq(shadowTally.same, row.same),
  )
  const [before] = await tx.select().from(shadowTally).where(place).for('update')
  if (before === undefined) throw new Error('the tally is gone')
  const examples = [...before.examples, ...row.examples].slice(0, shadowExamplesMax)
  await tx
    .update(shadowTally)
    .set({ calls: before.calls + row.calls, examples })
    .where(place)
}
