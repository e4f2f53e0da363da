import { resolve } from 'node:path'
import { buildVersion, loadCatalogue, loadWorkspaceFolder } from '@signalbox/policies'
import { ApiError, type Client, type PushVersionReply } from '@signalbox/sdk'
import { type SigningKey, signVersion } from '@signalbox/sdk/node'
import { Failure } from './context.ts'
import { gitFactsOf } from './git-facts.ts'
import type { Output } from './output.ts'
import { formatProblem, reportProblems } from './problems.ts'

interface PushOptions {
  readonly environment?: string
  readonly message?: string
  readonly output: Output
  /** `clean`: refuse what Git does not have. */
  readonly tree?: 'clean' | 'any'
  /** Where the CI job that pushes can be looked at. */
  readonly ciRun?: string | undefined
  /** Signs the version. */
  readonly authorKey?: SigningKey | undefined
}
type PushInput = Parameters<Client['pushVersion']>[0]

const filesNamedMax = 5

/**
 * Commit, author and CI run of what is pushed; a commit that it is not exactly of is marked `-dirty`.
 * @throws Failure where the folder is not as Git has it, and must be.
 */
function originOf(
  folder: string,
  { tree = 'any', ciRun }: PushOptions,
): Pick<PushInput, 'commit' | 'author' | 'ciRun'> {
  const run = ciRun === undefined ? {} : { ciRun }
  const facts = gitFactsOf(folder)
  if (facts === undefined) return run
  const { commit, author, changed } = facts
  if (changed.length === 0) return { commit, author, ...run }
  if (tree === 'clean') {
    const more = changed.length > filesNamedMax ? ', …' : ''
    throw new Failure(
      `the folder is not as Git has it (${changed.slice(0, filesNamedMax).join(', ')}${more}): commit first, or push with --allow-dirty`,
      'dirty_tree',
    )
  }
  return { commit: `${commit}-dirty`, author, ...run }
}

/** Digest of a folder's version as this CLI builds it, without the type check. Null where it does not compile. */
export async function digestOfFolder(folder: string): Promise<string | null> {
  const files = await loadWorkspaceFolder(folder)
  const { version } = await buildVersion(files, { catalogue: loadCatalogue(), typeCheck: false })
  return version?.digest ?? null
}

/** What is deployed when a push begins, by workspace: of two pushes at once the second is told of the first. */
async function deployedRevisions(
  client: Client,
  environment: string | undefined,
): Promise<ReadonlyMap<string, number> | undefined> {
  if (environment === undefined) return undefined
  const status = await client.getStatus({ environment }).catch((error: unknown) => {
    // Who may deploy a team's workspace need not see the whole organisation.
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined
    throw error
  })
  if (status === undefined) return undefined
  const { environments } = status
  const deployments = environments.flatMap((each) => each.deployments)
  return new Map(deployments.map(({ workspace, revision }) => [workspace, revision]))
}

/** Builds a folder here, sends its sources, and has the control plane build the same. */
export async function pushFolder(
  client: Client,
  folder: string,
  options: PushOptions,
): Promise<PushVersionReply> {
  const before = await deployedRevisions(client, options.environment)
  const origin = originOf(folder, options)
  const files = await loadWorkspaceFolder(folder)
  const { problems, version } = await buildVersion(files, {
    catalogue: loadCatalogue(),
    typeCheck: false,
    overFuel: 'refuse',
  })
  if (version === null) {
    reportProblems(problems, options.output)
    throw new Failure('the workspace does not compile', 'check_failed')
  }
  const reply = await client.pushVersion({
    files: [...files].map(([path, text]) => ({ path, text })),
    digest: version.digest,
    source: `folder:${resolve(folder)}`,
    ...origin,
    ...(options.authorKey !== undefined && { signatures: [signVersion(version.digest, options.authorKey)] }),
    ...(options.environment === undefined
      ? {}
      : {
          environment: options.environment,
          ...(before !== undefined && { revision: before.get(version.compiled.name) ?? 0 }),
        }),
    ...(options.message === undefined ? {} : { message: options.message }),
  })
  for (const problem of reply.problems) options.output.note(formatProblem(problem, options.output))
  return reply
}
