import { Refusal } from '@signalbox/sdk/contract'
import type { Logger } from '@signalbox/sdk/node'
import { describeFailure, isDatabaseUnavailable, isMalformedId } from './db/errors.ts'
import { CheckRefusal } from './handler.ts'

/** What was thrown, as the refusal that the caller gets. What is not expected becomes `internal` and is logged. */
export function refusalOf(error: unknown, log: Logger): Refusal {
  if (error instanceof Refusal) return error
  if (isMalformedId(error)) return new Refusal('not_found')
  if (isDatabaseUnavailable(error)) {
    log.warn({ err: describeFailure(error) }, 'the database cannot be asked')
    return new Refusal('not_ready', { message: 'The database cannot be reached right now.', retryAfterS: 1 })
  }
  log.error({ err: describeFailure(error) }, 'unexpected failure')
  return new Refusal('internal')
}

/** Body of every error: `{ error: { code, message, param?, problems?, requestId } }`. */
export function errorBody(refusal: Refusal, requestId: string): object {
  return {
    error: {
      code: refusal.publicCode,
      message: refusal.message,
      ...(refusal.param === undefined ? {} : { param: refusal.param }),
      ...(refusal instanceof CheckRefusal ? { problems: refusal.problems } : {}),
      requestId,
    },
  }
}
