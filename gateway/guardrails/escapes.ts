/** A text whose escapes were read, and where each of its units stood in the text as written. */
export interface Unescaped {
  readonly text: string
  /** Offset in the written text of each unit, and its end behind the last. Undefined where nothing was escaped. */
  readonly offsets: readonly number[] | undefined
  /** Units of the written text that were read; an escape that is cut off at the end is not. */
  readonly consumed: number
}

const singles: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
  '/': '/',
  '\\': '\\',
  '"': '"',
}
const hexadecimal = /^[0-9a-fA-F]{4}$/

/** Reads the escapes of JSON in a text that is JSON, or a part of it. */
export function unescapeJson(written: string): Unescaped {
  if (!written.includes('\\')) return { text: written, offsets: undefined, consumed: written.length }
  let text = ''
  const offsets: number[] = []
  let at = 0
  while (at < written.length) {
    const { unit, length } = readUnit(written, at)
    if (length === 0) break
    text += unit
    offsets.push(at)
    at += length
  }
  offsets.push(at)
  return { text, offsets, consumed: at }
}

function readUnit(written: string, at: number): { unit: string; length: number } {
  const sign = written[at] ?? ''
  if (sign !== '\\') return { unit: sign, length: 1 }
  const next = written[at + 1]
  if (next === undefined) return { unit: '', length: 0 }
  if (next !== 'u') return { unit: singles[next] ?? next, length: 2 }
  const digits = written.slice(at + 2, at + 6)
  if (digits.length < 4 && /^[0-9a-fA-F]*$/.test(digits)) return { unit: '', length: 0 }
  if (!hexadecimal.test(digits)) return { unit: 'u', length: 2 }
  return { unit: String.fromCharCode(Number.parseInt(digits, 16)), length: 6 }
}

/** A text as it stands inside of a JSON string. */
export const escapeJson = (text: string): string => JSON.stringify(text.toWellFormed()).slice(1, -1)
