import { Refusal } from '@signalbox/sdk/contract'
import { and, desc, eq, like, sql } from 'drizzle-orm'
import type { Queryable, Transaction } from '../db/connect.ts'
import { push, version } from '../db/schema.ts'

export type VersionRow = typeof version.$inferSelect
export type PushRow = typeof push.$inferSelect
/** A version as lists show it: without its compiled form. */
export interface VersionSummary {
  readonly digest: string
  readonly number: number
  readonly workspace: string
  readonly createdMs: number
  readonly policies: number
  readonly guardrails: number
  readonly prompts: number
  /** The version that an edit outside Git started from. */
  readonly parentDigest: string | null
  /** The first push of it. */
  readonly push: PushRow
  /** Whether any push of it named a commit, and that of a clean tree. */
  readonly inGit: boolean
}

const numberPattern = /^v?([1-9][0-9]{0,8})$/
const digestPattern = /^(?:sha256:)?([0-9a-f]{8,64})$/

function named(row: VersionRow | undefined, reference: string): VersionRow {
  if (row === undefined) throw new Refusal('not_found', { message: `There is no version ${reference}.` })
  return row
}

/**
 * The version that `v12`, `12`, a digest or the start of one (8 hex digits or more) names.
 * @throws Refusal `not_found` where it names none, or more than one.
 */
export async function findVersion(
  q: Queryable,
  organisationId: string,
  reference: string,
): Promise<VersionRow> {
  const number = numberPattern.exec(reference)?.[1]
  if (number !== undefined) {
    const byNumber = and(eq(version.organisationId, organisationId), eq(version.number, Number(number)))
    const rows = await q.select().from(version).where(byNumber)
    if (rows[0] !== undefined || number.length < 8) return named(rows[0], reference)
  }
  const start = digestPattern.exec(reference)?.[1]
  if (start === undefined) {
    throw new Refusal('not_found', {
      message: `There is no version "${reference}": a version is named v12, or by 8 or more digits of its digest.`,
    })
  }
  const rows = await q
    .select()
    .from(version)
    .where(and(eq(version.organisationId, organisationId), like(version.digest, `sha256:${start}%`)))
    .limit(2)
  if (rows.length > 1) {
    throw new Refusal('not_found', { message: `More than one version starts with ${start}.` })
  }
  return named(rows[0], reference)
}

/** The version of this digest, if there is one. */
export async function findVersionByDigest(
  q: Queryable,
  organisationId: string,
  digest: string,
): Promise<VersionRow | undefined> {
  const rows = await q
    .select()
    .from(version)
    .where(and(eq(version.organisationId, organisationId), eq(version.digest, digest)))
  return rows[0]
}

/**
 * Keeps a version under the next number, unless its digest is known: then the row that is there is given.
 * The lock on the numbers is held to the end of the transaction.
 */
export async function insertVersion(
  tx: Transaction,
  row: Omit<VersionRow, 'number'>,
): Promise<{ row: VersionRow; created: boolean }> {
  const lock = `version ${row.organisationId}`
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${lock}, 0))`)
  const known = await findVersionByDigest(tx, row.organisationId, row.digest)
  if (known !== undefined) return { row: known, created: false }
  const [last] = await tx
    .select({ number: version.number })
    .from(version)
    .where(eq(version.organisationId, row.organisationId))
    .orderBy(desc(version.number))
    .limit(1)
  const numbered = { ...row, number: (last?.number ?? 0) + 1 }
  await tx.insert(version).values(numbered)
  return { row: numbered, created: true }
}

export async function insertPush(q: Queryable, row: PushRow): Promise<void> {
  await q.insert(push).values(row)
}

/** Versions with their first push, newest first. */
export async function listVersions(
  q: Queryable,
  organisationId: string,
  filter: { readonly workspace?: string | undefined; readonly digest?: string; readonly limit: number },
): Promise<VersionSummary[]> {
  const firstPush = q
    .selectDistinctOn([push.digest])
    .from(push)
    .where(eq(push.organisationId, organisationId))
    .orderBy(push.digest, push.createdMs, push.id)
    .as('first_push')
  const size = (member: string) => sql<number>`jsonb_array_length(${version.compiled} -> ${member})`
  return await q
    .select({
      digest: version.digest,
      number: version.number,
      workspace: version.workspace,
      createdMs: version.createdMs,
      parentDigest: version.parentDigest,
      policies: size('policies'),
      guardrails: size('guardrails'),
      prompts: size('prompts'),
      inGit: sql<boolean>`exists (
        select 1 from ${push} as of_git where of_git.organisation_id = ${version.organisationId}
          and of_git.digest = ${version.digest} and of_git."commit" not like '%-dirty')`,
      push: {
        id: firstPush.id,
        organisationId: firstPush.organisationId,
        digest: firstPush.digest,
        by: firstPush.by,
        source: firstPush.source,
        commit: firstPush.commit,
        author: firstPush.author,
        ciRun: firstPush.ciRun,
        message: firstPush.message,
        createdMs: firstPush.createdMs,
      },
    })
    .from(version)
    .innerJoin(firstPush, eq(firstPush.digest, version.digest))
    .where(
      and(
        eq(version.organisationId, organisationId),
        filter.workspace === undefined ? undefined : eq(version.workspace, filter.workspace),
        filter.digest === undefined ? undefined : eq(version.digest, filter.digest),
      ),
    )
    .orderBy(desc(version.number))
    .limit(filter.limit)
}

/** Numbers of versions by digest. */
export async function loadVersionNumbers(
  q: Queryable,
  organisationId: string,
  digests: Iterable<string>,
): Promise<Map<string, number>> {
  const wanted = [...new Set(digests)]
  if (wanted.length === 0) return new Map()
  const rows = await q
    .select({ digest: version.digest, number: version.number })
    .from(version)
    .where(
      and(eq(version.organisationId, organisationId), sql`${version.digest} = any(${sql.param(wanted)})`),
    )
  return new Map(rows.map(({ digest, number }) => [digest, number]))
}
