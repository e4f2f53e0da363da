import { type Static, Type } from 'typebox'
import { Amount, budgetModes, budgetUnits, budgetWindows } from '../money.ts'
import { defineOperation } from '../operation.ts'
import { Id, TimeMs } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const ById = Type.Object({ id: Id }, closed)
/**
 * `forecast`: it will cost more than its limit, if it goes on like this. `refused`: a gateway told what one of its
 * leases spent, and the ledger could not take it.
 */
export const alertKinds = ['threshold', 'exhausted', 'overrun', 'stranded', 'forecast', 'refused'] as const

const told = {
  kind: Type.Enum([...alertKinds]),
  /** Of `threshold`: which one; else 0. */
  thresholdPpm: Type.Integer({ minimum: 0 }),
  windowStartMs: TimeMs,
  spent: Amount,
  limit: Amount,
  /** Of `forecast`: what the window is going to cost; else null. */
  projected: Type.Union([Amount, Type.Null()]),
  timeMs: TimeMs,
}
/** How an alert fares at one webhook. */
const Delivery = Type.Object(
  {
    webhookId: Id,
    attempts: Type.Integer({ minimum: 0 }),
    deliveredMs: Type.Union([TimeMs, Type.Null()]),
    nextMs: Type.Union([TimeMs, Type.Null()], { description: 'Null once delivered, or given up.' }),
    error: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
)
export const BudgetAlert = Type.Object(
  {
    id: Id,
    budgetId: Id,
    path: Type.String(),
    unit: Type.Enum([...budgetUnits]),
    window: Type.Enum([...budgetWindows]),
    ...told,
    deliveredMs: Type.Union([TimeMs, Type.Null()], { description: 'When the first webhook took it.' }),
    deliveries: Type.Array(Delivery),
  },
  closed,
)
/** The body that webhooks get, signed as https://www.standardwebhooks.com says. */
export const AlertMessage = Type.Object(
  {
    type: Type.String({ description: '`budget.` and the kind.' }),
    id: Id,
    ...told,
    budget: Type.Object(
      {
        id: Id,
        path: Type.String(),
        window: Type.Enum([...budgetWindows]),
        unit: Type.Enum([...budgetUnits]),
        mode: Type.Enum([...budgetModes]),
      },
      closed,
    ),
  },
  closed,
)
export type AlertMessage = Static<typeof AlertMessage>
export const Webhook = Type.Object(
  { id: Id, url: Type.String(), createdMs: TimeMs, createdBy: Type.String() },
  closed,
)

export const alertOperations = {
  listWebhooks: defineOperation({
    id: 'listWebhooks',
    method: 'GET',
    path: '/v1/webhooks',
    role: 'member',
    summary: 'Lists where alerts are sent.',
    reply: Type.Object({ items: Type.Array(Webhook) }, closed),
    errors: [],
  }),
  createWebhook: defineOperation({
    id: 'createWebhook',
    method: 'POST',
    path: '/v1/webhooks',
    role: 'admin',
    summary: 'Sends alerts of budgets to a URL from now on, signed with a secret that is shown once.',
    body: Type.Object({ url: Type.String({ minLength: 1, maxLength: 2048 }) }, closed),
    reply: Type.Object({ ...Webhook.properties, secret: Type.String() }, closed),
    status: 201,
    errors: ['already_exists', 'invalid_request'],
  }),
  deleteWebhook: defineOperation({
    id: 'deleteWebhook',
    method: 'DELETE',
    path: '/v1/webhooks/:id',
    role: 'admin',
    summary: 'Sends nothing there any more, not even what waits.',
    params: ById,
    reply: ById,
    errors: ['not_found'],
  }),
  testWebhook: defineOperation({
    id: 'testWebhook',
    method: 'POST',
    path: '/v1/webhooks/:id/test',
    role: 'admin',
    summary: 'Sends a message of type `test` and says whether it was taken.',
    params: ById,
    reply: Type.Object({ taken: Type.Boolean(), error: Type.Union([Type.String(), Type.Null()]) }, closed),
    errors: ['not_found'],
  }),
} as const
