import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize, resolve } from 'node:path'
import { isWorkspacePath, loadWorkspaceFolder } from '@signalbox/policies'
import type { Client } from '@signalbox/sdk'
import { Failure } from '../context.ts'
import { gitFactsOf, trackedFiles } from '../git-facts.ts'
import { type Files, planPull } from '../pull-plan.ts'
import { examples, type Verb } from '../verb.ts'

interface Options {
  env?: string
  version?: string
  workspace?: string
  dryRun?: boolean
}
type Version = Awaited<ReturnType<Client['getVersion']>>
/** How far back the version is looked for that an edit started from. */
const parentsMax = 32

/** The sources of a version. @throws Failure for a path that leads out of a workspace. */
async function filesOf(client: Client, version: Version): Promise<Files> {
  const files = new Map<string, string>()
  for (const { path } of version.files) {
    if (isAbsolute(path) || normalize(path).startsWith('..'))
      throw new Failure(`v${version.version} names ${path}`)
    files.set(path, (await client.getVersionFile({ version: version.digest, path })).text)
  }
  return files
}

/** The newest version before the edits outside Git: what the folder was when they began. */
async function baseOf(client: Client, version: Version): Promise<Version | undefined> {
  let at: Version = version
  for (let hops = 0; hops < parentsMax; hops++) {
    if (at.parent === null) return at === version ? undefined : at
    at = await client.getVersion({ version: at.parent })
    if (at.push.commit !== null) return at
  }
  return at
}

/** The version that runs in an environment. @throws Failure where none does, or several. */
async function deployedIn(
  client: Client,
  environment: string,
  workspace: string | undefined,
): Promise<string> {
  const { environments } = await client.getStatus({ environment })
  const deployments = environments.flatMap(({ deployments: all }) => all)
  const found = deployments.filter((each) => workspace === undefined || each.workspace === workspace)
  const [first] = found
  if (first === undefined) throw new Failure(`nothing is deployed to ${environment}`)
  if (found.length > 1) {
    throw new Failure(
      `name one of the workspaces: ${found.map((each) => each.workspace).join(', ')}`,
      'usage',
    )
  }
  return first.stable.digest
}

/** What is in the folder; nothing where it is not there yet, or holds no part of a workspace. */
async function loadHere(folder: string): Promise<Files> {
  const names = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []
  const hasParts = names.some((each) => isWorkspacePath(each.isDirectory() ? `${each.name}/` : each.name))
  return hasParts ? await loadWorkspaceFolder(folder) : new Map()
}

/** Whether Git has the very text that a file has now. */
function committedIn(folder: string): (path: string) => boolean {
  const changed = new Set(gitFactsOf(folder)?.changed)
  const tracked = trackedFiles(folder)
  return (path) => tracked.has(path) && !changed.has(path)
}

export const verb: Verb = {
  name: 'pull',
  register(program, context) {
    program
      .command('pull [dir]')
      .description('write what is deployed into the folder, and keep what was changed there')
      .option('--env <environment>', 'what runs there')
      .option('--version <version>', 'this version instead: v12')
      .option('--workspace <name>', 'which one, where an environment runs several')
      .option('--dry-run', 'only say what would be done')
      .addHelpText(
        'after',
        examples(['signalbox pull --env production', 'signalbox pull acme --version v12']),
      )
      .action(async (dir: string | undefined, options: Options) => {
        const { output, config } = context
        const client = context.client()
        const folder = resolve(dir ?? '.')
        const { env = config.environment, workspace } = options
        const reference = options.version ?? (await deployedIn(client, env, workspace))
        const version = await client.getVersion({ version: reference })
        const base = await baseOf(client, version)
        const plan = planPull(await loadHere(folder), await filesOf(client, version), {
          base: base === undefined ? new Map() : await filesOf(client, base),
          isCommitted: committedIn(folder),
        })
        const isDone = plan.conflicts.length === 0 && options.dryRun !== true
        output.document({
          ...{
            version: version.version,
            digest: version.digest,
            base: base?.version ?? null,
            written: isDone,
          },
          steps: plan.steps.map(({ path, does }) => ({ path, does })),
          ...{ conflicts: plan.conflicts, onlyHere: plan.onlyHere },
        })
        for (const { path, does } of plan.steps) output.line(`${does.padEnd(6)} ${path}`)
        for (const path of plan.conflicts) output.line(`${output.style('red', 'both')}   ${path}`)
        for (const path of plan.onlyHere) output.line(`stays  ${path}`)
        if (plan.conflicts.length > 0) {
          throw new Failure('nothing was written: commit or put aside what was changed here, then pull again')
        }
        if (!isDone) return
        for (const { path, text } of plan.steps) {
          const file = join(folder, path)
          if (text === null) rmSync(file)
          else {
            mkdirSync(dirname(file), { recursive: true })
            writeFileSync(file, text)
          }
        }
        output.line(`${folder} holds v${version.version}${plan.steps.length === 0 ? ' already' : ''}`)
      })
  },
}
