import { type Facts, maskedValue } from '@signalbox/sdk/contract'
import { pathsOverlap } from '../evaluation/cut-facts.ts'

type Members = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null
}

/**
 * The names that a path goes through, in a value. A name of a metadata property or a detector may itself hold dots, so
 * at each level the longest name that is there wins; what is not there is taken apart at its dots.
 */
export function namesOfPath(value: unknown, path: string): string[] {
  const names: string[] = []
  let parts = path.split('.')
  let at = value
  while (parts.length > 0) {
    let taken = parts.length
    while (taken > 0 && !(isObject(at) && Object.hasOwn(at, parts.slice(0, taken).join('.')))) taken--
    const name = parts.slice(0, Math.max(taken, 1)).join('.')
    names.push(name)
    at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined
    parts = parts.slice(Math.max(taken, 1))
  }
  return names
}

/** The value at a path of the facts, null where there is none. */
export function factAt(facts: Facts, path: string): unknown {
  let value: unknown = facts
  for (const name of namesOfPath(facts, path)) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return null
    value = value[name]
  }
  return value ?? null
}

/** What is known of the facts of a call: values, and which of them nobody knows any more. */
export interface KnownFacts {
  readonly facts: Facts | undefined
  /** Taken out after the decision. */
  readonly masked: readonly string[]
}

/** Values at paths, by path; a masked or cut one is not shown as if it were what the caller sent. */
export function valuesAt(
  paths: readonly string[],
  { facts, masked }: KnownFacts,
): { values: Record<string, unknown>; masked: string[] } {
  if (facts === undefined) return { values: {}, masked: [] }
  const gone = [...masked, ...facts.truncated]
  const hidden = paths.filter((path) => path !== '*' && gone.some((each) => pathsOverlap(each, path)))
  // `*` is the whole document: what a condition took from it is not known, so nothing is claimed.
  const values = paths
    .filter((path) => path !== '*')
    .map((path) => [path, hidden.includes(path) ? maskedValue : factAt(facts, path)])
  return { values: Object.fromEntries(values), masked: hidden }
}
