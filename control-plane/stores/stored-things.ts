import { and, eq, inArray, lt, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { node, storedThing } from '../db/schema.ts'

/** The environment of an organisation, in which gateways share what they know. */
export interface StoredScope {
  readonly organisationId: string
  readonly environment: string
}
export interface StoredThing {
  readonly key: string
  readonly nodeId: string
  readonly connection: string
}

/** Longer than any provider keeps an answer: OpenAI's are gone after 30 days. */
const passingMs = 60 * 86_400_000
/** What has passed is removed with what comes, so much at a time. */
const sweptMax = 1000

/** Notes things; the first owner of one stays it. Nodes of another organisation own nothing here. */
export async function noteStored(
  q: Queryable,
  { organisationId, environment }: StoredScope,
  things: readonly (StoredThing & { readonly lasts: boolean })[],
  nowMs: number,
): Promise<void> {
  const ids = [...new Set(things.map(({ nodeId }) => nodeId))]
  if (ids.length === 0) return
  const known = await q
    .select({ id: node.id })
    .from(node)
    .where(and(eq(node.organisationId, organisationId), inArray(node.id, ids)))
  const owners = new Set(known.map(({ id }) => id))
  const rows = things
    .filter(({ nodeId }) => owners.has(nodeId))
    .map(({ lasts, ...thing }) => {
      return { ...thing, organisationId, environment, expiresMs: lasts ? null : nowMs + passingMs }
    })
  if (rows.length > 0) await q.insert(storedThing).values(rows).onConflictDoNothing()
}

/** Removes what callers deleted. */
export async function forgetStored(q: Queryable, scope: StoredScope, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await q.delete(storedThing).where(inScope(scope, keys))
}

/** Removes some of what providers have forgotten by themselves. */
export async function sweepStored(q: Queryable, nowMs: number): Promise<void> {
  const passed = q
    .select({ place: sql`ctid` })
    .from(storedThing)
    .where(lt(storedThing.expiresMs, nowMs))
    .limit(sweptMax)
  await q.delete(storedThing).where(sql`ctid in ${passed}`)
}

export async function findStored(
  q: Queryable,
  scope: StoredScope,
  keys: readonly string[],
): Promise<StoredThing[]> {
  if (keys.length === 0) return []
  const { key, nodeId, connection } = storedThing
  return await q.select({ key, nodeId, connection }).from(storedThing).where(inScope(scope, keys))
}

function inScope({ organisationId, environment }: StoredScope, keys: readonly string[]) {
  return and(
    eq(storedThing.organisationId, organisationId),
    eq(storedThing.environment, environment),
    inArray(storedThing.key, [...keys]),
  )
}
