import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { alertDelivery, budgetAlert, webhook } from '../db/schema.ts'

export type WebhookRow = typeof webhook.$inferSelect
export type DeliveryRow = typeof alertDelivery.$inferSelect

const iso = (timeMs: number): string => new Date(timeMs).toISOString()

/** Webhooks of an organisation, oldest first. */
export async function listWebhooks(q: Queryable, organisationId: string): Promise<WebhookRow[]> {
  const rows = q.select().from(webhook).where(eq(webhook.organisationId, organisationId))
  return rows.orderBy(asc(webhook.createdMs))
}

/** Fails with a unique violation of `webhook_url` where the organisation has it already. */
export async function insertWebhook(q: Queryable, row: WebhookRow): Promise<void> {
  await q.insert(webhook).values(row)
}

export async function findWebhook(
  q: Queryable,
  organisationId: string,
  id: string,
): Promise<WebhookRow | undefined> {
  const [row] = await q
    .select()
    .from(webhook)
    .where(and(eq(webhook.organisationId, organisationId), eq(webhook.id, id)))
  return row
}

/** Deletes a webhook with what is on its way to it. */
export async function deleteWebhook(q: Queryable, id: string): Promise<void> {
  await q.delete(webhook).where(eq(webhook.id, id))
}

/** How alerts fared, by alert. */
export async function loadDeliveries(
  q: Queryable,
  alertIds: readonly string[],
): Promise<Map<string, DeliveryRow[]>> {
  const rows =
    alertIds.length === 0
      ? []
      : await q
          .select()
          .from(alertDelivery)
          .where(inArray(alertDelivery.alertId, [...alertIds]))
          .orderBy(asc(alertDelivery.webhookId))
  return Map.groupBy(rows, ({ alertId }) => alertId)
}

/** What is older was put on its way long ago. */
const queueMs = 7 * 86_400_000

/** Puts alerts that are new on their way: to each webhook that was there when they were raised. */
export async function queueDeliveries(q: Queryable, nowMs: number): Promise<void> {
  await q.execute(sql`
    insert into ${alertDelivery} (organisation_id, alert_id, webhook_id, next)
    select a.organisation_id, a.id, w.id, ${iso(nowMs)}::timestamptz
    from ${webhook} w join ${budgetAlert} a on a.organisation_id = w.organisation_id and a.time >= w.created
    where a.time >= ${iso(nowMs - queueMs)}
      and not exists (select 1 from ${alertDelivery} d where d.alert_id = a.id and d.webhook_id = w.id)
    order by a.time limit 1000 on conflict do nothing`)
}

/** An alert that is due at a webhook, with all that its message says. */
export interface DueDelivery extends Record<string, unknown> {
  readonly alertId: string
  readonly webhookId: string
  readonly organisationId: string
  readonly attempts: number
  readonly url: string
  readonly secret: string
}

/**
 * Takes deliveries that are due, and nobody else gets them until `againMs`: whoever dies with them loses nothing.
 * `attempts` counts the one that begins.
 */
export async function claimDeliveries(
  q: Queryable,
  options: { readonly nowMs: number; readonly againMs: number; readonly limit: number },
): Promise<DueDelivery[]> {
  const { rows } = await q.execute<DueDelivery>(sql`
    with due as (
      select d.alert_id, d.webhook_id from ${alertDelivery} d where d.next <= ${iso(options.nowMs)}
      order by d.next limit ${options.limit} for update skip locked
    )
    update ${alertDelivery} d set attempts = d.attempts + 1, next = ${iso(options.againMs)}
    from due, ${webhook} w
    where d.alert_id = due.alert_id and d.webhook_id = due.webhook_id and w.id = d.webhook_id
    returning d.alert_id as "alertId", d.webhook_id as "webhookId", d.organisation_id as "organisationId",
      d.attempts, w.url, w.secret`)
  return rows
}

/** Says how a try ended. `nextMs`: when it is tried again; null for never. */
export async function storeDelivery(
  q: Queryable,
  of: Pick<DueDelivery, 'alertId' | 'webhookId'>,
  outcome: Pick<DeliveryRow, 'nextMs' | 'deliveredMs' | 'error'>,
): Promise<void> {
  await q
    .update(alertDelivery)
    .set(outcome)
    .where(and(eq(alertDelivery.alertId, of.alertId), eq(alertDelivery.webhookId, of.webhookId)))
  if (outcome.deliveredMs === null) return
  await q
    .update(budgetAlert)
    .set({ deliveredMs: outcome.deliveredMs })
    .where(and(eq(budgetAlert.id, of.alertId), sql`${budgetAlert.deliveredMs} is null`))
}
