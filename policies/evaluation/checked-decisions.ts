import { Decision } from '@signalbox/sdk/contract'
import { describeViolations, digestOfJson, fits, violationsOf } from '@signalbox/sdk/node'
import { type Combined, refuseAll } from './combine.ts'

/** Most calls are decided alike; more decisions than this are checked and digested anew. */
const knownMax = 1024
const messageLengthMax = 512

export interface CheckedDecision {
  readonly combined: Combined
  /** SHA-256 of the decision's canonical JSON. */
  readonly digest: string
}

/**
 * Checks decisions against their schema and names them by digest. Decisions are made from parts that were checked one
 * by one; what they come to together may still be over a limit of the schema, such as more guardrails than a call can
 * have, and must not go out. Both are work that equal decisions share.
 */
export class CheckedDecisions {
  readonly #digests = new Map<string, string>()

  check(combined: Combined): CheckedDecision {
    const text = JSON.stringify(combined.decision)
    const known = this.#digests.get(text)
    if (known !== undefined) return { combined, digest: known }
    if (!fits(Decision, combined.decision)) {
      const what = describeViolations(violationsOf(Decision, combined.decision))
      const refused = refuseAll(`not a decision: ${what}`.slice(0, messageLengthMax))
      return { combined: refused, digest: digestOfJson(refused.decision) }
    }
    const digest = digestOfJson(combined.decision)
    if (this.#digests.size >= knownMax) this.#digests.clear()
    this.#digests.set(text, digest)
    return { combined, digest }
  }
}
