import type { DrillFault } from '@signalbox/sdk/contract'
import type { Dispatch } from '../upstream/upstream.ts'

/** How often a target that only shows signs of life does so. */
const pulseMs = 100
const messages: Readonly<Record<'429' | '500' | '529', string>> = {
  429: 'rate limited',
  500: 'an internal error',
  529: 'overloaded',
}

type Handler = Parameters<Dispatch>[1]

/** The other side of an exchange that goes nowhere. */
class Injection {
  aborted = false
  paused = false
  reason: Error | null = null
  readonly #handler: Handler
  readonly #fault: DrillFault
  #pulse: NodeJS.Timeout | undefined

  constructor(handler: Handler, fault: DrillFault) {
    this.#handler = handler
    this.#fault = fault
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  abort(reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    clearInterval(this.#pulse)
    this.#handler.onResponseError?.(this, reason)
  }

  start(): void {
    if (this.#fault === 'refused') {
      this.#break('ECONNREFUSED')
      return
    }
    this.#handler.onRequestStart?.(this, undefined)
    if (!this.aborted) this.#answer()
  }

  #answer(): void {
    const fault = this.#fault
    if (fault === '429' || fault === '500' || fault === '529') {
      const error = { type: 'drill', message: `A drill: ${messages[fault]}.` }
      this.#handler.onResponseStart?.(this, Number(fault), { 'content-type': 'application/json' })
      this.#end(JSON.stringify({ type: 'error', error }))
    } else if (fault === 'cut') this.#break('ECONNRESET')
    else if (fault === 'malformed') {
      this.#handler.onResponseStart?.(this, 200, { 'content-type': 'text/event-stream' })
      this.#end('data: {"choices": [\n\n')
    } else if (fault === 'slow') {
      this.#handler.onResponseStart?.(this, 200, { 'content-type': 'text/event-stream' })
      this.#pulse = setInterval(() => {
        this.#handler.onResponseData?.(this, Buffer.from(': still here\n\n'))
      }, pulseMs)
    }
  }

  #end(body: string): void {
    this.#handler.onResponseData?.(this, Buffer.from(body))
    if (!this.aborted) this.#handler.onResponseEnd?.(this, {})
  }

  #break(code: string): void {
    this.#handler.onResponseError?.(this, Object.assign(new Error(`a drill: ${code}`), { code }))
  }
}

/** Puts a fault in the place of the network: nothing is sent, to nobody. */
export function injectFault(fault: DrillFault): Dispatch {
  return (_request, handler) => {
    setImmediate(() => new Injection(handler, fault).start())
    return true
  }
}
