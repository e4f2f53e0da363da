import type { StateDocument, StateFactsRule } from '@signalbox/sdk/contract'
import { and, asc, eq, getTableColumns, isNull, ne, type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { apiKey, node, organisation, retention, retentionReview } from '../db/schema.ts'

export type RetentionRow = typeof retention.$inferSelect
/** A rule with where its owner stands. */
export interface PlacedRetention extends RetentionRow {
  /** Of the node; null for rules of environments and keys. */
  readonly nodePath: string | null
  readonly keyName: string | null
}
export type RetentionOwner = Pick<RetentionRow, 'environment' | 'nodeId' | 'keyId'>

/** All rules of an organisation: of environments, then of nodes by path, then of keys. */
export async function listRetention(q: Queryable, organisationId: string): Promise<PlacedRetention[]> {
  const rows = await q
    .select({ rule: retention, nodePath: node.path, keyName: apiKey.name })
    .from(retention)
    .leftJoin(node, eq(node.id, retention.nodeId))
    .leftJoin(apiKey, eq(apiKey.id, retention.keyId))
    .where(eq(retention.organisationId, organisationId))
    .orderBy(asc(retention.environment), asc(node.path), asc(apiKey.name), asc(retention.id))
  return rows.map(({ rule, nodePath, keyName }) => ({ ...rule, nodePath, keyName }))
}

/** Locks the rule of an owner, where there is one. */
export async function lockRetentionOf(
  tx: Transaction,
  organisationId: string,
  owner: RetentionOwner,
): Promise<RetentionRow | undefined> {
  const same =
    owner.environment !== null
      ? eq(retention.environment, owner.environment)
      : owner.nodeId !== null
        ? eq(retention.nodeId, owner.nodeId)
        : eq(retention.keyId, owner.keyId ?? '')
  const [row] = await tx
    .select()
    .from(retention)
    .where(and(eq(retention.organisationId, organisationId), same))
    .for('update')
  return row
}

/** Fails with a unique violation where somebody else has just made one. */
export async function insertRetention(tx: Transaction, row: RetentionRow): Promise<void> {
  await tx.insert(retention).values(row)
}

export async function updateRetention(tx: Transaction, row: RetentionRow): Promise<void> {
  const { bodyDays, rowDays, facts, mask, revision } = row
  await tx.update(retention).set({ bodyDays, rowDays, facts, mask, revision }).where(eq(retention.id, row.id))
}

/** Gives the rule that was there. */
export async function deleteRetentionRow(
  tx: Transaction,
  organisationId: string,
  id: string,
): Promise<RetentionRow | undefined> {
  const [row] = await tx
    .delete(retention)
    .where(and(eq(retention.organisationId, organisationId), eq(retention.id, id)))
    .returning()
  return row
}

/** The sweep looks at all segments anew: their bodies may have to go sooner, or later. */
export async function restartReview(tx: Transaction, organisationId: string): Promise<void> {
  await tx
    .insert(retentionReview)
    .values({ organisationId, revision: 1, after: '' })
    .onConflictDoUpdate({
      target: retentionReview.organisationId,
      set: { revision: sql`${retentionReview.revision} + 1`, after: '' },
    })
}

export async function loadReview(
  q: Queryable,
  organisationId: string,
): Promise<{ revision: number; after: string } | undefined> {
  const [row] = await q
    .select({ revision: retentionReview.revision, after: retentionReview.after })
    .from(retentionReview)
    .where(eq(retentionReview.organisationId, organisationId))
  return row
}

/** Notes how far a review is; null ends it. Does nothing where the rules have changed meanwhile. */
export async function advanceReview(
  q: Queryable,
  organisationId: string,
  review: { readonly revision: number; readonly after: string | null },
): Promise<void> {
  const same = and(
    eq(retentionReview.organisationId, organisationId),
    eq(retentionReview.revision, review.revision),
  )
  if (review.after === null) await q.delete(retentionReview).where(same)
  else await q.update(retentionReview).set({ after: review.after }).where(same)
}

export async function listOrganisations(q: Queryable): Promise<string[]> {
  const rows = await q.select({ id: organisation.id }).from(organisation).orderBy(asc(organisation.id))
  return rows.map(({ id }) => id)
}

/** Paths of nodes by id; what is not there any more is left out. */
export async function loadNodePaths(
  q: Queryable,
  organisationId: string,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await q
    .select({ id: node.id, path: node.path })
    .from(node)
    .where(and(eq(node.organisationId, organisationId), sql`${node.id} = any(${sql.param([...ids])})`))
  return new Map(rows.map(({ id, path }) => [id, path]))
}

/** Rules of an organisation that are about calls of an environment, and are so. */
function rulesIn(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
  such: SQL,
): Promise<RetentionRow[]> {
  const here = and(eq(apiKey.environment, where.environment), isNull(apiKey.revokedMs))
  return q
    .select(getTableColumns(retention))
    .from(retention)
    .leftJoin(apiKey, eq(apiKey.id, retention.keyId))
    .where(
      and(
        eq(retention.organisationId, where.organisationId),
        such,
        sql`(${isNull(retention.environment)} or ${eq(retention.environment, where.environment)})`,
        sql`(${isNull(retention.keyId)} or (${here}))`,
      ),
    )
    .orderBy(asc(retention.id))
}

/** What the state of an environment says of calls that are not recorded; no member where there are none. */
export async function loadUnrecorded(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
): Promise<Pick<StateDocument, 'unrecorded'>> {
  const rows = await rulesIn(q, where, eq(retention.bodyDays, 0))
  if (rows.length === 0) return {}
  return {
    unrecorded: {
      all: rows.some(({ environment }) => environment !== null),
      nodes: rows.flatMap(({ nodeId }) => nodeId ?? []),
      keys: rows.flatMap(({ keyId }) => keyId ?? []),
    },
  }
}

/** What the state says of calls of which not all facts are recorded; no member where there are none. */
export async function loadFactsRules(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
): Promise<Pick<StateDocument, 'factsRules'>> {
  const rows = await rulesIn(q, where, ne(retention.facts, 'full'))
  const factsRules = rows.flatMap(({ facts, mask, environment, nodeId, keyId }): StateFactsRule[] => {
    if (facts === 'full') return []
    const owner: StateFactsRule['owner'] =
      environment !== null
        ? { kind: 'environment', id: environment }
        : keyId !== null
          ? { kind: 'key', id: keyId }
          : { kind: 'node', id: nodeId ?? '' }
    return [{ owner, class: facts, ...(mask !== null && { mask }) }]
  })
  return factsRules.length === 0 ? {} : { factsRules }
}
