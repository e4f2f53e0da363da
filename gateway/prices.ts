import type { UsageUnit } from '@signalbox/sdk/contract'
import type { UsageCounts } from './call.ts'

export { costOf, picoPerUnit, withOverride } from '@signalbox/policies'

/** Counts above this are nonsense from an upstream, not usage. */
const countMax = 1e12

/** Whether an upstream's usage can be true: whole, not negative, not absurd. */
export function isPlausibleUsage(usage: UsageCounts): boolean {
  for (const name in usage) {
    const count = usage[name as UsageUnit]
    if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0 && count <= countMax)) return false
  }
  return true
}

/** Nano-dollars as dollars, exact, without a needless tail: `0.0001234`. */
export function formatUsd(nanoUsd: bigint): string {
  const text = nanoUsd.toString().padStart(10, '0')
  const whole = text.slice(0, -9)
  const fraction = text.slice(-9).replace(/0+$/, '')
  return fraction === '' ? whole : `${whole}.${fraction}`
}
