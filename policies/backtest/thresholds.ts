import { percent, type ReplayReport } from '../replay/replay-report.ts'
import { bandOf, changePpmOf } from './spend.ts'
import type { Comparison } from './tally.ts'

/** Limits that a change must keep; what is left out is not asked for. Shares in millionths. */
export interface Thresholds {
  /** Of the compared calls, how many may be decided differently. */
  readonly maxChangedPpm?: number
  /** How much more all calls together may cost, at the high end of the estimate. */
  readonly maxCostPpm?: number
  /** Of the calls that were allowed, how many may be denied or fail. */
  readonly maxDeniedPpm?: number
  /** Of the decided calls, how many must have been compared. */
  readonly minComparedPpm?: number
}
export interface Judgement {
  readonly name: 'maxChanged' | 'maxCost' | 'maxDenied' | 'minCompared'
  readonly limitPpm: number
  /** Null where it cannot be said. */
  readonly actualPpm: number | null
  readonly passed: boolean
  readonly text: string
}

const signed = (ppm: number): string => (ppm > 0 ? `+${percent(ppm)}` : percent(ppm))

/** Calls that were allowed and would not be any more. */
function newlyDenied({ transitions }: Comparison): number {
  let denied = 0
  for (const [name, { count }] of transitions.outcome) {
    const [from = '', to = ''] = name.split('\u0000')
    if (from === 'allow' && to !== 'allow') denied += count
  }
  return denied
}

function judgeCost(limitPpm: number, comparison: Comparison): Judgement {
  const { spendBefore, spendAfter, spendChange, lengths } = comparison
  const failed = { name: 'maxCost', limitPpm, actualPpm: null, passed: false } as const
  const unpriced = spendAfter.unpriced - spendBefore.unpriced
  if (unpriced > 0) return { ...failed, text: `${unpriced} more calls would have no known price` }
  const { highPpm } = changePpmOf(bandOf(spendChange, lengths), bandOf(spendBefore, lengths))
  if (highPpm === null) return { ...failed, text: 'nothing was spent before, and something would be' }
  const text = `cost ${signed(highPpm)} at most, limit ${signed(limitPpm)}`
  return { ...failed, actualPpm: highPpm, passed: highPpm <= limitPpm, text }
}

function judgeShare(
  name: 'maxChanged' | 'maxDenied',
  limitPpm: number,
  { calls, of, what }: { calls: number; of: number; what: string },
): Judgement {
  const actualPpm = of === 0 ? 0 : Math.ceil((calls * 1_000_000) / of)
  const text = `${calls.toLocaleString('en')} calls ${what} (${percent(actualPpm)}), limit ${percent(limitPpm)}`
  return { name, limitPpm, actualPpm, passed: actualPpm <= limitPpm, text }
}

/**
 * Which limits hold. Where there are decided calls and none of them could be compared, no limit holds: nothing is
 * known, and that is not the same as nothing changed.
 */
export function judge(
  thresholds: Thresholds,
  { replay, comparison }: { replay: ReplayReport; comparison: Comparison },
): Judgement[] {
  const { maxChangedPpm, maxCostPpm, maxDeniedPpm, minComparedPpm } = thresholds
  const { compared, changed } = comparison
  const judged: Judgement[] = []
  if (maxChangedPpm !== undefined) {
    judged.push(
      judgeShare('maxChanged', maxChangedPpm, { calls: changed, of: compared, what: 'decided differently' }),
    )
  }
  if (maxCostPpm !== undefined) judged.push(judgeCost(maxCostPpm, comparison))
  if (maxDeniedPpm !== undefined) {
    const denied = newlyDenied(comparison)
    judged.push(
      judgeShare('maxDenied', maxDeniedPpm, { calls: denied, of: compared, what: 'no longer allowed' }),
    )
  }
  if (minComparedPpm !== undefined) {
    const actualPpm = replay.decided === 0 ? 1_000_000 : Math.floor((compared * 1_000_000) / replay.decided)
    const text = `${percent(actualPpm)} of the calls compared, at least ${percent(minComparedPpm)} asked for`
    judged.push({
      ...{ name: 'minCompared', limitPpm: minComparedPpm, actualPpm, text },
      passed: actualPpm >= minComparedPpm,
    })
  }
  if (compared > 0 || replay.decided === 0) return judged
  return judged.map((each) => ({
    ...each,
    actualPpm: null,
    passed: false,
    text: 'no call could be compared',
  }))
}
