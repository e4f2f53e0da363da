import type { Logger } from '@signalbox/sdk/node'
import type { Database } from './db/connect.ts'
import type { SecretBox } from './secret-box.ts'
import type { StateWriter } from './state-writer.ts'

/** What the handlers work with, made in `main.ts` and handed in. */
export interface Dependencies {
  readonly db: Database
  readonly log: Logger
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** A new UUIDv7. */
  readonly newId: () => string
  readonly secrets: SecretBox
  readonly stateWriter: StateWriter
  /** What a request means that names no environment. */
  readonly environment: string
  /** Name and version of this program. */
  readonly software: string
}
