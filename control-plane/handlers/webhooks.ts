import { type alertOperations, Refusal } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import { postSigned } from '../alerts/deliver-alerts.ts'
import { createWebhookSecret } from '../alerts/sign-webhook.ts'
import type { Queryable } from '../db/connect.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers } from '../handler.ts'
import { guardUrl, type OutboundRules } from '../outbound/guard-url.ts'
import { webhookSecretContext } from '../secret-contexts.ts'
import { withAudit } from '../stores/audit.ts'
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  type WebhookRow,
} from '../stores/webhooks.ts'

type WebhookHandlers = Handlers<typeof alertOperations>
interface WebhookDependencies extends Dependencies {
  readonly rules: OutboundRules
}
/** More would make each alert a burst of requests. */
const webhooksMax = 16

const describe = ({ id, url, createdMs, createdBy }: WebhookRow) => ({ id, url, createdMs, createdBy })

/** @throws Refusal `not_found`. */
async function requireWebhook(q: Queryable, organisationId: string, id: string): Promise<WebhookRow> {
  const row = isUuid(id) ? await findWebhook(q, organisationId, id) : undefined
  if (row === undefined) throw new Refusal('not_found', { message: 'There is no such webhook.' })
  return row
}

/** What an audit row says of an address: paths and queries of webhooks are often secrets. */
const hostOf = (url: string): string => new URL(url).host

function createWebhook(dependencies: WebhookDependencies): WebhookHandlers['createWebhook'] {
  const { db, newId, nowMs, secrets, rules } = dependencies
  return async ({ organisationId, actor }, { body }) => {
    const { href } = guardUrl(body.url, rules)
    if ((await listWebhooks(db, organisationId)).length >= webhooksMax) {
      throw new Refusal('invalid_request', { message: `There are ${webhooksMax} webhooks already.` })
    }
    const [id, secret] = [newId(), createWebhookSecret()]
    const sealed = secrets.encrypt(secret, webhookSecretContext(organisationId, id))
    const row = { id, organisationId, url: href, secret: sealed, createdMs: nowMs(), createdBy: actor }
    await withAudit(dependencies, { organisationId, actor, action: 'createWebhook' }, async (tx) => {
      await insertWebhook(tx, row)
      return { result: undefined, audit: { object: `webhook ${id}`, detail: { host: hostOf(href) } } }
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'webhook_url')) throw error
      throw new Refusal('already_exists', { message: 'Alerts are sent to this URL already.' })
    })
    return { ...describe(row), secret }
  }
}

/** Where alerts go. */
export function createWebhookHandlers(dependencies: WebhookDependencies): WebhookHandlers {
  const { db } = dependencies
  return {
    async listWebhooks({ organisationId }) {
      return { items: (await listWebhooks(db, organisationId)).map(describe) }
    },
    createWebhook: createWebhook(dependencies),
    async deleteWebhook({ organisationId, actor }, { params }) {
      return await withAudit(dependencies, { organisationId, actor, action: 'deleteWebhook' }, async (tx) => {
        const { id, url } = await requireWebhook(tx, organisationId, params.id)
        await deleteWebhook(tx, id)
        return { result: { id }, audit: { object: `webhook ${id}`, detail: { host: hostOf(url) } } }
      })
    },
    async testWebhook({ organisationId }, { params }) {
      const { id: webhookId, url, secret } = await requireWebhook(db, organisationId, params.id)
      const message = { id: dependencies.newId(), body: JSON.stringify({ type: 'test', webhookId }) }
      try {
        await postSigned(dependencies, { organisationId, webhookId, url, secret }, message)
        return { taken: true, error: null }
      } catch (error) {
        return { taken: false, error: error instanceof Error ? error.message : 'failed' }
      }
    },
  }
}
