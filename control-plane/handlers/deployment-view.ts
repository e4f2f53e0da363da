import type { Approval, Candidate, Deployment } from '@signalbox/sdk/contract'
import type { Queryable } from '../db/connect.ts'
import type { CandidateRow } from '../db/schema.ts'
import { type ApprovalRow, findApproval } from '../stores/approvals.ts'
import { loadCurrentDeployments, type NumberedDeployment } from '../stores/deployments.ts'
import { loadTree } from '../stores/documents.ts'
import { loadVersionNumbers } from '../stores/versions.ts'

export type DeploymentView = Deployment

/** Names of what deployments name by id or digest. */
interface Names {
  readonly numbers: ReadonlyMap<string, number>
  readonly paths: ReadonlyMap<string, string>
  readonly live: ReadonlySet<string>
}

function describeCandidate(
  { salt: _, ...row }: CandidateRow,
  { numbers, paths }: Pick<Names, 'numbers' | 'paths'>,
): Candidate {
  const version = numbers.get(row.digest) ?? 0
  return { version, ...row, teams: row.teams.map((id) => paths.get(id) ?? id) }
}

function describeApproval(row: ApprovalRow): Approval {
  const { id, needed, role, requestedBy, createdMs, decisions } = row
  return { id, needed, role, requestedBy, requestedMs: createdMs, decisions }
}

function describeDeployment(row: NumberedDeployment, names: Names, approval: Approval | null): Deployment {
  const { id, environment, workspace, rollbackOf, by, createdMs, cause, reason, evidence } = row
  const { numbers } = names
  return {
    ...{ id, environment, workspace, rollbackOf, cause, reason, by, createdMs, evidence, approval },
    revision: row.sequence,
    status: names.live.has(id) ? 'live' : 'replaced',
    stable: { version: row.stableNumber, digest: row.stableDigest },
    candidate: row.candidate === null ? null : describeCandidate(row.candidate, names),
    shadows: row.shadows.map((digest) => ({ version: numbers.get(digest) ?? 0, digest })),
    ...(row.shadowPpm !== null && { shadowPpm: row.shadowPpm }),
    release: row.releaseSequence,
  }
}

async function pathsById(q: Queryable, organisationId: string): Promise<Map<string, string>> {
  const { paths } = await loadTree(q, organisationId)
  return new Map([...paths].map(([path, id]) => [id, path]))
}

/** Deployments as the API shows them. */
export async function describeDeployments(
  q: Queryable,
  organisationId: string,
  rows: readonly NumberedDeployment[],
): Promise<Deployment[]> {
  const digests = rows.flatMap(({ candidate, shadows }) => [
    ...(candidate === null ? [] : [candidate.digest]),
    ...shadows,
  ])
  const hasTeams = rows.some(({ candidate }) => candidate !== null && candidate.teams.length > 0)
  const current = await loadCurrentDeployments(q, organisationId)
  const names = {
    numbers: await loadVersionNumbers(q, organisationId, digests),
    paths: hasTeams ? await pathsById(q, organisationId) : new Map<string, string>(),
    live: new Set(current.map(({ id }) => id)),
  }
  const views: Deployment[] = []
  for (const row of rows) {
    const request =
      row.approvalId === null ? undefined : await findApproval(q, organisationId, row.approvalId)
    views.push(describeDeployment(row, names, request === undefined ? null : describeApproval(request)))
  }
  return views
}

/** One of them. */
export async function describeOne(
  q: Queryable,
  organisationId: string,
  row: NumberedDeployment,
): Promise<Deployment> {
  const [view] = await describeDeployments(q, organisationId, [row])
  if (view === undefined) throw new Error(`deployment ${row.id} has no view`)
  return view
}

/** What was asked for, as the deployment that it would be. Without anything stable there, the version stands for it. */
export async function describeRequest(
  q: Queryable,
  organisationId: string,
  row: ApprovalRow,
): Promise<Deployment> {
  const { id, environment, workspace, wanted, createdMs, requestedBy, status } = row
  const current = (await loadCurrentDeployments(q, organisationId, environment)).find(
    (each) => each.workspace === workspace,
  )
  const numbers = await loadVersionNumbers(q, organisationId, [wanted.digest])
  const number = numbers.get(wanted.digest) ?? 0
  const asked = { version: number, digest: wanted.digest }
  const standing =
    wanted.candidate === null || current === undefined
      ? asked
      : { version: current.stableNumber, digest: current.stableDigest }
  const candidate =
    wanted.candidate === null
      ? null
      : describeCandidate(
          { ...wanted.candidate, digest: wanted.digest, rollout: id, salt: '', step: 1, sinceMs: createdMs },
          { numbers, paths: await pathsById(q, organisationId) },
        )
  return {
    ...{ id, environment, workspace, candidate, createdMs, status },
    stable: standing,
    revision: 0,
    shadows: [],
    release: 0,
    rollbackOf: null,
    cause: row.action === 'pushVersion' ? 'push' : 'promotion',
    reason: wanted.reason,
    by: requestedBy,
    evidence: null,
    approval: describeApproval(row),
  }
}
