import type { Formula, Literal } from './formula.ts'
import { type Constraint, type Domain, type Example, exampleOf } from './value-domain.ts'

/** Steps of one search; past them a formula counts as possible, so that nothing is claimed that was not shown. */
const stepsMax = 4000

interface Known {
  readonly domain: Domain
  readonly constraints: readonly Constraint[]
}
/** Values of the variables for which formulas hold. */
export type Model = ReadonlyMap<string, Example>

function isLiteral(formula: Formula): formula is Literal {
  return typeof formula === 'object' && 'variable' in formula
}

class Search {
  #steps = 0
  readonly #known = new Map<string, Known>()
  tired = false

  /** Whether all formulas can hold together with what is known. */
  holds(formulas: readonly Formula[]): boolean {
    if (++this.#steps > stepsMax) {
      this.tired = true
      return true
    }
    const branches: (readonly Formula[])[] = []
    const pending = [...formulas]
    const undo: [string, Known | undefined][] = []
    let possible = true
    for (let formula = pending.pop(); formula !== undefined && possible; formula = pending.pop()) {
      if (formula === true) continue
      if (formula === false) possible = false
      else if (isLiteral(formula)) possible = this.#add(formula, undo)
      else if ('and' in formula) pending.push(...formula.and)
      else branches.push(formula.or)
    }
    if (possible && this.#branch(branches)) return true
    for (const [variable, before] of undo.reverse()) {
      if (before === undefined) this.#known.delete(variable)
      else this.#known.set(variable, before)
    }
    return false
  }

  #add({ variable, domain, constraint }: Literal, undo: [string, Known | undefined][]): boolean {
    const before = this.#known.get(variable)
    const constraints = [...(before?.constraints ?? []), constraint]
    undo.push([variable, before])
    this.#known.set(variable, { domain, constraints })
    return exampleOf(domain, constraints) !== undefined
  }

  #branch(branches: readonly (readonly Formula[])[]): boolean {
    const [shortest, ...others] = [...branches].sort((a, b) => a.length - b.length)
    if (shortest === undefined) return true
    const rest = others.map((each): Formula => ({ or: each }))
    return shortest.some((choice) => this.holds([choice, ...rest]))
  }

  model(): Model {
    return new Map(
      [...this.#known].map(([variable, { domain, constraints }]) => [
        variable,
        exampleOf(domain, constraints) ?? { value: undefined, known: false },
      ]),
    )
  }
}

/** Values for which all formulas hold; null where there are none. Empty where it would take too long to say. */
export function findModel(formulas: readonly Formula[]): Model | null {
  const search = new Search()
  if (!search.holds(formulas)) return null
  return search.tired ? new Map() : search.model()
}

export function isPossible(...formulas: readonly Formula[]): boolean {
  return new Search().holds(formulas)
}

/** `request.metadata.tier is "free"`: what an example is like, as far as it can be put in words. */
export function describeModel(model: Model): string {
  const parts = [...model].flatMap(([variable, { value, known }]) => {
    if (variable.startsWith('?') || variable.includes(' ') || !known) return []
    return value === undefined ? [`${variable} is missing`] : [`${variable} is ${JSON.stringify(value)}`]
  })
  return parts.slice(0, 3).join(' and ')
}
