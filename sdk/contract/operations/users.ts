import { Type } from 'typebox'
import { defineOperation } from '../operation.ts'
import { Id, Revision, TimeMs } from '../scalars.ts'
import { Grant, RoleName } from './tokens.ts'

const closed = { additionalProperties: false } as const
const nullableTime = Type.Union([TimeMs, Type.Null()])
const ById = Type.Object({ id: Id }, closed)
/** Shortest password that is taken. */
export const passwordLengthMin = 12
const Login = Type.String({
  pattern: '^[a-z0-9][a-z0-9._%+@-]{0,126}$',
  description: 'What a person signs in with: a name or an address, in lower case.',
})
const NewPassword = Type.String({ minLength: passwordLengthMin, maxLength: 256 })
const NewGrant = Type.Object(
  {
    role: RoleName,
    node: Type.Optional(
      Type.String({ maxLength: 1024, description: 'Id, name or path; the organisation if left out.' }),
    ),
  },
  closed,
)
const newGrants = Type.Array(NewGrant, { maxItems: 64 })

export const User = Type.Object(
  {
    id: Id,
    name: Type.String({ description: 'What the person signs in with.' }),
    displayName: Type.String(),
    source: Type.Enum(['local', 'oidc']),
    grants: Type.Array(Grant),
    revision: Revision,
    createdMs: TimeMs,
    lastSignInMs: nullableTime,
    disabledMs: nullableTime,
  },
  closed,
)
export const Session = Type.Object(
  {
    id: Id,
    current: Type.Boolean({ description: 'The one that asks.' }),
    userAgent: Type.String(),
    address: Type.String(),
    createdMs: TimeMs,
    lastUsedMs: TimeMs,
    expiresMs: TimeMs,
  },
  closed,
)
const SignedIn = Type.Object({ userId: Id, name: Type.String(), expiresMs: TimeMs }, closed)

export const userOperations = {
  getSignIn: defineOperation({
    id: 'getSignIn',
    method: 'GET',
    path: '/v1/sign-in',
    role: 'public',
    summary: 'Says how a person can sign in here.',
    reply: Type.Object(
      {
        password: Type.Boolean({ description: 'There are accounts with passwords.' }),
        oidc: Type.Union([Type.Object({ name: Type.String(), path: Type.String() }, closed), Type.Null()]),
        signedInAs: Type.Union([Type.String(), Type.Null()], {
          description: 'Whose session the request carries; null where it carries none that holds.',
        }),
      },
      closed,
    ),
    errors: [],
  }),
  signIn: defineOperation({
    id: 'signIn',
    method: 'POST',
    path: '/v1/sign-in',
    role: 'public',
    summary: 'Signs in with name and password: sets the cookie of a session.',
    body: Type.Object(
      { name: Type.String({ minLength: 1, maxLength: 128 }), password: Type.String({ maxLength: 256 }) },
      closed,
    ),
    reply: SignedIn,
    errors: ['key_invalid', 'rate_limited', 'forbidden'],
  }),
  startOidcSignIn: defineOperation({
    id: 'startOidcSignIn',
    method: 'GET',
    path: '/v1/sign-in/oidc',
    role: 'public',
    summary: 'Sends the browser to the identity provider (302).',
    reply: Type.Object({}, closed),
    errors: ['not_found', 'upstream_unavailable', 'rate_limited'],
  }),
  finishOidcSignIn: defineOperation({
    id: 'finishOidcSignIn',
    method: 'GET',
    path: '/v1/sign-in/oidc/callback',
    role: 'public',
    summary: 'Where the identity provider sends the browser back to; sets the cookie of a session (302).',
    query: Type.Object(
      { code: Type.Optional(Type.String()), state: Type.Optional(Type.String()) },
      { additionalProperties: Type.String(), description: 'As the provider sends it.' },
    ),
    reply: Type.Object({}, closed),
    errors: ['not_found', 'upstream_unavailable', 'upstream_invalid', 'key_invalid', 'forbidden'],
  }),
  signOut: defineOperation({
    id: 'signOut',
    method: 'POST',
    path: '/v1/sign-out',
    role: 'member',
    scope: 'anywhere',
    summary: 'Ends the session that asks.',
    reply: Type.Object({ ok: Type.Literal(true) }, closed),
    errors: [],
  }),
  listSessions: defineOperation({
    id: 'listSessions',
    method: 'GET',
    path: '/v1/sessions',
    role: 'member',
    scope: 'anywhere',
    summary: "Lists the asking user's own sessions that have not ended.",
    reply: Type.Object({ items: Type.Array(Session) }, closed),
    errors: [],
  }),
  revokeSession: defineOperation({
    id: 'revokeSession',
    method: 'POST',
    path: '/v1/sessions/:id/revoke',
    role: 'member',
    scope: 'anywhere',
    summary: "Ends one of the asking user's own sessions.",
    params: ById,
    reply: Type.Object({ ok: Type.Literal(true) }, closed),
    errors: ['not_found'],
  }),
  changePassword: defineOperation({
    id: 'changePassword',
    method: 'POST',
    path: '/v1/me/password',
    role: 'member',
    scope: 'anywhere',
    summary: "Changes the asking user's own password and ends all other sessions.",
    body: Type.Object({ current: Type.String({ maxLength: 256 }), password: NewPassword }, closed),
    reply: Type.Object({ ok: Type.Literal(true) }, closed),
    errors: ['key_invalid', 'rate_limited', 'conflict', 'invalid_request'],
  }),
  listUsers: defineOperation({
    id: 'listUsers',
    method: 'GET',
    path: '/v1/users',
    role: ['owner', 'admin', 'security'],
    summary: 'Lists the users of the console.',
    reply: Type.Object({ items: Type.Array(User) }, closed),
    errors: [],
  }),
  createUser: defineOperation({
    id: 'createUser',
    method: 'POST',
    path: '/v1/users',
    role: 'admin',
    summary: 'Makes a local account with a password and grants.',
    body: Type.Object(
      {
        name: Login,
        displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
        password: NewPassword,
        grants: newGrants,
      },
      closed,
    ),
    reply: User,
    status: 201,
    errors: ['already_exists', 'not_found', 'forbidden', 'invalid_request'],
  }),
  updateUser: defineOperation({
    id: 'updateUser',
    method: 'PATCH',
    path: '/v1/users/:id',
    role: 'admin',
    summary: 'Changes a user: name shown, grants, password, or whether they may sign in.',
    params: ById,
    body: Type.Object(
      {
        revision: Revision,
        displayName: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
        grants: Type.Optional(newGrants),
        password: Type.Optional(NewPassword),
        disabled: Type.Optional(Type.Boolean()),
      },
      closed,
    ),
    reply: User,
    errors: ['not_found', 'conflict', 'forbidden', 'invalid_request'],
  }),
  endUserSessions: defineOperation({
    id: 'endUserSessions',
    method: 'POST',
    path: '/v1/users/:id/sign-out',
    role: ['owner', 'admin', 'security'],
    summary: 'Ends all sessions of a user.',
    params: ById,
    reply: Type.Object({ ended: Type.Integer() }, closed),
    errors: ['not_found'],
  }),
} as const
