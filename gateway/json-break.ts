const whiteSpace = new Set([' ', '\t', '\n', '\r'])
const afterBackslash = new Set('"\\/bfnrt')
const word = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** What may come next at a place in a JSON text. */
type Expected = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'commaOrEnd' | 'nothing'

/** Where a string that begins at `start` ends, or where it breaks. */
function scanString(text: string, start: number): { readonly end: number; readonly broken: boolean } {
  let at = start + 1
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === '"') return { end: at + 1, broken: false }
    if (char < ' ') return { end: at, broken: true }
    if (char !== '\\') at++
    else if (afterBackslash.has(text.charAt(at + 1))) at += 2
    else if (/^u[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 6))) at += 6
    else return { end: at, broken: true }
  }
  return { end: at, broken: true }
}

/** Where a value that is no object and no list ends; its own start where there is none. */
function scanScalar(text: string, start: number): { readonly end: number; readonly broken: boolean } {
  if (text.charAt(start) === '"') return scanString(text, start)
  word.lastIndex = start
  const found = word.exec(text)
  return found === null ? { end: start, broken: true } : { end: start + found[0].length, broken: false }
}

/**
 * The position at which a text stops being JSON; its length where it only ends too early. Engines tell it for some
 * mistakes only, and repeat the text instead. For texts that are known to be broken.
 */
export function findJsonBreak(text: string): number {
  const open: string[] = []
  let expected: Expected = 'value'
  let at = 0
  const close = (): Expected => {
    open.pop()
    return open.length === 0 ? 'nothing' : 'commaOrEnd'
  }
  while (at < text.length) {
    const char = text.charAt(at)
    const inObject = open.at(-1) === '{'
    if (whiteSpace.has(char)) at++
    else if (expected === 'colon' && char === ':') {
      expected = 'value'
      at++
    } else if (expected === 'commaOrEnd' && char === ',') {
      expected = inObject ? 'key' : 'value'
      at++
    } else if (expected.endsWith('OrEnd') && char === (inObject ? '}' : ']')) {
      expected = close()
      at++
    } else if (expected.startsWith('value') && (char === '{' || char === '[')) {
      open.push(char)
      expected = char === '{' ? 'keyOrEnd' : 'valueOrEnd'
      at++
    } else if (expected.startsWith('value') || (expected.startsWith('key') && char === '"')) {
      const { end, broken } = scanScalar(text, at)
      if (broken) return end
      at = end
      expected = expected.startsWith('key') ? 'colon' : open.length === 0 ? 'nothing' : 'commaOrEnd'
    } else return at
  }
  return at
}
