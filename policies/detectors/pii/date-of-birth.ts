import { contextChars, endAt, isAfter, isAt, letter, word } from '../characters.ts'
import { isDay } from './checksums.ts'
import type { NumberForm } from './number-form.ts'

const named =
  /(?:\b(?:born(?: on)?|birth ?date|date of birth|d\.?o\.?b\.?|birthday(?:['’]s| is| was)?|birth)\b|geboren(?: am)?|geb\.|geburts(?:tag|datum)|\bnée? le|date de naissance|naissance|fecha de nacimiento|nacimiento|\bnacid[oa]\b|\bnaci(?:ó|o)? el|\bnat[oa] il|data di nascita|nascita|data de nascimento|nascimento|\bnascid[oa]\b|geboortedatum|urodz|födelsedatum|född|fødselsdato|födelse|syntymä|出生|生年月日|生日|생년월일|дата рождения|родил|doğum)[^\n\d]{0,16}$/i
const months =
  'jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|juin|juil|aoû|mär|märz|okt|dez|ene|abr|ago|dic|gen|mag|giu|lug|set|ott|fev|fév|avr|déc|out|mei|mrt'
const monthBefore = new RegExp(`\\b(?:${months})[\\p{L}.]{0,8} $`, 'iu')

const yearFirst = /(19\d\d|20[0-3]\d)([-/.年 ])(\d{1,2})[-/.月 ](\d{1,2})/y
const yearLast = /(\d{1,2})([-/. ]{1,2})(\d{1,2})[-/. ]{1,2}((?:19\d\d|20[0-3]\d)|\d\d)/y
const dayMonthName = new RegExp(
  `\\d{1,2}(?:st|nd|rd|th|er|\\.|º)? (?:de |of )?(?:${months})\\p{L}{0,8}\\.?,? (?:de |del )?(?:19\\d\\d|20[0-3]\\d)`,
  'iuy',
)
const dayThenYear = /\d{1,2}(?:st|nd|rd|th)?,? (?:19\d\d|20[0-3]\d)/y
/** First letters of months, and of what stands between a day and a month. */
const monthFirst = /[a-zA-Zäâéêèû]/
const monthNameMax = 12
const dateMax = 36

/** Where a date that begins with these digits ends; -1 for what is none. */
function dateEnd(text: string, start: number): number {
  const first = match(yearFirst, text, start)
  if (first !== undefined) return isDay(Number(first[3]), Number(first[4])) ? yearFirst.lastIndex : -1
  const last = match(yearLast, text, start)
  if (last !== undefined) {
    const [a, b] = [Number(last[1]), Number(last[3])]
    return isDay(a, b) || isDay(b, a) ? yearLast.lastIndex : -1
  }
  return endAt(dayMonthName, text, start)
}

function match(sticky: RegExp, text: string, start: number): RegExpExecArray | undefined {
  sticky.lastIndex = start
  return sticky.exec(text) ?? undefined
}

const isEastern = (text: string, index: number): boolean => text[index] === '年'

/** Whether letters follow or stand before, as the name of a month does. */
function isMonthNear(text: string, start: number, digits: number): boolean {
  const end = start + digits
  for (let index = end; index < end + 3; index++) if (monthFirst.test(text[index] ?? '')) return true
  return text[start - 1] === ' ' && isAt(text, start - 2, letter) && monthStart(text, start) !== -1
}

/** Start of the name of a month right before an index. */
function monthStart(text: string, index: number): number {
  const from = Math.max(0, index - monthNameMax)
  const found = monthBefore.exec(text.slice(from, index))
  return found === null ? -1 : from + found.index
}

/** Dates that words before them call a date of birth. */
export const dateOfBirth: NumberForm = {
  kind: 'dateOfBirth',
  lookBehind: dateMax + contextChars,
  find({ text, start, digits, lettersBefore, ahead }) {
    if ((digits > 2 && digits !== 4) || lettersBefore > 0) return undefined
    // Three numbers, or one and a month: else there is nothing to look at.
    if (ahead.groups < 3 && (digits > 2 ? !isEastern(text, start + 4) : !isMonthNear(text, start, digits))) {
      return undefined
    }
    let begin = start
    let end = dateEnd(text, start)
    if (end === -1 && digits <= 2 && text[start - 1] === ' ') {
      end = endAt(dayThenYear, text, start)
      begin = end === -1 ? -1 : monthStart(text, start)
    }
    if (end === -1 || begin === -1 || isAt(text, end, word)) return undefined
    return isAfter(text, begin, named) ? { kind: 'dateOfBirth', start: begin, end } : undefined
  },
}
