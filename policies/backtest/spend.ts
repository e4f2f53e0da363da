import type { CallRecord, Facts } from '@signalbox/sdk/contract'
import { costOf } from '../catalogue/usage-cost.ts'
import type { Spend } from './tally.ts'
import type { World } from './world.ts'

const isAnswered = ({ row }: CallRecord): boolean => row.attempts > 0 && row.status < 400

/** Whether usage tells how long the answer was. */
export function isUsageKnown({ row }: Pick<CallRecord, 'row'>): boolean {
  return row.evidence !== 'none' && (row.usage.output !== undefined || row.usage.input !== undefined)
}

function addCost(spend: Spend, low: bigint | undefined, high: bigint | undefined): void {
  if (low === undefined || high === undefined) {
    spend.unpriced++
    return
  }
  spend.lowNanoUsd += low
  spend.highNanoUsd += high
}

/**
 * Adds what a call costs where its first target is `target`: what it did cost where it went there, else an estimate
 * from the tokens that were counted; where none were, from nothing to the longest answer that was asked for.
 */
export function addSpend(
  spend: Spend,
  {
    record,
    facts,
    target,
    world,
  }: { record: CallRecord; facts: Facts; target: string | undefined; world: World },
): void {
  // Denied, or without a target that could be used: it costs nothing.
  if (target === undefined) return
  const { row, body } = record
  spend.calls++
  if (target === body.selection?.order[0]) {
    // A call that failed everywhere is not paid for by either version.
    if (!isAnswered(record) && row.costNanoUsd === undefined) return
    const cost = row.costNanoUsd === undefined ? undefined : BigInt(row.costNanoUsd)
    addCost(spend, cost, cost)
    return
  }
  spend.estimated++
  const prices = world.prices(target)
  if (isUsageKnown(record)) {
    const cost = costOf(row.usage, prices)
    addCost(spend, cost, cost)
    return
  }
  const { inputTokens, outputTokens } = facts.request.estimate
  addCost(
    spend,
    costOf({ input: inputTokens }, prices),
    costOf({ input: inputTokens, output: outputTokens }, prices),
  )
}
