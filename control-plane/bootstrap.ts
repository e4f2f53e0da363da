import type { RootDocument } from '@signalbox/sdk/contract'
import { createSigningKey, digestOf, hashSecret, type SigningKey, signDocument } from '@signalbox/sdk/node'
import type { Database, Transaction } from './db/connect.ts'
import type { SecretBox } from './secret-box.ts'
import { signingKeyContext } from './secret-contexts.ts'
import { appendAudit } from './stores/audit.ts'
import { insertEnvironmentIfMissing } from './stores/environments.ts'
import { findRootNode, insertNode } from './stores/nodes.ts'
import {
  findOrganisationByName,
  insertOrganisation,
  insertRootDocument,
  insertSigningKeys,
  listSigningKeys,
  lockBootstrap,
} from './stores/organisation.ts'
import { findTokenByHash, insertToken, restoreToken, revokeOtherRootTokens } from './stores/tokens.ts'

/** Name of the organisation of a local start. */
const organisationName = 'default'
const environmentNames = ['development', 'staging', 'production']
/** A gateway refuses calls when its state is older than this. */
const stateAgeMsMaxDefault = 24 * 60 * 60 * 1000
/** Roles of the root document; each has one key to begin with. */
const signingRoles = ['root', 'release'] as const

export interface BootstrapOptions {
  readonly db: Database
  readonly secrets: SecretBox
  readonly nowMs: () => number
  readonly newId: () => string
  /** Made where it is missing, beside the three that always are. */
  readonly environment: string
  /** Token of the owner. `configured`: it replaces every other root token; else it stands beside them. */
  readonly rootToken: { readonly secret: string; readonly configured: boolean }
}

/**
 * Makes what every database has: the organisation with its root node, environments, signing keys, root document and
 * root token. What is there already stays, so it runs at every start; programs that start together wait for each other.
 * @throws SecretBoxError where the signing keys cannot be read with the secret key at hand.
 */
export async function bootstrap(options: BootstrapOptions): Promise<{ organisationId: string }> {
  return options.db.transaction(async (transaction) => {
    await lockBootstrap(transaction)
    const known = await findOrganisationByName(transaction, organisationName)
    const organisationId = known?.id ?? (await createOrganisation(transaction, options))
    for (const name of new Set([...environmentNames, options.environment])) {
      const row = { organisationId, name, createdMs: options.nowMs(), freezeReason: null, freeze: null }
      await insertEnvironmentIfMissing(transaction, { ...row, stateAgeMsMax: stateAgeMsMaxDefault })
    }
    await ensureRootToken(transaction, organisationId, options)
    await checkSigningKeys(transaction, organisationId, options.secrets)
    return { organisationId }
  })
}

async function createOrganisation(transaction: Transaction, options: BootstrapOptions): Promise<string> {
  const { nowMs, newId } = options
  const createdMs = nowMs()
  const organisationId = newId()
  await insertOrganisation(transaction, { id: organisationId, name: organisationName, createdMs })
  await insertNode(transaction, {
    id: newId(),
    organisationId,
    parentId: null,
    kind: 'organisation',
    name: organisationName,
    path: '',
    managedBy: 'api',
    revision: 1,
    createdMs,
  })
  await createTrust(transaction, organisationId, options)
  await appendAudit(transaction, organisationId, {
    actor: 'system',
    action: 'bootstrap',
    object: `organisation ${organisationId}`,
    detail: { name: organisationName },
    nowMs,
  })
  return organisationId
}

/** The keys of the roles, and the document that says so, signed by its own root key. */
async function createTrust(
  transaction: Transaction,
  organisationId: string,
  { secrets, nowMs }: BootstrapOptions,
): Promise<void> {
  const createdMs = nowMs()
  const keys = signingRoles.map((role) => ({ role, key: createSigningKey() }))
  await insertSigningKeys(
    transaction,
    keys.map(({ role, key }) => ({
      organisationId,
      keyId: key.keyId,
      role,
      publicKey: key.publicKey,
      privateKey: secrets.encrypt(key.privateKey, signingKeyContext(organisationId, key.keyId)),
      createdMs,
      retiredMs: null,
    })),
  )
  const envelope = JSON.stringify(
    signDocument(
      rootDocumentOf(organisationId, keys),
      'root',
      keys.filter(({ role }) => role === 'root').map(({ key }) => key),
    ),
  )
  const row = { organisationId, sequence: 1, envelope, digest: digestOf(envelope), createdMs }
  await insertRootDocument(transaction, row)
}

function rootDocumentOf(
  organisationId: string,
  keys: readonly { readonly role: 'root' | 'release'; readonly key: SigningKey }[],
): RootDocument {
  const keyIdsOf = (wanted: string) => keys.filter(({ role }) => role === wanted).map(({ key }) => key.keyId)
  return {
    type: 'root/1',
    organisationId,
    sequence: 1,
    keys: Object.fromEntries(
      keys.map(({ key }) => [key.keyId, { algorithm: 'ed25519', publicKey: key.publicKey }]),
    ),
    roles: {
      root: { threshold: 1, keyIds: keyIdsOf('root') },
      release: { threshold: 1, keyIds: keyIdsOf('release') },
      // Nobody yet: nothing can be signed in this role.
      author: { threshold: 1, keyIds: [] },
    },
  }
}

/** The configured root token is the truth: it holds again where it was revoked, and replaces those before it. */
async function ensureRootToken(
  transaction: Transaction,
  organisationId: string,
  { rootToken, nowMs, newId }: BootstrapOptions,
): Promise<void> {
  const hash = hashSecret(rootToken.secret)
  const known = await findTokenByHash(transaction, hash)
  const createdMs = nowMs()
  if (known === undefined) {
    await insertToken(transaction, {
      id: newId(),
      organisationId,
      name: 'root',
      role: 'owner',
      nodeId: (await findRootNode(transaction, organisationId)).id,
      kind: 'root',
      hash,
      createdMs,
      expiresMs: null,
      lastUsedMs: null,
      revokedMs: null,
      ci: null,
    })
  } else if (known.revokedMs !== null) await restoreToken(transaction, known.id)
  const revoked = rootToken.configured
    ? await revokeOtherRootTokens(transaction, organisationId, { hash, nowMs: createdMs })
    : 0
  if (known !== undefined && known.revokedMs === null && revoked === 0) return
  await appendAudit(transaction, organisationId, {
    actor: 'system',
    action: 'setRootToken',
    object: 'token root',
    detail: { revoked },
    nowMs,
  })
}

async function checkSigningKeys(
  transaction: Transaction,
  organisationId: string,
  secrets: SecretBox,
): Promise<void> {
  for (const row of await listSigningKeys(transaction, organisationId)) {
    if (row.retiredMs === null) secrets.decrypt(row.privateKey, signingKeyContext(organisationId, row.keyId))
  }
}
