import { and, asc, desc, eq, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { paramChange, paramValue } from '../db/schema.ts'
import { loadCurrentDeployments } from './deployments.ts'
import { lockDocuments } from './documents.ts'
import { findVersionByDigest, type VersionRow } from './versions.ts'

export type ParamRow = typeof paramValue.$inferSelect
export type ParamChangeRow = typeof paramChange.$inferSelect
/** A param of a workspace in an environment. */
export interface ParamPlace {
  readonly organisationId: string
  readonly environment: string
  readonly workspace: string
  readonly name: string
}

/** Stable versions of an environment, then candidates. */
export async function deployedVersions(
  q: Queryable,
  organisationId: string,
  environment: string,
): Promise<VersionRow[]> {
  const rows = await loadCurrentDeployments(q, organisationId, environment)
  const candidates = rows.flatMap(({ candidate }) => (candidate === null ? [] : [candidate.digest]))
  const digests = [...rows.map(({ stableDigest }) => stableDigest), ...candidates]
  const versions = await Promise.all(digests.map((each) => findVersionByDigest(q, organisationId, each)))
  return versions.flatMap((version) => version ?? [])
}

export async function listParamRows(
  q: Queryable,
  organisationId: string,
  environment: string,
): Promise<ParamRow[]> {
  return await q
    .select()
    .from(paramValue)
    .where(and(eq(paramValue.organisationId, organisationId), eq(paramValue.environment, environment)))
    .orderBy(asc(paramValue.workspace), asc(paramValue.name))
}

/** How often each param was changed, by `workspace name`. */
export async function countParamChanges(
  q: Queryable,
  organisationId: string,
  environment: string,
): Promise<Map<string, number>> {
  const rows = await q
    .select({
      workspace: paramChange.workspace,
      name: paramChange.name,
      changes: sql<number>`count(*)::int`,
    })
    .from(paramChange)
    .where(and(eq(paramChange.organisationId, organisationId), eq(paramChange.environment, environment)))
    .groupBy(paramChange.workspace, paramChange.name)
  return new Map(rows.map(({ workspace, name, changes }) => [`${workspace} ${name}`, changes]))
}

/** Changes with their revision, newest first. */
export async function listParamChanges(
  q: Queryable,
  filter: Pick<ParamPlace, 'organisationId' | 'environment'> & { name: string | undefined; limit: number },
): Promise<(ParamChangeRow & { revision: number })[]> {
  const { organisationId, environment, name, limit } = filter
  const revision = sql<number>`(row_number() over (
    partition by ${paramChange.workspace}, ${paramChange.name} order by ${paramChange.stateSequence}))::int`
  const rows = await q
    .select({ row: paramChange, revision })
    .from(paramChange)
    .where(
      and(
        eq(paramChange.organisationId, organisationId),
        eq(paramChange.environment, environment),
        name === undefined ? undefined : eq(paramChange.name, name),
      ),
    )
    .orderBy(desc(paramChange.changedMs), desc(paramChange.stateSequence))
    .limit(limit)
  return rows.map(({ row, ...rest }) => ({ ...row, ...rest }))
}

function isPlace(table: typeof paramValue | typeof paramChange, place: ParamPlace) {
  return and(
    eq(table.organisationId, place.organisationId),
    eq(table.environment, place.environment),
    eq(table.workspace, place.workspace),
    eq(table.name, place.name),
  )
}

/** Makes changes of params of an environment wait for each other. Gives what holds, and how often it was changed. */
export async function lockParam(
  tx: Transaction,
  place: ParamPlace,
): Promise<{ row: ParamRow | undefined; changes: number; lastSequence: number }> {
  await lockDocuments(tx, place.organisationId, place.environment, 'state')
  const [row] = await tx.select().from(paramValue).where(isPlace(paramValue, place))
  const [seen] = await tx
    .select({
      changes: sql<number>`count(*)::int`,
      lastSequence: sql<number>`coalesce(max(${paramChange.stateSequence}), 0)::int`,
    })
    .from(paramChange)
    .where(isPlace(paramChange, place))
  return { row, changes: seen?.changes ?? 0, lastSequence: seen?.lastSequence ?? 0 }
}

/** Writes a value, or takes it away, with its line in the history. */
export async function storeParam(
  tx: Transaction,
  place: ParamPlace,
  change: Pick<ParamChangeRow, 'value' | 'changedMs' | 'changedBy' | 'stateSequence'>,
): Promise<void> {
  const { value, changedMs, changedBy } = change
  await tx.insert(paramChange).values({ ...place, ...change })
  if (value === null) {
    await tx.delete(paramValue).where(isPlace(paramValue, place))
    return
  }
  const columns = { value, updatedMs: changedMs, updatedBy: changedBy }
  await tx
    .insert(paramValue)
    .values({ ...place, ...columns })
    .onConflictDoUpdate({
      target: [paramValue.organisationId, paramValue.environment, paramValue.workspace, paramValue.name],
      set: columns,
    })
}
