import { Refusal, type userOperations } from '@signalbox/sdk/contract'
import type { Transaction } from '../db/connect.ts'
import type { Dependencies } from '../dependencies.ts'
import {
  type DirectReply,
  type Handlers,
  type ReplyHeaders,
  type RequestContext,
  replyWith,
} from '../handler.ts'
import { requireSameOrigin } from '../identity/cookies.ts'
import { finishOidc, startOidc } from '../identity/oidc-sign-in.ts'
import { requireGoodPassword } from '../identity/passwords.ts'
import { beginSession, sessionIdleMsMax, sessionMsMax, userOfSession } from '../identity/sessions.ts'
import type { SignInTools } from '../identity/sign-in-tools.ts'
import { withAudit } from '../stores/audit.ts'
import { findOrganisationByName } from '../stores/organisation.ts'
import { endSessions, listSessions } from '../stores/sessions.ts'
import { findUser, hasPasswords, storeUser, type UserWithGrants } from '../stores/users.ts'

type SignInHandlers = Omit<
  Handlers<typeof userOperations>,
  'listUsers' | 'createUser' | 'updateUser' | 'endUserSessions'
>

/** Whom public requests are for; a local start has one organisation. */
async function theOrganisation({ db }: Dependencies): Promise<string> {
  const found = await findOrganisationByName(db, 'default')
  if (found === undefined) throw new Refusal('not_ready')
  return found.id
}

const secondsOf = (ms: number): number => Math.floor(ms / 1000)

/** Begins the session in the change that lets the user in. */
async function openSession(
  transaction: Transaction,
  dependencies: Dependencies,
  { headers, address }: Pick<RequestContext, 'headers' | 'address'>,
  user: UserWithGrants,
) {
  const nowMs = dependencies.nowMs()
  const userAgent = headers['user-agent'] ?? ''
  const session = await beginSession(transaction, user, {
    id: dependencies.newId(),
    nowMs,
    userAgent,
    address,
  })
  await storeUser(transaction, user.id, { lastSignInMs: nowMs })
  return session
}

function signIn(dependencies: Dependencies, tools: SignInTools): SignInHandlers['signIn'] {
  const { attempts, cookies, passwords } = tools
  return async (context, { body }) => {
    const { origin, 'sec-fetch-site': site } = context.headers
    // Another site must not sign somebody in to an account of its own.
    if (origin !== undefined || site !== undefined) requireSameOrigin('POST', context.headers)
    const name = body.name.trim().toLowerCase()
    await attempts.count(name, context.address)
    const organisationId = await theOrganisation(dependencies)
    const user = await findUser(dependencies.db, organisationId, { name })
    const right = await passwords.matches(body.password, user?.passwordHash)
    // Whoever guesses does not learn which of the two was wrong.
    if (user === undefined || !right || user.disabledMs !== null) {
      context.log.warn({ user: user?.id, address: context.address }, 'a sign-in was refused')
      throw new Refusal('key_invalid', { message: 'Name or password is wrong.' })
    }
    await attempts.forget(name, context.address)
    const audit = { organisationId, actor: `user ${user.name}`, action: 'signIn' }
    const { secret, row } = await withAudit(dependencies, audit, async (transaction) => {
      const result = await openSession(transaction, dependencies, context, user)
      const detail = { method: 'password', address: context.address }
      return { result, audit: { object: `user ${user.id}`, detail } }
    })
    return replyWith(
      { userId: user.id, name: user.name, expiresMs: row.expiresMs },
      { headers: { 'set-cookie': cookies.session(secret, secondsOf(sessionMsMax)) } },
    )
  }
}

/**
 * Sends a browser on (302). One that is refused shows whatever comes, so it goes to the console, which says why in its
 * own words for the code; others get the error itself.
 */
async function sendBrowser(
  { headers, log }: Pick<RequestContext, 'headers' | 'log'>,
  whereTo: () => Promise<ReplyHeaders>,
): Promise<DirectReply<Record<never, never>>> {
  const to = await whereTo().catch((error: unknown) => {
    if (!(error instanceof Refusal) || headers.accept?.includes('text/html') !== true) throw error
    log.warn({ err: error }, 'a sign-in was refused')
    return { location: `/?refused=${error.code}` }
  })
  return replyWith<Record<never, never>>(undefined, { status: 302, headers: to })
}

/** The user who asks. @throws Refusal `conflict` for a token, which has neither sessions nor a password. */
function requireUser({ caller }: RequestContext) {
  if (caller.kind === 'user') return caller
  throw new Refusal('conflict', { message: 'A token has no session and no password; sign in as a user.' })
}

function changePassword(dependencies: Dependencies, tools: SignInTools): SignInHandlers['changePassword'] {
  const { passwords, attempts } = tools
  return async (context, { body }) => {
    const { id, name, sessionId } = requireUser(context)
    const { organisationId, actor, address } = context
    requireGoodPassword(body.password, name)
    await attempts.count(name, address)
    const user = await findUser(dependencies.db, organisationId, { id })
    if (user?.passwordHash == null) {
      throw new Refusal('conflict', { message: 'This user signs in at the identity provider.' })
    }
    if (!(await passwords.matches(body.current, user.passwordHash))) {
      throw new Refusal('key_invalid', { message: 'The password is wrong.', param: 'current' })
    }
    await attempts.forget(name, address)
    const passwordHash = await passwords.hash(body.password)
    const audit = { organisationId, actor, action: 'changePassword' }
    await withAudit(dependencies, audit, async (transaction) => {
      await storeUser(transaction, id, { passwordHash })
      const ended = await endSessions(transaction, id, { nowMs: dependencies.nowMs(), but: sessionId })
      return { result: undefined, audit: { object: `user ${id}`, detail: { sessionsEnded: ended } } }
    })
    return { ok: true }
  }
}

function endOne(
  dependencies: Dependencies,
  { organisationId, actor }: RequestContext,
  session: { readonly userId: string; readonly id: string; readonly action: 'signOut' | 'revokeSession' },
): Promise<number> {
  const audit = { organisationId, actor, action: session.action }
  return withAudit(dependencies, audit, async (transaction) => {
    const which = { nowMs: dependencies.nowMs(), only: session.id }
    const ended = await endSessions(transaction, session.userId, which)
    const row = { object: `session ${session.id}`, detail: {} }
    return { result: ended, audit: ended === 0 ? null : row }
  })
}

function sessionHandlers(
  dependencies: Dependencies,
  { cookies }: SignInTools,
): Pick<SignInHandlers, 'signOut' | 'listSessions' | 'revokeSession'> {
  return {
    async signOut(context) {
      const { id: userId, sessionId: id } = requireUser(context)
      await endOne(dependencies, context, { userId, id, action: 'signOut' })
      return replyWith({ ok: true }, { headers: { 'set-cookie': cookies.clearedSession } })
    },
    async listSessions(context) {
      const { id, sessionId } = requireUser(context)
      const alive = { nowMs: dependencies.nowMs(), idleMsMax: sessionIdleMsMax }
      const rows = await listSessions(dependencies.db, id, alive)
      return {
        items: rows.map(({ id: of, userAgent, address, createdMs, lastUsedMs, expiresMs }) => ({
          ...{ id: of, current: of === sessionId, userAgent, address, createdMs, lastUsedMs, expiresMs },
        })),
      }
    },
    async revokeSession(context, { params }) {
      const { id: userId } = requireUser(context)
      const ended = await endOne(dependencies, context, { userId, id: params.id, action: 'revokeSession' })
      if (ended === 0) throw new Refusal('not_found', { message: 'There is no such session.' })
      return { ok: true }
    },
  }
}

/** Whose session a cookie is; null where it holds no more. */
async function nameOfSession({ db, nowMs }: Dependencies, secret: string): Promise<string | null> {
  try {
    return (await userOfSession(db, secret, nowMs())).user.name
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

export function createSignInHandlers(dependencies: Dependencies, tools: SignInTools): SignInHandlers {
  const { oidc, cookies } = tools
  return {
    async getSignIn({ headers }) {
      const password = await hasPasswords(dependencies.db, await theOrganisation(dependencies))
      const offered = oidc === undefined ? null : { name: oidc.provider.name, path: '/v1/sign-in/oidc' }
      const secret = cookies.readSession(headers)
      const signedInAs = secret === undefined ? null : await nameOfSession(dependencies, secret)
      return { password, oidc: offered, signedInAs }
    },
    signIn: signIn(dependencies, tools),
    startOidcSignIn: (context) =>
      sendBrowser(context, async () => {
        const { location, cookie } = await startOidc(dependencies, tools, {
          organisationId: await theOrganisation(dependencies),
          address: context.address,
        })
        return { location, 'set-cookie': cookie }
      }),
    finishOidcSignIn: (context, { query }) =>
      sendBrowser(context, async () => {
        const organisationId = await theOrganisation(dependencies)
        const user = await finishOidc(dependencies, tools, {
          ...{ organisationId, query, headers: context.headers, log: context.log },
          openSession: (transaction, of) => openSession(transaction, dependencies, context, of),
        })
        const session = cookies.session(user.secret, secondsOf(sessionMsMax))
        return { location: '/', 'set-cookie': [cookies.clearedSignIn, session] }
      }),
    changePassword: changePassword(dependencies, tools),
    ...sessionHandlers(dependencies, tools),
  }
}
