/** Fuel and size of facts of the evaluations about one policy, or about all together. */
export interface FuelFigures {
  /** Id of the policy; null for all policies together. */
  readonly policy: string | null
  readonly evaluations: number
  readonly fuelP50: number
  readonly fuelP99: number
  readonly fuelMax: number
  /** Of the largest facts document, as UTF-8. */
  readonly factsBytesMax: number
}

interface Seen {
  readonly fuel: number[]
  factsBytesMax: number
}

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Collects what evaluations cost. */
export class FuelCounter {
  readonly #seen = new Map<string | null, Seen>()

  add(policy: string | null, cost: { fuel: number; factsBytes: number }): void {
    const seen = this.#seen.get(policy) ?? { fuel: [], factsBytesMax: 0 }
    this.#seen.set(policy, seen)
    seen.fuel.push(cost.fuel)
    seen.factsBytesMax = Math.max(seen.factsBytesMax, cost.factsBytes)
  }

  /** The most fuel that one evaluation took. */
  get max(): number {
    return Math.max(0, ...this.report().map(({ fuelMax }) => fuelMax))
  }

  /** By name; all policies together last. */
  report(): FuelFigures[] {
    const figures = [...this.#seen].map(([policy, { fuel, factsBytesMax }]): FuelFigures => {
      const sorted = fuel.toSorted((a, b) => a - b)
      const [fuelP50, fuelP99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
      return {
        policy,
        evaluations: fuel.length,
        fuelP50,
        fuelP99,
        fuelMax: sorted.at(-1) ?? 0,
        factsBytesMax,
      }
    })
    return figures.sort((a, b) => (a.policy === null ? 1 : b.policy === null || a.policy < b.policy ? -1 : 1))
  }
}
