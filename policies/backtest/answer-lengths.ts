/** Lengths of answers in tokens, as far as they say what more of them would come to. Plain data. */
export interface Lengths {
  count: number
  sum: number
  squares: number
}

/** So many answers say how long others are. */
const countMin = 30
/** Targets whose answers are told apart; all others are in what all come to. */
const targetsMax = 256
/** Answers of all targets together. */
const all = ''

function lengthsOf(lengths: Map<string, Lengths>, target: string): Lengths | undefined {
  const known = lengths.get(target)
  if (known !== undefined || lengths.size >= targetsMax) return known
  const made = { count: 0, sum: 0, squares: 0 }
  lengths.set(target, made)
  return made
}

/** Adds an answer that was counted. */
export function addLength(lengths: Map<string, Lengths>, target: string, tokens: number): void {
  for (const name of [all, target]) {
    const own = lengthsOf(lengths, name)
    if (own === undefined) continue
    own.count++
    own.sum += tokens
    own.squares += tokens * tokens
  }
}

/** Adds what another thread found. */
export function addLengths(into: Map<string, Lengths>, other: ReadonlyMap<string, Lengths>): void {
  for (const [target, { count, sum, squares }] of other) {
    const own = lengthsOf(into, target)
    if (own === undefined) continue
    own.count += count
    own.sum += sum
    own.squares += squares
  }
}

/** What is known of the answers of a target, else of all; undefined where too few were counted. */
export function usableLengths(lengths: ReadonlyMap<string, Lengths>, target: string): Lengths | undefined {
  const candidates = [lengths.get(target), lengths.get(all)]
  return candidates.find((each) => each !== undefined && each.count >= countMin)
}
