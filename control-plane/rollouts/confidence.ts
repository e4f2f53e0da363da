/**
 * Ranges that hold at every moment at once: whoever looks after each call, and stops when it suits him, is still
 * misled with no more than the stated probability. Two of them side by side make the sequential tests of a rollout.
 *
 * Shares of calls and quantiles: the mixture of likelihood ratios over Beta(1/2, 1/2) is a non-negative martingale of
 * mean 1 under the true share, so by Ville's inequality it ever reaches 1/alpha with a probability of at most alpha
 * (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021, beta-binomial). Exact for any number of calls.
 *
 * Means of what has no bound (cost): the asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy and
 * Ramdas 2024, Robbins' normal mixture with the estimated deviation. Holds from a few hundred calls on.
 */
export type Range = readonly [number, number]

const lanczos = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
  -0.5395239384953e-5,
]

/** Logarithm of the gamma function for x > 0 (Lanczos), to some 1e-10. */
function logGamma(x: number): number {
  const base = x + 5.5 - (x + 0.5) * Math.log(x + 5.5)
  let sum = 1.000000000190015
  for (const [index, each] of lanczos.entries()) sum += each / (x + 1 + index)
  return -base + Math.log((2.5066282746310007 * sum) / x)
}

const logBeta = (a: number, b: number): number => logGamma(a) + logGamma(b) - logGamma(a + b)
const prior = logBeta(0.5, 0.5)
const logTimes = (count: number, share: number): number => (count === 0 ? 0 : count * Math.log(share))

/** Logarithm of the mixture against one share: how much speaks against it. */
function evidenceAgainst(share: number, hits: number, calls: number): number {
  const misses = calls - hits
  return logBeta(hits + 0.5, misses + 0.5) - prior - logTimes(hits, share) - logTimes(misses, 1 - share)
}

/** The place between `from` (where `holds`) and `to` (where not) at which it stops to hold. */
function edgeBetween(from: number, to: number, holds: (at: number) => boolean): number {
  let [inside, outside] = [from, to]
  for (let round = 0; round < 60; round++) {
    const middle = (inside + outside) / 2
    if (holds(middle)) inside = middle
    else outside = middle
  }
  return outside
}

/** Where the share of hits among all calls lies. */
export function shareRange(hits: number, calls: number, alpha: number): Range {
  if (calls === 0) return [0, 1]
  const limit = Math.log(1 / alpha)
  const holds = (share: number): boolean => evidenceAgainst(share, hits, calls) < limit
  const seen = hits / calls
  const low = hits === 0 ? 0 : edgeBetween(seen, 0, holds)
  return [low, hits === calls ? 1 : edgeBetween(seen, 1, holds)]
}

/**
 * Between which ranks (from 1) of so many calls a quantile lies: the call of the first rank is not above it, that of
 * the second not below. 0 and `calls + 1` say that there is no such call yet.
 */
export function rankRange(share: number, calls: number, alpha: number): Range {
  const limit = Math.log(1 / alpha)
  const holds = (rank: number): boolean => evidenceAgainst(share, rank, calls) < limit
  const middle = Math.round(calls * share)
  if (calls === 0 || !holds(middle)) return [0, calls + 1]
  const low = holds(0) ? 0 : Math.ceil(edgeBetween(middle, 0, (at) => holds(Math.floor(at))))
  const high = holds(calls) ? calls : Math.floor(edgeBetween(middle, calls, (at) => holds(Math.ceil(at))))
  return [low, high + 1]
}

/** Where a mean lies. `tightAt`: the number of calls at which the range is at its best. */
export function meanRange(
  { calls, sum, squares }: { readonly calls: number; readonly sum: number; readonly squares: number },
  alpha: number,
  tightAt: number,
): Range {
  if (calls < 2) return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  const mean = sum / calls
  const variance = Math.max(0, squares / calls - mean * mean)
  const base = -2 * Math.log(alpha)
  const weight = (base + Math.log(base + 1)) / tightAt
  const spread = calls * weight + 1
  const half = Math.sqrt(
    variance * ((2 * spread) / (calls * calls * weight)) * Math.log(Math.sqrt(spread) / alpha),
  )
  return [mean - half, mean + half]
}
