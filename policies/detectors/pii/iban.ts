import { alphanumeric, isAt, letter } from '../characters.ts'
import { passesIban } from './checksums.ts'
import type { NumberForm } from './number-form.ts'

/** Country → length (SWIFT IBAN registry). */
const lengths = new Map(
  [
    ...['AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18'],
    ...['DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23'],
    ...['IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27'],
    ...['MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19'],
    ...['SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'],
  ]
    .flatMap((line) => line.split(' '))
    .map((each) => [each.slice(0, 2), Number(each.slice(2))] as const),
)
const lengthMax = 34
const groupsMax = Math.ceil(lengthMax / 4)

/** Account numbers of the IBAN countries, written together or in groups of four; the check digits must be right. */
export const iban: NumberForm = {
  kind: 'iban',
  lookBehind: lengthMax + groupsMax + 1,
  find({ text, start: digitsStart, digits, lettersBefore }) {
    if (lettersBefore !== 2 || digits < 2) return undefined
    const start = digitsStart - 2
    const wanted = lengths.get(text.slice(start, digitsStart).toUpperCase())
    if (wanted === undefined || isAt(text, start - 1, alphanumeric)) return undefined
    let compact = ''
    let end = start
    while (compact.length < wanted) {
      if (isAt(text, end, alphanumeric)) compact += text[end]
      else if (compact.length % 4 !== 0 || (text[end] !== ' ' && text[end] !== '-')) return undefined
      else if (!isAt(text, end + 1, alphanumeric)) return undefined
      end++
    }
    // The first of the account's characters may be letters, its last ones hardly ever.
    if (isAt(text, end, alphanumeric) || (isAt(text, end - 1, letter) && compact.length < 16))
      return undefined
    return passesIban(compact.toUpperCase()) ? { kind: 'iban', start, end } : undefined
  },
}
