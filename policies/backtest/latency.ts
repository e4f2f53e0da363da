/** Durations by logarithmic steps: eight per doubling, from 1 ms to about four hours. Each is known within 9 %. */
const stepsPerDoubling = 8
const stepsMax = 24 * stepsPerDoubling

/** Counts by step; plain data. */
export type Durations = number[]

function stepOf(durationMs: number): number {
  if (durationMs <= 1) return 0
  return Math.min(stepsMax - 1, Math.round(Math.log2(durationMs) * stepsPerDoubling))
}

export function addDuration(durations: Durations, durationMs: number): void {
  const step = stepOf(durationMs)
  while (durations.length <= step) durations.push(0)
  durations[step] = (durations[step] ?? 0) + 1
}

/** Adds durations, each as often as `weight` says. */
export function addDurations(into: Durations, other: readonly number[], weight = 1): void {
  while (into.length < other.length) into.push(0)
  for (const [step, count] of other.entries()) into[step] = (into[step] ?? 0) + count * weight
}

export function countOf(durations: readonly number[]): number {
  return durations.reduce((sum, count) => sum + count, 0)
}

/** The duration that a share of all does not exceed, in milliseconds; undefined where there are none. */
export function quantileMs(durations: readonly number[], share: number): number | undefined {
  const wanted = countOf(durations) * share
  if (wanted === 0) return undefined
  let seen = 0
  const step = durations.findIndex((count) => {
    seen += count
    return seen >= wanted
  })
  return Math.round(2 ** (step / stepsPerDoubling))
}
