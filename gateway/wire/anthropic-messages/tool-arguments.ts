import { isObject, parseExact } from '../json-value.ts'

/** Member that carries arguments which are no JSON object, so that they survive the hop. */
const rawMember = '_raw'

/**
 * Arguments of a tool call as Anthropic wants them, an object. Text that is no JSON object becomes `{ "_raw":
 * text }` and comes back as it was; no arguments, or null, are an empty object, unless the answer was cut
 * before they came.
 */
export function inputOfArguments(text: string, isCut = false): unknown {
  if (text.trim() === '') return isCut ? { [rawMember]: text } : {}
  try {
    const value = parseExact(text)
    if (value === null) return {}
    return isObject(value) ? value : { [rawMember]: text }
  } catch {
    return { [rawMember]: text }
  }
}

/** The other way round: JSON text of an input. */
export function argumentsOfInput(input: unknown): string {
  if (isObject(input)) {
    const raw = input[rawMember]
    if (typeof raw === 'string' && Object.keys(input).length === 1 && !isObjectText(raw)) return raw
  }
  return JSON.stringify(input ?? {})
}

function isObjectText(text: string): boolean {
  try {
    return isObject(JSON.parse(text))
  } catch {
    return false
  }
}
