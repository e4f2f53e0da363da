import { and, eq, lt } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { selfCheck } from '../db/schema.ts'

export type SelfCheckRow = typeof selfCheck.$inferSelect
type Place = Pick<SelfCheckRow, 'organisationId' | 'environment'>

const blank = {
  endedMs: null,
  records: 0,
  undecided: 0,
  same: 0,
  different: 0,
  otherSelections: 0,
  examples: [],
  failure: null,
}

/** Takes tonight's check of an environment; false where another program has it, or it was done. */
export async function claimSelfCheck(
  q: Queryable,
  place: Place,
  { nowMs, nightMs }: { nowMs: number; nightMs: number },
): Promise<boolean> {
  const taken = await q
    .insert(selfCheck)
    .values({ ...place, startedMs: nowMs, ...blank })
    .onConflictDoUpdate({
      target: [selfCheck.organisationId, selfCheck.environment],
      set: { startedMs: nowMs, ...blank },
      setWhere: lt(selfCheck.startedMs, nightMs),
    })
    .returning({ environment: selfCheck.environment })
  return taken.length > 0
}

export async function storeSelfCheck(
  q: Queryable,
  place: Place,
  result: Partial<Omit<SelfCheckRow, 'organisationId' | 'environment' | 'startedMs'>>,
): Promise<void> {
  const own = and(
    eq(selfCheck.organisationId, place.organisationId),
    eq(selfCheck.environment, place.environment),
  )
  await q.update(selfCheck).set(result).where(own)
}

/** The last check of each environment of an organisation. */
export async function loadSelfChecks(q: Queryable, organisationId: string): Promise<SelfCheckRow[]> {
  return await q.select().from(selfCheck).where(eq(selfCheck.organisationId, organisationId))
}
