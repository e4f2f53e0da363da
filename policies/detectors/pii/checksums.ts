/** Sum of digits times weights, the weights taken round from the start. */
export function weighted(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let index = 0; index < weights.length; index++) sum += Number(digits[index]) * (weights[index] ?? 0)
  return sum
}

/** Luhn check of cards and several national ids (ISO/IEC 7812-1). */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let index = digits.length - 1, even = false; index >= 0; index--, even = !even) {
    const value = Number(digits[index])
    sum += even ? (value > 4 ? value * 2 - 9 : value * 2) : value
  }
  return sum % 10 === 0
}

/** A long number modulo 97. */
export function modulo97(digits: string): number {
  let rest = 0
  for (const each of digits) rest = (rest * 10 + Number(each)) % 97
  return rest
}

/** Check of an IBAN (ISO 13616): letters count from 10, the first four characters go last, the rest by 97 is 1. */
export function passesIban(iban: string): boolean {
  let rest = 0
  for (const each of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(each, 36)
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97
  }
  return rest === 1
}

/** ISO 7064 MOD 11,10, as the German tax id uses it. */
export function passesMod11And10(digits: string): boolean {
  let product = 10
  for (const each of digits.slice(0, -1)) {
    const sum = (Number(each) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === Number(digits.at(-1))
}

const dihedral = [
  ...['0123456789', '1234067895', '2340178956', '3401289567', '4012395678'],
  ...['5987604321', '6598710432', '7659821043', '8765932104', '9876543210'],
]
const permutations = [
  ...[
    '0123456789',
    '1576283094',
    '5803796142',
    '8916043527',
    '9453126870',
    '4286573901',
    '2793806415',
    '7046913258',
  ],
]

/** Verhoeff check, as Aadhaar numbers have it. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0
  for (let index = 0; index < digits.length; index++) {
    const value = Number(digits[digits.length - 1 - index])
    check = Number(dihedral[check]?.[Number(permutations[index % 8]?.[value])])
  }
  return check === 0
}

const daysInMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether a month and a day exist in some year. */
export function isDay(month: number, day: number): boolean {
  return day >= 1 && day <= (daysInMonth[month - 1] ?? 0)
}
