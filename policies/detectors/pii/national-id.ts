import { contextChars, digitsOf, endAt, isAfter, standsAlone } from '../characters.ts'
import { type IdScheme, idSchemes } from './id-schemes.ts'
import type { NumberForm, NumberStart } from './number-form.ts'

const byDigits = new Map<number, IdScheme[]>()
for (const scheme of idSchemes) {
  for (const digits of scheme.firstRun) byDigits.set(digits, [...(byDigits.get(digits) ?? []), scheme])
}

function find(scheme: IdScheme, { text, start: digitsStart, lettersBefore }: NumberStart) {
  if (lettersBefore !== scheme.lettersBefore) return undefined
  const start = digitsStart - (scheme.lettersBefore + (scheme.spaceBefore ?? 0))
  const end = endAt(scheme.form, text, start)
  if (end === -1 || !standsAlone(text, start, end)) return undefined
  if (!scheme.isRight(text.slice(start, end), digitsOf(text, start, end))) return undefined
  if (scheme.named !== undefined && !isAfter(text, start, scheme.named)) return undefined
  return { kind: 'nationalId' as const, start, end, scheme: scheme.id }
}

/** The French one may have a letter after its first six. */
const digitsMin = 6

/** Ids of persons in countries whose ids have a form or a checksum that tells them from other numbers. */
export const nationalId: NumberForm = {
  kind: 'nationalId',
  lookBehind: 21 + contextChars,
  find(place) {
    if (place.ahead.digits < digitsMin && place.lettersBefore === 0) return undefined
    for (const scheme of byDigits.get(place.digits) ?? []) {
      const found = find(scheme, place)
      if (found !== undefined) return found
    }
    return undefined
  },
}
