const nanoPerCent = 10_000_000n

/** Nano-dollars for people: `$12.34`; below a dollar with four places. */
export function usdText(nanoUsd: bigint): string {
  const sign = nanoUsd < 0n ? '−' : ''
  const value = nanoUsd < 0n ? -nanoUsd : nanoUsd
  if (value >= 1_000_000_000n) {
    const cents = (value + nanoPerCent / 2n) / nanoPerCent
    const whole = (cents / 100n).toLocaleString('en')
    return `${sign}$${whole}.${String(cents % 100n).padStart(2, '0')}`
  }
  return `${sign}$${(Number(value) / 1e9).toFixed(4)}`
}

/** A span of money; one figure where both ends are the same. */
export function usdSpan(low: string, high: string): string {
  const [from, to] = [usdText(BigInt(low)), usdText(BigInt(high))]
  return from === to ? from : `${from}…${to}`
}

/** A change in percent with its sign: `+6.1 %`, `−2 %`. */
export function changeText(ppm: number): string {
  const tenths = Math.round(ppm / 1000)
  return `${tenths > 0 ? '+' : tenths < 0 ? '−' : '±'}${Math.abs(tenths) / 10} %`
}

/** A span of changes. */
export function changeSpan(lowPpm: number | null, highPpm: number | null): string {
  if (lowPpm === null || highPpm === null) return 'no spend to compare with'
  const [low, high] = [changeText(lowPpm), changeText(highPpm)]
  return low === high ? low : `${low}…${high}`
}
