import { css, html, LitElement, svg } from 'lit'
import { formatTime } from './format.ts'
import { shared } from './styles.ts'

export interface ChartPoint {
  readonly timeMs: number
  readonly value: number
  /** Share of the value that is bad, drawn in another colour. */
  readonly bad?: number
}
const width = 600
const height = 120

/** Bars over time, with the same figures as a table for those who do not see the bars. */
export class TimeChart extends LitElement {
  static override properties = { points: { attribute: false }, label: {}, format: { attribute: false } }
  declare points: readonly ChartPoint[]
  declare label: string
  declare format: (value: number) => string

  constructor() {
    super()
    this.points = []
    this.label = ''
    this.format = String
  }

  #bar(point: ChartPoint, index: number, max: number) {
    const step = width / this.points.length
    const size = (value: number): number => (value <= 0 ? 0 : Math.max(2, (value / max) * (height - 6)))
    const all = size(point.value)
    const bad = size(point.bad ?? 0)
    const x = index * step + step * 0.12
    const bar = step * 0.76
    return svg`<g>
      <title>${formatTime(point.timeMs)}: ${this.format(point.value)}</title>
      <rect class="hit" x=${index * step} y="0" width=${step} height=${height} />
      <rect class="bar" x=${x} y=${height - all} width=${bar} height=${all} rx="1.5" />
      <rect class="bad" x=${x} y=${height - bad} width=${bar} height=${bad} rx="1.5" />
    </g>`
  }

  override render() {
    const max = Math.max(1e-12, ...this.points.map((point) => point.value))
    const [first, last] = [this.points[0], this.points.at(-1)]
    return html`<svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label=${this.label}>
        <line x1="0" x2=${width} y1=${height - 0.5} y2=${height - 0.5} />
        ${this.points.map((point, index) => this.#bar(point, index, max))}
      </svg>
      <div class="row spread small muted">
        <span>${first === undefined ? '' : formatTime(first.timeMs)}</span>
        <span>${last === undefined ? '' : formatTime(last.timeMs)}</span>
      </div>
      <table>
        <caption>${this.label}</caption>
        ${this.points.map(
          (point) =>
            html`<tr><th scope="row">${formatTime(point.timeMs)}</th><td>${this.format(point.value)}</td></tr>`,
        )}
      </table>`
  }

  static override styles = [
    shared,
    css`
      svg { width: 100%; height: 120px; display: block; }
      line { stroke: var(--line-strong); }
      .bar { fill: var(--bar); }
      .bad { fill: var(--bar-bad); }
      .hit { fill: transparent; }
      g:hover .hit { fill: var(--sunken); }
      .row { margin-top: 6px; }
      table { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); display: block; }
      :host { position: relative; }
    `,
  ]
}
customElements.define('sb-time-chart', TimeChart)
