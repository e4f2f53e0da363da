import type { ShadowChange } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { formatCount } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import { formatShare } from './wording.ts'

/** What a version that looks on would have decided otherwise, by who decides: rule → rule. */
export class ShadowTable extends LitElement {
  static override properties = { changes: { attribute: false }, version: { type: Number } }
  declare changes: readonly ShadowChange[]
  declare version: number

  constructor() {
    super()
    this.changes = []
    this.version = 0
  }

  #row({ from, to, effect, calls, records }: ShadowChange) {
    return html`<tr>
      <td class="rules"><code>${from}</code> → <code>${to}</code></td>
      <td><span class="badge ${effect.endsWith('deny') ? 'bad' : effect.endsWith('error') ? 'warn' : ''}">${effect.replace('→', ' → ')}</span></td>
      <td class="num">${formatCount(calls)}</td>
      <td>${records.slice(0, 3).map((id) => html`<a href="/decisions/${id}"><code>…${id.slice(-8)}</code></a> `)}</td>
    </tr>`
  }

  override render() {
    const own = this.changes.filter(({ version }) => version === this.version)
    const sum = (rows: readonly ShadowChange[]): number => rows.reduce((all, { calls }) => all + calls, 0)
    const all = sum(own)
    const differing = own.filter(({ same }) => !same).toSorted((a, b) => b.calls - a.calls)
    if (all === 0) {
      return html`<p class="pad muted">No call was looked at since the deployment last changed. Differences show here as soon as calls come in; nothing that a shadow decides has any effect.</p>`
    }
    const different = sum(differing)
    const share = formatShare(Math.round((different * 1_000_000) / all / 100) * 100)
    return html`<p class="pad">
        ${
          different === 0
            ? html`All ${formatCount(all)} calls would have been decided the same.`
            : html`<strong>${formatCount(different)}</strong> of ${formatCount(all)} calls would have been decided otherwise (${share}).`
        }
      </p>
      ${
        differing.length === 0
          ? nothing
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Differences of v${this.version}"><table>
        <thead><tr><th>Rule now → rule then</th><th>Effect</th><th class="num">Calls</th><th>Examples</th></tr></thead>
        <tbody>${differing.map((each) => this.#row(each))}</tbody>
      </table></div>`
      }`
  }

  static override styles = [
    shared,
    css`
      .rules { overflow-wrap: anywhere; min-width: 200px; }
      .scroll { border-top: 1px solid var(--line); }
    `,
  ]
}
customElements.define('sb-shadow-table', ShadowTable)
