import { type accessOperations, Refusal } from '@signalbox/sdk/contract'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import { listEnvironments } from '../stores/environments.ts'
import { findRootNode, insertNode, listNodes, type NodeRow, resolveNode } from '../stores/nodes.ts'

type TeamHandlers = Pick<Handlers<typeof accessOperations>, 'listTeams' | 'createTeam'>

/** Teams below teams: more levels than any organisation has, few enough for every walk up the tree. */
const depthMax = 16

function describeTeam(row: NodeRow, keys: number) {
  const { id, name, kind, parentId, path, managedBy, createdMs } = row
  return { id, name, kind, parentId, path, managedBy, keys, createdMs }
}

function newNode(
  parent: NodeRow,
  { id, name, kind, nowMs }: { id: string; name: string; kind: 'team' | 'project'; nowMs: number },
): NodeRow {
  const path = parent.path === '' ? name : `${parent.path}/${name}`
  if (parent.kind === 'project') {
    throw new Refusal('invalid_request', { message: 'Nothing stands below a project.', param: 'parent' })
  }
  if (path.split('/').length > depthMax) {
    throw new Refusal('invalid_request', {
      message: `The tree has at most ${depthMax} levels.`,
      param: 'parent',
    })
  }
  const { organisationId } = parent
  return {
    id,
    organisationId,
    parentId: parent.id,
    kind,
    name,
    path,
    managedBy: 'api',
    limits: {},
    createdMs: nowMs,
  }
}

/** The tree stands in the state of every environment. */
async function publishTree({ db, stateWriter }: Dependencies, context: RequestContext) {
  const { organisationId } = context
  return publishAndAwait(stateWriter, context, async () => {
    const environments = await listEnvironments(db, organisationId)
    return Promise.all(environments.map(({ name }) => stateWriter.publishState(organisationId, name)))
  })
}

export function createTeamHandlers(dependencies: Dependencies): TeamHandlers {
  const { db, newId, nowMs } = dependencies
  return {
    async listTeams({ organisationId }) {
      const rows = await listNodes(db, organisationId)
      return { items: rows.map((row) => describeTeam(row, row.keys)) }
    },

    async createTeam(context, { body }) {
      const { organisationId, actor } = context
      const kind = body.kind ?? 'team'
      const audit = { organisationId, actor, action: 'createTeam' }
      const row = await withAudit(dependencies, audit, async (transaction) => {
        const parent =
          body.parent === undefined
            ? await findRootNode(transaction, organisationId)
            : await resolveNode(transaction, organisationId, body.parent)
        const made = newNode(parent, { id: newId(), name: body.name, kind, nowMs: nowMs() })
        await insertNode(transaction, made)
        return { result: made, audit: { object: `node ${made.id}`, detail: { path: made.path, kind } } }
      }).catch((error: unknown) => {
        if (!isUniqueViolation(error, 'node_path')) throw error
        throw new Refusal('already_exists', { message: `There is a "${body.name}" already in this place.` })
      })
      const pending = await publishTree(dependencies, context)
      return { ...describeTeam(row, 0), ...pending }
    },
  }
}
