import { Refusal } from '@signalbox/sdk/contract'
import type { Fidelity } from '../provider.ts'

/** At most this many different names are kept; the rest is counted as `+N`. */
export const lossNamesMax = 256

/**
 * Collects what a hop to another format cannot carry, by path in the caller's body. Indexes become `[]`, and
 * a name stands once.
 */
export class Losses {
  readonly #fidelity: Fidelity | undefined
  readonly #request = new Set<string>()
  readonly #answer = new Set<string>()
  #unnamed = 0

  constructor(fidelity?: Fidelity) {
    this.#fidelity = fidelity
  }

  /**
   * A member that is not carried. Throws a Refusal `unsupported_feature` where the call wants all carried.
   */
  drop(path: string): void {
    if (this.#fidelity === 'strict') this.#refuse(path)
    this.#add(this.#request, path)
  }

  /**
   * A member whose loss changes what the call means. Throws a Refusal `unsupported_feature` unless losses are
   * allowed.
   */
  dropMeaning(path: string, message?: string): void {
    if (this.#fidelity !== 'lossy') this.#refuse(path, message)
    this.#add(this.#request, path)
  }

  /**
   * A part of the answer that the call asked for and that this pair of formats cannot bring:
   * `thinking.signature`.
   */
  dropAnswer(path: string): void {
    if (this.#fidelity === 'strict') this.#refuse(path)
    this.#add(this.#answer, `response.${path}`)
  }

  /** Refuses a call of whose conversation nothing is left: no provider answers that. */
  nothingLeft(path: string): never {
    throw new Refusal('unsupported_feature', {
      param: path,
      message: `The chosen model can take nothing of what is in \`${path}\`.`,
    })
  }

  get dropped(): string[] {
    return this.#unnamed > 0 ? [...this.#request, `+${this.#unnamed}`] : [...this.#request]
  }
  get responseDropped(): string[] {
    return [...this.#answer]
  }

  #add(names: Set<string>, path: string): void {
    const name = namePath(path)
    if (names.size < lossNamesMax) names.add(name)
    else if (!names.has(name)) this.#unnamed++
  }

  #refuse(path: string, message?: string): never {
    throw new Refusal('unsupported_feature', {
      param: path,
      message: message ?? `The chosen model cannot take \`${path}\`, and the call may not lose it.`,
    })
  }
}

/** A path as it is named to callers: every index as `[]`. */
export function namePath(path: string): string {
  return path.replace(/\[\d+\]/g, '[]')
}
