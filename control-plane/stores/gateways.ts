import { and, asc, eq, inArray, isNull, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { gateway, gatewayDocument } from '../db/schema.ts'

export type GatewayRow = typeof gateway.$inferSelect
export type GatewayDocumentRow = typeof gatewayDocument.$inferSelect

/** Whether administrative writes wait for this gateway: it holds an event stream or a long poll open. */
export function isConnected(row: GatewayRow, nowMs: number): boolean {
  return row.revokedMs === null && row.connectedUntilMs !== null && row.connectedUntilMs > nowMs
}

/** The gateway of this token, revoked or not. */
export async function findGatewayByToken(db: Queryable, tokenHash: string): Promise<GatewayRow | undefined> {
  const [row] = await db.select().from(gateway).where(eq(gateway.tokenHash, tokenHash)).limit(1)
  return row
}

/** Notes that the gateway was heard of. */
export async function touchGateway(db: Queryable, id: string, nowMs: number): Promise<void> {
  await db.update(gateway).set({ lastSeenMs: nowMs }).where(eq(gateway.id, id))
}

/** Gateways of an organisation, oldest first; of one environment where it is named. */
export async function listGateways(
  db: Queryable,
  organisationId: string,
  environment?: string,
): Promise<GatewayRow[]> {
  const here = environment === undefined ? undefined : eq(gateway.environment, environment)
  return db
    .select()
    .from(gateway)
    .where(and(eq(gateway.organisationId, organisationId), here))
    .orderBy(asc(gateway.createdMs), asc(gateway.id))
}

/** What these gateways run and rejected. */
export async function listGatewayDocuments(
  db: Queryable,
  gatewayIds: readonly string[],
): Promise<GatewayDocumentRow[]> {
  if (gatewayIds.length === 0) return []
  return db
    .select()
    .from(gatewayDocument)
    .where(inArray(gatewayDocument.gatewayId, [...gatewayIds]))
}

export async function insertGateway(db: Queryable, row: GatewayRow): Promise<void> {
  await db.insert(gateway).values(row)
}

/** How many gateways an environment ever had: the next one's number in its name. */
export async function countGateways(
  db: Queryable,
  organisationId: string,
  environment: string,
): Promise<number> {
  const [row] = await db
    .select({ count: sql<number>`count(*)::int` })
    .from(gateway)
    .where(and(eq(gateway.organisationId, organisationId), eq(gateway.environment, environment)))
  return row?.count ?? 0
}

/** Address of the gateway of an environment that was heard of last, if any has one. */
export async function findGatewayUrl(
  db: Queryable,
  organisationId: string,
  environment: string,
): Promise<string | undefined> {
  const [row] = await db
    .select({ url: gateway.url })
    .from(gateway)
    .where(
      and(
        eq(gateway.organisationId, organisationId),
        eq(gateway.environment, environment),
        isNull(gateway.revokedMs),
        sql`${gateway.url} is not null`,
      ),
    )
    .orderBy(sql`${gateway.lastSeenMs} desc nulls last`)
    .limit(1)
  return row?.url ?? undefined
}
