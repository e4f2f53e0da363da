/** How often something was seen, and the first calls in which it was. */
export interface Counted {
  count: number
  /** Ids of records, oldest first. */
  examples: string[]
}
/** Counts by name. Plain data, so that threads can hand it over. */
export type Counts = Map<string, Counted>

/** Names in one table; what comes after counts under `otherName`, so that memory stays flat. */
export const namesMax = 500
export const otherName = '…'
const examplesMax = 5

function entryOf(counts: Counts, name: string): Counted {
  const known = counts.get(name)
  if (known !== undefined) return known
  const isFull = counts.size >= namesMax
  const shown = isFull ? otherName : name
  const entry = counts.get(shown) ?? { count: 0, examples: [] }
  counts.set(shown, entry)
  return entry
}

/** Counts one call under a name. */
export function countCall(counts: Counts, name: string, id: string): void {
  const entry = entryOf(counts, name)
  entry.count++
  if (entry.examples.length < examplesMax) entry.examples.push(id)
}

/** Adds the counts of another thread. Ids are in the order of time, so the smallest are the first. */
export function addCounts(into: Counts, other: Counts): void {
  for (const [name, { count, examples }] of other) {
    const entry = entryOf(into, name)
    entry.count += count
    entry.examples = [...entry.examples, ...examples].sort().slice(0, examplesMax)
  }
}

/** Rows of a table, the most frequent first. */
export function rowsOf(counts: Counts): ({ name: string } & Counted)[] {
  return [...counts]
    .map(([name, counted]) => ({ name, ...counted }))
    .sort((one, other) => other.count - one.count || (one.name < other.name ? -1 : 1))
}

export function totalOf(counts: Counts): number {
  let total = 0
  for (const { count } of counts.values()) total += count
  return total
}
