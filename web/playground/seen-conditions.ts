import type { Explanation, TryFilesReply } from '@signalbox/sdk'

type Cases = NonNullable<TryFilesReply['cases']>
export interface SeenCondition {
  readonly rule: string
  readonly line: number
  readonly text: string
  readonly isTrue: boolean
  readonly isFalse: boolean
}
export interface SeenPolicy {
  readonly policy: string
  readonly file: string
  readonly conditions: readonly SeenCondition[]
}

/** What conditions came to over the facts that were tried, for as long as they are written as they were. */
export class SeenConditions {
  readonly #seen = new Map<string, Set<string>>()
  /** Different facts that were tried. */
  readonly tried = new Set<string>()

  add({ policies, row }: Explanation): void {
    this.tried.add(row.factsDigest ?? '')
    for (const { id, rules } of policies) {
      for (const rule of rules) {
        for (const { text, outcome } of rule.conditions) {
          const key = JSON.stringify([id, rule.id, text])
          const seen = this.#seen.get(key) ?? new Set()
          this.#seen.set(key, seen.add(outcome))
        }
      }
    }
  }

  /** Together with what the cases saw. */
  report({ policies }: Explanation, cases: Cases | null): SeenPolicy[] {
    return policies.map(({ id, file, rules }) => {
      const own = cases?.coverage.find(({ policy }) => policy === id)?.conditions ?? []
      return {
        policy: id,
        file: file ?? '',
        conditions: rules.flatMap((rule) =>
          rule.conditions.map(({ text }) => {
            const seen = this.#seen.get(JSON.stringify([id, rule.id, text]))
            const byCases = own.find((each) => each.rule === rule.id && each.text === text)
            return {
              ...{ rule: rule.id, line: rule.line, text },
              isTrue: seen?.has('true') === true || byCases?.seenTrue === true,
              isFalse: seen?.has('false') === true || byCases?.seenFalse === true,
            }
          }),
        ),
      }
    })
  }
}
