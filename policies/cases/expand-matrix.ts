import { CaseError } from './case-facts.ts'

/** Combinations that one case may stand for. */
const combinationsMax = 1000

/** One combination: a part of the name, and what it sets. */
export interface Combination {
  readonly suffix: string
  readonly set: Readonly<Record<string, unknown>>
}

function valueName(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * Every combination of a matrix's values, the last path changing fastest, named `[a.b=1, c=x]`. Without a
 * matrix one combination that sets nothing and has no name.
 * @throws CaseError where there are more than 1,000.
 */
export function expandMatrix(
  matrix: Readonly<Record<string, readonly unknown[]>> | undefined,
): Combination[] {
  if (matrix === undefined) return [{ suffix: '', set: {} }]
  const count = Object.values(matrix).reduce((product, values) => product * values.length, 1)
  if (count > combinationsMax) {
    throw new CaseError(`the matrix has ${count} combinations; at most ${combinationsMax} are run`)
  }
  let sets: Record<string, unknown>[] = [{}]
  for (const [path, values] of Object.entries(matrix)) {
    sets = sets.flatMap((set) => values.map((value) => ({ ...set, [path]: value })))
  }
  return sets.map((set) => {
    const parts = Object.entries(set).map(([path, value]) => `${path}=${valueName(value)}`)
    return { suffix: ` [${parts.join(', ')}]`, set }
  })
}
