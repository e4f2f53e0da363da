import { type accessOperations, Refusal } from '@signalbox/sdk/contract'
import { createSecret, hashSecret } from '@signalbox/sdk/node'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import { insertKey, type KeyOfTeam, type KeyRow, listKeys, lockKey, storeRevocation } from '../stores/keys.ts'
import { resolveNode } from '../stores/nodes.ts'
import { requireEnvironment } from './environments.ts'

type KeyHandlers = Pick<Handlers<typeof accessOperations>, 'listKeys' | 'createKey' | 'revokeKey'>

/** So many characters of a key are kept readable, to recognise it by. */
const startLength = 8

function describeKey(row: KeyOfTeam) {
  const { id, name, environment, start, createdMs, expiresMs, revokedMs } = row
  return {
    id,
    name,
    team: { id: row.nodeId, name: row.teamName },
    environment,
    start,
    createdMs,
    expiresMs,
    revokedMs,
  }
}

async function publishKeys({ stateWriter }: Dependencies, context: RequestContext, environment: string) {
  return publishAndAwait(stateWriter, context, async () => [
    await stateWriter.publishState(context.organisationId, environment),
  ])
}

function createKey(dependencies: Dependencies): KeyHandlers['createKey'] {
  const { db, newId, nowMs } = dependencies
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const environment = body.environment ?? dependencies.environment
    await requireEnvironment(db, organisationId, environment)
    const createdMs = nowMs()
    if (body.expiresMs !== undefined && body.expiresMs <= createdMs) {
      throw new Refusal('invalid_request', { message: 'expiresMs is in the past.', param: 'expiresMs' })
    }
    const key = createSecret('key', { environment })
    const audit = { organisationId, actor, action: 'createKey' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      const team = await resolveNode(transaction, organisationId, body.team)
      const made: KeyRow = {
        id: newId(),
        organisationId,
        nodeId: team.id,
        environment,
        name: body.name,
        hash: hashSecret(key),
        start: key.slice(0, startLength),
        createdMs,
        expiresMs: body.expiresMs ?? null,
        revokedMs: null,
      }
      await insertKey(transaction, made)
      const detail = { name: made.name, team: team.path, environment, expiresMs: made.expiresMs }
      return { result: { ...made, teamName: team.name }, audit: { object: `key ${made.id}`, detail } }
    }).catch((error: unknown) => {
      if (!isUniqueViolation(error, 'api_key_name')) throw error
      throw new Refusal('already_exists', { message: `The team has a key "${body.name}" already.` })
    })
    const pending = await publishKeys(dependencies, context, environment)
    return { ...describeKey(row), key, ...pending }
  }
}

function revokeKey(dependencies: Dependencies): KeyHandlers['revokeKey'] {
  return async (context, { params }) => {
    const { organisationId, actor } = context
    const audit = { organisationId, actor, action: 'revokeKey' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      const found = await lockKey(transaction, organisationId, params.id)
      if (found === undefined) throw new Refusal('not_found', { message: 'There is no such key.' })
      if (found.revokedMs !== null) return { result: found, audit: null }
      const revokedMs = dependencies.nowMs()
      await storeRevocation(transaction, found.id, revokedMs)
      const detail = { name: found.name, team: found.teamName, environment: found.environment }
      return { result: { ...found, revokedMs }, audit: { object: `key ${found.id}`, detail } }
    })
    const pending = await publishKeys(dependencies, context, row.environment)
    return { ...describeKey(row), ...pending }
  }
}

export function createKeyHandlers(dependencies: Dependencies): KeyHandlers {
  const { db } = dependencies
  return {
    async listKeys({ organisationId }, { query }) {
      const team = query.team === undefined ? undefined : await resolveNode(db, organisationId, query.team)
      const rows = await listKeys(db, organisationId, team?.id)
      return { items: rows.map(describeKey) }
    },
    createKey: createKey(dependencies),
    revokeKey: revokeKey(dependencies),
  }
}
