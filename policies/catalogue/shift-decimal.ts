/**
 * A decimal number times ten to the power of `places`, exactly, as an integer; undefined where a fraction or
 * something that is not a safe integer is left. Works on the shortest decimal form, so 0.1 means a tenth.
 */
export function shiftDecimal(value: number, places: number): number | undefined {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value))
  if (match === null) return undefined
  const [, whole = '', fraction = '', exponent = '0'] = match
  const shift = places + Number(exponent) - fraction.length
  const digits = `${whole}${fraction}`
  if (shift < 0 && !/^0*$/.test(digits.slice(shift))) return undefined
  const text = shift < 0 ? digits.slice(0, shift) : digits + '0'.repeat(shift)
  const integer = Number(text === '' ? '0' : text)
  return Number.isSafeInteger(integer) ? integer : undefined
}
