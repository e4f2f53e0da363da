import { and, asc, desc, eq, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import type { Queryable } from '../db/connect.ts'
import { deployment, version } from '../db/schema.ts'

export type DeploymentRow = typeof deployment.$inferSelect
/** A deployment with the numbers of the versions it names. */
export interface NumberedDeployment extends DeploymentRow {
  readonly stableNumber: number
  readonly candidateNumber: number | null
}

/** Rows of a history that a rollback looks through. */
const historyRowsMax = 1000

function numbered(q: Queryable) {
  const candidateVersion = alias(version, 'candidate_version')
  return q
    .select({ row: deployment, stableNumber: version.number, candidateNumber: candidateVersion.number })
    .from(deployment)
    .innerJoin(
      version,
      and(eq(version.organisationId, deployment.organisationId), eq(version.digest, deployment.stableDigest)),
    )
    .leftJoin(
      candidateVersion,
      and(
        eq(candidateVersion.organisationId, deployment.organisationId),
        eq(candidateVersion.digest, sql`${deployment.candidate} ->> 'digest'`),
      ),
    )
    .$dynamic()
}

/** What holds in an environment: the newest deployment of each workspace. */
export async function loadCurrentDeployments(
  q: Queryable,
  organisationId: string,
  environment?: string,
): Promise<NumberedDeployment[]> {
  const newest = q
    .selectDistinctOn([deployment.environment, deployment.workspace], { id: deployment.id })
    .from(deployment)
    .where(
      and(
        eq(deployment.organisationId, organisationId),
        environment === undefined ? undefined : eq(deployment.environment, environment),
      ),
    )
    .orderBy(deployment.environment, deployment.workspace, desc(deployment.sequence))
  const rows = await numbered(q)
    .where(sql`${deployment.id} in ${newest}`)
    .orderBy(asc(deployment.environment), asc(deployment.workspace))
  return rows.map(({ row, ...numbers }) => ({ ...row, ...numbers }))
}

/** Deployments that hold and have a candidate; of one environment, or of all organisations. */
export async function listRollouts(
  q: Queryable,
  place?: { readonly organisationId: string; readonly environment: string },
): Promise<NumberedDeployment[]> {
  const newest = q
    .selectDistinctOn([deployment.organisationId, deployment.environment, deployment.workspace], {
      id: deployment.id,
    })
    .from(deployment)
    .where(
      place === undefined
        ? undefined
        : and(
            eq(deployment.organisationId, place.organisationId),
            eq(deployment.environment, place.environment),
          ),
    )
    .orderBy(
      deployment.organisationId,
      deployment.environment,
      deployment.workspace,
      desc(deployment.sequence),
    )
  const rows = await numbered(q).where(
    and(sql`${deployment.id} in ${newest}`, sql`${deployment.candidate} is not null`),
  )
  return rows.map(({ row, ...numbers }) => ({ ...row, ...numbers }))
}

/** Deployments, newest first. */
export async function listDeployments(
  q: Queryable,
  organisationId: string,
  filter: { readonly environment?: string | undefined; readonly id?: string; readonly limit: number },
): Promise<NumberedDeployment[]> {
  const rows = await numbered(q)
    .where(
      and(
        eq(deployment.organisationId, organisationId),
        filter.environment === undefined ? undefined : eq(deployment.environment, filter.environment),
        filter.id === undefined ? undefined : eq(deployment.id, filter.id),
      ),
    )
    .orderBy(desc(deployment.createdMs), desc(deployment.id))
    .limit(filter.limit)
  return rows.map(({ row, ...numbers }) => ({ ...row, ...numbers }))
}

/** The newest deployments of one workspace in one environment, oldest first. */
export async function loadDeploymentHistory(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string; readonly workspace: string },
): Promise<DeploymentRow[]> {
  const rows = await q
    .select()
    .from(deployment)
    .where(
      and(
        eq(deployment.organisationId, where.organisationId),
        eq(deployment.environment, where.environment),
        eq(deployment.workspace, where.workspace),
      ),
    )
    .orderBy(desc(deployment.sequence))
    .limit(historyRowsMax)
  return rows.reverse()
}

/** Versions that were stable in an environment, each once, the last one first. */
export async function listStableDigests(
  q: Queryable,
  where: {
    readonly organisationId: string
    readonly environment: string
    readonly workspace: string
    readonly limit: number
  },
): Promise<string[]> {
  const last = sql`max(${deployment.sequence})`
  const rows = await q
    .select({ digest: deployment.stableDigest })
    .from(deployment)
    .where(
      and(
        eq(deployment.organisationId, where.organisationId),
        eq(deployment.environment, where.environment),
        eq(deployment.workspace, where.workspace),
      ),
    )
    .groupBy(deployment.stableDigest)
    .orderBy(desc(last))
    .limit(where.limit)
  return rows.map(({ digest }) => digest)
}

export async function insertDeployment(q: Queryable, row: DeploymentRow): Promise<void> {
  await q.insert(deployment).values(row)
}

/** Workspaces that are deployed anywhere, with the path of the node that owns each. */
export async function listOwnedWorkspaces(
  q: Queryable,
  organisationId: string,
): Promise<{ workspace: string; node: string }[]> {
  const digests = [
    ...new Set((await loadCurrentDeployments(q, organisationId)).map((each) => each.stableDigest)),
  ]
  if (digests.length === 0) return []
  return await q
    .select({ workspace: version.workspace, node: sql<string>`${version.compiled} ->> 'node'` })
    .from(version)
    .where(
      and(eq(version.organisationId, organisationId), sql`${version.digest} = any(${sql.param(digests)})`),
    )
}
