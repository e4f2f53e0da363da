import type { Money } from '../money/money.ts'
import { metricNames } from './metric-names.ts'
import type { MetricRegistry } from './metric-registry.ts'

/** Puts leases and holds among the metrics. */
export function observeMoney(registry: MetricRegistry, money: Money): void {
  const { counts } = money
  const gauge = (name: string, description: string, unit: string, observe: () => number): void =>
    registry.observe({ head: { name, description, unit }, kind: 'gauge', observe })
  const counter = (name: string, description: string, unit: string, observe: () => number): void =>
    registry.observe({ head: { name, description, unit }, kind: 'counter', observe })
  const usd = (nanoUsd: bigint): number => Number(nanoUsd) / 1e9

  gauge(metricNames.leases, 'Leases in hand.', '{lease}', () => money.status().leases)
  gauge(metricNames.leasedUsd, 'Money in hand that is not settled.', '{USD}', () =>
    usd(money.status().leasedNanoUsd),
  )
  gauge(metricNames.heldUsd, 'Money that running attempts keep.', '{USD}', () =>
    usd(money.status().heldNanoUsd),
  )
  gauge(
    metricNames.leaseWaiting,
    'Attempts that wait for a lease.',
    '{attempt}',
    () => money.status().waiting,
  )
  gauge(metricNames.settlementsUnreported, 'Settlements on their way.', '{settlement}', () => {
    return money.status().unreported
  })
  counter(metricNames.settlementsRefused, 'Reports that the ledger refused for good.', '{report}', () => {
    return money.status().refusedReports
  })
  counter(metricNames.settlementsLost, 'Settlements that found no room to wait.', '{settlement}', () => {
    return money.status().lostReports
  })
  counter(
    metricNames.settlementsNotUnderstood,
    'Reports in a form that the ledger did not know.',
    '{report}',
    () => {
      return money.status().notUnderstood
    },
  )
  counter(metricNames.leaseGrants, 'Leases that were granted.', '{lease}', () => counts.grants)
  counter(metricNames.budgetRefusals, 'Attempts that no budget paid for.', '{attempt}', () => counts.refusals)
  counter(metricNames.budgetCuts, 'Answers that were cut.', '{answer}', () => counts.cuts)
  counter(metricNames.budgetOverruns, 'Attempts that were billed beyond hold and lease.', '{attempt}', () => {
    return counts.overruns
  })
  counter(metricNames.shadowRefusals, 'What shadow budgets would have refused.', '{attempt}', () => {
    return counts.wouldRefuse
  })
  counter(metricNames.ledgerFailures, 'Requests that the ledger did not answer.', '{request}', () => {
    return counts.ledgerFailures
  })
}
