/*
 * A spelling of the catalogue may end in a pattern, where `#` stands for one digit:
 * `claude-opus-4-8-########` is every dated snapshot of the model, `gemini-2.0-flash-0##` every numbered one.
 */

/** Dates that a clause must take before we believe that it takes every date. */
const sampleDates = ['20240229', '20251231', '20300615']

/** Texts of a pattern, to try a match clause with. */
export function samplesOf(pattern: string): string[] {
  if (pattern === '-0##') return ['-001', '-002', '-099']
  return sampleDates.map((date) => {
    let at = 0
    return pattern.replaceAll('#', () => date.charAt(at++))
  })
}

/**
 * The pattern spellings that a name may be an instance of: with a date, with a date of a given year, with a
 * number.
 */
export function patternsOf(name: string): string[] {
  const plain = /^(.+)-(\d{4})\d{4}$/.exec(name)
  if (plain !== null) return [`${plain[1]}-########`, `${plain[1]}-${plain[2]}####`]
  const dashed = /^(.+)-\d{4}-\d{2}-\d{2}$/.exec(name)
  if (dashed !== null) return [`${dashed[1]}-####-##-##`]
  const numbered = /^(.+)-0\d\d$/.exec(name)
  return numbered === null ? [] : [`${numbered[1]}-0##`]
}

/** `claude-opus-4.8` → `claude-opus-4-8`. */
export function withDashes(name: string): string {
  return name.replace(/(?<=\d)\.(?=\d)/g, '-')
}
