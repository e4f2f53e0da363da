import { type Deployment, type Evidence, Refusal } from '@signalbox/sdk/contract'
import type { Queryable, Transaction } from './db/connect.ts'
import type { WantedDeployment } from './db/schema.ts'
import type { Dependencies } from './dependencies.ts'
import type { Publisher } from './documents/publisher.ts'
import { applyDeclaredDrills } from './drills/declared-drills.ts'
import { requireDeployable } from './rollouts/deployable.ts'
import { nextDeployment, type Pointed } from './rollouts/next-deployment.ts'
import type { Publication } from './state-writer.ts'
import { appendAudit } from './stores/audit.ts'
import {
  type DeploymentRow,
  insertDeployment,
  listDeployments,
  loadCurrentDeployments,
  loadDeploymentHistory,
  type NumberedDeployment,
} from './stores/deployments.ts'
import { findVersionByDigest, type VersionRow } from './stores/versions.ts'

export interface DeployTools extends Dependencies {
  readonly publisher: Publisher
}
/** Where, and by whom: `action` is the operation's id. */
export interface DeployContext {
  readonly organisationId: string
  readonly environment: string
  readonly actor: string
  readonly action: string
}
export interface Deployed {
  readonly deployment: NumberedDeployment
  readonly publication: Publication | null
}
/** What is to hold; decided under the lock, from what holds then. */
export interface Choice extends Pointed {
  readonly workspace: string
  readonly cause: Deployment['cause']
  readonly rollbackOf?: string
  readonly source?: string | null
  readonly reason?: string | null
  readonly evidence?: Evidence
  readonly approvalId?: string | undefined
}

/** Whether somebody deployed since a change was decided on. @throws Refusal `conflict` that says who. */
export function requireRevision(
  current: NumberedDeployment | undefined,
  expected: number | undefined,
  environment: string,
): void {
  const revision = current?.sequence ?? 0
  if (expected === undefined || expected === revision) return
  const who = current === undefined ? '' : `: v${current.stableNumber} by ${current.by}`
  throw new Refusal('conflict', {
    message:
      `Something else was deployed to ${environment} meanwhile${who} (revision ${revision}, not ${expected}). ` +
      `Look at it (signalbox status --env ${environment}) and ask again.`,
    param: 'revision',
  })
}

/** What an audit row says of a deployment. */
function detailOf(row: DeploymentRow, before: DeploymentRow | undefined, version: VersionRow | undefined) {
  const { candidate, shadows, cause, reason, evidence } = row
  return {
    environment: row.environment,
    workspace: row.workspace,
    version: version?.number ?? null,
    digest: row.stableDigest,
    release: row.releaseSequence,
    before: before?.stableDigest ?? null,
    rollbackOf: row.rollbackOf,
    cause,
    ...(reason !== null && { reason }),
    ...(candidate !== null && {
      candidate: {
        digest: candidate.digest,
        ppm: candidate.ppm,
        teams: candidate.teams,
        step: candidate.step,
      },
    }),
    ...(before?.candidate != null && candidate === null && { candidateBefore: before.candidate.digest }),
    ...(shadows.length > 0 && { shadows }),
    ...(row.shadowPpm !== null && { shadowPpm: row.shadowPpm }),
    ...(row.approvalId !== null && { approval: row.approvalId }),
    ...(evidence !== null && { evidence }),
  }
}

/**
 * Changes what an environment points at: deployment row, release that carries it, audit row, in one transaction.
 * Deployments to one environment wait for each other, so each sees what the one before it left. Where the choice is a
 * deployment that stands already, or null, nothing is changed.
 */
export async function deployChoice(
  tools: DeployTools,
  context: DeployContext,
  choose: (tx: Transaction, id: string) => Promise<Choice | NumberedDeployment>,
): Promise<Deployed> {
  const { organisationId, environment, actor, action } = context
  let standing: NumberedDeployment | undefined
  const { change, publication } = await tools.publisher.deploy(context, async (tx, releaseSequence) => {
    const id = tools.newId()
    const choice = await choose(tx, id)
    if ('sequence' in choice) {
      standing = choice
      return null
    }
    const where = { organisationId, environment, workspace: choice.workspace }
    const before = (await loadDeploymentHistory(tx, where)).at(-1)
    const row: DeploymentRow = {
      ...where,
      id,
      sequence: (before?.sequence ?? 0) + 1,
      stableDigest: choice.stableDigest,
      candidate: choice.candidate,
      shadows: choice.shadows,
      shadowPpm: choice.shadows.length === 0 ? null : (choice.shadowPpm ?? before?.shadowPpm ?? null),
      releaseSequence,
      rollbackOf: choice.rollbackOf ?? null,
      source: choice.source ?? null,
      cause: choice.cause,
      reason: choice.reason ?? null,
      evidence: choice.evidence ?? null,
      approvalId: choice.approvalId ?? null,
      by: actor,
      createdMs: tools.nowMs(),
    }
    await insertDeployment(tx, row)
    const version = await findVersionByDigest(tx, organisationId, row.stableDigest)
    const { compiled } = version ?? {}
    const drills =
      compiled === undefined ? [] : await applyDeclaredDrills(tx, tools, { ...where, actor, compiled })
    const detail = { ...detailOf(row, before, version), ...(drills.length > 0 && { drills }) }
    const entry = { actor, action, object: `deployment ${id}`, detail, nowMs: tools.nowMs }
    await appendAudit(tx, organisationId, entry)
    return id
  })
  const made =
    change === null ? [standing] : await listDeployments(tools.db, organisationId, { id: change, limit: 1 })
  if (made[0] === undefined) throw new Error(`deployment ${change} is not there`)
  return { deployment: made[0], publication }
}

/** What holds for a workspace of an environment. */
export async function currentOf(
  q: Queryable,
  context: Pick<DeployContext, 'organisationId' | 'environment'>,
  workspace: string,
): Promise<NumberedDeployment | undefined> {
  const current = await loadCurrentDeployments(q, context.organisationId, context.environment)
  return current.find((row) => row.workspace === workspace)
}

/** What is to be deployed, and on what it was decided. */
export interface Wished {
  readonly version: VersionRow
  readonly wanted: WantedDeployment
  readonly cause: 'push' | 'promotion'
  readonly revision?: number | undefined
  readonly approvalId?: string
}

/**
 * Makes a version the stable one of an environment, its candidate, or a shadow. Where it is that already nothing is
 * changed.
 * @throws Refusal `conflict`, `not_found`, `check_failed` with the reason and the way out.
 */
export async function deployVersion(
  tools: DeployTools,
  context: DeployContext,
  wished: Wished,
): Promise<Deployed> {
  const { version, wanted, cause } = wished
  return await deployChoice(tools, context, async (tx, id) => {
    const current = await currentOf(tx, context, version.workspace)
    requireRevision(current, wished.revision, context.environment)
    const { organisationId, environment } = context
    const where = { organisationId, environment, workspace: version.workspace }
    // The same callers are drawn again: who met a bad candidate meets its cure first, and nobody else.
    const known = (await loadDeploymentHistory(tx, where)).findLast(({ candidate }) => candidate !== null)
    const nowMs = tools.nowMs()
    const next = nextDeployment(current, wanted, { id, nowMs, salt: known?.candidate?.salt ?? id })
    if (next === undefined && current !== undefined) return current
    if (next === undefined) throw new Error('nothing is to be deployed')
    await requireDeployable(tx, { ...where, nowMs }, version)
    const { approvalId } = wished
    const { source, reason } = wanted
    return { ...next, workspace: version.workspace, cause, source, reason, approvalId }
  })
}
