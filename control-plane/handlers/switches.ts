import {
  type BodyOf,
  type FreezeView,
  Refusal,
  type ReplyOf,
  type switchOperations,
} from '@signalbox/sdk/contract'
import { grantsOf } from '../authorize.ts'
import type { Queryable } from '../db/connect.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import { type EnvironmentRow, lockEnvironment, storeFreeze } from '../stores/environments.ts'
import { deployedVersions } from '../stores/params.ts'
import { createParamHandlers } from './params.ts'

type SwitchHandlers = Handlers<typeof switchOperations>
type FreezeReply = ReplyOf<typeof switchOperations.freezeEnvironment>
type Policies = FreezeView['policies']
type Wish = BodyOf<typeof switchOperations.freezeEnvironment>

/** What is switched off in an environment, as the API shows it. A freeze from before says nothing of who and when. */
export function freezeOf({
  freezeReason,
  freeze,
  createdMs,
}: Pick<EnvironmentRow, 'freezeReason' | 'freeze' | 'createdMs'>): FreezeView | null {
  if (freezeReason === null) return null
  const all = { deployments: true, candidates: false, policies: [], by: 'unknown', sinceMs: createdMs }
  return { reason: freezeReason, ...(freeze ?? all) }
}

const samePolicy = (one: Policies[number]) => (other: Policies[number]) =>
  one.workspace === other.workspace && one.policy === other.policy

/** @throws Refusal `not_found` for a policy that is not there, `forbidden` for a constraint without the role. */
async function requireSwitchable(q: Queryable, context: RequestContext, environment: string, wish: Policies) {
  if (wish.length === 0) return
  const versions = await deployedVersions(q, context.organisationId, environment)
  for (const { workspace, policy } of wish) {
    const known = versions.filter(({ compiled }) => compiled.name === workspace)
    const found = known.flatMap(({ compiled }) => compiled.policies).filter(({ id }) => id === policy)
    if (found.length === 0) {
      const names = known.flatMap(({ compiled }) => compiled.policies.map(({ id }) => id)).join(', ')
      throw new Refusal('not_found', {
        message: `There is no policy "${policy}" of workspace "${workspace}" in ${environment}. There is: ${names || 'none'}.`,
        param: 'policies',
      })
    }
    const mayLoosen = grantsOf(context.caller).some(
      ({ role, path }) => path === '' && (role === 'security' || role === 'owner'),
    )
    if (found.some(({ kind }) => kind === 'constraint') && !mayLoosen) {
      throw new Refusal('forbidden', {
        message: `"${policy}" is a constraint: switching it off needs the role security on the organisation.`,
        param: 'policies',
      })
    }
  }
}

function added(before: FreezeView | null, wish: Wish, now: { by: string; sinceMs: number }): FreezeView {
  const { reason, candidates = false, policies = [] } = wish
  const { deployments = !candidates && policies.length === 0 } = wish
  const others = (before?.policies ?? []).filter((each) => !policies.some(samePolicy(each)))
  return {
    reason,
    deployments: deployments || (before?.deployments ?? false),
    candidates: candidates || (before?.candidates ?? false),
    policies: [...others, ...policies],
    ...now,
  }
}

/** What is left of a freeze; null where nothing is. */
function taken(
  before: FreezeView,
  wish: BodyOf<typeof switchOperations.unfreezeEnvironment>,
): FreezeView | null {
  const { deployments, candidates, policies } = wish
  if (deployments === undefined && candidates === undefined && policies === undefined) return null
  const left: FreezeView = {
    ...before,
    deployments: before.deployments && deployments !== true,
    candidates: before.candidates && candidates !== true,
    policies: before.policies.filter((each) => !(policies ?? []).some(samePolicy(each))),
  }
  return left.deployments || left.candidates || left.policies.length > 0 ? left : null
}

/** Changes what is switched off, with an audit row, and waits until the gateways have the state that says so. */
async function changeFreeze(
  dependencies: Dependencies,
  context: RequestContext,
  of: {
    readonly environment: string
    readonly action: string
    readonly change: (tx: Queryable, before: FreezeView | null) => Promise<FreezeView | null>
  },
): Promise<FreezeReply> {
  const { organisationId, actor } = context
  const { environment, action } = of
  const after = await withAudit(dependencies, { organisationId, actor, action }, async (tx) => {
    const row = await lockEnvironment(tx, organisationId, environment)
    if (row === undefined) {
      throw new Refusal('not_found', {
        message: `There is no environment "${environment}".`,
        param: 'environment',
      })
    }
    const before = freezeOf(row)
    const result = await of.change(tx, before)
    const { reason = null, ...freeze } = result ?? {}
    const scope = result === null ? null : (freeze as NonNullable<EnvironmentRow['freeze']>)
    await storeFreeze(tx, row, { freezeReason: reason, freeze: scope })
    return { result, audit: { object: `environment ${environment}`, detail: { before, after: result } } }
  })
  const pending = await publishAndAwait(dependencies.stateWriter, context, async () => [
    await dependencies.stateWriter.publishState(organisationId, environment),
  ])
  return { environment, freeze: after, ...pending }
}

/** What holds at once, without a version. */
export function createSwitchHandlers(dependencies: Dependencies): SwitchHandlers {
  return {
    ...createParamHandlers(dependencies),
    async freezeEnvironment(context, { params: { environment }, body }) {
      return await changeFreeze(dependencies, context, {
        ...{ environment, action: 'freezeEnvironment' },
        async change(tx, before) {
          await requireSwitchable(tx, context, environment, body.policies ?? [])
          return added(before, body, { by: context.actor, sinceMs: dependencies.nowMs() })
        },
      })
    },
    async unfreezeEnvironment(context, { params: { environment }, body }) {
      return await changeFreeze(dependencies, context, {
        ...{ environment, action: 'unfreezeEnvironment' },
        async change(_tx, before) {
          if (before !== null) return taken(before, body)
          throw new Refusal('conflict', { message: `Nothing is frozen in ${environment}.` })
        },
      })
    },
  }
}
