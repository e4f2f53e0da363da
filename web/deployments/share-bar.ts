import type { Candidate } from '@signalbox/sdk'
import { css, html, LitElement, nothing, svg } from 'lit'
import { shared } from '../ui/styles.ts'
import { formatShare, formatSpan } from './wording.ts'

const whole = 1_000_000
const width = 400

/** How the callers are shared between stable and candidate, and which shares are still to come. */
export class ShareBar extends LitElement {
  static override properties = { candidate: { attribute: false }, stable: { type: Number } }
  declare candidate: Candidate | undefined
  declare stable: number

  constructor() {
    super()
    this.candidate = undefined
    this.stable = 0
  }

  override render() {
    const { candidate, stable } = this
    if (candidate === undefined) return nothing
    const { ppm, version, ramp } = candidate
    const x = (ppm / whole) * width
    const text = `v${version} ${formatShare(ppm)}, v${stable} ${formatShare(whole - ppm)}`
    const [now, ...later] = ramp
    return html`<svg viewBox="0 0 ${width} 14" preserveAspectRatio="none" role="img" aria-label=${text}>
        <title>${text}</title>
        <rect class="candidate" width=${Math.max(2, x)} height="14" />
        ${later.map((step) => svg`<rect class="mark" x=${Math.min(width - 1.5, (step.ppm / whole) * width)} width="1.5" height="14" />`)}
      </svg>
      <div class="row spread small">
        <span><i class="candidate"></i>v${version} <strong>${formatShare(ppm)}</strong></span>
        <span><i></i>v${stable} <strong>${formatShare(whole - ppm)}</strong></span>
      </div>
      ${
        now === undefined
          ? nothing
          : html`<ol aria-label="Ramp">
        ${ramp.map(
          (step, index) => html`<li aria-current=${index === 0 ? 'step' : nothing}>
            <strong>${formatShare(step.ppm)}</strong>
            <span class="muted">${step.ppm === whole && step === ramp.at(-1) ? 'becomes stable' : `${formatSpan(step.minMs)}, ${step.minCalls} calls at least`}</span>
          </li>`,
        )}
      </ol>`
      }`
  }

  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-columns: minmax(0, 1fr); gap: 8px; }
      svg { display: block; width: 100%; height: 14px; border-radius: 7px; background: var(--sunken);
        box-shadow: inset 0 0 0 1px var(--line); }
      rect.candidate { fill: var(--bar); }
      .mark { fill: var(--line-strong); }
      i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 6px; vertical-align: -1px;
        background: var(--sunken); box-shadow: inset 0 0 0 1px var(--line-strong); }
      i.candidate { background: var(--bar); box-shadow: none; }
      ol { list-style: none; margin: 4px 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: 8px; }
      li { border: 1px solid var(--line); border-radius: 8px; padding: 5px 10px; display: grid; font-size: 12.5px; }
      li[aria-current] { border-color: var(--accent); background: var(--accent-soft); }
      li[aria-current] .muted { color: var(--accent); }
    `,
  ]
}
customElements.define('sb-share-bar', ShareBar)
