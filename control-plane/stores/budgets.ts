import { and, asc, desc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { apiKey, budget, budgetWindow, node } from '../db/schema.ts'
import type { Reach } from '../identity/grants.ts'
import { withinReach } from './nodes.ts'

export type BudgetRow = typeof budget.$inferSelect
export type WindowRow = typeof budgetWindow.$inferSelect
/** A budget with where its owner stands: names from the root down, a key's label last. */
export interface PlacedBudget extends BudgetRow {
  readonly path: string
}

/** The limit that holds at a time: an override's until it ends. */
export function limitAt(row: BudgetRow, nowMs: number): bigint {
  const { overrideLimit, overrideUntilMs } = row
  return overrideLimit !== null && (overrideUntilMs ?? 0) > nowMs ? overrideLimit : row.limit
}

const living = isNull(budget.deletedMs)

async function select(q: Queryable, where: SQL | undefined): Promise<PlacedBudget[]> {
  const ownerNode = sql`coalesce(${budget.nodeId}, ${apiKey.nodeId})`
  const rows = await q
    .select({ budget, nodePath: node.path, keyName: apiKey.name })
    .from(budget)
    .leftJoin(apiKey, eq(apiKey.id, budget.keyId))
    .innerJoin(node, eq(node.id, ownerNode))
    .where(where)
    .orderBy(asc(node.path), sql`${apiKey.name} asc nulls first`, asc(budget.unit), asc(budget.id))
  return rows.map(({ budget: row, nodePath, keyName }) => ({
    ...row,
    path: [nodePath, keyName].filter((part) => part !== null && part !== '').join('/'),
  }))
}

/** Budgets that are not deleted, of one node or key where it is named, within a reach where one is given. */
export function listBudgets(
  q: Queryable,
  organisationId: string,
  where: { readonly nodeId?: string; readonly keyId?: string; readonly reach?: Reach } = {},
): Promise<PlacedBudget[]> {
  const { nodeId, keyId, reach } = where
  const near = reach === undefined ? undefined : withinReach(reach)
  const ofNode = nodeId === undefined ? undefined : eq(budget.nodeId, nodeId)
  const ofKey = keyId === undefined ? undefined : eq(budget.keyId, keyId)
  return select(q, and(eq(budget.organisationId, organisationId), living, ofNode, ofKey, near))
}

/** The budget of this id, unless it is deleted. */
export async function findBudget(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<PlacedBudget | undefined> {
  const [row] = await select(q, and(eq(budget.organisationId, organisationId), eq(budget.id, id), living))
  return row
}

/** Where the owners of budgets stand, deleted ones too. */
export async function placeBudgets(q: Queryable, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = ids.length === 0 ? [] : await select(q, inArray(budget.id, [...new Set(ids)]))
  return new Map(rows.map(({ id, path }) => [id, path]))
}

/** What there is one budget for. */
export type BudgetPlace = Pick<BudgetRow, 'nodeId' | 'keyId' | 'window' | 'unit'>

/** The budget of this owner, window and unit. */
export async function findBudgetOf(
  q: Queryable,
  organisationId: string,
  place: BudgetPlace,
): Promise<PlacedBudget | undefined> {
  const { nodeId, keyId, window, unit } = place
  const owner = nodeId !== null ? eq(budget.nodeId, nodeId) : eq(budget.keyId, keyId ?? '')
  const [row] = await select(
    q,
    and(
      eq(budget.organisationId, organisationId),
      living,
      owner,
      eq(budget.window, window),
      eq(budget.unit, unit),
    ),
  )
  return row
}

/** Fails with a unique violation of `budget_of_node` or `budget_of_key` where the place is taken. */
export async function insertBudget(tx: Transaction, row: BudgetRow): Promise<void> {
  await tx.insert(budget).values(row)
}

/** Writes what may change of a budget. Its row must be locked by `openBook`. */
export async function updateBudget(tx: Transaction, row: BudgetRow): Promise<void> {
  const { id, organisationId: _, nodeId: __, keyId: ___, createdMs: ____, ...columns } = row
  await tx.update(budget).set(columns).where(eq(budget.id, id))
}

/** What the state of an environment says of budgets: those of nodes, and those of its own living keys. */
export async function loadStateBudgets(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
): Promise<Pick<BudgetRow, 'id' | 'nodeId' | 'keyId' | 'window' | 'unit' | 'mode'>[]> {
  const { id, nodeId, keyId, window, unit, mode } = budget
  const here = and(eq(apiKey.environment, where.environment), isNull(apiKey.revokedMs))
  return q
    .select({ id, nodeId, keyId, window, unit, mode })
    .from(budget)
    .leftJoin(apiKey, eq(apiKey.id, budget.keyId))
    .where(
      and(
        eq(budget.organisationId, where.organisationId),
        living,
        sql`(${isNull(budget.keyId)} or (${here}))`,
      ),
    )
    .orderBy(asc(budget.id))
}

/** The newest windows of budgets that have begun by a time, newest first. */
export async function loadWindows(
  q: Queryable,
  budgetIds: readonly string[],
  options: { readonly beforeMs?: number; readonly perBudget?: number } = {},
): Promise<WindowRow[]> {
  if (budgetIds.length === 0) return []
  const { beforeMs, perBudget = 1 } = options
  const begun =
    beforeMs === undefined ? undefined : sql`${budgetWindow.startMs} <= ${new Date(beforeMs).toISOString()}`
  const ranked = q.$with('ranked').as(
    q
      .select({
        budgetId: budgetWindow.budgetId,
        startMs: budgetWindow.startMs,
        rank: sql<number>`row_number() over (partition by ${budgetWindow.budgetId} order by ${budgetWindow.startMs} desc)`.as(
          'rank',
        ),
      })
      .from(budgetWindow)
      .where(and(inArray(budgetWindow.budgetId, [...budgetIds]), begun)),
  )
  const rows = await q
    .with(ranked)
    .select({ window: budgetWindow })
    .from(budgetWindow)
    .innerJoin(
      ranked,
      and(eq(ranked.budgetId, budgetWindow.budgetId), eq(ranked.startMs, budgetWindow.startMs)),
    )
    .where(sql`${ranked.rank} <= ${perBudget}`)
    .orderBy(asc(budgetWindow.budgetId), desc(budgetWindow.startMs))
  return rows.map((row) => row.window)
}
