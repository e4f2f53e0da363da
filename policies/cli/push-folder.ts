import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { buildVersion, loadCatalogue, loadWorkspaceFolder } from '@signalbox/policies'
import type { Client, PushVersionReply } from '@signalbox/sdk'
import { Failure } from './context.ts'
import type { Output } from './output.ts'
import { formatProblem, reportProblems } from './problems.ts'

interface PushOptions {
  readonly environment?: string
  readonly message?: string
  readonly output: Output
}

/** What Git knows of a folder; nothing where it is no repository. */
function gitFacts(folder: string): { commit?: string; author?: string } {
  try {
    const run = (format: string): string =>
      execFileSync('git', ['-C', folder, 'log', '-1', `--format=${format}`, '--', '.'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }).trim()
    const commit = run('%H')
    return commit === '' ? {} : { commit, author: run('%an <%ae>') }
  } catch {
    return {}
  }
}

/** Digest of a folder's version as this CLI builds it, without the type check. Null where it does not compile. */
export async function digestOfFolder(folder: string): Promise<string | null> {
  const files = await loadWorkspaceFolder(folder)
  const { version } = await buildVersion(files, { catalogue: loadCatalogue(), typeCheck: false })
  return version?.digest ?? null
}

/** Builds a folder here, sends its sources, and has the control plane build the same. */
export async function pushFolder(
  client: Client,
  folder: string,
  options: PushOptions,
): Promise<PushVersionReply> {
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
    ...gitFacts(folder),
    ...(options.environment === undefined ? {} : { environment: options.environment }),
    ...(options.message === undefined ? {} : { message: options.message }),
  })
  for (const problem of reply.problems) options.output.note(formatProblem(problem, options.output))
  return reply
}
