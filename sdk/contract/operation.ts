import type { Static, TSchema } from 'typebox'
import type { ErrorCode } from './errors.ts'

/** How the message of an `invalid_request` begins where the body does not fit the operation's schema. */
export const bodyViolation = 'Body: '

/**
 * What a grant lets its holder do, on a node of the tree and all below it. `owner` may do everything; `admin` all but
 * make owners; `security` looks after who has access; `developer` works with policies, keys and records; `finance`
 * sees what is spent; `viewer` reads.
 */
export const roles = ['owner', 'admin', 'security', 'developer', 'finance', 'viewer'] as const
export type Role = (typeof roles)[number]
/**
 * Who may call an operation. `public`: nobody is asked; `gateway`: a gateway's own token; `member`: every role;
 * `admin`: owner and admin; a list: these roles alone.
 */
export type Access = 'public' | 'gateway' | 'member' | 'admin' | readonly Role[]
/**
 * Where in the tree the role must be held. `organisation`, where nothing is said: on its root. `reach`: anywhere; the
 * reply holds what lies at or below such a node. `anywhere`: on any node. `{ node }`, `{ key }`, `{ token }`,
 * `{ record }`, `{ budget }`, `{ limit }`: at or above the node of the object that this member of the input names; a
 * node that is not named is the root. `{ node, key }`: of the key where one is named, else of the node.
 */
export type Scope =
  | 'organisation'
  | 'reach'
  | 'anywhere'
  | { readonly node: string; readonly key?: string }
  | { readonly key: string }
  | { readonly token: string }
  | { readonly record: string }
  | { readonly budget: string }
  | { readonly limit: string }
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** `json`: one document. `events`: server-sent events, one document each. `bytes`: raw. */
export type ReplyForm = 'json' | 'events' | 'bytes'

/** One administrative operation, as data: route, schemas, role and errors; everything else is derived from it. */
export interface OperationDefinition {
  readonly id: string
  readonly method: Method
  /** Path with `:params`. */
  readonly path: string
  readonly role: Access
  readonly scope?: Scope
  /** It hands out records or content of calls, and each reader stands in the audit log. */
  readonly readsRecords?: boolean
  readonly summary: string
  readonly params?: TSchema
  readonly query?: TSchema
  /** JSON body; `bytes` takes the raw body. */
  readonly body?: TSchema | 'bytes'
  readonly reply: TSchema
  readonly replyForm?: ReplyForm
  readonly status?: 200 | 201 | 202 | 204
  readonly errors: readonly ErrorCode[]
  /** Larger than the default of 1 MiB where set. */
  readonly bodyBytesMax?: number
}

/** Keeps the literal types of a definition, so that handlers and clients are typed by it. */
export function defineOperation<const T extends OperationDefinition>(definition: T): T {
  return definition
}

const groups = { member: roles, admin: ['owner', 'admin'] } as const satisfies Record<string, readonly Role[]>

/** The roles that may call an operation; none where it is public or for gateways. */
export function rolesOf({ role }: Pick<OperationDefinition, 'role'>): readonly Role[] {
  if (role === 'public' || role === 'gateway') return []
  return typeof role === 'string' ? groups[role] : role
}

type StaticOf<T> = T extends TSchema ? Static<T> : unknown
export type ParamsOf<T extends OperationDefinition> = T extends { params: infer S }
  ? StaticOf<S>
  : Record<never, never>
export type QueryOf<T extends OperationDefinition> = T extends { query: infer S }
  ? StaticOf<S>
  : Record<never, never>
export type BodyOf<T extends OperationDefinition> = T extends { body: 'bytes' }
  ? Uint8Array
  : T extends { body: infer S }
    ? StaticOf<S>
    : undefined
export type ReplyOf<T extends OperationDefinition> = StaticOf<T['reply']>
