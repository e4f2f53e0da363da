import { contextChars, endAt, isAt, letter, upper, word } from '../characters.ts'
import type { Match } from '../detector.ts'
import type { NumberForm } from './number-form.ts'

const name = "\\p{Lu}[\\p{L}'’.-]{1,20}"
/** 12 Baker Street; words that are no more than part of a name need a town after them: 5 Garden Way, Leeds. */
const numberFirst = new RegExp(
  `\\d{1,5}[A-Za-z]?,? (?:[NSEW]\\.? |North |South |East |West )?(?:(?:${name}|\\d{1,3}(?:st|nd|rd|th)) ){1,3}(?:(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Parkway|Pkwy|Crescent|Terrace)(?![\\p{L}\\d])|(?:Drive|Dr|Court|Ct|Way|Place|Pl|Square|Sq|Close|Highway|Hwy)\\.?, (?:${name}|\\d))`,
  'uy',
)
const french = new RegExp(
  `\\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|boulevard|bd|place|chemin|impasse|allée|quai|cours|route|square) (?:(?:de la|de l['’]|du|des|de|d['’]|la|le|les) ?)?${name}`,
  'uy',
)
/** Streets that come before the number. */
const streetBefore = new RegExp(
  [
    `\\p{Lu}[\\p{L}-]{2,30}(?:straße|strasse|str\\.|weg|allee|gasse|damm|ufer|straat|laan|plein|gracht|gatan|vägen|gata|vej|gade) $`,
    `\\p{Lu}[\\p{L}.-]{1,20}[ -](?:Straße|Strasse|Str\\.|Allee|Platz|Weg|Gasse|Damm|Ring) $`,
    `(?:Calle|Avenida|Avda\\.?|Plaza|Paseo|C/|Via|Viale|Piazza|Corso|Rua|Travessa|Praça|ul\\.|ulica|al\\.) ?(?:(?:de la|de|del|das|dos|da|do|di|della) )?${name}(?: ${name}){0,2},? (?:n[.º°]* ?)?$`,
  ].join('|'),
  'u',
)
const lengthMax = 96
const beforeMax = 64

/** Whether the word before begins with a capital or is an abbreviation: a cheap look before a dear one. */
function isStreetNear(text: string, end: number): boolean {
  let index = end
  if (text[index - 1] === ',' || text[index - 1] === '.') index--
  if (index < end && text[index - 1] === 'n') return true
  while (isAt(text, index - 1, letter) || text[index - 1] === '-') index--
  return isAt(text, index, upper)
}

function streetThenNumber({ text, start, digits }: { text: string; start: number; digits: number }) {
  const previous = text[start - 1]
  if (digits > 4 || (previous !== ' ' && previous !== 'º' && previous !== '°')) return undefined
  if (!isStreetNear(text, start - 1)) return undefined
  const from = Math.max(0, start - beforeMax)
  const found = streetBefore.exec(text.slice(from, start))
  if (found === null) return undefined
  let end = start + digits
  if (isAt(text, end, word) && !isAt(text, end + 1, word)) end++
  if (isAt(text, end, word)) return undefined
  return { kind: 'address' as const, start: from + found.index, end }
}

const frenchFirst = /[rabpciqs]/
const numberedFirst = /[\p{Lu}\d]/u

/** End of a street that follows its number. */
function numberedEnd(text: string, start: number, digitsEnd: number): number {
  let next = digitsEnd
  if (isAt(text, next, letter)) next++
  if (text[next] === ',') next++
  const first = text[next + 1] ?? ''
  if (text[next] !== ' ') return -1
  if (numberedFirst.test(first)) return endAt(numberFirst, text, start)
  return frenchFirst.test(first) ? endAt(french, text, start) : -1
}

/** Street and house number, in the forms of eight languages. Post boxes, towns and places alone are not. */
export const address: NumberForm = {
  kind: 'address',
  lookBehind: lengthMax + contextChars,
  find(place): Match<'address'> | undefined {
    const { text, start, digits, lettersBefore } = place
    if (digits > 5 || lettersBefore > 0 || isAt(text, start - 1, word)) return undefined
    const after = text[start + digits]
    if (after === ' ' || after === ',' || isAt(text, start + digits, word)) {
      const end = numberedEnd(text, start, start + digits)
      if (end !== -1) return { kind: 'address', start, end }
    }
    return streetThenNumber(place)
  },
}
