import type { Evidence } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { formatCount, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import './guard-table.ts'
import { formatShare, formatSpan, metricNames } from './wording.ts'

/** Why a candidate was taken back, as it stood at that moment. */
export class EvidenceCard extends LitElement {
  static override properties = { evidence: { attribute: false }, version: { type: Number } }
  declare evidence: Evidence | undefined
  /** The candidate that was taken back. */
  declare version: number

  constructor() {
    super()
    this.evidence = undefined
    this.version = 0
  }

  #window({ window }: Evidence) {
    if (window === null) return nothing
    return html`<dt>Counted</dt><dd>${formatCount(window.failed)} of ${formatCount(window.calls)} calls failed in ${formatSpan(window.windowMs)}</dd>`
  }

  override render() {
    const { evidence } = this
    if (evidence === undefined) return nothing
    const { metric, kind, by, gateway, message, atMs, guard, guards, stable, candidate, records } = evidence
    const test = kind === 'tripwire' ? 'tripwire' : 'sequential test'
    const where = by === 'gateway' ? `in gateway ${gateway ?? ''}` : 'in the control plane'
    return html`<section class="card">
      <header><h2>Taken back${this.version === 0 ? nothing : ` v${this.version}`}: ${metricNames[metric]}</h2><span class="badge bad">${test} ${where}</span></header>
      <p class="pad message">${message}</p>
      <dl>
        <dt>When</dt><dd>${formatTime(atMs)}</dd>
        ${this.#window(evidence)}
        ${evidence.falseAlarmPpm === 0 ? nothing : html`<dt>False alarm of this test</dt><dd>at most ${formatShare(evidence.falseAlarmPpm)}</dd>`}
      </dl>
      ${
        // A gateway stops by what it has counted itself; the sums of all may not have come by then.
        guard === null || guard.state !== 'breached'
          ? nothing
          : html`<sb-guard-table .states=${[guard]} .guards=${guards} .stable=${stable ?? undefined} .candidate=${candidate ?? undefined}></sb-guard-table>`
      }
      ${
        records.length === 0
          ? nothing
          : html`<div class="pad records"><h3>Calls that show it</h3>
        <ul>${records.map((id) => html`<li><a href="/decisions/${id}"><code>${id}</code></a></li>`)}</ul></div>`
      }
    </section>`
  }

  static override styles = [
    shared,
    css`
      .card { border-color: var(--bad); }
      .message { font-weight: 560; overflow-wrap: anywhere; }
      dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 4px 16px; margin: 0; padding: 0 18px 16px; }
      dt { color: var(--muted); }
      dd { margin: 0; }
      sb-guard-table { border-top: 1px solid var(--line); }
      .records { border-top: 1px solid var(--line); display: grid; gap: 8px; }
      h3 { margin: 0; font-size: 13px; }
      ul { margin: 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 4px 14px; }
      code { overflow-wrap: anywhere; }
    `,
  ]
}
customElements.define('sb-evidence-card', EvidenceCard)
