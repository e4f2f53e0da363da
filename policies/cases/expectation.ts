import { isDeepStrictEqual } from 'node:util'
import { didYouMean } from '../compile/near-name.ts'
import { documentDiff } from './document-diff.ts'
import { isPathOf, parsePath, valueAt } from './document-path.ts'

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether a value is as expected: objects may have more members than expected, lists may not be longer. */
function isAsExpected(actual: unknown, expected: unknown): boolean {
  if (expected === null) return actual === undefined || actual === null
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual) || actual.length !== expected.length) return false
    return expected.every((each, index) => isAsExpected(actual[index], each))
  }
  if (!isObject(expected)) return isDeepStrictEqual(actual, expected)
  if (!isObject(actual)) return false
  return Object.entries(expected).every(([name, each]) => isAsExpected(actual[name], each))
}

/** Whether every expected entry is like some actual one. */
function hasEach(actual: unknown, expected: unknown): boolean {
  if (!Array.isArray(expected) || !Array.isArray(actual)) return false
  return expected.every((each) => actual.some((one) => isAsExpected(one, each)))
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))

/** What can be expected of something, and what it came to. */
export interface Actual {
  /** Members that have a name of their own: `effect`, `rule`. */
  readonly named: Readonly<Record<string, unknown>>
  /** Named members of which a part is enough: `reasons`. */
  readonly lists?: Readonly<Record<string, unknown>>
  /** The document that dotted paths lead into, and its schema. */
  readonly document?: { readonly value: unknown; readonly schema: object }
}

/** The value that a name or path of an expectation means; undefined where there can be no such thing. */
function actualOf(name: string, actual: Actual): { value: unknown; isList: boolean } | undefined {
  if (Object.hasOwn(actual.named, name)) return { value: actual.named[name], isList: false }
  if (actual.lists !== undefined && Object.hasOwn(actual.lists, name)) {
    return { value: actual.lists[name], isList: true }
  }
  const keys = parsePath(name)
  if (actual.document === undefined || keys === undefined) return undefined
  if (!isPathOf(actual.document.schema, keys)) return undefined
  return { value: valueAt(actual.document.value, keys), isList: false }
}

/**
 * Compares what a case expects with what came. Of objects the expected members are compared, of `lists` the
 * expected entries; `null` means that there is nothing.
 * @returns what differs, one line each; empty where all is as expected.
 */
export function differences(expected: Readonly<Record<string, unknown>>, actual: Actual): string[] {
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const found = actualOf(name, actual)
    if (found === undefined) {
      const known = [...Object.keys(actual.named), ...Object.keys(actual.lists ?? {})]
      const paths = actual.document === undefined ? '' : ', or a path into the decision'
      const near = didYouMean(name, known)
      return [`"expect" names ${name}; it can name ${known.join(', ')}${paths}${near}`]
    }
    if (!found.isList) return documentDiff(name, wanted, found.value, { partial: true })
    const same = hasEach(found.value, wanted)
    return same ? [] : [`${name}: expected ${show(wanted)}, got ${show(found.value)}`]
  })
}
