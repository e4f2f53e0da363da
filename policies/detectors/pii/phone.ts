import {
  alphanumeric,
  contextChars,
  digit,
  digitsOf,
  endAt,
  isAfter,
  isAt,
  standsAlone,
} from '../characters.ts'
import { type Groups, groupedMax, groupsFrom, type NumberForm, type NumberStart } from './number-form.ts'

const digitsMin = 7
const digitsMax = 15

/** Country codes (ITU-T E.164). */
const countryCodes = new RegExp(
  [
    ...['1', '7', '2(?:0|7|[1-69]\\d)', '3(?:[0-4]|6|9|[578]\\d)', '4(?:[013-9]|2\\d)', '5(?:[1-8]|[09]\\d)'],
    ...['6(?:[0-6]|[7-9]\\d)', '8(?:[12468]|[05]\\d)', '9(?:[0-58]|[679]\\d)'],
  ]
    .map((each) => `^${each}`)
    .join('|'),
)
/** Words that call what follows a phone number, or its owner to the phone. */
const named =
  /(?:\b(?:phone|tel|telephone|mobile|cell|call|fax|whatsapp|sms|text|dial|contact|reach|hotline|ring)\b|telefon|handy|rufnummer|mobil|durchwahl|téléphone|portable|appel|teléfono|móvil|celular|llam|cellulare|chiam|telefone|ligue|ligar|telefoon|bel |zadzwo|телефон|тел\.|звон|电话|手机|電話|携帯|전화|휴대)[^\n\d]{0,24}$/i
/** Words before numbers of the same form that are something else. */
const otherwise =
  /(?:\b(?:order|invoice|inv|ref|reference|ticket|case|sku|part|serial|isbn|issn|id|tracking|parcel|version|build|account|acct|batch|lot|model|item|policy|po|code|bestell\w*|rechnung\w*|kunden\w*|commande|facture|pedido|factura|ordine|fattura)\b|nummer|numéro|№|#)[^\n\d]{0,12}$/i

/** `+` or `00`, a country code, 8 to 15 digits in all. */
function international({ text, start, ahead }: NumberStart): { start: number; end: number } | undefined {
  const hasPlus = text[start - 1] === '+'
  if (!hasPlus && !text.startsWith('00', start)) return undefined
  const from = hasPlus ? start : start + 2
  const { end, digits, groups }: Groups = hasPlus ? ahead : groupsFrom(text, from)
  if (digits < 8 || digits > digitsMax || !countryCodes.test(digitsOf(text, from, end))) return undefined
  if (!hasPlus && groups < 3 && !isAfter(text, start, named)) return undefined
  const first = hasPlus ? start - 1 : start
  if (isAt(text, first - 1, alphanumeric) || isAt(text, end, alphanumeric)) return undefined
  return { start: first, end }
}

/** Forms that show that they are a phone number by themselves. */
const national = [
  // North America: (415) 555-0132, 415-555-0132, 1-415-555-0132.
  /(?:1[ .-])?\(?[2-9]\d{2}(?:\) ?|[ .-])[2-9]\d{2}[ .-]\d{4}/y,
  // France: 06 12 34 56 78.
  /0[1-79](?:[ .-]\d{2}){4}/y,
  // Great Britain: 07700 900123, 020 7946 0018.
  /07\d{3}[ -]?\d{3}[ -]?\d{3}|02\d \d{4} \d{4}|01\d{3} \d{6}/y,
  // German mobiles and numbers with a slash: 0171 2345678, 030/1234567.
  /01[567]\d[ /-]\d{7,8}|0[2-9]\d{1,3} ?\/ ?\d{5,8}/y,
]

function inNationalForm({ text, start }: NumberStart): { start: number; end: number } | undefined {
  const from = text[start - 1] === '(' ? start - 1 : start
  for (const form of national) {
    const end = endAt(form, text, from)
    if (end === -1 || !standsAlone(text, from, end)) continue
    return isAfter(text, from, otherwise) ? undefined : { start: from, end }
  }
  return undefined
}

/** Any digits that are called a phone number. */
function byName({ text, start, ahead }: NumberStart): { start: number; end: number } | undefined {
  const from = text[start - 1] === '(' ? start - 1 : start
  const { end, digits } = ahead
  // What stands in the middle of other numbers is not named by words.
  if (isAt(text, from - 2, digit)) return undefined
  if (digits > digitsMax || !standsAlone(text, from, end)) return undefined
  if (!isAfter(text, from, named) || isAfter(text, from, otherwise)) return undefined
  return { start: from, end }
}

/** Phone numbers: international ones, national forms that are clear, and others where words say what they are. */
export const phone: NumberForm = {
  kind: 'phone',
  lookBehind: groupedMax + contextChars,
  find(place) {
    if (place.ahead.digits < digitsMin || place.digits > digitsMax + 2) return undefined
    const found = international(place) ?? inNationalForm(place) ?? byName(place)
    return found === undefined ? undefined : { kind: 'phone', ...found }
  },
}
