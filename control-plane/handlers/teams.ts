import { Refusal, type treeOperations } from '@signalbox/sdk/contract'
import { isUniqueViolation, referringTable } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { depthMax, placeAfter, requireDeletable, requireMovable } from '../identity/tree-rules.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import { listEnvironments } from '../stores/environments.ts'
import { deleteNode, insertNode, listNodes, lockTree, type NodeRow, storePlace } from '../stores/nodes.ts'
import { changedMeanwhile } from './keys.ts'

type TeamHandlers = Handlers<typeof treeOperations>

function describeTeam(row: NodeRow, keys: number) {
  const { id, name, kind, parentId, path, managedBy, revision, createdMs } = row
  return { id, name, kind, parentId, path, managedBy, keys, revision, createdMs }
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
    revision: 1,
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

function takenName(name: string | undefined) {
  return (error: unknown): never => {
    if (!isUniqueViolation(error, 'node_path')) throw error
    throw new Refusal('already_exists', { message: `There is a "${name ?? ''}" already in this place.` })
  }
}

function createTeam(dependencies: Dependencies): TeamHandlers['createTeam'] {
  const { newId, nowMs } = dependencies
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const kind = body.kind ?? 'team'
    const audit = { organisationId, actor, action: 'createTeam' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      // A parent that is being moved or deleted is waited for.
      await lockTree(transaction, organisationId)
      const parent = await context.permit.resolve(body.parent ?? '', transaction)
      const made = newNode(parent, { id: newId(), name: body.name, kind, nowMs: nowMs() })
      await insertNode(transaction, made)
      return { result: made, audit: { object: `node ${made.id}`, detail: { path: made.path, kind } } }
    }).catch(takenName(body.name))
    const pending = await publishTree(dependencies, context)
    return { ...describeTeam(row, 0), ...pending }
  }
}

/** The node as it is listed, after a change of it. */
async function loadTeam({ db }: Dependencies, { organisationId, permit }: RequestContext, id: string) {
  const rows = await listNodes(db, organisationId, permit.reach)
  const row = rows.find((each) => each.id === id)
  if (row === undefined) throw new Refusal('not_found', { message: 'There is no such team.' })
  return describeTeam(row, row.keys)
}

function updateTeam(dependencies: Dependencies): TeamHandlers['updateTeam'] {
  return async (context, { params, body }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'updateTeam' }
    const id = await withAudit(dependencies, audit, async (transaction) => {
      await lockTree(transaction, organisationId)
      const before = await context.permit.resolve(params.team, transaction)
      if (before.revision !== body.revision) throw changedMeanwhile(before.revision)
      await requireMovable(transaction, before)
      const parent =
        body.parent === undefined ? undefined : await context.permit.resolve(body.parent, transaction)
      const after = await placeAfter(transaction, before, { name: body.name ?? before.name, parent })
      if (after.path === before.path) return { result: before.id, audit: null }
      await storePlace(transaction, before, after)
      const detail = { from: before.path, to: after.path }
      return { result: before.id, audit: { object: `node ${before.id}`, detail } }
    }).catch(takenName(body.name))
    const pending = await publishTree(dependencies, context)
    return { ...(await loadTeam(dependencies, context, id)), ...pending }
  }
}

function deleteTeam(dependencies: Dependencies): TeamHandlers['deleteTeam'] {
  return async (context, { params, query }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'deleteTeam' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      await lockTree(transaction, organisationId)
      const found = await context.permit.resolve(params.team, transaction)
      if (query.revision !== undefined && found.revision !== query.revision) {
        throw changedMeanwhile(found.revision)
      }
      await requireMovable(transaction, found)
      await requireDeletable(transaction, found)
      await deleteNode(transaction, found.id)
      return { result: found, audit: { object: `node ${found.id}`, detail: { path: found.path } } }
    }).catch((error: unknown) => {
      const table = referringTable(error)
      if (table === undefined) throw error
      throw new Refusal('conflict', { message: `The node cannot be deleted: it has a ${table}.` })
    })
    const pending = await publishTree(dependencies, context)
    return { ...describeTeam(row, 0), ...pending }
  }
}

export function createTeamHandlers(dependencies: Dependencies): TeamHandlers {
  const { db } = dependencies
  return {
    async listTeams({ organisationId, permit }) {
      const rows = await listNodes(db, organisationId, permit.reach)
      return { items: rows.map((row) => describeTeam(row, row.keys)) }
    },
    createTeam: createTeam(dependencies),
    updateTeam: updateTeam(dependencies),
    deleteTeam: deleteTeam(dependencies),
  }
}
