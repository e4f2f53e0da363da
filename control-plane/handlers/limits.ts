import { type limitOperations, Refusal, type ReplyOf } from '@signalbox/sdk/contract'
import { validate as isUuid } from 'uuid'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { checkLimitRevision, planLimit, writeLimit } from '../set-limit.ts'
import { withAudit } from '../stores/audit.ts'
import { listEnvironments } from '../stores/environments.ts'
import {
  deleteLimitRow,
  describeLimit,
  findLimit,
  type LimitRow,
  listLimits,
  type PlacedLimit,
} from '../stores/limits.ts'

type LimitHandlers = Handlers<typeof limitOperations>
type LimitView = ReplyOf<typeof limitOperations.setLimit>

function viewOf(row: PlacedLimit): LimitView {
  const { path, managedBy, revision, createdMs } = row
  return { ...describeLimit(row), path, managedBy, revision, createdMs }
}

/** What a change may change, as it stands in the audit log. */
const changeable = ({ limit, mode, managedBy }: LimitRow) => ({ limit, mode, managedBy })

/** Limits stand in the state of every environment. */
async function publishLimits({ db, stateWriter }: Dependencies, context: RequestContext) {
  return publishAndAwait(stateWriter, context, async () => {
    const environments = await listEnvironments(db, context.organisationId)
    return Promise.all(environments.map(({ name }) => stateWriter.publishState(context.organisationId, name)))
  })
}

function setLimit(dependencies: Dependencies): LimitHandlers['setLimit'] {
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'setLimit' }
    const row = await withAudit(dependencies, audit, async (tx) => {
      const change = await planLimit(tx, dependencies, {
        ...{ organisationId, wanted: body, permit: context.permit },
      })
      const { before, after } = change
      if (before?.revision === after.revision) return { result: after, audit: null }
      await writeLimit(tx, change)
      const was = before === undefined ? null : changeable(before)
      const detail = { path: after.path, place: after.place, before: was, after: changeable(after) }
      return { result: after, audit: { object: `limit ${after.id}`, detail } }
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'rate_limit_of_node') && !isUniqueViolation(error, 'rate_limit_of_key'))
        throw error
      throw new Refusal('conflict', { message: 'Somebody else has just made this limit.' })
    })
    const pending = await publishLimits(dependencies, context)
    const stored = await findLimit(dependencies.db, organisationId, row.id)
    return { ...viewOf(stored ?? row), ...pending }
  }
}

function deleteLimit(dependencies: Dependencies): LimitHandlers['deleteLimit'] {
  return async (context, { params, query }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'deleteLimit' }
    await withAudit(dependencies, audit, async (tx) => {
      const found = isUuid(params.id) ? await findLimit(tx, organisationId, params.id) : undefined
      if (found === undefined) throw new Refusal('not_found', { message: 'There is no such limit.' })
      checkLimitRevision(found, query.revision)
      if (!(await deleteLimitRow(tx, found.id, found.revision))) {
        throw new Refusal('conflict', { message: 'The limit has just been changed by somebody else.' })
      }
      const detail = { path: found.path, place: found.place, before: changeable(found) }
      return { result: undefined, audit: { object: `limit ${found.id}`, detail } }
    })
    return { id: params.id, ...(await publishLimits(dependencies, context)) }
  }
}

/** Limits of nodes and keys: requests and tokens in a window of time, and calls at the same time. */
export function createLimitHandlers(dependencies: Dependencies): LimitHandlers {
  const { db } = dependencies
  return {
    async listLimits({ organisationId, permit }, { query }) {
      const node = query.team === undefined ? undefined : await permit.resolve(query.team)
      if (query.key !== undefined && !isUuid(query.key)) return { items: [] }
      const rows = await listLimits(db, organisationId, {
        reach: permit.reach,
        ...(node !== undefined && { nodeId: node.id }),
        ...(query.key !== undefined && { keyId: query.key }),
      })
      return { items: rows.map(viewOf) }
    },
    setLimit: setLimit(dependencies),
    deleteLimit: deleteLimit(dependencies),
  }
}
