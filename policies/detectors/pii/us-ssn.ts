import { contextChars, digitsOf, endAt, isAfter, standsAlone } from '../characters.ts'
import type { NumberForm } from './number-form.ts'

const printed = /\d{3}([- ])\d{2}\1\d{4}/y
const named = /\b(?:ssn|social security|soc\.? ?sec|seguro social)\b/i
/** Words before numbers of the same form that are something else. */
const otherwise =
  /\b(?:order|invoice|part|item|sku|serial|ticket|case|ref|tracking|lot|model|policy|isbn)\b[^\n]{0,16}$/i

/** No area 000, 666 or 9xx, no group 00, no serial 0000 (Social Security Administration). */
const isIssued = (number: string): boolean =>
  !/^(?:000|666|9)/.test(number) && number.slice(3, 5) !== '00' && !number.endsWith('0000')

/** Numbers of US social security: 3-2-4 digits that can have been issued; without separators only where named. */
export const usSsn: NumberForm = {
  kind: 'usSsn',
  lookBehind: 11 + contextChars,
  find({ text, start, digits, ahead }) {
    if (ahead.digits < 9 || (digits !== 3 && digits !== 9)) return undefined
    const end = digits === 9 ? start + 9 : endAt(printed, text, start)
    if (end === -1 || !standsAlone(text, start, end) || !isIssued(digitsOf(text, start, end)))
      return undefined
    const isNamed = isAfter(text, start, named)
    const needsName = digits === 9 || text[start + 3] === ' '
    if (!isNamed && (needsName || isAfter(text, start, otherwise))) return undefined
    return { kind: 'usSsn', start, end }
  },
}
