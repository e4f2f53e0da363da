import type { Static, TSchema } from 'typebox'
import type { ErrorCode } from './errors.ts'

/**
 * Who may call an operation. `public`: nobody is asked; `gateway`: a gateway's own token; `member` reads and works
 * with policies; `admin` may do everything of the organisation. A higher role includes `member`.
 */
export type Role = 'public' | 'member' | 'admin' | 'gateway'
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** `json`: one document. `events`: server-sent events, one document each. `bytes`: raw. */
export type ReplyForm = 'json' | 'events' | 'bytes'

/** One administrative operation, as data: route, schemas, role and errors; everything else is derived from it. */
export interface OperationDefinition {
  readonly id: string
  readonly method: Method
  /** Path with `:params`. */
  readonly path: string
  readonly role: Role
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
