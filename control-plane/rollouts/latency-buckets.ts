/** A bucket is 2 % wide: fine enough for a margin of 25 %, and a day of calls is a few hundred numbers. */
const growth = Math.log(1.02)
const bucketMax = 1000

/** Bucket → calls. */
export type LatencyCounts = Readonly<Record<string, number>>

/** The bucket of a latency in milliseconds; everything up to 1 ms is in the first. */
export function bucketOf(ms: number): number {
  return ms <= 1 ? 0 : Math.min(bucketMax, Math.ceil(Math.log(ms) / growth))
}

/** The least and the most milliseconds of a bucket. */
export function edgesOf(bucket: number): { readonly fromMs: number; readonly toMs: number } {
  return { fromMs: bucket === 0 ? 0 : Math.exp((bucket - 1) * growth), toMs: Math.exp(bucket * growth) }
}

/** How many calls there are. */
export function countOf(counts: LatencyCounts): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0)
}

/** The bucket of the call that stands at a rank, from 1 for the fastest; undefined where there are not so many. */
export function bucketAt(counts: LatencyCounts, rank: number): number | undefined {
  if (rank < 1) return undefined
  let seen = 0
  for (const bucket of Object.keys(counts)
    .map(Number)
    .sort((a, b) => a - b)) {
    seen += counts[bucket] ?? 0
    if (seen >= rank) return bucket
  }
  return undefined
}

/** A quantile in milliseconds, null where there are no calls. */
export function quantileOf(counts: LatencyCounts, share: number): number | null {
  const bucket = bucketAt(counts, Math.max(1, Math.ceil(countOf(counts) * share)))
  return bucket === undefined ? null : Math.round(edgesOf(bucket).toMs * 10) / 10
}
