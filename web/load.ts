import { ApiError } from '@signalbox/sdk'
import type { ReactiveController, ReactiveControllerHost, TemplateResult } from 'lit'
import { html } from 'lit'
import { explainError } from './api.ts'

/** Asks for a page's data and keeps the last good answer while a newer one is under way. */
export class Load<T> implements ReactiveController {
  readonly #host: ReactiveControllerHost
  readonly #get: (signal: AbortSignal) => Promise<T>
  readonly #everyMs: number | undefined
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  value: T | undefined
  error: unknown

  constructor(host: ReactiveControllerHost, get: (signal: AbortSignal) => Promise<T>, everyMs?: number) {
    this.#host = host
    this.#get = get
    this.#everyMs = everyMs
    host.addController(this)
  }

  hostConnected(): void {
    void this.run()
  }

  hostDisconnected(): void {
    this.#abort?.abort()
    clearTimeout(this.#timer)
  }

  async run(): Promise<void> {
    this.#abort?.abort()
    clearTimeout(this.#timer)
    const abort = new AbortController()
    this.#abort = abort
    try {
      const value = await this.#get(abort.signal)
      if (abort.signal.aborted) return
      this.value = value
      this.error = undefined
    } catch (error) {
      if (abort.signal.aborted) return
      this.error = error
      if (error instanceof ApiError && error.status === 401) dispatchEvent(new Event('signalbox-signed-out'))
    }
    this.#host.requestUpdate()
    if (this.#everyMs !== undefined) this.#timer = setTimeout(() => void this.run(), this.#everyMs)
  }

  /** The data rendered, or that it is coming, or what went wrong and a way to try again. */
  render(complete: (value: T) => TemplateResult): TemplateResult {
    if (this.error !== undefined && this.value === undefined) {
      return html`<div class="error row spread" role="alert">
        <span>${explainError(this.error)}</span>
        <button @click=${() => void this.run()}>Try again</button>
      </div>`
    }
    if (this.value === undefined) return html`<p class="muted" role="status">Loading…</p>`
    return complete(this.value)
  }
}

/** Does what somebody asked for, and says on the page what went wrong; true where nothing did. */
export async function attempt(page: { error: string }, work: () => Promise<unknown>): Promise<boolean> {
  page.error = ''
  try {
    await work()
    return true
  } catch (error) {
    page.error = explainError(error)
    return false
  }
}
