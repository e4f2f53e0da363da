import { type BodyOf, type KeyScopes, type keyOperations, Refusal } from '@signalbox/sdk/contract'
import { AddressRanges, createSecret, hashSecret } from '@signalbox/sdk/node'
import type { Queryable } from '../db/connect.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Handlers, RequestContext } from '../handler.ts'
import { decodeCursor, encodeCursor } from '../page-cursor.ts'
import { publishAndAwait } from '../read-your-writes.ts'
import { withAudit } from '../stores/audit.ts'
import {
  findKey,
  insertKey,
  type KeyOfTeam,
  type KeyRow,
  listKeys,
  lockKey,
  retireSecret,
  revokeRetiredSecrets,
  storeKey,
  storeRevocation,
} from '../stores/keys.ts'
import { requireEnvironment } from './environments.ts'

type KeyHandlers = Handlers<typeof keyOperations>

/** So many characters of a key are kept readable, to recognise it by and to search for; 16 stay unknown. */
const startLength = 12
const pageLengthDefault = 1000
const graceSDefault = 86_400
/** Retired secrets of one key that work at the same time. */
const retiredMax = 8

function describeKey(row: KeyOfTeam) {
  const { id, name, environment, start, scopes, revision, createdMs, expiresMs, revokedMs } = row
  const { rotatedMs, lastUsedMs, previousUntilMs } = row
  return {
    ...{ id, name, team: { id: row.nodeId, name: row.teamName }, environment, start, scopes, revision },
    ...{ createdMs, expiresMs, revokedMs, rotatedMs, previousUntilMs, lastUsedMs },
  }
}

async function publishKeys({ stateWriter }: Dependencies, context: RequestContext, environment: string) {
  return publishAndAwait(stateWriter, context, async () => [
    await stateWriter.publishState(context.organisationId, environment),
  ])
}

/** @throws Refusal `invalid_request` for what no call could ever fit. */
function checkScopes(scopes: KeyScopes | undefined): KeyScopes {
  try {
    new AddressRanges(scopes?.ipRanges ?? [])
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Refusal('invalid_request', { message: `${error.message}.`, param: 'scopes.ipRanges' })
  }
  const odd = scopes?.models?.find((each) => /\s/.test(each) || /\*(?!$)/.test(each))
  if (odd !== undefined) {
    const message = `"${odd}" is no model: an alias, a target, or one with * at its end.`
    throw new Refusal('invalid_request', { message, param: 'scopes.models' })
  }
  return scopes ?? {}
}

function checkExpiry(expiresMs: number | null | undefined, nowMs: number): void {
  if (expiresMs === undefined || expiresMs === null || expiresMs > nowMs) return
  throw new Refusal('invalid_request', { message: 'expiresMs is in the past.', param: 'expiresMs' })
}

function takenLabel(name: string | undefined) {
  return (error: unknown): never => {
    if (!isUniqueViolation(error, 'api_key_name')) throw error
    throw new Refusal('already_exists', { message: `The team has a key "${name ?? ''}" already.` })
  }
}

function createKey(dependencies: Dependencies): KeyHandlers['createKey'] {
  const { db, newId, nowMs } = dependencies
  return async (context, { body }) => {
    const { organisationId, actor } = context
    const environment = body.environment ?? dependencies.environment
    await requireEnvironment(db, organisationId, environment)
    const createdMs = nowMs()
    checkExpiry(body.expiresMs, createdMs)
    const scopes = checkScopes(body.scopes)
    const key = createSecret('key', { environment })
    const audit = { organisationId, actor, action: 'createKey' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      const team = await context.permit.resolve(body.team, transaction)
      const made: KeyRow = {
        ...{ id: newId(), organisationId, nodeId: team.id, environment, name: body.name },
        ...{ hash: hashSecret(key), start: key.slice(0, startLength), scopes, revision: 1, createdMs },
        ...{ expiresMs: body.expiresMs ?? null, revokedMs: null, rotatedMs: null, lastUsedMs: null },
      }
      await insertKey(transaction, made)
      const detail = { name: made.name, team: team.path, environment, scopes, expiresMs: made.expiresMs }
      const result = { ...made, teamName: team.name, path: team.path, previousUntilMs: null }
      return { result, audit: { object: `key ${made.id}`, detail } }
    }).catch(takenLabel(body.name))
    const pending = await publishKeys(dependencies, context, environment)
    return { ...describeKey(row), key, ...pending }
  }
}

const noSuchKey = (): Refusal => new Refusal('not_found', { message: 'There is no such key.' })
const isRevoked = (): Refusal => new Refusal('conflict', { message: 'The key is revoked: make a new one.' })

type Change = BodyOf<typeof keyOperations.updateKey>

/** What changes, with the label and the node it has then. */
async function changedFields(
  transaction: Queryable,
  context: RequestContext,
  found: KeyOfTeam,
  body: Change,
) {
  const team = body.team === undefined ? undefined : await context.permit.resolve(body.team, transaction)
  const fields = {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.expiresMs !== undefined && { expiresMs: body.expiresMs }),
    ...(body.scopes !== undefined && { scopes: checkScopes(body.scopes) }),
    ...(team !== undefined && { nodeId: team.id }),
  }
  const shown = team === undefined ? {} : { teamName: team.name, path: team.path }
  return { fields, after: { ...found, ...fields, ...shown, revision: found.revision + 1 }, team }
}

function updateKey(dependencies: Dependencies): KeyHandlers['updateKey'] {
  return async (context, { params, body }) => {
    const { organisationId, actor } = context
    const nowMs = dependencies.nowMs()
    checkExpiry(body.expiresMs, nowMs)
    const audit = { organisationId, actor, action: 'updateKey' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      const found = await lockKey(transaction, organisationId, { id: params.id, nowMs })
      if (found === undefined) throw noSuchKey()
      context.permit.require(found.path)
      if (found.revision !== body.revision) throw changedMeanwhile(found.revision)
      if (found.revokedMs !== null) throw isRevoked()
      const { fields, after, team } = await changedFields(transaction, context, found, body)
      if (Object.keys(fields).length === 0) return { result: found, audit: null }
      await storeKey(transaction, found.id, { ...fields, revision: after.revision })
      const { nodeId: _, ...told } = fields
      const detail = { ...told, name: after.name, ...(team !== undefined && { team: team.path }) }
      return { result: after, audit: { object: `key ${found.id}`, detail } }
    }).catch(takenLabel(body.name))
    const pending = await publishKeys(dependencies, context, row.environment)
    return { ...describeKey(row), ...pending }
  }
}

/** Two people edit at once: the second is told, and nothing of the first is lost. */
export function changedMeanwhile(revision: number): Refusal {
  return new Refusal('conflict', {
    message: `Somebody else changed it meanwhile: it is at revision ${revision}. Read it again.`,
    param: 'revision',
  })
}

function rotateKey(dependencies: Dependencies): KeyHandlers['rotateKey'] {
  return async (context, { params, body }) => {
    const { organisationId, actor } = context
    const nowMs = dependencies.nowMs()
    const graceMs = (body.graceS ?? graceSDefault) * 1000
    const audit = { organisationId, actor, action: 'rotateKey' }
    const { row, key } = await withAudit(dependencies, audit, async (transaction) => {
      const found = await lockKey(transaction, organisationId, { id: params.id, nowMs })
      if (found === undefined) throw noSuchKey()
      context.permit.require(found.path)
      if (found.revokedMs !== null) throw isRevoked()
      const { id: keyId, hash, environment } = found
      const until = nowMs + graceMs
      const retiring = { hash, organisationId, keyId, environment, retiredMs: nowMs, expiresMs: until }
      // Without grace nothing that was handed out before works any more.
      const revokedMs = graceMs === 0 ? nowMs : null
      if (graceMs === 0) await revokeRetiredSecrets(transaction, keyId, nowMs)
      if ((await retireSecret(transaction, { ...retiring, revokedMs })) > retiredMax) {
        const message = `${retiredMax} secrets of this key work already: rotate it without grace.`
        throw new Refusal('conflict', { message })
      }
      const key = createSecret('key', { environment })
      const revision = found.revision + 1
      const fields = { hash: hashSecret(key), start: key.slice(0, startLength), rotatedMs: nowMs, revision }
      await storeKey(transaction, keyId, fields)
      const previousUntilMs = graceMs === 0 ? null : Math.max(until, found.previousUntilMs ?? 0)
      const detail = { name: found.name, graceS: graceMs / 1000 }
      const result = { row: { ...found, ...fields, previousUntilMs }, key }
      return { result, audit: { object: `key ${keyId}`, detail } }
    })
    const pending = await publishKeys(dependencies, context, row.environment)
    return { ...describeKey(row), key, ...pending }
  }
}

function revokeKey(dependencies: Dependencies): KeyHandlers['revokeKey'] {
  return async (context, { params }) => {
    const { organisationId, actor } = context
    const nowMs = dependencies.nowMs()
    const audit = { organisationId, actor, action: 'revokeKey' }
    const row = await withAudit(dependencies, audit, async (transaction) => {
      const found = await lockKey(transaction, organisationId, { id: params.id, nowMs })
      if (found === undefined) throw noSuchKey()
      context.permit.require(found.path)
      if (found.revokedMs !== null) return { result: found, audit: null }
      await storeRevocation(transaction, found.id, nowMs)
      const detail = { name: found.name, team: found.teamName, environment: found.environment }
      const revision = found.revision + 1
      const result = { ...found, revision, revokedMs: nowMs, previousUntilMs: null }
      return { result, audit: { object: `key ${found.id}`, detail } }
    })
    const pending = await publishKeys(dependencies, context, row.environment)
    return { ...describeKey(row), ...pending }
  }
}

export function createKeyHandlers(dependencies: Dependencies): KeyHandlers {
  const { db, nowMs } = dependencies
  return {
    async listKeys({ organisationId, permit }, { query }) {
      const { team, cursor, limit = pageLengthDefault, ...search } = query
      const nodeId = team === undefined ? undefined : (await permit.resolve(team)).id
      const rows = await listKeys(db, organisationId, {
        ...search,
        ...{ reach: permit.reach, nodeId, after: decodeCursor(cursor), nowMs: nowMs(), limit: limit + 1 },
      })
      const page = rows.slice(0, limit)
      const last = rows.length > limit ? page.at(-1) : undefined
      const nextCursor = last === undefined ? null : encodeCursor({ timeMs: last.createdMs, id: last.id })
      return { items: page.map(describeKey), nextCursor }
    },
    async getKey({ organisationId }, { params }) {
      const found = await findKey(db, organisationId, { id: params.id, nowMs: nowMs() })
      if (found === undefined) throw noSuchKey()
      return describeKey(found)
    },
    createKey: createKey(dependencies),
    updateKey: updateKey(dependencies),
    rotateKey: rotateKey(dependencies),
    revokeKey: revokeKey(dependencies),
  }
}
