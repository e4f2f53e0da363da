import { isDay, modulo97, passesLuhn, passesMod11And10, passesVerhoeff, weighted } from './checksums.ts'

/** One country's id: where it can begin, its form, its check. */
export interface IdScheme {
  readonly id: string
  /** Digits of its first run of digits. */
  readonly firstRun: readonly number[]
  /** Letters right before that run. */
  readonly lettersBefore: number
  /** Spaces between letters and digits, for forms where the letters stand apart. */
  readonly spaceBefore?: number
  readonly form: RegExp
  /** Words that must stand before it, where form and check alone say too little. */
  readonly named?: RegExp
  /** Whether its check is right: over the text as written, and its digits. */
  isRight(written: string, digits: string): boolean
}

const at = (digits: string, start: number, end: number): number => Number(digits.slice(start, end))
const dniLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'
const hetuCharacters = '0123456789ABCDEFHJKLMNPRSTUVWXY'

/** Brazilian CPF: two check digits, modulo 11. */
function passesCpf(digits: string): boolean {
  const check = (length: number): number => {
    const weights = Array.from({ length }, (_, index) => length + 1 - index)
    return ((weighted(digits, weights) * 10) % 11) % 10
  }
  return !/^(\d)\1+$/.test(digits) && check(9) === Number(digits[9]) && check(10) === Number(digits[10])
}

/** German tax id: one digit of the first ten stands there twice or thrice, the others once. */
function passesTaxId(digits: string): boolean {
  const counts = Array.from('0123456789', (each) => digits.slice(0, 10).split(each).length - 1)
  const repeated = counts.filter((count) => count > 1)
  return digits[0] !== '0' && repeated.length === 1 && Number(repeated[0]) < 4 && passesMod11And10(digits)
}

/** Odd places of an Italian codice fiscale count by this table, even ones by their place in the alphabet. */
const oddValues = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]

function passesCodiceFiscale(written: string): boolean {
  const code = written.toUpperCase()
  let sum = 0
  for (let index = 0; index < 15; index++) {
    const value = Number.parseInt(code[index] ?? '', 36)
    const place = value > 9 ? value - 10 : value
    sum += index % 2 === 0 ? (oddValues[place] ?? 0) : place
  }
  return code.charCodeAt(15) - 65 === sum % 26
}

function passesCurp(written: string): boolean {
  const alphabet = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ'
  let sum = 0
  for (let index = 0; index < 17; index++) sum += alphabet.indexOf(written[index] ?? '') * (18 - index)
  return (10 - (sum % 10)) % 10 === Number(written[17])
}

function passesChinese(written: string): boolean {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
  return '10X98765432'[weighted(written, weights) % 11] === written[17]?.toUpperCase()
}

function passesAhv(digits: string): boolean {
  const sum = weighted(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3])
  return digits.startsWith('756') && (10 - (sum % 10)) % 10 === Number(digits[12])
}

function passesNhs(digits: string): boolean {
  const check = 11 - (weighted(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)
  return (check === 11 ? 0 : check) === Number(digits[9])
}

function passesPesel(digits: string): boolean {
  const sum = weighted(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1])
  return sum % 10 === 0 && isDay(at(digits, 2, 4) % 20, at(digits, 4, 6))
}

/** French number: sex, year, month, place, order, and a key modulo 97; Corsica's letters count as 19 and 18. */
function passesNir(written: string): boolean {
  const compact = written.replaceAll(' ', '')
  const number = compact.slice(0, 13).replace('2A', '19').replace('2B', '18')
  return 97 - modulo97(number) === Number(compact.slice(13))
}

function passesBelgian(digits: string): boolean {
  const key = at(digits, 9, 11)
  return 97 - modulo97(digits.slice(0, 9)) === key || 97 - modulo97(`2${digits.slice(0, 9)}`) === key
}

function passesHetu(written: string, digits: string): boolean {
  const number = at(digits, 0, 9)
  return isDay(at(digits, 2, 4), at(digits, 0, 2)) && hetuCharacters[number % 31] === written.at(-1)
}

export const idSchemes: readonly IdScheme[] = [
  {
    id: 'es-dni',
    firstRun: [8],
    lettersBefore: 0,
    form: /\d{8}-?[A-HJ-NP-TV-Z]/y,
    isRight: (written, digits) => dniLetters[Number(digits) % 23] === written.at(-1),
  },
  {
    id: 'es-nie',
    firstRun: [7],
    lettersBefore: 1,
    form: /[XYZ]\d{7}-?[A-HJ-NP-TV-Z]/y,
    isRight: (written, digits) => {
      const number = Number(`${'XYZ'.indexOf(written[0] ?? '')}${digits}`)
      return dniLetters[number % 23] === written.at(-1)
    },
  },
  {
    id: 'fr-nir',
    firstRun: [1, 13, 15],
    lettersBefore: 0,
    form: /[12] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}/y,
    isRight: (written) => passesNir(written),
  },
  {
    id: 'de-tax-id',
    firstRun: [2, 11],
    lettersBefore: 0,
    form: /\d{2} ?\d{3} ?\d{3} ?\d{3}/y,
    isRight: (_, digits) => passesTaxId(digits),
  },
  {
    id: 'br-cpf',
    firstRun: [3],
    lettersBefore: 0,
    form: /\d{3}\.\d{3}\.\d{3}-\d{2}/y,
    isRight: (_, digits) => passesCpf(digits),
  },
  {
    id: 'br-cpf',
    firstRun: [11],
    lettersBefore: 0,
    form: /\d{11}/y,
    named: /\bcpf\b/i,
    isRight: (_, digits) => passesCpf(digits),
  },
  {
    id: 'nl-bsn',
    firstRun: [4, 9],
    lettersBefore: 0,
    form: /\d{9}|\d{4}\.\d{2}\.\d{3}/y,
    named: /\bbsn\b|burgerservice|sofi/i,
    isRight: (_, digits) => weighted(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
  },
  {
    id: 'pl-pesel',
    firstRun: [11],
    lettersBefore: 0,
    form: /\d{11}/y,
    named: /pesel/i,
    isRight: (_, digits) => passesPesel(digits),
  },
  {
    id: 'se-personnummer',
    firstRun: [6, 8],
    lettersBefore: 0,
    form: /(?:19|20)?\d{6}[-+]\d{4}/y,
    isRight: (_, digits) => {
      const short = digits.slice(-10)
      return isDay(at(short, 2, 4), at(short, 4, 6) % 60) && passesLuhn(short)
    },
  },
  {
    id: 'fi-hetu',
    firstRun: [6],
    lettersBefore: 0,
    form: /\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]/y,
    isRight: (written, digits) => passesHetu(written, digits),
  },
  {
    id: 'be-national-number',
    firstRun: [2],
    lettersBefore: 0,
    form: /\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}/y,
    isRight: (_, digits) => passesBelgian(digits),
  },
  {
    id: 'ca-sin',
    firstRun: [3, 9],
    lettersBefore: 0,
    form: /\d{3}([- ]?)\d{3}\1\d{3}/y,
    named: /\b(?:sin|nas)\b|social insurance|assurance sociale/i,
    isRight: (_, digits) => passesLuhn(digits),
  },
  {
    id: 'au-tfn',
    firstRun: [3, 9],
    lettersBefore: 0,
    form: /\d{3}([- ]?)\d{3}\1\d{3}/y,
    named: /\btfn\b|tax file/i,
    isRight: (_, digits) => weighted(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
  },
  {
    id: 'in-aadhaar',
    firstRun: [4],
    lettersBefore: 0,
    form: /[2-9]\d{3}([ -])\d{4}\1\d{4}(?![ -]\d)/y,
    isRight: (_, digits) => passesVerhoeff(digits),
  },
  {
    id: 'in-aadhaar',
    firstRun: [12],
    lettersBefore: 0,
    form: /[2-9]\d{11}/y,
    named: /aadhaar|aadhar|uidai|आधार/i,
    isRight: (_, digits) => passesVerhoeff(digits),
  },
  {
    id: 'in-pan',
    firstRun: [4],
    lettersBefore: 5,
    form: /[A-Z]{3}P[A-Z]\d{4}[A-Z]/y,
    isRight: () => true,
  },
  {
    id: 'cn-resident-id',
    firstRun: [17, 18],
    lettersBefore: 0,
    form: /[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]/y,
    isRight: (written) => passesChinese(written),
  },
  {
    id: 'kr-rrn',
    firstRun: [6],
    lettersBefore: 0,
    form: /\d{6}-[1-4]\d{6}/y,
    isRight: (_, digits) => isDay(at(digits, 2, 4), at(digits, 4, 6)),
  },
  {
    id: 'za-id',
    firstRun: [13],
    lettersBefore: 0,
    form: /\d{10}[01][89]\d/y,
    isRight: (_, digits) => isDay(at(digits, 2, 4), at(digits, 4, 6)) && passesLuhn(digits),
  },
  {
    id: 'uk-nhs',
    firstRun: [3, 10],
    lettersBefore: 0,
    form: /\d{3}([- ]?)\d{3}\1\d{4}/y,
    named: /\bnhs\b/i,
    isRight: (_, digits) => passesNhs(digits),
  },
  ...[0, 1].map(
    (spaceBefore): IdScheme => ({
      id: 'uk-nino',
      firstRun: spaceBefore === 0 ? [6] : [2],
      lettersBefore: spaceBefore === 0 ? 2 : 0,
      spaceBefore: spaceBefore === 0 ? 0 : 3,
      form: /(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:\d{6}| \d{2} \d{2} \d{2} ?)[A-D]/y,
      isRight: () => true,
    }),
  ),
  {
    id: 'ch-ahv',
    firstRun: [3, 13],
    lettersBefore: 0,
    form: /756(\.?)\d{4}\1\d{4}\1\d{2}/y,
    isRight: (_, digits) => passesAhv(digits),
  },
  {
    id: 'us-itin',
    firstRun: [3],
    lettersBefore: 0,
    form: /9\d{2}-(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])-\d{4}/y,
    isRight: () => true,
  },
  {
    id: 'mx-curp',
    firstRun: [6],
    lettersBefore: 4,
    form: /[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d/y,
    isRight: (written) => passesCurp(written),
  },
  {
    id: 'it-codice-fiscale',
    firstRun: [2],
    lettersBefore: 6,
    form: /[A-Za-z]{6}\d{2}[A-EHLMPR-Ta-ehlmpr-t]\d{2}[A-Za-z]\d{3}[A-Za-z]/y,
    isRight: (written) => passesCodiceFiscale(written),
  },
]
