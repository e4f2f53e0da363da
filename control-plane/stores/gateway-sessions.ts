import type { DocumentKind, GatewayReport } from '@signalbox/sdk/contract'
import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { connectionSecret, gateway, gatewayCredentials, gatewayDocument } from '../db/schema.ts'

export type CredentialRow = typeof gatewayCredentials.$inferSelect

/** A gateway has started: its new incarnation has acknowledged nothing yet. */
export async function storeHello(
  q: Queryable,
  gatewayId: string,
  hello: Pick<typeof gateway.$inferInsert, 'publicKey' | 'software' | 'url' | 'engine'> & {
    readonly incarnation: string
    readonly nowMs: number
  },
): Promise<void> {
  const { nowMs, ...columns } = hello
  await q
    .update(gateway)
    .set({ ...columns, report: null, lastSeenMs: nowMs })
    .where(eq(gateway.id, gatewayId))
}

/** Keeps what a gateway says of itself; an earlier run has no say. */
export async function storeReport(
  q: Queryable,
  gatewayId: string,
  { incarnation, report }: { readonly incarnation: string; readonly report: GatewayReport },
): Promise<void> {
  await q
    .update(gateway)
    .set({ report })
    .where(and(eq(gateway.id, gatewayId), eq(gateway.incarnation, incarnation)))
}

/** The gateway counts as connected up to this time. */
export async function storeConnectedUntil(
  q: Queryable,
  gatewayId: string,
  times: { nowMs: number; connectedUntilMs: number },
): Promise<void> {
  await q
    .update(gateway)
    .set({ lastSeenMs: times.nowMs, connectedUntilMs: times.connectedUntilMs })
    .where(eq(gateway.id, gatewayId))
}

export interface AckRow {
  readonly organisationId: string
  readonly gatewayId: string
  readonly incarnation: string
  readonly kind: DocumentKind
  readonly sequence: number
  readonly error: string | null
  readonly connections: Record<string, 'available' | 'simulated' | 'unavailable'> | null
  readonly nowMs: number
}

/**
 * Notes what a gateway runs, or why it refused. An acknowledgement of an incarnation that is not the gateway's newest
 * changes nothing; gives whether it was taken.
 */
export async function storeAck(q: Queryable, ack: AckRow): Promise<boolean> {
  const [known] = await q
    .select({ incarnation: gateway.incarnation })
    .from(gateway)
    .where(eq(gateway.id, ack.gatewayId))
  if (known?.incarnation !== ack.incarnation) return false
  const { organisationId, gatewayId, incarnation, kind, sequence, nowMs } = ack
  const active = ack.error === null
  const row = {
    organisationId,
    gatewayId,
    kind,
    incarnation,
    activeSequence: active ? sequence : null,
    rejectedSequence: active ? null : sequence,
    rejectedError: ack.error,
    connections: ack.connections,
    updatedMs: nowMs,
  }
  const sameRun = sql`${gatewayDocument.incarnation} = excluded.incarnation`
  const kept = (column: 'activeSequence' | 'connections') =>
    sql`coalesce(excluded.${sql.identifier(gatewayDocument[column].name)},
      case when ${sameRun} then ${gatewayDocument[column]} end)`
  await q
    .insert(gatewayDocument)
    .values(row)
    .onConflictDoUpdate({
      target: [gatewayDocument.gatewayId, gatewayDocument.kind],
      set: {
        incarnation,
        activeSequence: kept('activeSequence'),
        rejectedSequence: row.rejectedSequence,
        rejectedError: row.rejectedError,
        connections: kept('connections'),
        updatedMs: nowMs,
      },
    })
  return true
}

export interface ConnectedGateway {
  readonly id: string
  /** The newest document of the kind that it runs or refused in this incarnation; 0 where there is none. */
  readonly activeSequence: number
  readonly rejectedSequence: number
}

/** Gateways of an environment that are connected now, with how far they are for one kind of document. */
export async function loadConnectedGateways(
  q: Queryable,
  where: { organisationId: string; environment: string; kind: DocumentKind; nowMs: number },
): Promise<ConnectedGateway[]> {
  const rows = await q
    .select({
      id: gateway.id,
      activeSequence: gatewayDocument.activeSequence,
      rejectedSequence: gatewayDocument.rejectedSequence,
    })
    .from(gateway)
    .leftJoin(
      gatewayDocument,
      and(
        eq(gatewayDocument.gatewayId, gateway.id),
        eq(gatewayDocument.kind, where.kind),
        eq(gatewayDocument.incarnation, gateway.incarnation),
      ),
    )
    .where(
      and(
        eq(gateway.organisationId, where.organisationId),
        eq(gateway.environment, where.environment),
        isNull(gateway.revokedMs),
        gt(gateway.connectedUntilMs, where.nowMs),
      ),
    )
    .orderBy(gateway.id)
  return rows.map((row) => ({
    id: row.id,
    activeSequence: row.activeSequence ?? 0,
    rejectedSequence: row.rejectedSequence ?? 0,
  }))
}

/** Gateways that secrets can be sealed to, with their newest credential document. */
export async function loadCredentialRecipients(
  q: Queryable,
  where: { organisationId: string; environment: string },
): Promise<{ gatewayId: string; publicKey: string; newest: CredentialRow | null }[]> {
  const rows = await q
    .select({ gatewayId: gateway.id, publicKey: gateway.publicKey, newest: gatewayCredentials })
    .from(gateway)
    .leftJoin(gatewayCredentials, eq(gatewayCredentials.gatewayId, gateway.id))
    .where(
      and(
        eq(gateway.organisationId, where.organisationId),
        eq(gateway.environment, where.environment),
        isNull(gateway.revokedMs),
        sql`${gateway.publicKey} is not null`,
      ),
    )
    .orderBy(gateway.id)
  return rows.flatMap(({ publicKey, ...row }) => (publicKey === null ? [] : [{ ...row, publicKey }]))
}

export async function storeCredentials(q: Queryable, row: CredentialRow): Promise<void> {
  const { gatewayId: _, ...columns } = row
  await q
    .insert(gatewayCredentials)
    .values(row)
    .onConflictDoUpdate({ target: gatewayCredentials.gatewayId, set: columns })
}

export async function loadCredentials(q: Queryable, gatewayId: string): Promise<CredentialRow | undefined> {
  const rows = await q.select().from(gatewayCredentials).where(eq(gatewayCredentials.gatewayId, gatewayId))
  return rows[0]
}

/** The stored secrets of an environment, still encrypted, by name. */
export async function loadSecrets(
  q: Queryable,
  where: { organisationId: string; environment: string },
): Promise<{ name: string; value: string }[]> {
  return await q
    .select({ name: connectionSecret.name, value: connectionSecret.value })
    .from(connectionSecret)
    .where(
      and(
        eq(connectionSecret.organisationId, where.organisationId),
        eq(connectionSecret.environment, where.environment),
      ),
    )
    .orderBy(connectionSecret.name)
}
