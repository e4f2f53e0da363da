import type { AuditRow, VerifyAuditReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { Load } from '../load.ts'
import { definePage, setQuery } from '../router.ts'
import { formatCount, formatTime } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

const rowsPerPage = 50

class AuditPage extends LitElement {
  static override properties = { verified: { state: true }, error: { state: true }, busy: { state: true } }
  declare verified: VerifyAuditReply | undefined
  declare error: string
  declare busy: boolean
  /** Sequences that the pages before this one began under, newest first. */
  readonly #before: number[] = []
  readonly #data: Load<readonly AuditRow[]>

  constructor() {
    super()
    this.verified = undefined
    this.error = ''
    this.busy = false
    this.#data = new Load(this, async (signal) => {
      const query = new URLSearchParams(location.search)
      const [action, actor] = [query.get('action'), query.get('actor')]
      const before = this.#before.at(-1)
      const filter = {
        ...(action === null ? {} : { action }),
        ...(actor === null ? {} : { actor }),
        ...(before === undefined ? {} : { before }),
      }
      return (await api().listAudit({ ...filter, limit: rowsPerPage }, { signal })).items
    })
  }

  #filter(event: Event): void {
    event.preventDefault()
    const data = new FormData(event.currentTarget as HTMLFormElement)
    setQuery({ action: String(data.get('action')).trim(), actor: String(data.get('actor')).trim() })
    this.#before.length = 0
    void this.#data.run()
  }

  #older(rows: readonly AuditRow[]): void {
    this.#before.push(rows.at(-1)?.sequence ?? 1)
    void this.#data.run()
  }

  #newer(): void {
    this.#before.pop()
    void this.#data.run()
  }

  async #verify(): Promise<void> {
    this.busy = true
    this.error = ''
    try {
      this.verified = await api().verifyAudit({})
    } catch (error) {
      this.error = explainError(error)
    } finally {
      this.busy = false
    }
  }

  #outcome({ rows, broken, head, segments, brokenSegments }: VerifyAuditReply) {
    if (broken !== null) {
      return html`<p class="error" role="alert">Row ${broken} is not as it was written: it was changed, removed or put in.</p>`
    }
    if (brokenSegments.length > 0) {
      return html`<p class="error" role="alert">${formatCount(brokenSegments.length)} segments of records are not as they came.</p>`
    }
    return html`<section class="card pad stack whole" role="status">
      <p>All ${formatCount(rows)} rows and ${formatCount(segments)} segments of records are as they were written. Keep the head elsewhere: with it the next verification finds an end that was cut off.</p>
      <sb-copy-text .text=${head === null ? '' : `signalbox audit verify --head ${head.sequence}:${head.hash}`}></sb-copy-text>
    </section>`
  }

  #row(row: AuditRow) {
    return html`<tr>
      <td class="num muted">${row.sequence}</td>
      <td class="muted nowrap">${formatTime(row.timeMs)}</td>
      <td>${row.actor}</td>
      <td><strong>${row.action}</strong></td>
      <td><details><summary><code>${row.object}</code></summary><pre>${JSON.stringify(row.detail, null, 2)}
hash ${row.hash}</pre></details></td>
    </tr>`
  }

  #rows(rows: readonly AuditRow[]) {
    return html`<section class="card">
      ${
        rows.length === 0
          ? html`<sb-empty-state heading="No changes" text="Nobody has changed anything of this kind."></sb-empty-state>`
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th class="num">Row</th><th>Time</th><th>By</th><th>Operation</th><th>What</th></tr></thead>
        <tbody>${rows.map((row) => this.#row(row))}</tbody></table></div>`
      }
      <div class="pad row line">
        <button ?disabled=${this.#before.length === 0} @click=${this.#newer}>Newer</button>
        <button ?disabled=${rows.length < rowsPerPage} @click=${() => this.#older(rows)}>Older</button>
      </div></section>`
  }

  override render() {
    const query = new URLSearchParams(location.search)
    return html`<div class="head"><h1>Audit</h1>
        <button ?disabled=${this.busy} @click=${this.#verify}>${this.busy ? 'Verifying…' : 'Verify the chain'}</button></div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${this.verified === undefined ? nothing : this.#outcome(this.verified)}
        <form class="row" @submit=${this.#filter}>
          <input name="action" .defaultValue=${query.get('action') ?? ''} placeholder="Operation, like setBudget" aria-label="Operation" />
          <input name="actor" .defaultValue=${query.get('actor') ?? ''} placeholder="By" aria-label="By whom" />
          <button>Filter</button>
        </form>
        ${this.#data.render((rows) => this.#rows(rows))}
      </div>`
  }

  static override styles = [
    shared,
    css`
      form input { width: 230px; }
      .line { border-top: 1px solid var(--line); }
      .nowrap { white-space: nowrap; }
      .whole { gap: 10px; border-color: var(--accent); }
      summary { cursor: pointer; overflow-wrap: anywhere; }
      td { vertical-align: top; }
      pre { margin: 8px 0 0; white-space: pre-wrap; overflow-wrap: anywhere; color: var(--muted); max-width: 70ch; }
    `,
  ]
}
customElements.define('sb-audit-page', AuditPage)

export const page = definePage({
  path: '/audit',
  title: 'Audit',
  nav: { order: 6, icon: icons.audit },
  render: () => html`<sb-audit-page></sb-audit-page>`,
})
