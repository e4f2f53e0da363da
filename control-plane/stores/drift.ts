import { and, eq, inArray, sql } from 'drizzle-orm'
import type { Queryable } from '../db/connect.ts'
import { version } from '../db/schema.ts'
import { loadCurrentDeployments } from './deployments.ts'

/** A version that runs somewhere and stands in no commit. */
export interface DriftRow {
  readonly environment: string
  readonly workspace: string
  readonly version: number
  readonly parent: number | null
  readonly by: string
  readonly source: string
  readonly createdMs: number
}

/**
 * What runs in an environment and was made outside Git: it has a parent that it was edited from, and nobody has pushed
 * it from a commit since.
 */
export async function loadDrift(q: Queryable, organisationId: string): Promise<DriftRow[]> {
  const deployed = await loadCurrentDeployments(q, organisationId)
  const digests = [...new Set(deployed.map(({ stableDigest }) => stableDigest))]
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
  return deployed.flatMap(({ environment, workspace, stableDigest }) => {
    const row = rows.find(({ digest }) => digest === stableDigest)
    if (row === undefined) return []
    const { number, parent, made, createdMs } = row
    return [{ environment, workspace, version: number, parent, ...made, createdMs }]
  })
}
