import {
  type AuditRow,
  createLogger,
  createSecret,
  decodeTrustRoot,
  encodeTrustRoot,
  findBrokenAuditRow,
  hashSecret,
} from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { bootstrap } from '../../control-plane/bootstrap.ts'
import { connectDatabase } from '../../control-plane/db/connect.ts'
import { createSecretBox, SecretBoxError } from '../../control-plane/secret-box.ts'
import { listAuditRows } from '../../control-plane/stores/audit.ts'
import { loadRootDocument } from '../../control-plane/stores/documents.ts'
import { listEnvironments } from '../../control-plane/stores/environments.ts'
import { listNodes } from '../../control-plane/stores/nodes.ts'
import { listSigningKeys } from '../../control-plane/stores/organisation.ts'
import { findTokenByHash } from '../../control-plane/stores/tokens.ts'
import { createTestDatabase } from '../support/database.ts'

const { db, close } = connectDatabase(await createTestDatabase(), createLogger('test', 'silent'))
afterAll(() => close())
const secretKey = 'a secret key for tests, long enough to be taken'
const generated = createSecret('root')

function run(change: { secret?: string; configured?: boolean; environment?: string; key?: string } = {}) {
  const { secret = generated, configured = false, environment = 'development', key = secretKey } = change
  const rootToken = { secret, configured }
  return bootstrap({ db, secrets: createSecretBox(key), nowMs: Date.now, newId, environment, rootToken })
}
const revoked = async (secret: string) => {
  const row = await findTokenByHash(db, hashSecret(secret))
  return row === undefined ? 'missing' : row.revokedMs !== null
}

test('programs that start at once make one organisation', async () => {
  const made = await Promise.all([run(), run(), run()])
  expect(new Set(made.map((each) => each.organisationId)).size).toBe(1)
  const { organisationId } = await run()
  const nodes = await listNodes(db, organisationId, [''])
  expect(nodes.map((each) => [each.kind, each.path])).toEqual([['organisation', '']])
  expect(await listSigningKeys(db, organisationId)).toHaveLength(2)
  const rows: AuditRow[] = await listAuditRows(db, organisationId, { limit: 100 })
  expect(rows.map((row) => row.action)).toEqual(['setRootToken', 'bootstrap'])
  expect(findBrokenAuditRow(rows.reverse())).toBeNull()
})

test('the trust root is signed by its own root key, and private keys are stored encrypted', async () => {
  const { organisationId } = await run()
  const stored = await loadRootDocument(db, organisationId)
  const { root } = decodeTrustRoot(encodeTrustRoot(JSON.parse(stored?.envelope ?? '')))
  const keys = await listSigningKeys(db, organisationId)
  expect(Object.keys(root.keys).sort()).toEqual(keys.map((key) => key.keyId).sort())
  expect(root.roles.author.keyIds).toEqual([])
  expect(keys.every((key) => key.privateKey.startsWith('v1.'))).toBe(true)
})

test('an environment of its own is made, once', async () => {
  const { organisationId } = await run({ environment: 'qa' })
  await run({ environment: 'qa' })
  const names = (await listEnvironments(db, organisationId)).map((each) => each.name)
  expect(names.sort()).toEqual(['development', 'production', 'qa', 'staging'])
})

test('a configured root token replaces the others, and holds again when it comes back', async () => {
  const [first, second] = [createSecret('root'), createSecret('root')]
  await run({ secret: first, configured: true })
  expect([await revoked(generated), await revoked(first)]).toEqual([true, false])
  await run({ secret: second, configured: true })
  expect([await revoked(first), await revoked(second)]).toEqual([true, false])
  await run({ secret: first, configured: true })
  expect([await revoked(first), await revoked(second)]).toEqual([false, true])
})

test('with a lost secret key nothing starts and nothing is changed', async () => {
  const secret = createSecret('root')
  await expect(run({ secret, key: 'not the key that this was set up with, at all' })).rejects.toThrow(
    SecretBoxError,
  )
  expect(await revoked(secret)).toBe('missing')
})
