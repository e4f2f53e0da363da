import type { Attempt, UsageUnit } from '@signalbox/sdk/contract'
import type { UsageCounts } from '../call.ts'
import { costOf } from '../prices.ts'
import type { AttemptTrail, Trail } from '../trail.ts'

/** Sum of a call's attempts. */
export interface Settlement {
  readonly usage: UsageCounts
  readonly evidence: Attempt['evidence']
  /** Undefined where nothing was priced. */
  readonly costNanoUsd: bigint | undefined
}

/** An estimate: characters of text per token, whatever the tokenizer. */
const charsPerToken = 4
/** Weaker evidence makes the evidence of a sum. */
const strength: Readonly<Record<Attempt['evidence'], number>> = {
  none: 0,
  reported: 1,
  hold: 2,
  estimated: 3,
}

/** Whether the upstream may charge for an attempt that reported nothing. */
function isCharged({ sent, winner, outcome, status }: AttemptTrail): boolean {
  if (!sent) return false
  if (winner || outcome === 'ok') return true
  // Refusals and redirects are not billed; what broke off in between may be.
  return (
    outcome === 'timeout' || outcome === 'reset' || outcome === 'aborted' || (status >= 200 && status < 300)
  )
}

/**
 * What an attempt used and cost. Reported usage of a whole answer counts as it is, zero included. A cut answer is
 * estimated from what was reported so far and what was metered, one without a report from the request and what was
 * metered. What never went out, or was refused by the provider, costs nothing.
 */
export function settleAttempt(attempt: AttemptTrail, inputTokensEstimate: number): void {
  const { usage, outcome } = attempt
  attempt.reportedOutputTokens = usage?.output ?? 0
  if (attempt.billing === 'free' || attempt.billing === 'reported') {
    settleWithoutEstimate(attempt)
    return
  }
  if (outcome === 'ok' && usage?.input !== undefined && usage.output !== undefined) {
    attempt.evidence = 'reported'
  } else if (isCharged(attempt)) {
    const promptTokens = Math.ceil((attempt.prompt?.bytes ?? 0) / charsPerToken)
    attempt.usage = completed(attempt, inputTokensEstimate + promptTokens)
    attempt.evidence = 'estimated'
  } else {
    attempt.usage = undefined
    attempt.evidence = 'none'
    return
  }
  attempt.usage = withRequest(attempt)
  attempt.costNanoUsd = costOf(attempt.usage ?? {}, attempt.target.prices)
}

/** No provider reports that a request was one: it counts where the price list has a fee for it. */
function withRequest({ usage, target }: AttemptTrail): UsageCounts | undefined {
  const hasFee = target.prices?.some(({ units }) => units.requests !== undefined) === true
  return hasFee && usage?.requests === undefined ? { ...usage, requests: 1 } : usage
}

/** Where only a report tells what there is to pay for, or there is nothing: no guess is made. */
function settleWithoutEstimate(attempt: AttemptTrail): void {
  const { usage, billing, target } = attempt
  attempt.evidence = usage === undefined ? 'none' : 'reported'
  if (usage !== undefined) {
    attempt.usage = withRequest(attempt)
    attempt.costNanoUsd = costOf(attempt.usage ?? {}, target.prices)
  }
  if (billing === 'free' && attempt.sent) attempt.costNanoUsd = 0n
}

/** Reported counts as far as they go; the rest from what was metered. A cut stream's count of output is too early. */
function completed(attempt: AttemptTrail, inputTokensEstimate: number): UsageCounts {
  const reported = attempt.usage ?? {}
  const metered = Math.ceil(attempt.meteredChars / charsPerToken)
  const cached = (reported.cacheRead ?? 0) + (reported.cacheWrite5m ?? 0) + (reported.cacheWrite1h ?? 0)
  return {
    ...reported,
    input: reported.input ?? Math.max(0, inputTokensEstimate - cached),
    output: attempt.billing === 'input' ? 0 : Math.max(reported.output ?? 0, metered),
  }
}

/** Adds up what all attempts of a call used and cost; each is rounded once, on its own. */
export function settleCall(trail: Trail): Settlement {
  const usage: Partial<Record<UsageUnit, number>> = {}
  let evidence: Attempt['evidence'] = 'none'
  // What the cache answers costs nothing.
  let costNanoUsd: bigint | undefined = trail.cached === undefined ? undefined : 0n
  for (const attempt of trail.attempts) {
    if (strength[attempt.evidence] > strength[evidence]) evidence = attempt.evidence
    if (attempt.costNanoUsd !== undefined) costNanoUsd = (costNanoUsd ?? 0n) + attempt.costNanoUsd
    for (const name in attempt.usage) {
      const unit = name as UsageUnit
      usage[unit] = (usage[unit] ?? 0) + (attempt.usage[unit] ?? 0)
    }
  }
  return { usage, evidence, costNanoUsd }
}
