import { type QueryOf, Refusal, type ReplyOf, versionOperations } from '@signalbox/sdk/contract'
import { mayCall } from '../authorize.ts'
import { type Deployed, type DeployTools, deployVersion, rollbackDeployment } from '../deploy.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { type PublishTools, publishWorkspace } from '../publish.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { requireCoverage } from '../required-coverage.ts'
import { loadBlob } from '../stores/blobs.ts'
import { listDeployments, loadCurrentDeployments } from '../stores/deployments.ts'
import { findVersion, findVersionByDigest, listVersions, type VersionSummary } from '../stores/versions.ts'
import { type TryTools, tryFiles, VersionSources } from '../try-files.ts'
import { type DeploymentView, describeDeployment } from './deployment-view.ts'
import { requireEnvironment } from './environments.ts'

type VersionView = ReplyOf<typeof versionOperations.listVersions>['items'][number]
const listedDefault = 50
const sourcePrefix = 'source/'

function describeVersion(
  summary: VersionSummary,
  environments: ReadonlyMap<string, readonly string[]>,
): VersionView {
  const { digest, number, workspace, createdMs, policies, guardrails, prompts, push } = summary
  return {
    version: number,
    ...{ digest, workspace, createdMs, policies, guardrails, prompts },
    push: {
      by: push.by,
      source: push.source,
      commit: push.commit,
      author: push.author,
      message: push.message,
      createdMs: push.createdMs,
    },
    environments: [...(environments.get(digest) ?? [])],
  }
}

/** Versions as the API shows them, with the environments where they are stable now. */
async function loadVersionViews(
  { db }: PublishTools,
  organisationId: string,
  filter: { workspace?: string | undefined; digest?: string; limit: number },
): Promise<VersionView[]> {
  const environments = new Map<string, string[]>()
  for (const { stableDigest, environment } of await loadCurrentDeployments(db, organisationId)) {
    environments.set(stableDigest, [...(environments.get(stableDigest) ?? []), environment])
  }
  const summaries = await listVersions(db, organisationId, filter)
  return summaries.map((summary) => describeVersion(summary, environments))
}

async function loadVersionView(tools: PublishTools, organisationId: string, digest: string) {
  const [view] = await loadVersionViews(tools, organisationId, { digest, limit: 1 })
  if (view === undefined) throw new Error(`version ${digest} has no push`)
  return view
}

/** Waits until the gateways run a deployment, and shows it. */
async function awaitDeployed(
  { stateWriter }: DeployTools,
  context: RequestContext,
  { deployment, publication }: Deployed,
): Promise<DeploymentView> {
  const pending = await publishAndAwait(stateWriter, context, async () =>
    publication === null ? [] : [publication],
  )
  return { ...describeDeployment(deployment), ...pending }
}

const pushVersion =
  (tools: PublishTools): Handlers<typeof versionOperations>['pushVersion'] =>
  async (context, { body }) => {
    const { caller } = context
    if (body.environment !== undefined) {
      if (!mayCall({ ...versionOperations.promoteVersion, scope: 'anywhere' }, caller)) {
        throw new Refusal('forbidden', {
          message:
            'Deploying needs a token of role owner or admin; push without an environment, or ask for a promotion.',
          param: 'environment',
        })
      }
      await requireEnvironment(tools.db, context.organisationId, body.environment)
    }
    const { version, created, cases, problems, deployed } = await publishWorkspace(tools, context, body)
    return {
      ...(await loadVersionView(tools, context.organisationId, version.digest)),
      created,
      cases: { passed: cases.passed, failed: cases.failed },
      problems: [...problems],
      deployment:
        deployed === null
          ? null
          : {
              ...describeDeployment(deployed.deployment),
              ...(deployed.pending === undefined ? {} : { pending: deployed.pending }),
            },
    }
  }

const getVersion =
  (tools: PublishTools): Handlers<typeof versionOperations>['getVersion'] =>
  async ({ organisationId }, { params }) => {
    const row = await findVersion(tools.db, organisationId, params.version)
    const files = row.manifest.blobs
      .filter(({ path }) => path.startsWith(sourcePrefix))
      .map(({ path, bytes, digest }) => ({ path: path.slice(sourcePrefix.length), bytes, digest }))
    return {
      ...(await loadVersionView(tools, organisationId, row.digest)),
      compiled: row.compiled,
      files,
      cases: row.cases,
      problems: row.problems,
    }
  }

const getVersionFile =
  ({ db }: PublishTools): Handlers<typeof versionOperations>['getVersionFile'] =>
  async ({ organisationId }, { params, query }) => {
    const row = await findVersion(db, organisationId, params.version)
    const blob = row.manifest.blobs.find(({ path }) => path === `${sourcePrefix}${query.path}`)
    const bytes = blob === undefined ? undefined : await loadBlob(db, organisationId, blob.digest)
    if (bytes === undefined) {
      throw new Refusal('not_found', { message: `v${row.number} has no file ${query.path}.` })
    }
    return { path: query.path, text: Buffer.from(bytes).toString('utf8') }
  }

async function listDeploymentViews(
  { db }: PublishTools,
  organisationId: string,
  query: QueryOf<typeof versionOperations.listDeployments>,
): Promise<DeploymentView[]> {
  const { environment, limit = listedDefault } = query
  if (environment !== undefined) await requireEnvironment(db, organisationId, environment)
  const rows = await listDeployments(db, organisationId, { environment, limit })
  return rows.map(describeDeployment)
}

/** Versions and where they are deployed. */
export function createVersionHandlers(tools: PublishTools & TryTools): Handlers<typeof versionOperations> {
  const { db } = tools
  const sources = new VersionSources(db)
  return {
    pushVersion: pushVersion(tools),
    tryFiles: (context, { body }) => tryFiles(tools, sources, context, body),
    getCatalogue: async () => tools.catalogue.catalogue,
    async listVersions({ organisationId }, { query }) {
      const { workspace, limit = listedDefault } = query
      return { items: await loadVersionViews(tools, organisationId, { workspace, limit }) }
    },
    getVersion: getVersion(tools),
    getVersionFile: getVersionFile(tools),
    async listDeployments({ organisationId }, { query }) {
      return { items: await listDeploymentViews(tools, organisationId, query) }
    },
    async promoteVersion(context, { body: { version, environment } }) {
      const { organisationId, actor } = context
      const row = await findVersion(db, organisationId, version)
      await requireCoverage(tools, sources, context, { version, environment })
      const place = { organisationId, environment, actor, action: 'promoteVersion' }
      return awaitDeployed(tools, context, await deployVersion(tools, place, { version: row, source: null }))
    },
    async rollbackDeployment(context, { body: { environment, workspace, to } }) {
      const { organisationId, actor } = context
      await requireEnvironment(db, organisationId, environment)
      const place = { organisationId, environment, actor, action: 'rollbackDeployment' }
      const deployed = await rollbackDeployment(tools, place, {
        workspace,
        async find(tx, _workspace, before) {
          if (to !== undefined) return await findVersion(tx, organisationId, to)
          return before === undefined ? undefined : await findVersionByDigest(tx, organisationId, before)
        },
      })
      return awaitDeployed(tools, context, deployed)
    },
  }
}
