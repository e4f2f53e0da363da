import type { Logger } from '@signalbox/sdk/node'
import type { Database } from '../db/connect.ts'
import type { OutboundRules } from '../outbound/guard-url.ts'
import { postDocument } from '../outbound/post-document.ts'
import type { SecretBox } from '../secret-box.ts'
import { webhookSecretContext } from '../secret-contexts.ts'
import { claimDeliveries, type DueDelivery, queueDeliveries, storeDelivery } from '../stores/webhooks.ts'
import { alertMessage } from './alert-message.ts'
import { signWebhook } from './sign-webhook.ts'

export interface DeliveryTools {
  readonly db: Database
  readonly secrets: SecretBox
  readonly log: Logger
  readonly nowMs: () => number
  readonly rules: OutboundRules
}

/** Deliveries that are under way at once. */
const atOnceMax = 16
export const webhookTimeoutMs = 10_000
/** Whoever took a delivery and said nothing for so long is dead. */
const claimMs = 60_000
const firstPauseMs = 5000
const pauseMsMax = 3_600_000
/** With the pauses before them: about three days. */
const attemptsMax = 80

/** How long to wait after so many tries: twice as long each time, an hour at most. */
export function pauseAfter(attempts: number): number {
  return Math.min(pauseMsMax, firstPauseMs * 2 ** Math.min(attempts - 1, 20))
}

/** What to keep of a failure: enough to mend it, nothing of an answer. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'failed'
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : ''
  return `${code}${error.message}`.slice(0, 200)
}

/**
 * One try at a webhook: its status is below 300, or this fails.
 * @throws Error or Refusal that says why it was not taken.
 */
export async function postSigned(
  tools: Pick<DeliveryTools, 'secrets' | 'rules' | 'nowMs'>,
  to: Pick<DueDelivery, 'organisationId' | 'webhookId' | 'url' | 'secret'>,
  message: { readonly id: string; readonly body: string },
): Promise<void> {
  const secret = tools.secrets.decrypt(to.secret, webhookSecretContext(to.organisationId, to.webhookId))
  const headers = signWebhook(secret, { ...message, timeMs: tools.nowMs() })
  const status = await postDocument(to.url, message.body, {
    ...{ ...tools.rules, headers, timeoutMs: webhookTimeoutMs },
  })
  if (status < 200 || status >= 300) throw new Error(`status ${status}`)
}

async function deliver(tools: DeliveryTools, due: DueDelivery): Promise<boolean> {
  const { db, nowMs } = tools
  try {
    const message = await alertMessage(db, due.alertId)
    await postSigned(tools, due, { id: due.alertId, body: JSON.stringify(message) })
    await storeDelivery(db, due, { nextMs: null, deliveredMs: nowMs(), error: null })
    return true
  } catch (error) {
    const isLast = due.attempts >= attemptsMax
    const nextMs = isLast ? null : nowMs() + pauseAfter(due.attempts)
    await storeDelivery(db, due, { nextMs, deliveredMs: null, error: reasonOf(error) })
    if (due.attempts === 1 || isLast) {
      const { webhookId, attempts } = due
      tools.log.warn({ webhookId, attempts, reason: reasonOf(error) }, 'a webhook did not take an alert')
    }
    return false
  }
}

/**
 * Sends what is due, each alert until its webhook took it: at least once, since a reply may be lost. Gives how many
 * were taken. Several control planes may do this at once.
 */
export async function deliverAlerts(tools: DeliveryTools): Promise<number> {
  const { db, nowMs } = tools
  await queueDeliveries(db, nowMs())
  const claim = { nowMs: nowMs(), againMs: nowMs() + claimMs, limit: atOnceMax }
  const due = await claimDeliveries(db, claim)
  const taken = await Promise.all(due.map((each) => deliver(tools, each)))
  return taken.filter(Boolean).length
}
