import { Failure } from './context.ts'

export type Unit = 'usd' | 'tokens'

/** Nano-dollars or tokens of what was typed: `10.00`, `$10`, `2000000`. @throws Failure that says what was expected. */
export function parseAmount(text: string, unit: Unit): string {
  const digits = text.replace(/^\$/, '').replaceAll('_', '')
  const [, whole = '', fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(digits) ?? []
  if (unit === 'usd' && whole !== '')
    return String(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')))
  if (unit === 'tokens' && /^\d{1,17}$/.test(digits)) return String(BigInt(digits))
  const expected = unit === 'usd' ? 'dollars, like 10.00' : 'a whole number of tokens, like 2000000'
  throw new Failure(`"${text}" is no amount: give ${expected}.`)
}

/** An amount for people: dollars with cents, and more digits where there are any. */
export function formatAmount(amount: string, unit: Unit): string {
  if (unit === 'tokens') return `${amount} tokens`
  const value = BigInt(amount)
  const fraction = String(value % 1_000_000_000n).padStart(9, '0')
  return `$${value / 1_000_000_000n}.${fraction.replace(/^(\d\d\d*?)0*$/, '$1')}`
}
