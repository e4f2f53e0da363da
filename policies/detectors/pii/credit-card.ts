import { digitsOf, endAt, standsAlone } from '../characters.ts'
import { passesLuhn } from './checksums.ts'
import type { NumberForm } from './number-form.ts'

/** Groups as they are printed on cards: 4-4-4-4, 4-6-5 (American Express), 4-6-4 (Diners), 4-4-4-4-3. */
const printed = /\d{4}([ -])(?:\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|\d{6}\1\d{4,5})/y
const plain = /\d{13,19}/y
/** First digits and lengths of the card schemes (ISO/IEC 7812 ranges as the schemes publish them). */
const scheme = new RegExp(
  [
    '4(?:\\d{12}|\\d{15}|\\d{18})',
    '(?:5[1-5]\\d{2}|222[1-9]|22[3-9]\\d|2[3-6]\\d{2}|27[01]\\d|2720)\\d{12}',
    '3[47]\\d{13}',
    '(?:6011|64[4-9]\\d|65\\d{2})\\d{12,15}',
    '35(?:2[89]|[3-8]\\d)\\d{12,15}',
    '3(?:0[0-5]|[689]\\d)\\d{11}',
    '62\\d{14,17}',
    '(?:50|5[6-8]|6[0379])\\d{10,17}',
    '220[0-4]\\d{12,15}',
  ]
    .map((each) => `^${each}$`)
    .join('|'),
)

/** Numbers of payment cards: a known scheme, its length, and a right check digit. */
export const creditCard: NumberForm = {
  kind: 'creditCard',
  lookBehind: 25,
  find({ text, start, digits, ahead }) {
    if (ahead.digits < 13 || (digits !== 4 && (digits < 13 || digits > 19))) return undefined
    const end = endAt(digits === 4 ? printed : plain, text, start)
    if (end === -1 || !standsAlone(text, start, end)) return undefined
    const number = digitsOf(text, start, end)
    if (!scheme.test(number) || /^(\d)\1+$/.test(number) || !passesLuhn(number)) return undefined
    return { kind: 'creditCard', start, end }
  },
}
