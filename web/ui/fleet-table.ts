import type { Gateway, GetStatusReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import './copy-text.ts'
import './empty-state.ts'
import { formatAgo } from './format.ts'
import { shared } from './styles.ts'

type Environment = GetStatusReply['environments'][number]
type Document = 'release' | 'state'

/** Gateways of an environment: which documents each runs, how far behind it is, and what it refused. */
export class FleetTable extends LitElement {
  static override properties = { environment: { attribute: false }, runs: { attribute: false } }
  declare environment: Environment | undefined
  /** What a release decides with, in words, by its sequence; left out where that is not shown. */
  declare runs: ReadonlyMap<number, string> | undefined

  constructor() {
    super()
    this.environment = undefined
    this.runs = undefined
  }

  #document(gateway: Gateway, newest: number | null, document: Document) {
    const own = gateway[document]
    if (own === null) return html`<td class="num">–</td>`
    const behind = newest === null || own >= newest ? 0 : newest - own
    return html`<td class="num">${own}${behind === 0 ? nothing : html` <span class="badge warn">${behind} behind</span>`}</td>`
  }

  #row(gateway: Gateway, { release, state }: Environment) {
    const { name, connected, url, lastSeenMs, software, rejected } = gateway
    return html`<tr>
        <td><strong>${name}</strong><div class="muted small">${software ?? ''}</div></td>
        <td><span class="badge ${connected ? 'good' : 'warn'}">${connected ? 'connected' : 'away'}</span></td>
        ${this.runs === undefined ? nothing : html`<td>${gateway.release === null ? '–' : (this.runs.get(gateway.release) ?? '–')}</td>`}
        ${this.#document(gateway, release, 'release')} ${this.#document(gateway, state, 'state')}
        <td><code>${url ?? '–'}</code></td>
        <td class="muted">${lastSeenMs === null ? 'never' : formatAgo(lastSeenMs, Date.now())}</td>
      </tr>
      ${
        rejected === null
          ? nothing
          : html`<tr><td colspan="7"><p class="error">${name} rejected ${rejected.document} ${rejected.sequence} and goes on with what it had: ${rejected.error}</p></td></tr>`
      }`
  }

  override render() {
    const { environment, runs } = this
    if (environment === undefined) return nothing
    if (environment.gateways.length === 0) {
      return html`<sb-empty-state heading="No gateway serves ${environment.name}" text="Enrol one, then start it with the token and trust root that are printed.">
        <sb-copy-text .text=${`npx signalbox gateways enroll --env ${environment.name}`}></sb-copy-text>
      </sb-empty-state>`
    }
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Gateways of ${environment.name}"><table>
      <thead><tr><th>Gateway</th><th>Connection</th>${runs === undefined ? nothing : html`<th>Decides with</th>`}<th class="num">Release</th><th class="num">State document</th><th>Address</th><th>Seen</th></tr></thead>
      <tbody>${environment.gateways.map((each) => this.#row(each, environment))}</tbody>
    </table></div>`
  }

  static override styles = [
    shared,
    css`
      .error { overflow-wrap: anywhere; }
    `,
  ]
}
customElements.define('sb-fleet-table', FleetTable)
