import { Refusal } from '@signalbox/sdk/contract'
import type { Transaction } from './db/connect.ts'
import type { Dependencies } from './dependencies.ts'
import type { Publisher } from './documents/publisher.ts'
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
import { findEnvironment } from './stores/environments.ts'
import { findNodeByPath } from './stores/nodes.ts'
import type { VersionRow } from './stores/versions.ts'

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
/** What a deployment is to point at; decided under the lock, from what holds then. */
interface Choice {
  readonly version: VersionRow
  readonly rollbackOf: string | null
  readonly source: string | null
}

async function requireDeployable(
  tx: Transaction,
  context: DeployContext,
  version: VersionRow,
): Promise<void> {
  const { organisationId, environment } = context
  const place = await findEnvironment(tx, organisationId, environment)
  if (place === undefined) {
    throw new Refusal('not_found', {
      message: `There is no environment "${environment}".`,
      param: 'environment',
    })
  }
  if (place.freezeReason !== null) {
    throw new Refusal('conflict', {
      message: `Nothing is deployed to ${environment} now: ${place.freezeReason}`,
    })
  }
  const { node } = version.compiled
  if ((await findNodeByPath(tx, organisationId, node)) === undefined) {
    throw new Refusal('not_found', { message: `There is no node "${node}" to own the workspace.` })
  }
}

/**
 * Points an environment at a version: deployment row, release that carries it, audit row, in one transaction.
 * Deployments to one environment wait for each other, so each sees what the one before it left.
 */
async function deployChoice(
  tools: DeployTools,
  context: DeployContext,
  choose: (tx: Transaction) => Promise<Choice | NumberedDeployment>,
): Promise<Deployed> {
  const { organisationId, environment, actor, action } = context
  let standing: NumberedDeployment | undefined
  const { change: id, publication } = await tools.publisher.deploy(context, async (tx, releaseSequence) => {
    const choice = await choose(tx)
    if ('stableDigest' in choice) {
      standing = choice
      return null
    }
    const { version, rollbackOf, source } = choice
    await requireDeployable(tx, context, version)
    const where = { organisationId, environment, workspace: version.workspace }
    const before = (await loadDeploymentHistory(tx, where)).at(-1)
    const row: DeploymentRow = {
      id: tools.newId(),
      ...where,
      sequence: (before?.sequence ?? 0) + 1,
      stableDigest: version.digest,
      candidate: null,
      shadows: [],
      releaseSequence,
      rollbackOf,
      source,
      by: actor,
      createdMs: tools.nowMs(),
    }
    await insertDeployment(tx, row)
    const detail = {
      environment,
      workspace: version.workspace,
      version: version.number,
      digest: version.digest,
      release: releaseSequence,
      before: before?.stableDigest ?? null,
      rollbackOf,
    }
    const entry = { actor, action, object: `deployment ${row.id}`, detail, nowMs: tools.nowMs }
    await appendAudit(tx, organisationId, entry)
    return row.id
  })
  const made = id === null ? [standing] : await listDeployments(tools.db, organisationId, { id, limit: 1 })
  if (made[0] === undefined) throw new Error(`deployment ${id} is not there`)
  return { deployment: made[0], publication }
}

async function currentOf(tx: Transaction, context: DeployContext, workspace: string) {
  const current = await loadCurrentDeployments(tx, context.organisationId, context.environment)
  return current.find((row) => row.workspace === workspace)
}

/** Makes a version the stable one of an environment. Where it is already, and alone, nothing is changed. */
export async function deployVersion(
  tools: DeployTools,
  context: DeployContext,
  { version, source }: { readonly version: VersionRow; readonly source: string | null },
): Promise<Deployed> {
  return await deployChoice(tools, context, async (tx) => {
    const current = await currentOf(tx, context, version.workspace)
    if (current?.stableDigest === version.digest && current.candidate === null) return current
    return { version, source, rollbackOf: null }
  })
}

/**
 * The version that stood before the current one, undoing earlier rollbacks: after A, B, C, a rollback gives B and the
 * next one A, not C again. History oldest first.
 */
export function versionBefore(
  history: readonly Pick<DeploymentRow, 'stableDigest' | 'rollbackOf'>[],
): string | undefined {
  const stack: string[] = []
  for (const { stableDigest, rollbackOf } of history) {
    const at = stack.lastIndexOf(stableDigest)
    if (rollbackOf !== null && at !== -1) stack.length = at + 1
    else if (stack.at(-1) !== stableDigest) stack.push(stableDigest)
  }
  return stack.at(-2)
}

/** The one workspace of an environment, or the one that is named. */
async function rolledBackWorkspace(
  tx: Transaction,
  context: DeployContext,
  named: string | undefined,
): Promise<NumberedDeployment> {
  const current = await loadCurrentDeployments(tx, context.organisationId, context.environment)
  const found = named === undefined ? current : current.filter((row) => row.workspace === named)
  const [row] = found
  if (row === undefined) {
    const what = named === undefined ? 'Nothing' : `Workspace "${named}"`
    throw new Refusal('not_found', { message: `${what} is not deployed to ${context.environment}.` })
  }
  if (found.length > 1) {
    const names = found.map((each) => each.workspace).join(', ')
    throw new Refusal('invalid_request', {
      message: `Name one of the workspaces: ${names}.`,
      param: 'workspace',
    })
  }
  return row
}

/** Puts a workspace of an environment back to the version before, or to `to`: a new release with an older version. */
export async function rollbackDeployment(
  tools: DeployTools,
  context: DeployContext,
  wanted: {
    readonly workspace: string | undefined
    readonly find: (
      tx: Transaction,
      workspace: string,
      before: string | undefined,
    ) => Promise<VersionRow | undefined>
  },
): Promise<Deployed> {
  return await deployChoice(tools, context, async (tx) => {
    const current = await rolledBackWorkspace(tx, context, wanted.workspace)
    const { organisationId, environment } = context
    const where = { organisationId, environment, workspace: current.workspace }
    const before = versionBefore(await loadDeploymentHistory(tx, where))
    const version = await wanted.find(tx, current.workspace, before)
    if (version === undefined) {
      throw new Refusal('conflict', {
        message: `v${current.stableNumber} is the first version deployed here.`,
      })
    }
    if (version.workspace !== current.workspace) {
      throw new Refusal('not_found', {
        message: `v${version.number} is a version of workspace "${version.workspace}", not of "${current.workspace}".`,
      })
    }
    if (version.digest === current.stableDigest) {
      throw new Refusal('conflict', { message: `v${version.number} is the stable version here already.` })
    }
    return { version, rollbackOf: current.id, source: null }
  })
}
