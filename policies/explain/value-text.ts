const numbers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 6 })
/** What is longer is cut in the lines; the JSON has it whole. */
const valueLengthMax = 60

export function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1).toWellFormed()}…`
}

export const numberText = (value: number): string => numbers.format(value)

/** A value as people read it: numbers with separators, texts in quotes, nothing as `absent`. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'absent'
  if (typeof value === 'number') return numberText(value)
  return shorten(JSON.stringify(value), valueLengthMax)
}
