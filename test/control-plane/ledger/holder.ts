import { ApiError } from '@signalbox/sdk'
import type {
  BodyOf,
  batchOperations,
  gatewayOperations,
  moneyOperations,
  ReplyOf,
} from '@signalbox/sdk/contract'
import { v7 as newId } from 'uuid'
import type { AccessPlane } from '../access-plane.ts'

type Asked = typeof gatewayOperations & typeof moneyOperations & typeof batchOperations
const paths = {
  ...{ gatewayHello: 'hello', gatewayLease: 'leases', gatewaySettle: 'settlements' },
  ...{
    gatewayPutAside: 'settlements/refused',
    gatewayOpenBatch: 'batches',
    gatewayTellBatch: 'batches/changes',
  },
} as const
type Settled = Promise<ReplyOf<Asked['gatewaySettle']>>

/** A gateway that asks the ledger over HTTP. */
export interface Holder {
  readonly id: string
  readonly incarnation: string
  ask<T extends keyof typeof paths>(operation: T, body: BodyOf<Asked[T]>): Promise<ReplyOf<Asked[T]>>
  /** Asks for a lease of these budgets. */
  take(budgets: string[], need: number, options?: { want?: number; leaseId?: string }): Promise<Taken>
  report(leaseId: string, amount: number, settled: number, final?: boolean): Settled
  /** One attempt that was settled, and how its lease stands. */
  settle(given: {
    leaseId: string
    callId?: string
    amount: number
    settled: number
    actual: number
    overrun?: number
  }): Settled
}
export type Taken = ReplyOf<Asked['gatewayLease']>['leases'][number]

/** Enrols a gateway and says hello. */
export async function enrolHolder(plane: AccessPlane, environment = 'development'): Promise<Holder> {
  const { id, token } = await plane.client.enrollGateway({ environment })
  const holder = holderOf(plane, { id, token, incarnation: newId() })
  await holder.ask('gatewayHello', {
    incarnation: holder.incarnation,
    publicKey: Buffer.alloc(32, 7).toString('base64url'),
    software: 'gateway/1',
  })
  return holder
}

/** The gateway of a token, in one of its runs. */
export function holderOf(
  plane: Pick<AccessPlane, 'url'>,
  { id, token, incarnation }: { id: string; token: string; incarnation: string },
): Holder {
  const ask: Holder['ask'] = async (operation, body) => {
    const response = await fetch(`${plane.url}/v1/gateway/${paths[operation]}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    // The contract says what a reply holds; the server checks it in tests.
    const reply = (await response.json()) as never
    if (!response.ok)
      throw new ApiError(response.status, (reply as { error: { code: string; message: string } }).error)
    return reply
  }
  return {
    ...{ id, incarnation, ask },
    async take(budgets, need, { want = need, leaseId = newId() } = {}) {
      const wish = { leaseId, budgets, need: String(need), want: String(want) }
      const { leases } = await ask('gatewayLease', { incarnation, wishes: [wish] })
      const [taken] = leases
      if (taken === undefined) throw new Error('no answer')
      return taken
    },
    report: (leaseId, amount, settled, final = false) =>
      ask('gatewaySettle', {
        incarnation,
        leases: [{ leaseId, amount: String(amount), settled: String(settled), final }],
        settlements: [],
      }),
    settle: ({ leaseId, callId = newId(), amount, settled, actual, overrun = 0 }) =>
      ask('gatewaySettle', {
        incarnation,
        leases: [{ leaseId, amount: String(amount), settled: String(settled), final: false }],
        settlements: [
          {
            ...{ callId, attempt: 0, leaseId, hold: String(actual - overrun), actual: String(actual) },
            ...{ overrun: String(overrun), evidence: 'reported', timeMs: Date.now() },
          },
        ],
      }),
  }
}
