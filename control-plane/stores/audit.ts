import { type AuditContent, type AuditRow, firstPreviousHash, hashAuditRow } from '@signalbox/sdk/node'
import { and, asc, desc, eq, gt, lt, sql } from 'drizzle-orm'
import type { Database, Queryable, Transaction } from '../db/connect.ts'
import { audit } from '../db/schema.ts'

/** What an audit row says of a change. */
export interface AuditEntry {
  /** Kind and id of what was changed: `key 0190…`. */
  readonly object: string
  /** Never a secret. */
  readonly detail: Readonly<Record<string, unknown>>
}
export interface AuditContext {
  readonly organisationId: string
  readonly actor: string
  /** Operation id. */
  readonly action: string
}
/** The outcome of a change. `audit: null` says that nothing was changed. */
export interface Audited<T> {
  readonly result: T
  readonly audit: AuditEntry | null
}

/**
 * Makes a change and its audit row in one transaction: neither is there without the other. The chain's lock is taken
 * last, so that it is held for two statements only and no two changes can wait for each other on it.
 */
export async function withAudit<T>(
  { db, nowMs }: { readonly db: Database; readonly nowMs: () => number },
  context: AuditContext,
  change: (transaction: Transaction) => Promise<Audited<T>>,
): Promise<T> {
  return db.transaction(async (transaction) => {
    const outcome = await change(transaction)
    if (outcome.audit !== null) {
      await appendAudit(transaction, context.organisationId, {
        actor: context.actor,
        action: context.action,
        object: outcome.audit.object,
        detail: { ...outcome.audit.detail },
        nowMs,
      })
    }
    return outcome.result
  })
}

interface NewAudit extends Omit<AuditContent, 'organisationId' | 'sequence' | 'timeMs' | 'previousHash'> {
  readonly nowMs: () => number
}

/** Appends to the organisation's chain. Call it last in a transaction; `withAudit` does. Gives the row's sequence. */
export async function appendAudit(
  transaction: Transaction,
  organisationId: string,
  { nowMs, ...entry }: NewAudit,
): Promise<number> {
  await transaction.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`audit ${organisationId}`}, 0))`,
  )
  const [last] = await transaction
    .select({ sequence: audit.sequence, hash: audit.hash })
    .from(audit)
    .where(eq(audit.organisationId, organisationId))
    .orderBy(desc(audit.sequence))
    .limit(1)
  const content: AuditContent = {
    organisationId,
    sequence: (last?.sequence ?? 0) + 1,
    timeMs: nowMs(),
    ...entry,
    previousHash: last?.hash ?? firstPreviousHash,
  }
  await transaction.insert(audit).values({ ...content, hash: hashAuditRow(content) })
  return content.sequence
}

/** Which audit rows. With `after` they come oldest first, else newest first. */
export interface AuditFilter {
  readonly before?: number | undefined
  readonly after?: number | undefined
  readonly action?: string | undefined
  readonly actor?: string | undefined
  readonly limit: number
}

export async function listAuditRows(
  db: Queryable,
  organisationId: string,
  { before, after, action, actor, limit }: AuditFilter,
): Promise<AuditRow[]> {
  return db
    .select()
    .from(audit)
    .where(
      and(
        eq(audit.organisationId, organisationId),
        before === undefined ? undefined : lt(audit.sequence, before),
        after === undefined ? undefined : gt(audit.sequence, after),
        action === undefined ? undefined : eq(audit.action, action),
        actor === undefined ? undefined : eq(audit.actor, actor),
      ),
    )
    .orderBy(after === undefined ? desc(audit.sequence) : asc(audit.sequence))
    .limit(limit)
}
