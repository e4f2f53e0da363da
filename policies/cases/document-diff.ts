import { isDeepStrictEqual } from 'node:util'

export interface DiffOptions {
  /** Whether objects may have more members than expected. */
  readonly partial: boolean
}
const linesMax = 20

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : JSON.stringify(value))

function under(path: string, name: string): string {
  if (/^\d+$/.test(name)) return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

function collect(
  path: string,
  pair: { expected: unknown; actual: unknown },
  options: DiffOptions,
  lines: string[],
): void {
  const { expected, actual } = pair
  if (expected === null ? actual === undefined || actual === null : isDeepStrictEqual(expected, actual))
    return
  if (isObject(expected) && isObject(actual)) {
    const more = options.partial ? [] : Object.keys(actual).filter((name) => !Object.hasOwn(expected, name))
    for (const name of [...Object.keys(expected), ...more]) {
      collect(under(path, name), { expected: expected[name], actual: actual[name] }, options, lines)
    }
    return
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    for (const [index, each] of expected.entries()) {
      collect(under(path, String(index)), { expected: each, actual: actual[index] }, options, lines)
    }
    return
  }
  lines.push(`${path === '' ? 'the whole' : path}: expected ${show(expected)}, got ${show(actual)}`)
}

/**
 * What differs between two documents, one line for each value that does, by its path. `null` expects that there is
 * nothing; lists of another length differ as a whole.
 */
export function documentDiff(
  path: string,
  expected: unknown,
  actual: unknown,
  options: DiffOptions,
): string[] {
  const lines: string[] = []
  collect(path, { expected, actual }, options, lines)
  if (lines.length <= linesMax) return lines
  return [...lines.slice(0, linesMax), `and ${lines.length - linesMax} more differences`]
}
