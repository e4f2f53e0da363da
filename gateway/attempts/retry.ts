import type { ResponseWriter } from '../response-writer.ts'
import type { AttemptFailure } from '../upstream/judge-failure.ts'

/** The first wait is drawn from up to this, each next one from up to twice as much. */
const backoffMs = 250
const backoffMsMax = 8000
/** A provider that wants to be left alone for longer than this is; the call goes on with what else there is. */
const patientMs = 20_000
/** The same while another target is left. */
const hastyMs = 1000

/**
 * How long to wait before a target is tried again: never less than the provider asks for, else a random part of a time
 * that grows (full jitter). Undefined where another try gives the same, or the wait is not worth it.
 */
export function retryWaitMs(
  failure: AttemptFailure,
  { retry, random, isLast }: { readonly retry: number; readonly random: number; readonly isLast: boolean },
): number | undefined {
  if (failure.isPassing !== true) return undefined
  const drawnMs = random * Math.min(backoffMsMax, backoffMs * 2 ** retry)
  const askedMs = (failure.refusal.retryAfterS ?? 0) * 1000
  if (askedMs > (isLast ? patientMs : hastyMs)) return undefined
  return askedMs + drawnMs
}

/** Waits, or until nobody waits for an answer any more. */
export function pauseFor(waitMs: number, writer: ResponseWriter): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      writer.onStop = undefined
      resolve()
    }
    const timer = setTimeout(end, waitMs)
    writer.onStop = end
  })
}
