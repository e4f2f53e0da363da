import type { StateBudget } from '@signalbox/sdk/contract'
import { afterEach } from 'vitest'
import { AttemptHold } from '../../../gateway/money/attempt-hold.ts'
import type { BudgetSet } from '../../../gateway/money/call-budgets.ts'
import type { Exchange } from '../../../gateway/upstream/exchange.ts'
import type { OutboundAttempt, Upstream } from '../../../gateway/upstream/upstream.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { connectionOf, type MemorySnapshotOptions, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type GatewayOptions, type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

/** What an attempt kept at the moment it went out. */
export interface Dispatched {
  readonly heldNanoUsd: bigint
  readonly hold: AttemptHold
}
/** A gateway under budgets, its ledger, and an upstream. */
export interface BudgetedGateway {
  readonly gateway: RunningGateway
  readonly ledger: MemoryLedger
  readonly upstream: ScriptedUpstream
  /** Every attempt that went out. One without a hold fails the test. */
  readonly dispatched: Dispatched[]
  ask(body: object, init?: { readonly signal?: AbortSignal }): Promise<Response>
  /** Resolves when all that was settled is reported. */
  reported(): Promise<void>
}

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

/** A budget of the team that the memory snapshot's key is in. */
export function budgetOf(id: string, rest: Partial<StateBudget> = {}): StateBudget {
  return { id, owner: { kind: 'node', id: 'team-1' }, window: 'month', unit: 'usd', mode: 'hard', ...rest }
}

/** A set of hard budgets of money. */
export function hardSetOf(...ids: readonly string[]): BudgetSet {
  const budgets = ids.map((id) => budgetOf(id))
  return { id: ids.join(' '), unit: 'usd', budgets, isHard: true, shadows: [] }
}

/** The one assertion that holds for all kinds of attempts: what goes out keeps what it may cost. */
function watching(upstream: Upstream, dispatched: Dispatched[]): Upstream {
  return {
    open(attempt: OutboundAttempt): Exchange {
      if (!(attempt.permit instanceof AttemptHold)) throw new Error('an attempt without a hold')
      dispatched.push({ hold: attempt.permit, heldNanoUsd: attempt.permit.heldNanoUsd })
      return upstream.open(attempt)
    },
    close: () => upstream.close(),
  }
}

export const fastTimes = { grantMs: 250, reportMs: 20, requestMs: 300, backoffMs: 10 } as const

export async function startBudgeted(
  options: {
    readonly budgets?: readonly StateBudget[]
    readonly snapshot?: MemorySnapshotOptions
    readonly gateway?: GatewayOptions
    readonly ledger?: MemoryLedger
  } = {},
): Promise<BudgetedGateway> {
  const upstream = await startScriptedUpstream()
  const ledger = options.ledger ?? new MemoryLedger()
  const dispatched: Dispatched[] = []
  const gateway = await startGateway({
    ledger,
    moneyTimes: fastTimes,
    watchUpstream: (own) => watching(own, dispatched),
    snapshot: memorySnapshot({
      connections: [
        connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
        connectionOf('anthropic', { baseUrl: upstream.url }),
      ],
      budgets: options.budgets ?? [budgetOf('b')],
      ...options.snapshot,
    }),
    ...options.gateway,
  })
  opened.push(async () => {
    await gateway.close()
    await upstream.close()
  })
  return {
    ...{ gateway, ledger, upstream, dispatched },
    ask: (body, init) => gateway.send('/v1/chat/completions', body, init),
    async reported() {
      for (let tries = 0; tries < 100; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        const { unreported, heldNanoUsd } = gateway.money.status()
        if (unreported === 0 && heldNanoUsd === 0n) return
      }
      throw new Error('not reported')
    },
  }
}
