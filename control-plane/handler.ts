import type { IncomingHttpHeaders } from 'node:http'
import {
  type BodyOf,
  type OperationDefinition,
  type ParamsOf,
  type Problem,
  type QueryOf,
  Refusal,
  type ReplyForm,
  type ReplyOf,
} from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import type { Permit } from './authorize.ts'
import type { Grant } from './identity/grants.ts'

/** Who sent a request. */
export type Caller =
  | { readonly kind: 'public' }
  | {
      readonly kind: 'token'
      readonly id: string
      readonly name: string
      readonly grants: readonly Grant[]
    }
  | {
      readonly kind: 'user'
      readonly id: string
      readonly name: string
      readonly grants: readonly Grant[]
      readonly sessionId: string
    }
  | {
      readonly kind: 'gateway'
      readonly id: string
      readonly name: string
      readonly environment: string
    }

/** What a handler knows of a request beside its input. Authentication, role and validation are behind it. */
export interface RequestContext {
  readonly requestId: string
  readonly organisationId: string
  readonly caller: Caller
  /** What the caller may do with the operation, and where. */
  readonly permit: Permit
  /** Where the request comes from. */
  readonly address: string
  /** For `audit` and `by`: the token's name, `user NAME`, `gateway NAME`. */
  readonly actor: string
  /** Lower-case names. */
  readonly headers: IncomingHttpHeaders
  /** Aborted when the caller goes away or the program drains; ends long polls and event streams. */
  readonly signal: AbortSignal
  readonly log: Logger
}

export interface Input<T extends OperationDefinition> {
  readonly params: ParamsOf<T>
  readonly query: QueryOf<T>
  readonly body: BodyOf<T>
}

/** A workspace does not pass its checks; the reply lists the problems. */
export class CheckRefusal extends Refusal {
  readonly problems: readonly Problem[]
  constructor(problems: readonly Problem[], message?: string) {
    super('check_failed', message === undefined ? {} : { message })
    this.problems = problems
  }
}

export type ReplyHeaders = Readonly<Record<string, string | string[]>>

/** A reply with headers or a status of its own: `ETag`, 304, cache rules. Made with `replyWith`. */
export class DirectReply<T> {
  readonly body: T | undefined
  readonly status: number | undefined
  readonly headers: ReplyHeaders
  constructor(body: T | undefined, options: { status?: number; headers?: ReplyHeaders }) {
    this.body = body
    this.status = options.status
    this.headers = options.headers ?? {}
  }
}

/** A reply with headers or a status of its own. A 304 has no body. */
export function replyWith<T>(
  body: T | undefined,
  options: { status?: number; headers?: ReplyHeaders },
): DirectReply<T> {
  return new DirectReply(body, options)
}

type FormOf<T> = T extends { replyForm: infer F extends ReplyForm } ? F : 'json'
type Answer<T extends OperationDefinition> = {
  json: Promise<ReplyOf<T> | DirectReply<ReplyOf<T>>>
  /** Ends when it returns, throws or `context.signal` aborts; what it holds is freed in its `finally`. */
  events: AsyncIterable<ReplyOf<T>>
  bytes: Promise<Uint8Array | DirectReply<Uint8Array>>
}[FormOf<T>]
export type Handler<T extends OperationDefinition> = (context: RequestContext, input: Input<T>) => Answer<T>
/** One handler per operation; a missing or wrong one does not compile. */
export type Handlers<T extends Record<string, OperationDefinition>> = {
  readonly [K in keyof T]: Handler<T[K]>
}
