import type { StateLimit } from '@signalbox/sdk/contract'
import { and, asc, eq, isNull, type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { apiKey, node, rateLimit } from '../db/schema.ts'
import type { Reach } from '../identity/grants.ts'
import { withinReach } from './nodes.ts'

export type LimitRow = typeof rateLimit.$inferSelect
/** A limit with where its owner stands: names from the root down, a key's label last. */
export interface PlacedLimit extends LimitRow {
  readonly path: string
}

/** What there is one limit of an owner for. */
export function placeOf(what: Pick<LimitRow, 'unit' | 'window' | 'model' | 'metadata' | 'per'>): string {
  const { unit, window, model, metadata, per } = what
  const value = metadata === null ? null : [metadata.name, metadata.value]
  return JSON.stringify([unit, window, model, value, per])
}

/** What a limit says of itself, to gateways and people alike. */
export function describeLimit(row: LimitRow): StateLimit {
  const { id, nodeId, keyId, unit, window, limit, mode, model, metadata, per } = row
  return {
    id,
    owner: nodeId === null ? { kind: 'key', id: keyId ?? '' } : { kind: 'node', id: nodeId },
    unit,
    ...(window !== null && { window }),
    ...{ limit, mode },
    ...(model !== null && { model }),
    ...(metadata !== null && { metadata }),
    ...(per !== null && { per }),
  }
}

async function select(q: Queryable, where: SQL | undefined): Promise<PlacedLimit[]> {
  const ownerNode = sql`coalesce(${rateLimit.nodeId}, ${apiKey.nodeId})`
  const rows = await q
    .select({ limit: rateLimit, nodePath: node.path, keyName: apiKey.name })
    .from(rateLimit)
    .leftJoin(apiKey, eq(apiKey.id, rateLimit.keyId))
    .innerJoin(node, eq(node.id, ownerNode))
    .where(where)
    .orderBy(asc(node.path), sql`${apiKey.name} asc nulls first`, asc(rateLimit.place), asc(rateLimit.id))
  return rows.map(({ limit, nodePath, keyName }) => ({
    ...limit,
    path: [nodePath, keyName].filter((part) => part !== null && part !== '').join('/'),
  }))
}

/** Limits of an organisation, of one node or key where it is named, within a reach where one is given. */
export function listLimits(
  q: Queryable,
  organisationId: string,
  where: { readonly nodeId?: string; readonly keyId?: string; readonly reach?: Reach } = {},
): Promise<PlacedLimit[]> {
  const { nodeId, keyId, reach } = where
  const near = reach === undefined ? undefined : withinReach(reach)
  const ofNode = nodeId === undefined ? undefined : eq(rateLimit.nodeId, nodeId)
  const ofKey = keyId === undefined ? undefined : eq(rateLimit.keyId, keyId)
  return select(q, and(eq(rateLimit.organisationId, organisationId), ofNode, ofKey, near))
}

export async function findLimit(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<PlacedLimit | undefined> {
  const [row] = await select(q, and(eq(rateLimit.organisationId, organisationId), eq(rateLimit.id, id)))
  return row
}

/** The limit of this owner and place. */
export async function findLimitOf(
  q: Queryable,
  organisationId: string,
  { nodeId, keyId, place }: Pick<LimitRow, 'nodeId' | 'keyId' | 'place'>,
): Promise<PlacedLimit | undefined> {
  const owner = nodeId !== null ? eq(rateLimit.nodeId, nodeId) : eq(rateLimit.keyId, keyId ?? '')
  const here = and(eq(rateLimit.organisationId, organisationId), owner, eq(rateLimit.place, place))
  const [row] = await select(q, here)
  return row
}

/** Fails with a unique violation of `rate_limit_of_node` or `rate_limit_of_key` where the place is taken. */
export async function insertLimit(tx: Transaction, row: LimitRow): Promise<void> {
  await tx.insert(rateLimit).values(row)
}

/** Changes number, mode and manager, if the row is still at the revision that was seen. */
export async function updateLimit(tx: Transaction, row: LimitRow, seen: number): Promise<boolean> {
  const { limit, mode, managedBy, revision } = row
  const changed = await tx
    .update(rateLimit)
    .set({ limit, mode, managedBy, revision })
    .where(and(eq(rateLimit.id, row.id), eq(rateLimit.revision, seen)))
    .returning({ id: rateLimit.id })
  return changed.length === 1
}

/** Deletes a limit, if it is still at the revision that was seen. */
export async function deleteLimitRow(tx: Transaction, id: string, seen: number): Promise<boolean> {
  const gone = await tx
    .delete(rateLimit)
    .where(and(eq(rateLimit.id, id), eq(rateLimit.revision, seen)))
    .returning({ id: rateLimit.id })
  return gone.length === 1
}

/** What the state of an environment says of limits: those of nodes, and those of its own living keys. */
export async function loadStateLimits(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
): Promise<StateLimit[]> {
  const here = and(eq(apiKey.environment, where.environment), isNull(apiKey.revokedMs))
  const rows = await q
    .select({ limit: rateLimit })
    .from(rateLimit)
    .leftJoin(apiKey, eq(apiKey.id, rateLimit.keyId))
    .where(
      and(eq(rateLimit.organisationId, where.organisationId), sql`(${isNull(rateLimit.keyId)} or (${here}))`),
    )
    .orderBy(asc(rateLimit.id))
  return rows.map(({ limit }) => describeLimit(limit))
}
