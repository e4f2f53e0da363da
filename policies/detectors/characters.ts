/** Classes of UTF-16 units, as bits. */
export const digit = 1
export const upper = 2
export const lower = 4
export const underscore = 8
export const letter = upper | lower
export const alphanumeric = letter | digit
export const word = alphanumeric | underscore

// Latin letters with marks are letters; letters of other scripts are not, as they are written without spaces beside
// Latin text and numbers.
const latinEnd = 0x250
const classes = new Uint8Array(0x10000)
for (let code = 0; code < latinEnd; code++) {
  const character = String.fromCharCode(code)
  if (code >= 48 && code <= 57) classes[code] = digit
  else if (code === 95) classes[code] = underscore
  else if (/\p{Lu}/u.test(character)) classes[code] = upper
  else if (/\p{L}/u.test(character)) classes[code] = lower
}

/** Class of a UTF-16 unit. */
export const classOf = (code: number): number => classes[code] ?? 0

/** Class of the unit at an index; 0 outside of the text. */
export function classAt(text: string, index: number): number {
  return index < 0 || index >= text.length ? 0 : (classes[text.charCodeAt(index)] ?? 0)
}
export const isAt = (text: string, index: number, kind: number): boolean =>
  (classAt(text, index) & kind) !== 0

/** Where a sticky pattern that starts at an index ends; -1 where it does not match there. */
export function endAt(sticky: RegExp, text: string, index: number): number {
  sticky.lastIndex = index
  return sticky.test(text) ? sticky.lastIndex : -1
}

/** Whether a number or id stands by itself, and is no part of a longer one, of a decimal or of a name. */
export function standsAlone(text: string, start: number, end: number): boolean {
  if (isAt(text, start - 1, word) || isAt(text, end, word)) return false
  const before = text[start - 1]
  if ((before === '.' || before === ',') && isAt(text, start - 2, digit)) return false
  if ((before === '-' || before === '/') && isAt(text, start - 2, alphanumeric)) return false
  const after = text[end]
  if ((after === '.' || after === ',') && isAt(text, end + 1, digit)) return false
  return !((after === '-' || after === '/') && isAt(text, end + 1, alphanumeric))
}

/** Characters before a match in which words that explain it are looked for. */
export const contextChars = 40

/** Whether one of some words stands shortly before an index, in the same line or the one before. */
export function isAfter(text: string, index: number, words: RegExp): boolean {
  return words.test(text.slice(Math.max(0, index - contextChars), index))
}

/** The digits of a part of a text. */
export function digitsOf(text: string, start: number, end: number): string {
  let digits = ''
  for (let index = start; index < end; index++) {
    if (isAt(text, index, digit)) digits += text[index]
  }
  return digits
}
