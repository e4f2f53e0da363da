import { formatCount, formatMoney } from './format.ts'

export type Unit = 'usd' | 'tokens'

/** An amount of a budget's unit for people. */
export function formatAmount(amount: string, unit: Unit): string {
  if (unit === 'tokens') return `${formatCount(Number(amount))} tokens`
  return amount.startsWith('-') ? `−${formatMoney(amount.slice(1))}` : formatMoney(amount)
}

/** What was typed, as nano-dollars or tokens; undefined where it is no amount. */
export function parseAmount(text: string, unit: Unit): string | undefined {
  const digits = text.trim().replace(/^\$/, '').replaceAll(/[_ ,]/g, '')
  const [, whole, fraction = ''] = /^(\d{1,9})(?:\.(\d{1,9}))?$/.exec(digits) ?? []
  if (unit === 'tokens') return /^\d{1,17}$/.test(digits) ? String(BigInt(digits)) : undefined
  if (whole === undefined) return undefined
  return String(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')))
}

/** An amount as somebody would type it: `10.00`, `2000000`. */
export function typedAmount(amount: string, unit: Unit): string {
  if (unit === 'tokens') return amount
  const value = BigInt(amount)
  const fraction = String(value % 1_000_000_000n).padStart(9, '0')
  return `${value / 1_000_000_000n}.${fraction.replace(/^(\d\d\d*?)0*$/, '$1')}`
}
