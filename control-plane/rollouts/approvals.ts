import { type RequiredApprovals, readDeclaredTeams, readRequiredApprovals } from '@signalbox/policies'
import { Refusal } from '@signalbox/sdk/contract'
import { grantsOf } from '../authorize.ts'
import type { Database, Queryable } from '../db/connect.ts'
import { applyDeclaredTeams } from '../declared-teams.ts'
import {
  currentOf,
  type DeployContext,
  type Deployed,
  type DeployTools,
  deployVersion,
  requireRevision,
  type Wished,
} from '../deploy.ts'
import type { RequestContext } from '../handler.ts'
import { isWithin } from '../identity/grants.ts'
import { type ApprovalRow, insertApproval, lockApproval, storeDecision } from '../stores/approvals.ts'
import { type AuditContext, appendAudit, withAudit } from '../stores/audit.ts'
import { listEnvironments } from '../stores/environments.ts'
import { findVersionByDigest, type VersionRow } from '../stores/versions.ts'
import type { VersionSources } from '../try-files.ts'
import { requireDeployable } from './deployable.ts'
import { nextDeployment } from './next-deployment.ts'

export interface ApprovalTools extends DeployTools {
  readonly sources: VersionSources
}
/** What a request to deploy came to. */
export type Requested =
  | { readonly deployed: Deployed; readonly awaiting?: undefined }
  | { readonly awaiting: ApprovalRow; readonly deployed?: undefined }

const stricter = (one: RequiredApprovals, other: RequiredApprovals): RequiredApprovals =>
  other.count > one.count
    ? { ...other, role: other.role ?? one.role }
    : { ...one, role: one.role ?? other.role }

async function declaredBy(sources: VersionSources, version: VersionRow, environment: string) {
  const files = await sources.load(version.organisationId, version.digest)
  return readRequiredApprovals(new Map(files.map(({ path, text }) => [path, text])), environment)
}

/**
 * How many people must agree: what the version asks for, or the one that is stable now where that asks for more, so
 * that no version lets itself in.
 */
export async function requiredApprovals(
  { db, sources }: { readonly db: Database; readonly sources: VersionSources },
  place: Pick<DeployContext, 'organisationId' | 'environment'>,
  version: VersionRow,
): Promise<RequiredApprovals> {
  const own = await declaredBy(sources, version, place.environment)
  const current = await currentOf(db, place, version.workspace)
  if (current === undefined || current.stableDigest === version.digest) return own
  const stable = await findVersionByDigest(db, place.organisationId, current.stableDigest)
  return stable === undefined ? own : stricter(await declaredBy(sources, stable, place.environment), own)
}

/** Deploys, or where others must agree first keeps what was asked. A shadow decides nothing, so it needs nobody. */
export async function requestDeployment(
  tools: ApprovalTools,
  context: DeployContext,
  wished: Wished,
): Promise<Requested> {
  const { version, wanted } = wished
  const required = await requiredApprovals(tools, context, version)
  if (required.count === 0 || wanted.shadow) {
    return { deployed: await deployVersion(tools, context, wished) }
  }
  const { organisationId, environment, actor, action } = context
  const nowMs = tools.nowMs()
  const outcome = await withAudit<ApprovalRow | null>(
    tools,
    { organisationId, actor, action },
    async (tx) => {
      const current = await currentOf(tx, context, version.workspace)
      requireRevision(current, wished.revision, environment)
      // What would be refused then is refused now, before anybody is asked.
      if (nextDeployment(current, wanted, { id: '', nowMs, salt: '' }) === undefined) {
        return { result: null, audit: null }
      }
      await requireDeployable(tx, { organisationId, environment, nowMs }, version)
      const row: ApprovalRow = {
        id: tools.newId(),
        ...{ organisationId, environment, workspace: version.workspace, wanted, action },
        baseSequence: current?.sequence ?? 0,
        status: 'awaiting_approval',
        needed: required.count,
        role: required.role,
        requestedBy: actor,
        decisions: [],
        createdMs: nowMs,
      }
      await insertApproval(tx, row)
      const detail = {
        environment,
        workspace: row.workspace,
        version: version.number,
        wanted,
        needed: row.needed,
      }
      return { result: row, audit: { object: `approval ${row.id}`, detail } }
    },
  )
  if (outcome !== null) return { awaiting: outcome }
  return { deployed: await deployVersion(tools, context, wished) }
}

/** Who decides: the user, or the person that a token speaks for. @throws Refusal `invalid_request`. */
function personOf({ caller }: RequestContext, named: string | undefined): string {
  if (caller.kind === 'user') return caller.name
  const person = named?.trim() ?? ''
  if (person !== '') return person
  throw new Refusal('invalid_request', {
    message: 'A token does not say who decides: name the person (--person "Jane Doe").',
    param: 'person',
  })
}

/** @throws Refusal where somebody decides who asked himself, decided already or lacks the role. */
function requireOtherEyes(row: ApprovalRow, context: RequestContext, person: string, path: string): void {
  const { actor, caller } = context
  const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()
  if (row.requestedBy === actor || same(row.requestedBy.replace(/^user /, ''), person)) {
    throw new Refusal('forbidden', {
      message: `${row.requestedBy} asked for this deployment: somebody else has to agree to it.`,
    })
  }
  if (row.decisions.some((each) => each.by === actor || same(each.person, person))) {
    throw new Refusal('conflict', { message: `${person} has decided already.` })
  }
  const { role } = row
  if (role === null) return
  const reach = grantsOf(caller).filter((grant) => grant.role === role || grant.role === 'owner')
  if (
    !isWithin(
      path,
      reach.map((grant) => grant.path),
    )
  ) {
    throw new Refusal('forbidden', { message: `This deployment needs the agreement of role ${role}.` })
  }
}

/** What somebody says to a request. */
export interface Decided {
  readonly id: string
  readonly decision: 'approved' | 'rejected'
  readonly person: string | undefined
  readonly comment: string | undefined
}

const agreedBy = (decisions: ApprovalRow['decisions']): number =>
  decisions.filter((each) => each.decision === 'approved').length

async function decide(
  tools: ApprovalTools,
  context: RequestContext,
  decided: Decided,
): Promise<{ row: ApprovalRow; version: VersionRow; complete: boolean }> {
  const { organisationId, actor } = context
  return await tools.db.transaction(async (tx) => {
    const row = await lockApproval(tx, organisationId, decided.id)
    const version = row && (await findVersionByDigest(tx, organisationId, row.wanted.digest))
    if (row === undefined || version === undefined) {
      throw new Refusal('not_found', { message: 'There is no such request for approval.' })
    }
    context.permit.require(version.compiled.node)
    if (row.status !== 'awaiting_approval') {
      throw new Refusal('conflict', {
        message: `This request is ${row.status} and not to be decided any more.`,
      })
    }
    const person = personOf(context, decided.person)
    const withdrawn = decided.decision === 'rejected' && row.requestedBy === actor
    const { decision, comment = null } = decided
    // Where enough agreed and the deployment was refused all the same, whoever may agree tries it again.
    const isRetry =
      decision === 'approved' && row.requestedBy !== actor && agreedBy(row.decisions) >= row.needed
    if (!withdrawn && !isRetry) requireOtherEyes(row, context, person, version.compiled.node)
    const said = { by: actor, person, decision, comment, timeMs: tools.nowMs() }
    const decisions = isRetry ? row.decisions : [...row.decisions, said]
    const agreed = agreedBy(decisions)
    const complete = decision === 'approved' && agreed >= row.needed
    const outdated = complete && (await isOutdated(tx, row))
    const status = decision === 'rejected' ? 'rejected' : outdated ? 'outdated' : row.status
    const after: ApprovalRow = { ...row, status, decisions }
    await storeDecision(tx, after)
    const action = decision === 'approved' ? 'approveDeployment' : 'rejectDeployment'
    const detail = { environment: row.environment, version: version.number, person, comment, agreed, status }
    const entry = { actor, action, object: `approval ${row.id}`, detail, nowMs: tools.nowMs }
    await appendAudit(tx, organisationId, entry)
    return { row: after, version, complete: complete && !outdated }
  })
}

async function isOutdated(tx: Queryable, row: ApprovalRow): Promise<boolean> {
  const current = await currentOf(tx, row, row.workspace)
  return (current?.sequence ?? 0) !== row.baseSequence
}

/** Makes and updates the teams that a version declares, and has the gateways hear of them. */
async function applyTeams(tools: ApprovalTools, who: AuditContext, version: VersionRow): Promise<void> {
  const { organisationId } = who
  const files = await tools.sources.load(organisationId, version.digest)
  const teams = readDeclaredTeams(new Map(files.map(({ path, text }) => [path, text])))
  const grown = await applyDeclaredTeams(tools, who, { ownerPath: version.compiled.node, teams })
  if (!grown) return
  for (const { name } of await listEnvironments(tools.db, organisationId)) {
    await tools.stateWriter.publishState(organisationId, name)
  }
}

/**
 * Agrees to a request or refuses it. The last agreement that is needed deploys, in the name of who asked.
 * @throws Refusal `conflict` where something else was deployed since it was asked.
 */
export async function decideDeployment(
  tools: ApprovalTools,
  context: RequestContext,
  decided: Decided,
): Promise<Requested> {
  const { row, version, complete } = await decide(tools, context, decided)
  if (row.status === 'outdated') {
    throw new Refusal('conflict', {
      message: 'Something else was deployed since this was asked for: ask for it again.',
    })
  }
  if (!complete) return { awaiting: row }
  const { organisationId, environment, requestedBy, wanted, baseSequence } = row
  const who = { organisationId, actor: requestedBy, action: row.action }
  // What the push declares waited with it.
  if (row.action === 'pushVersion') await applyTeams(tools, who, version)
  const where = { ...who, environment }
  const deployed = await deployVersion(tools, where, {
    ...{ version, wanted, revision: baseSequence, approvalId: row.id },
    cause: row.action === 'pushVersion' ? 'push' : 'promotion',
  })
  await storeDecision(tools.db, { ...row, status: 'live' })
  return { deployed }
}
