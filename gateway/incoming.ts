import type { IncomingMessage } from 'node:http'
import type { Dialect, DialectRoute } from './dialect.ts'
import type { ResponseWriter } from './response-writer.ts'

/** A request at one of the dialects' endpoints. */
export interface Incoming {
  /** Of the call and its record. */
  readonly id: string
  readonly request: IncomingMessage
  readonly writer: ResponseWriter
  readonly dialect: Dialect
  readonly route: DialectRoute
}
