import { retentionDefaults } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import type { SegmentOwner } from '../db/tables/records.ts'
import { listRetention, loadNodePaths, type PlacedRetention } from '../stores/retention.ts'

export const dayMs = 86_400_000

/** Whose a record is. */
export interface Owner {
  readonly environment: string
  readonly nodeId: string | null
  readonly keyId: string | null
  /** Its body is metering alone, which `none` leaves. */
  readonly bare?: boolean
}
/** When bodies must go: the first of them, and the last; null where never. */
export interface Expiry {
  readonly dueMs: number | null
  readonly goneMs: number | null
}

function isUnder(path: string, above: string): boolean {
  return above === '' || path === above || path.startsWith(`${above}/`)
}

/** End of the day (UTC) after which a body of that time and so many days is gone; at once for 0 days. */
function expiryOf(timeMs: number, days: number): number {
  return days === 0 ? 0 : (Math.floor(timeMs / dayMs) + 1 + days) * dayMs
}

/** The rules of retention of an organisation, with the places of the nodes they are asked about. */
export class RetentionRules {
  readonly #rules: readonly PlacedRetention[]
  readonly #paths: ReadonlyMap<string, string>

  constructor(rules: readonly PlacedRetention[], paths: ReadonlyMap<string, string>) {
    this.#rules = rules
    this.#paths = paths
  }

  #covers(rule: PlacedRetention, { environment, nodeId, keyId }: Owner): boolean {
    if (rule.environment !== null) return rule.environment === environment
    if (rule.keyId !== null) return rule.keyId === keyId
    // A node that is gone was somewhere below the root.
    const path = nodeId === null ? '' : (this.#paths.get(nodeId) ?? '')
    return rule.nodePath !== null && isUnder(path, rule.nodePath)
  }

  /** Days that bodies of an owner are kept: the shortest of all rules on its path; Infinity for ever. */
  bodyDays(owner: Owner): number {
    const days = this.#rules.flatMap((rule) =>
      this.#covers(rule, owner) ? [rule.bodyDays ?? Number.POSITIVE_INFINITY] : [],
    )
    return days.length === 0 ? retentionDefaults.bodyDays : Math.min(...days)
  }

  /** When a body of this time must go; Infinity for never. */
  bodyExpiryMs(owner: Owner, timeMs: number): number {
    const told = this.bodyDays(owner)
    const days = told === 0 && owner.bare === true ? retentionDefaults.bodyDays : told
    return Number.isFinite(days) ? expiryOf(timeMs, days) : Number.POSITIVE_INFINITY
  }

  /** When bodies of a segment must go. `afterMs`: those that had to go before are gone already. */
  expiryOf(environment: string, owners: readonly SegmentOwner[], afterMs = -1): Expiry {
    let due = Number.POSITIVE_INFINITY
    let gone = 0
    for (const { fromMs, toMs, ...whose } of owners) {
      const owner = { environment, ...whose }
      const lastMs = this.bodyExpiryMs(owner, toMs)
      gone = Math.max(gone, lastMs)
      const firstMs = this.bodyExpiryMs(owner, fromMs)
      if (firstMs > afterMs) due = Math.min(due, firstMs)
      // Part of them has gone; the next day's are the next to go.
      else if (lastMs > afterMs) due = Math.min(due, (Math.floor(afterMs / dayMs) + 1) * dayMs)
    }
    const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null)
    return { dueMs: finite(due), goneMs: owners.length === 0 ? null : finite(gone) }
  }

  /** Days that the longest kept rows of the organisation are kept; Infinity for ever. */
  get rowDaysMax(): number {
    const days = this.#rules.map((rule) => rule.rowDays ?? Number.POSITIVE_INFINITY)
    return Math.max(retentionDefaults.rowDays, ...days)
  }
}

/** The rules with the places of these nodes. */
export async function loadRules(
  q: Queryable,
  organisationId: string,
  owners: readonly Pick<SegmentOwner, 'nodeId'>[],
): Promise<RetentionRules> {
  const rules = await listRetention(q, organisationId)
  if (!rules.some(({ nodeId }) => nodeId !== null)) return new RetentionRules(rules, new Map())
  const ids = new Set(owners.flatMap(({ nodeId }) => nodeId ?? []))
  return new RetentionRules(rules, await loadNodePaths(q, organisationId, [...ids]))
}
