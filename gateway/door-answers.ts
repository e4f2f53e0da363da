import type { IncomingMessage } from 'node:http'
import type { Refusal } from '@signalbox/sdk/contract'
import { refusalHeaders } from './answer-headers.ts'
import type { Dialect } from './dialect.ts'
import type { ResponseWriter } from './response-writer.ts'

const safeRequestId = /^[\w.:/+=-]{1,128}$/

/** The caller's own id where it is safe to repeat, else the call's. */
export function requestId(request: IncomingMessage, id: string): string {
  const own = request.headers['x-request-id']
  return typeof own === 'string' && safeRequestId.test(own) ? own : id
}

/** Refuses a request that is no call, in the words of a dialect. */
export function refuse(
  refusal: Refusal,
  dialect: Dialect,
  writer: ResponseWriter,
  headers: readonly string[] = [],
): void {
  const body = JSON.stringify(dialect.encodeError(refusal, undefined))
  writer.send(
    refusal.status,
    ['content-type', 'application/json', ...refusalHeaders(refusal), ...headers],
    body,
  )
}
