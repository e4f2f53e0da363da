import type { DrillAlertMessage } from '@signalbox/sdk/contract'
import { lastProven, listSchedules, routeName, type ScheduleRow, storeDrillAlert } from '../stores/drills.ts'
import { listWebhooks } from '../stores/webhooks.ts'
import { type DeliveryTools, postSigned } from './deliver-alerts.ts'

/** A webhook that has not taken an alert by then does not get it. */
const tellMs = 3 * 86_400_000

/** Whether a route has not been proven for longer than its schedule lets it be. */
export function isUnproven(
  { createdMs, unprovenMs }: Pick<ScheduleRow, 'createdMs' | 'unprovenMs'>,
  provenMs: number | undefined,
  nowMs: number,
): boolean {
  return nowMs - Math.max(createdMs, provenMs ?? 0) > unprovenMs
}

/** Tells all webhooks that were not told yet; gives who was. */
async function tell(
  tools: DeliveryTools,
  schedule: ScheduleRow,
  message: DrillAlertMessage,
): Promise<readonly string[]> {
  const { organisationId, toldTo } = schedule
  const told = [...toldTo]
  for (const { id: webhookId, url, secret } of await listWebhooks(tools.db, organisationId)) {
    if (told.includes(webhookId)) continue
    try {
      await postSigned(
        tools,
        { organisationId, webhookId, url, secret },
        { id: message.id, body: JSON.stringify(message) },
      )
      told.push(webhookId)
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'failed'
      tools.log.warn({ webhookId, reason }, 'a webhook did not take an alert of a drill')
    }
  }
  return told
}

/**
 * Raises an alert for each route that has not been proven for too long, once until it is proven again; whoever does
 * not take it is asked again the next time. Gives how many are out.
 */
export async function watchDrills(tools: DeliveryTools): Promise<number> {
  const { db, nowMs } = tools
  let out = 0
  for (const [organisationId, schedules] of Map.groupBy(
    await listSchedules(db),
    (each) => each.organisationId,
  )) {
    const proven = await lastProven(db, organisationId)
    for (const schedule of schedules) {
      const { id, environment, model, unprovenMs, alertedMs } = schedule
      const provenMs = proven.get(routeName(schedule))
      if (!isUnproven(schedule, provenMs, nowMs())) {
        if (alertedMs !== null) await storeDrillAlert(db, id, { alertedMs: null, toldTo: [] })
        continue
      }
      out++
      const raisedMs = alertedMs ?? nowMs()
      if (nowMs() - raisedMs > tellMs) continue
      const place = { id, environment, model, provenMs: provenMs ?? null, unprovenMs, timeMs: raisedMs }
      const toldTo = [...(await tell(tools, schedule, { type: 'drill.unproven', ...place }))]
      if (alertedMs === null || toldTo.length > schedule.toldTo.length) {
        await storeDrillAlert(db, id, { alertedMs: raisedMs, toldTo })
      }
    }
  }
  return out
}
