import type { Problem } from '@signalbox/sdk/contract'
import { didYouMean } from '../compile/near-name.ts'

/** Types in messages that are longer than this say nothing to a reader. */
const typeCharactersMax = 100
const typeCharactersShown = 60
const missingProperty = /^Property '([^']+)' does not exist on type '(.*)'\.( Did you mean '([^']+)'\?)?$/s
const maybeMissing = /^'([^']+)' is possibly '(undefined|null)'\.$/
/** What is read right before a place: `f.request.metadata.`. */
const chainBefore = /([A-Za-z_$][\w$]*(?:\??\.[\w$]+)*)\??\.$/

function shorten(message: string): string {
  return message.replaceAll(/'([^']*)'/g, (whole, type: string) =>
    type.length <= typeCharactersMax ? whole : `'${type.slice(0, typeCharactersShown)}…'`,
  )
}

/**
 * A message of the type checker in the words of an author: what was read from where instead of a type that fills the
 * screen, and what to do. `line`: the line of the source; `metadata`: declared names.
 */
export function plainMessage(
  { message, column }: Pick<Problem, 'message' | 'column'>,
  line: string,
  metadata: () => readonly string[],
): string {
  const maybe = maybeMissing.exec(message)
  if (maybe !== null)
    return `${message.slice(0, -1)}: read on with "?." and say with "??" what stands in for it`
  const missing = missingProperty.exec(message)
  const chain = chainBefore.exec(line.slice(0, column - 1))?.[1]
  if (missing === null || chain === undefined) return shorten(message)
  const [, name = '', type = '', , near] = missing
  const known = type === 'Metadata' ? metadata() : []
  const hint = near === undefined ? didYouMean(name, known) : `; did you mean "${near}"?`
  const declared =
    type === 'Metadata' ? ` ("metadata" of signalbox.yaml declares ${known.join(', ') || 'nothing'})` : ''
  return `there is no "${name}" in ${chain}${declared}${hint}`
}
