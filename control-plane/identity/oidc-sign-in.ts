import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import { digestOf, hashSecret, type Logger } from '@signalbox/sdk/node'
import type { Transaction } from '../db/connect.ts'
import { isUniqueViolation } from '../db/errors.ts'
import type { Dependencies } from '../dependencies.ts'
import { withAudit } from '../stores/audit.ts'
import { findNodeByPath } from '../stores/nodes.ts'
import { insertOidcSignIn, takeOidcSignIn } from '../stores/sessions.ts'
import {
  findUser,
  insertUser,
  storeGrants,
  storeUser,
  type UserRow,
  type UserWithGrants,
} from '../stores/users.ts'
import type { Grant } from './grants.ts'
import type { OidcPerson, PendingSignIn } from './oidc.ts'
import { rolesFor } from './role-mapping.ts'
import type { SignInTools } from './sign-in-tools.ts'

/** How long a person may be at the identity provider. */
const pendingMs = 10 * 60_000

function requireOidc({ oidc }: SignInTools) {
  if (oidc === undefined) {
    throw new Refusal('not_found', { message: 'No identity provider is configured (SIGNALBOX_OIDC_ISSUER).' })
  }
  return oidc
}

const contextOf = (stateHash: string): string => `oidc-sign-in ${stateHash}`

/** Where to send the browser, and the cookie that binds the sign-in to it. */
export async function startOidc(
  dependencies: Dependencies,
  tools: SignInTools,
  from: { readonly organisationId: string; readonly address: string },
): Promise<{ location: string; cookie: string }> {
  const { provider } = requireOidc(tools)
  await tools.attempts.countVisit(from.address)
  const { url, state, pending } = await provider.begin()
  const nowMs = dependencies.nowMs()
  const stateHash = hashSecret(state)
  const secrets = dependencies.secrets.encrypt(JSON.stringify(pending), contextOf(stateHash))
  const { organisationId } = from
  await insertOidcSignIn(
    dependencies.db,
    { stateHash, organisationId, secrets, expiresMs: nowMs + pendingMs },
    nowMs,
  )
  return { location: url, cookie: tools.cookies.signIn(state, pendingMs / 1000) }
}

/** What comes back from the identity provider. */
export interface OidcReturn {
  readonly organisationId: string
  readonly query: Readonly<Record<string, unknown>>
  readonly headers: IncomingHttpHeaders
  readonly log: Logger
  /** Begins the session in the change that makes or renews the user. */
  readonly openSession: (transaction: Transaction, user: UserWithGrants) => Promise<{ secret: string }>
}

/**
 * Takes what was kept for this state, once and in time, and only in the browser that began it.
 * @throws Refusal `key_invalid`.
 */
async function takePending(
  dependencies: Dependencies,
  tools: SignInTools,
  { query, headers }: OidcReturn,
): Promise<PendingSignIn & { state: string }> {
  const { state } = query
  const stale = (): Refusal =>
    new Refusal('key_invalid', { message: 'This sign-in was used already, is too old, or began elsewhere.' })
  if (typeof state !== 'string' || state === '' || state !== tools.cookies.readSignIn(headers)) throw stale()
  const stateHash = hashSecret(state)
  const kept = await takeOidcSignIn(dependencies.db, stateHash)
  if (kept === undefined || kept.expiresMs <= dependencies.nowMs()) throw stale()
  const text = dependencies.secrets.decrypt(kept.secrets, contextOf(stateHash))
  return { ...(JSON.parse(text) as PendingSignIn), state }
}

/** The nodes that the mapping names; a rule of one that is not there gives nothing. */
async function grantsFor(
  transaction: Transaction,
  tools: SignInTools,
  person: OidcPerson,
  { organisationId, log }: OidcReturn,
): Promise<Grant[]> {
  const grants: Grant[] = []
  for (const { role, path, value } of rolesFor(person.groups, requireOidc(tools).mapping)) {
    const node = await findNodeByPath(transaction, organisationId, path)
    if (node === undefined) log.warn({ value, path }, 'SIGNALBOX_OIDC_ROLES names a node that is not there')
    else grants.push({ role, nodeId: node.id, path })
  }
  return grants
}

/** The user of this subject, made where it is their first time; never somebody else's account of the same name. */
async function userOf(
  transaction: Transaction,
  dependencies: Dependencies,
  person: OidcPerson,
  organisationId: string,
): Promise<UserWithGrants> {
  const { issuer, subject, displayName } = person
  const known = await findUser(transaction, organisationId, { issuer, subject })
  if (known !== undefined) {
    await storeUser(transaction, known.id, { displayName })
    return { ...known, displayName }
  }
  const taken = await findUser(transaction, organisationId, { name: person.name })
  const suffix = digestOf(`${issuer} ${subject}`).slice('sha256:'.length, 'sha256:'.length + 8)
  const row: UserRow = {
    ...{ id: dependencies.newId(), organisationId, displayName, source: 'oidc', issuer, subject },
    name: taken === undefined ? person.name : `${person.name}-${suffix}`,
    ...{
      passwordHash: null,
      revision: 1,
      createdMs: dependencies.nowMs(),
      lastSignInMs: null,
      disabledMs: null,
    },
  }
  await insertUser(transaction, row)
  return { ...row, grants: [] }
}

/**
 * Ends a sign-in: the person becomes a user with the roles that their claim says now, and has a session.
 * @throws Refusal `key_invalid`, `forbidden` where no rule gives them a role, `upstream_…`.
 */
export async function finishOidc(
  dependencies: Dependencies,
  tools: SignInTools,
  back: OidcReturn,
): Promise<{ secret: string }> {
  const { provider } = requireOidc(tools)
  const pending = await takePending(dependencies, tools, back)
  const texts = Object.entries(back.query).map(([name, value]) => [name, String(value)])
  const person = await provider.finish(new URLSearchParams(texts), pending)
  const { organisationId } = back
  const audit = { organisationId, actor: `user ${person.name}`, action: 'finishOidcSignIn' }
  return await withAudit(dependencies, audit, async (transaction) => {
    const user = await userOf(transaction, dependencies, person, organisationId)
    if (user.disabledMs !== null) throw new Refusal('forbidden', { message: 'This user is disabled.' })
    const grants = await grantsFor(transaction, tools, person, back)
    if (grants.length === 0) {
      throw new Refusal('forbidden', { message: 'No rule of SIGNALBOX_OIDC_ROLES gives you a role here.' })
    }
    await storeGrants(transaction, user, grants)
    const result = await back.openSession(transaction, { ...user, grants })
    const roles = grants.map(({ role, path }) => (path === '' ? role : `${role}@${path}`))
    const detail = { method: 'oidc', issuer: person.issuer, roles }
    return { result, audit: { object: `user ${user.id}`, detail } }
  }).catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error
    throw new Refusal('conflict', { message: 'You are signing in twice at once: try again.', cause: error })
  })
}
