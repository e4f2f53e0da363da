import type { Dispatch } from './upstream.ts'

/** Answers in the network's place with a JSON body that is known already. */
export function answerHere(body: Buffer): Dispatch {
  return (_request, handler) => {
    const controller = {
      aborted: false,
      paused: false,
      reason: null,
      abort(): void {
        controller.aborted = true
      },
      pause(): void {},
      resume(): void {},
    }
    setImmediate(() => {
      if (controller.aborted) return
      handler.onRequestStart?.(controller, undefined)
      handler.onResponseStart?.(controller, 200, { 'content-type': 'application/json' })
      handler.onResponseData?.(controller, body)
      handler.onResponseEnd?.(controller, {})
    })
    return true
  }
}
