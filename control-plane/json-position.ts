/** Where a text stops being JSON. Lines and columns count from 1. */
export interface JsonPosition {
  readonly line: number
  readonly column: number
}

const space = /[ \t\n\r]*/y
const stringText = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"`
const numberText = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`
const string = new RegExp(stringText, 'y')
const scalar = new RegExp(`${stringText}|${numberText}|true|false|null`, 'y')

/** What may stand next: a value, a member's name (or the end of an empty object), a colon, or what follows a value. */
type Expected = 'value' | 'valueOrEnd' | 'name' | 'nameOrEnd' | 'colon' | 'after'

function matchAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : -1
}

/** Offset of the first character that cannot stand there; the length where the text ends too early. */
function faultOffset(text: string): number {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  for (let at = matchAt(space, text, 0); ; at = matchAt(space, text, at)) {
    const sign = text.charAt(at)
    const inside = open.at(-1)
    if (expected === 'after' && inside === undefined) return at
    if (sign === '') return at
    const ends = expected === 'after' || expected === 'valueOrEnd' || expected === 'nameOrEnd'
    if (ends && sign === (inside === '{' ? '}' : ']')) {
      open.pop()
      expected = 'after'
      at++
    } else if (expected === 'after') {
      if (sign !== ',') return at
      expected = inside === '{' ? 'name' : 'value'
      at++
    } else if (expected === 'colon') {
      if (sign !== ':') return at
      expected = 'value'
      at++
    } else if (expected === 'name' || expected === 'nameOrEnd') {
      const end = matchAt(string, text, at)
      if (end === -1) return at
      expected = 'colon'
      at = end
    } else if (sign === '{' || sign === '[') {
      open.push(sign)
      expected = sign === '{' ? 'nameOrEnd' : 'valueOrEnd'
      at++
    } else {
      const end = matchAt(scalar, text, at)
      if (end === -1) return at
      expected = 'after'
      at = end
    }
  }
}

/**
 * Finds where a text that `JSON.parse` refused goes wrong. Its own message is not used: it quotes the text, which may
 * hold a secret, and names no position for short ones.
 */
export function locateJsonFault(text: string): JsonPosition {
  const before = text.slice(0, faultOffset(text))
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: before.length - lineStart + 1 }
}
