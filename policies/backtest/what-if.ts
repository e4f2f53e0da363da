import type { RecordRow } from '@signalbox/sdk/contract'
import { costOf } from '../catalogue/usage-cost.ts'
import { isUsageKnown } from './spend.ts'
import type { World } from './world.ts'

/** What calls are grouped by: a member of the row, else the name of a declared metadata member. */
const rowMembers = {
  target: (row: RecordRow) => row.target,
  model: (row: RecordRow) => row.modelRequested,
  operation: (row: RecordRow) => row.operation,
  key: (row: RecordRow) => row.keyId,
  node: (row: RecordRow) => row.nodeId,
  policy: (row: RecordRow) => row.policy,
  rule: (row: RecordRow) => row.rule,
} as const
export const groupNames: readonly string[] = Object.keys(rowMembers)

interface Sum {
  calls: number
  inputTokens: number
  outputTokens: number
  costNanoUsd: bigint
  unpriced: number
  whatIfNanoUsd: bigint
  /** Calls whose cost with the other model cannot be said: no usage, or no price. */
  whatIfUnknown: number
}
/** Money as decimal texts of nano-dollars. */
export interface WhatIfSum {
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costNanoUsd: string
  readonly unpriced: number
  readonly costPerCallNanoUsd: string | null
  readonly whatIfNanoUsd: string | null
  readonly whatIfUnknown: number | null
}
export interface WhatIfGroup extends WhatIfSum {
  readonly group: string
  /** The same by the target that answered, the dearest first. */
  readonly targets: readonly ({ readonly target: string } & WhatIfSum)[]
}
/** The document of `signalbox backtest --what-if … --json`. */
export interface WhatIfReport {
  /** The target that all calls are priced with; null where calls are only grouped. */
  readonly target: string | null
  readonly by: string | null
  readonly records: number
  /** Calls that got an answer; only they cost something. */
  readonly answered: number
  readonly total: WhatIfSum
  readonly groups: readonly WhatIfGroup[]
  readonly catalogue: string
  readonly assumptions: readonly string[]
}

const groupsMax = 500
const targetsMax = 64
const otherName = '…'
const nobody = '—'

const emptySum = (): Sum => ({
  ...{ calls: 0, inputTokens: 0, outputTokens: 0, costNanoUsd: 0n, unpriced: 0 },
  ...{ whatIfNanoUsd: 0n, whatIfUnknown: 0 },
})

/** A member of a table that never has more than so many. */
function memberOf<Value>(
  table: Map<string, Value>,
  name: string,
  { max, make }: { max: number; make: () => Value },
) {
  const shown = table.has(name) || table.size < max ? name : otherName
  const known = table.get(shown) ?? make()
  table.set(shown, known)
  return known
}

/**
 * What calls cost, by any group, and what they would have cost with another model: their own tokens at its prices. No
 * policy is asked. Memory does not grow with the number of records.
 */
export class WhatIf {
  readonly #by: string | undefined
  readonly #target: string | undefined
  readonly #prices: World['prices']
  readonly #groups = new Map<string, { sum: Sum; targets: Map<string, Sum> }>()
  readonly #total = emptySum()
  #records = 0
  #answered = 0

  constructor(options: { by?: string; target?: string; prices: World['prices'] }) {
    this.#by = options.by
    this.#target = options.target
    this.#prices = options.prices
  }

  add(row: RecordRow): void {
    this.#records++
    if (row.status >= 400 || row.attempts === 0) return
    this.#answered++
    const { group, target } = this.#sumsOf(row)
    const units = row.usage
    const input =
      (units.input ?? 0) + (units.cacheRead ?? 0) + (units.cacheWrite5m ?? 0) + (units.cacheWrite1h ?? 0)
    const cost = row.costNanoUsd === undefined ? undefined : BigInt(row.costNanoUsd)
    const other =
      isUsageKnown({ row }) && this.#target !== undefined
        ? costOf(units, this.#prices(this.#target))
        : undefined
    for (const sum of [this.#total, group, target]) {
      sum.calls++
      sum.inputTokens += input
      sum.outputTokens += units.output ?? 0
      if (cost === undefined) sum.unpriced++
      else sum.costNanoUsd += cost
      if (other === undefined) sum.whatIfUnknown++
      else sum.whatIfNanoUsd += other
    }
  }

  #sumsOf(row: RecordRow): { group: Sum; target: Sum } {
    const by = this.#by ?? 'target'
    const ofRow = Object.hasOwn(rowMembers, by)
      ? rowMembers[by as keyof typeof rowMembers](row)
      : row.metadata[by]
    const name = ofRow === undefined ? nobody : String(ofRow)
    const group = memberOf(this.#groups, name, {
      max: groupsMax,
      make: () => ({ sum: emptySum(), targets: new Map<string, Sum>() }),
    })
    const target = memberOf(group.targets, row.target ?? nobody, { max: targetsMax, make: emptySum })
    return { group: group.sum, target }
  }

  #shown(sum: Sum): WhatIfSum {
    const { calls, inputTokens, outputTokens, costNanoUsd, unpriced, whatIfNanoUsd, whatIfUnknown } = sum
    const priced = BigInt(calls - unpriced)
    const hasTarget = this.#target !== undefined
    return {
      ...{ calls, inputTokens, outputTokens, unpriced },
      costNanoUsd: String(costNanoUsd),
      costPerCallNanoUsd: priced === 0n ? null : String(costNanoUsd / priced),
      whatIfNanoUsd: hasTarget ? String(whatIfNanoUsd) : null,
      whatIfUnknown: hasTarget ? whatIfUnknown : null,
    }
  }

  /** `catalogue`: digest of the prices. Groups and targets stand with the dearest first. */
  report(catalogue: string): WhatIfReport {
    const dearest = (one: Sum, other: Sum): number =>
      one.costNanoUsd === other.costNanoUsd
        ? other.calls - one.calls
        : one.costNanoUsd < other.costNanoUsd
          ? 1
          : -1
    const groups = [...this.#groups]
      .sort(([, one], [, other]) => dearest(one.sum, other.sum))
      .map(([group, { sum, targets }]) => ({
        ...{ group, ...this.#shown(sum) },
        targets: [...targets]
          .sort(([, one], [, other]) => dearest(one, other))
          .map(([target, each]) => ({ target, ...this.#shown(each) })),
      }))
    return {
      ...{ target: this.#target ?? null, by: this.#by ?? null },
      ...{ records: this.#records, answered: this.#answered },
      total: this.#shown(this.#total),
      ...{ groups, catalogue },
      assumptions: [
        'The other model would have counted the same tokens and answered at the same length (estimate).',
        'Answers are not simulated: nothing is said of their quality.',
      ],
    }
  }
}
