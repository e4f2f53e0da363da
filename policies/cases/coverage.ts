import type { CompiledWorkspace, PolicyResult } from '@signalbox/sdk/contract'

/** One condition, and whether any case saw it true and false. */
export interface ConditionCoverage {
  readonly rule: string
  readonly text: string
  readonly line: number
  readonly column: number
  readonly seenTrue: boolean
  readonly seenFalse: boolean
}
export interface PolicyCoverage {
  readonly policy: string
  readonly file: string
  readonly conditions: readonly ConditionCoverage[]
}

/** Collects what the conditions of policies came to over many evaluations. */
export class CoverageCounter {
  /** By policy: the letters seen at each position of the trace. */
  readonly #seen = new Map<string, Set<string>[]>()

  /** Notes the trace of a policy that a case asked about. */
  add(result: PolicyResult): void {
    const positions = this.#seen.get(result.id) ?? []
    this.#seen.set(result.id, positions)
    for (const [index, letter] of [...result.trace].entries()) {
      positions[index] ??= new Set()
      positions[index].add(letter)
    }
  }

  /** Coverage of every policy, in the order of the version. */
  report(compiled: CompiledWorkspace): PolicyCoverage[] {
    return compiled.policies.map(({ id, file, rules }) => {
      const seen = this.#seen.get(id) ?? []
      const conditions = rules.flatMap((rule) => rule.conditions.map(({ text }) => ({ rule, text })))
      return {
        policy: id,
        file,
        conditions: conditions.map(({ rule, text }, index) => ({
          rule: rule.id,
          text,
          line: rule.line,
          column: rule.column,
          seenTrue: seen[index]?.has('1') ?? false,
          seenFalse: seen[index]?.has('0') ?? false,
        })),
      }
    })
  }
}
