import {
  type BodyOf,
  type Deployment,
  type deploymentOperations,
  type QueryOf,
  Refusal,
} from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import type { Queryable } from '../db/connect.ts'
import type { WantedDeployment } from '../db/schema.ts'
import type { Deployed, DeployTools } from '../deploy.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import type { PublishTools } from '../publish.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { requireCoverage } from '../required-coverage.ts'
import { rollbackDeployment, versionBefore } from '../roll-back.ts'
import {
  decideDeployment,
  type Requested,
  requestDeployment,
  requiredApprovals,
} from '../rollouts/approvals.ts'
import { comparisonOf } from '../rollouts/compare-arms.ts'
import { wantedCandidate, wishesCandidate } from '../rollouts/next-deployment.ts'
import { listApprovals } from '../stores/approvals.ts'
import { listDeployments, loadCurrentDeployments, loadDeploymentHistory } from '../stores/deployments.ts'
import { resolveNode } from '../stores/nodes.ts'
import { loadShadowChanges } from '../stores/shadow-tallies.ts'
import { findVersion, findVersionByDigest, loadVersionNumbers } from '../stores/versions.ts'
import type { VersionSources } from '../try-files.ts'
import { describeDeployments, describeOne, describeRequest } from './deployment-view.ts'
import { requireEnvironment } from './environments.ts'

type DeploymentHandlers = Handlers<typeof deploymentOperations>
export interface DeploymentTools extends PublishTools {
  readonly sources: VersionSources
}
const listedDefault = 50

/** Waits until the gateways run a deployment, and shows it. */
async function awaitDeployed(
  { db, stateWriter }: DeployTools,
  context: RequestContext,
  { deployment, publication }: Deployed,
): Promise<Deployment> {
  const pending = await publishAndAwait(stateWriter, context, async () =>
    publication === null ? [] : [publication],
  )
  return { ...(await describeOne(db, context.organisationId, deployment)), ...pending }
}

async function showRequested(
  tools: DeployTools,
  context: RequestContext,
  requested: Requested,
): Promise<Deployment> {
  return requested.deployed === undefined
    ? await describeRequest(tools.db, context.organisationId, requested.awaiting)
    : await awaitDeployed(tools, context, requested.deployed)
}

type PromoteBody = BodyOf<typeof deploymentOperations.promoteVersion>

/** @throws Refusal `invalid_request` where a shadow is asked to have a share, `not_found` for a team. */
async function readWish(
  q: Queryable,
  organisationId: string,
  body: PromoteBody,
): Promise<Omit<WantedDeployment, 'digest'>> {
  const { shadow = false, reason = null, guards, shadowPpm } = body
  const isCandidate = wishesCandidate(body)
  if (shadow && isCandidate) {
    throw new Refusal('invalid_request', { message: 'A shadow has no share of the calls.', param: 'shadow' })
  }
  if (!shadow && shadowPpm !== undefined) {
    const message = 'shadowPpm says how many calls shadows look at: it needs shadow.'
    throw new Refusal('invalid_request', { message, param: 'shadowPpm' })
  }
  if (!isCandidate && (guards !== undefined || body.by !== undefined)) {
    throw new Refusal('invalid_request', {
      message: 'Only a candidate is watched and drawn: name its share (canaryPpm), teams or ramp.',
      param: guards === undefined ? 'by' : 'guards',
    })
  }
  const common = { shadow, reason, source: null, ...(shadowPpm !== undefined && { shadowPpm }) }
  if (!isCandidate) return { ...common, candidate: null }
  const teams = await Promise.all(
    (body.teams ?? []).map(async (name) => (await resolveNode(q, organisationId, name)).id),
  )
  const version = await findVersion(q, organisationId, body.version)
  const current = (await loadCurrentDeployments(q, organisationId, body.environment)).find(
    ({ workspace }) => workspace === version.workspace,
  )
  const running = current?.candidate?.digest === version.digest ? current.candidate : null
  const wish = { ...body, ...(body.teams === undefined ? {} : { teams }) }
  return { ...common, candidate: wantedCandidate(wish, running) }
}

const promoteVersion =
  (tools: DeploymentTools): DeploymentHandlers['promoteVersion'] =>
  async (context, { body }) => {
    const { organisationId, actor } = context
    const { version: reference, environment, revision } = body
    await requireEnvironment(tools.db, organisationId, environment)
    const version = await findVersion(tools.db, organisationId, reference)
    const wish = await readWish(tools.db, organisationId, body)
    if (!wish.shadow) {
      await requireCoverage(tools, tools.sources, context, { version: reference, environment })
    }
    const place = { organisationId, environment, actor, action: 'promoteVersion' }
    const wanted = { ...wish, digest: version.digest }
    const wished = { version, wanted, cause: 'promotion', revision } as const
    return await showRequested(tools, context, await requestDeployment(tools, place, wished))
  }

const rollback =
  (tools: DeploymentTools): DeploymentHandlers['rollbackDeployment'] =>
  async (context, { body }) => {
    const { organisationId, actor } = context
    const { environment, workspace, to, shadow, reason, revision } = body
    await requireEnvironment(tools.db, organisationId, environment)
    const place = { organisationId, environment, actor, action: 'rollbackDeployment' }
    const deployed = await rollbackDeployment(tools, place, {
      ...{ workspace, to, shadow, reason, revision },
      async mayBeNew({ stableDigest }) {
        const stable = await findVersionByDigest(tools.db, organisationId, stableDigest)
        return stable === undefined || (await requiredApprovals(tools, place, stable)).count === 0
      },
    })
    return await awaitDeployed(tools, context, deployed)
  }

const getDeployment =
  ({ db }: DeploymentTools): DeploymentHandlers['getDeployment'] =>
  async ({ organisationId }, { params: { id } }) => {
    const [row] = isUuid(id) ? await listDeployments(db, organisationId, { id, limit: 1 }) : []
    if (row === undefined) throw new Refusal('not_found', { message: 'There is no such deployment.' })
    const changes = await loadShadowChanges(db, id)
    const previous = versionBefore(await loadDeploymentHistory(db, row))
    const digests = changes.map(({ digest }) => digest)
    const numbers = await loadVersionNumbers(db, organisationId, [
      ...digests,
      ...(previous === undefined ? [] : [previous]),
    ])
    return {
      ...(await describeOne(db, organisationId, row)),
      previous: previous === undefined ? null : { version: numbers.get(previous) ?? 0, digest: previous },
      comparison: await comparisonOf(db, row),
      shadowChanges: changes.map((each) => ({ version: numbers.get(each.digest) ?? 0, ...each })),
    }
  }

async function environmentFilter(
  { db }: DeploymentTools,
  organisationId: string,
  { environment, limit = listedDefault }: QueryOf<typeof deploymentOperations.listDeployments>,
) {
  if (environment !== undefined) await requireEnvironment(db, organisationId, environment)
  return { environment, limit }
}

/** Where versions run: promotions, candidates, shadows, rollbacks and who agreed to them. */
export function createDeploymentHandlers(tools: DeploymentTools): DeploymentHandlers {
  const { db } = tools
  const decide =
    (decision: 'approved' | 'rejected') =>
    async (
      context: RequestContext,
      input: { params: { id: string }; body: BodyOf<typeof deploymentOperations.approveDeployment> },
    ) => {
      const { person, comment } = input.body
      const said = { id: input.params.id, decision, person, comment }
      return await showRequested(tools, context, await decideDeployment(tools, context, said))
    }
  return {
    async listDeployments({ organisationId }, { query }) {
      const filter = await environmentFilter(tools, organisationId, query)
      const rows = await listDeployments(db, organisationId, filter)
      return { items: await describeDeployments(db, organisationId, rows) }
    },
    getDeployment: getDeployment(tools),
    promoteVersion: promoteVersion(tools),
    rollbackDeployment: rollback(tools),
    async listApprovals({ organisationId }, { query }) {
      const rows = await listApprovals(
        db,
        organisationId,
        await environmentFilter(tools, organisationId, query),
      )
      const items: Deployment[] = []
      for (const row of rows) items.push(await describeRequest(db, organisationId, row))
      return { items }
    },
    approveDeployment: decide('approved'),
    rejectDeployment: decide('rejected'),
  }
}
