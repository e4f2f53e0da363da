import { Refusal } from '@signalbox/sdk/contract'
import type { Transaction } from './db/connect.ts'
import {
  type Choice,
  type DeployContext,
  type Deployed,
  type DeployTools,
  deployChoice,
  requireRevision,
} from './deploy.ts'
import { requireDeployable, requireUnfrozen } from './rollouts/deployable.ts'
import {
  type DeploymentRow,
  loadCurrentDeployments,
  loadDeploymentHistory,
  type NumberedDeployment,
} from './stores/deployments.ts'
import { findVersion, findVersionByDigest, type VersionRow } from './stores/versions.ts'

/** What to go back to; the candidate is dropped first where nothing is named. */
export interface RollbackWish {
  readonly workspace: string | undefined
  readonly to: string | undefined
  /** The shadow to take away, or `all`. */
  readonly shadow: string | undefined
  readonly reason: string | undefined
  readonly revision: number | undefined
  /** Whether a version may stand here that never did; else only what people agreed to before. */
  readonly mayBeNew: (current: NumberedDeployment) => Promise<boolean>
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
    const what = named === undefined ? 'Nothing is' : `Workspace "${named}" is not`
    throw new Refusal('not_found', { message: `${what} deployed to ${context.environment}.` })
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

type Where = Pick<DeployContext, 'organisationId' | 'environment'> & { readonly workspace: string }

/** The stable version to go back to. @throws Refusal where there is none, or it may not stand here. */
async function findTarget(
  tx: Transaction,
  current: NumberedDeployment,
  where: Where,
  wish: RollbackWish,
): Promise<VersionRow> {
  const { organisationId, environment } = where
  const history = await loadDeploymentHistory(tx, where)
  const before = versionBefore(history)
  const named = wish.to === undefined ? undefined : await findVersion(tx, organisationId, wish.to)
  const version =
    named ?? (before === undefined ? undefined : await findVersionByDigest(tx, organisationId, before))
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
  const stood = history.some(({ stableDigest }) => stableDigest === version.digest)
  if (!stood && !(await wish.mayBeNew(current))) {
    throw new Refusal('conflict', {
      message:
        `v${version.number} was never stable in ${environment}, where somebody else must agree first: ` +
        `signalbox promote v${version.number} --env ${environment}`,
    })
  }
  return version
}

async function withoutShadow(
  tx: Transaction,
  current: NumberedDeployment,
  shadow: string,
): Promise<string[]> {
  if (shadow === 'all') return []
  const { digest, number } = await findVersion(tx, current.organisationId, shadow)
  if (current.shadows.includes(digest)) return current.shadows.filter((each) => each !== digest)
  throw new Refusal('not_found', { message: `v${number} is no shadow here.` })
}

/**
 * Takes the candidate back; without one, or with `to`, puts a workspace of an environment back to the version before,
 * or to that one: a new release with an older version.
 */
export async function rollbackDeployment(
  tools: DeployTools,
  context: DeployContext,
  wish: RollbackWish,
): Promise<Deployed> {
  return await deployChoice(tools, context, async (tx): Promise<Choice> => {
    const current = await rolledBackWorkspace(tx, context, wish.workspace)
    requireRevision(current, wish.revision, context.environment)
    const { organisationId, environment } = context
    const where = { organisationId, environment, workspace: current.workspace }
    const { stableDigest, candidate, shadows, workspace } = current
    const common = { workspace, cause: 'rollback', reason: wish.reason ?? null } as const
    if (wish.shadow !== undefined) {
      await requireUnfrozen(tx, where)
      const left = await withoutShadow(tx, current, wish.shadow)
      return { ...common, stableDigest, candidate, shadows: left }
    }
    if (candidate !== null && wish.to === undefined) {
      await requireUnfrozen(tx, where)
      return { ...common, stableDigest, candidate: null, shadows, rollbackOf: current.id }
    }
    const version = await findTarget(tx, current, where, wish)
    await requireDeployable(tx, { ...where, nowMs: tools.nowMs() }, version)
    const others = shadows.filter((digest) => digest !== version.digest)
    return {
      ...common,
      stableDigest: version.digest,
      candidate: null,
      shadows: others,
      rollbackOf: current.id,
    }
  })
}
