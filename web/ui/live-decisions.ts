import type { FollowRecordsInput, RecordRow } from '@signalbox/sdk'
import { html, LitElement, type PropertyValues } from 'lit'
import { api } from '../api.ts'
import { decisionTable } from './decision-table.ts'
import { shared } from './styles.ts'

const reconnectMs = 2000

/** The newest decisions, added to as they arrive. */
export class LiveDecisions extends LitElement {
  static override properties = {
    limit: { type: Number },
    filter: { attribute: false },
    rows: { state: true },
  }
  declare limit: number
  declare filter: FollowRecordsInput
  declare rows: readonly RecordRow[] | undefined
  #abort = new AbortController()

  constructor() {
    super()
    this.limit = 100
    this.filter = {}
    this.rows = undefined
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#abort.abort()
  }

  override updated(changed: PropertyValues<this>): void {
    if (!changed.has('filter')) return
    this.#abort.abort()
    this.#abort = new AbortController()
    void this.#follow(this.#abort.signal)
  }

  #add(row: RecordRow): void {
    if (this.rows?.some((each) => each.id === row.id)) return
    this.rows = [row, ...(this.rows ?? [])].toSorted((a, b) => b.timeMs - a.timeMs).slice(0, this.limit)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.rows = undefined
    while (!signal.aborted) {
      try {
        const stream = api().followRecords(this.filter, { signal })
        const { items } = await api().listRecords({ ...this.filter, limit: this.limit }, { signal })
        this.rows = this.rows ?? []
        for (const row of items) this.#add(row)
        for await (const row of stream) this.#add(row)
      } catch {
        // The connection broke; the next round asks for what was missed.
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, reconnectMs))
    }
  }

  override render() {
    if (this.rows === undefined) return html`<p class="muted pad" role="status">Loading…</p>`
    if (this.rows.length === 0) {
      return html`<sb-empty-state heading="No decisions yet" text="Every call to a gateway shows here within a second, allowed or not."></sb-empty-state>`
    }
    return decisionTable(this.rows)
  }

  static override styles = [shared]
}
customElements.define('sb-live-decisions', LiveDecisions)
