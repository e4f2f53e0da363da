import {
  type Deployment,
  deploymentOperations,
  Refusal,
  type ReplyOf,
  type versionOperations,
} from '@signalbox/sdk/contract'
import { mayCall } from '../authorize.ts'
import { VersionComparer } from '../compare-versions.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { type PublishTools, type Pushed, publishWorkspace } from '../publish.ts'
import { loadBlob } from '../stores/blobs.ts'
import { loadCurrentDeployments } from '../stores/deployments.ts'
import { findVersion, listVersions, type VersionSummary } from '../stores/versions.ts'
import { type TryTools, tryFiles } from '../try-files.ts'
import { describeOne, describeRequest } from './deployment-view.ts'
import { requireEnvironment } from './environments.ts'

type VersionView = ReplyOf<typeof versionOperations.listVersions>['items'][number]
const listedDefault = 50
const sourcePrefix = 'source/'

function describeVersion(
  summary: VersionSummary,
  environments: ReadonlyMap<string, readonly string[]>,
): VersionView {
  const { digest, number, workspace, createdMs, policies, guardrails, prompts, push, parentDigest, inGit } =
    summary
  return {
    version: number,
    ...{ digest, workspace, createdMs, policies, guardrails, prompts },
    push: {
      by: push.by,
      source: push.source,
      commit: push.commit,
      author: push.author,
      message: push.message,
      ciRun: push.ciRun,
      createdMs: push.createdMs,
    },
    parent: parentDigest,
    inGit,
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

/** What a push with an environment came to: a deployment, or a request for one. */
async function describePushed(
  { db }: PublishTools,
  { organisationId }: RequestContext,
  pushed: Pushed['deployed'],
): Promise<Deployment | null> {
  if (pushed === null) return null
  if (pushed.deployed === undefined) return await describeRequest(db, organisationId, pushed.awaiting)
  const { pending } = pushed
  const view = await describeOne(db, organisationId, pushed.deployed.deployment)
  return { ...view, ...(pending === undefined ? {} : { pending }) }
}

const pushVersion =
  (tools: PublishTools): Handlers<typeof versionOperations>['pushVersion'] =>
  async (context, { body }) => {
    const { caller } = context
    if (body.environment !== undefined) {
      if (!mayCall({ ...deploymentOperations.promoteVersion, scope: 'anywhere' }, caller)) {
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
      deployment: await describePushed(tools, context, deployed),
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

/** Versions and where they are deployed. */
export function createVersionHandlers(tools: PublishTools & TryTools): Handlers<typeof versionOperations> {
  const { sources } = tools
  const comparer = new VersionComparer(tools, sources)
  return {
    pushVersion: pushVersion(tools),
    tryFiles: (context, { body }) => tryFiles(tools, sources, context, body),
    getCatalogue: async () => tools.catalogue.catalogue,
    async listVersions({ organisationId }, { query }) {
      const { workspace, limit = listedDefault } = query
      return { items: await loadVersionViews(tools, organisationId, { workspace, limit }) }
    },
    getVersion: getVersion(tools),
    compareVersions: ({ organisationId }, { params, query }) =>
      comparer.compare(organisationId, query.from, params.version),
    getVersionFile: getVersionFile(tools),
  }
}
