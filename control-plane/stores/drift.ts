import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { version } from '../db/schema.ts'
import { loadCurrentDeployments } from './deployments.ts'

/** A version that runs somewhere and stands in no commit. */
export interface DriftRow {
  readonly environment: string
  readonly workspace: string
  /** What it does there. */
  readonly role: 'stable' | 'candidate' | 'shadow'
  readonly version: number
  readonly parent: number | null
  readonly by: string
  readonly source: string
  readonly createdMs: number
}

/**
 * What decides or looks on in an environment and was made outside Git: it has a parent that it was edited from, and
 * nobody has pushed it from a commit since.
 */
export async function loadDrift(q: Queryable, organisationId: string): Promise<DriftRow[]> {
  const deployed = await loadCurrentDeployments(q, organisationId)
  const running = deployed.flatMap(({ environment, workspace, stableDigest, candidate, shadows }) => [
    { environment, workspace, role: 'stable' as const, digest: stableDigest },
    ...(candidate == null
      ? []
      : [{ environment, workspace, role: 'candidate' as const, digest: candidate.digest }]),
    ...shadows.map((digest) => ({ environment, workspace, role: 'shadow' as const, digest })),
  ])
  const digests = [...new Set(running.map(({ digest }) => digest))]
  if (digests.length === 0) return []
  const rows = await q
    .select({
      digest: version.digest,
      number: version.number,
      createdMs: version.createdMs,
      parent: sql<number | null>`(select p.number from version p
        where p.organisation_id = "version"."organisation_id" and p.digest = "version"."parent_digest")`,
      made: sql<{ by: string; source: string }>`(select json_build_object('by', f.by, 'source', f.source)
        from push f where f.organisation_id = "version"."organisation_id" and f.digest = "version"."digest"
        order by f.created limit 1)`,
    })
    .from(version)
    .where(
      and(
        eq(version.organisationId, organisationId),
        inArray(version.digest, digests),
        sql`${version.parentDigest} is not null`,
        sql`not exists (select from push f where f.organisation_id = ${version.organisationId}
          and f.digest = ${version.digest} and f.commit not like '%-dirty')`,
      ),
    )
  return running.flatMap(({ digest, ...where }) => {
    const row = rows.find((each) => each.digest === digest)
    if (row === undefined) return []
    const { number, parent, made, createdMs } = row
    return [{ ...where, version: number, parent, ...made, createdMs }]
  })
}
