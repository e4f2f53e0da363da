import type { ArmFigures, GuardState, Guards } from '@signalbox/sdk'
import { css, html, LitElement, nothing, svg } from 'lit'
import { formatCount, formatDuration } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import { boundOf, costPerCall, formatMetric, metricNames } from './wording.ts'

const width = 110
const tones = { ok: 'good', waiting: 'warn', breached: 'bad' } as const
const words = { ok: 'within bounds', waiting: 'too few calls', breached: 'breached' } as const

type Range = GuardState['stableRange']

/** Where the figures of both arms lie beyond doubt, on one scale. */
function ranges({ stable, candidate, stableRange, candidateRange }: GuardState) {
  const all = [stable, candidate, ...(stableRange ?? []), ...(candidateRange ?? [])]
  const max = Math.max(...all.map((each) => each ?? 0))
  if (max <= 0 || stable === null || candidate === null) return nothing
  const x = (value: number): number => (value / (max * 1.05)) * width
  const line = (name: string, y: number, value: number, range: Range) => svg`
    ${range === null ? nothing : svg`<rect class=${name} x=${x(range[0] ?? 0)} y=${y} width=${Math.max(2, x((range[1] ?? 0) - (range[0] ?? 0)))} height="7" rx="3.5" />`}
    <rect class="dot ${name}" x=${Math.max(0, x(value) - 2)} y=${y - 2} width="4" height="11" rx="2" />`
  return html`<svg viewBox="0 0 ${width} 28" width=${width} height="28" aria-hidden="true">
    ${line('stable', 4, stable, stableRange)} ${line('candidate', 17, candidate, candidateRange)}
  </svg>`
}

/** Guards of a rollout: both arms' figures, the bound, and how each stands. */
export class GuardTable extends LitElement {
  static override properties = {
    states: { attribute: false },
    guards: { attribute: false },
    stable: { attribute: false },
    candidate: { attribute: false },
  }
  declare states: readonly GuardState[]
  declare guards: Guards | undefined
  declare stable: ArmFigures | undefined
  declare candidate: ArmFigures | undefined

  constructor() {
    super()
    this.states = []
    this.guards = undefined
    this.stable = undefined
    this.candidate = undefined
  }

  #figure(metric: GuardState['metric'], value: number | null, range: Range) {
    const [low, high] = range ?? []
    const span =
      low === undefined || high === undefined
        ? nothing
        : html`<div class="muted small">${formatMetric(metric, low)} to ${formatMetric(metric, high)}</div>`
    return html`<td class="num">${formatMetric(metric, value)}${span}</td>`
  }

  #row(state: GuardState) {
    const { metric, action, kind } = state
    return html`<tr class=${state.state}>
      <th scope="row">${metricNames[metric]}</th>
      <td><span class="badge ${tones[state.state]}">${words[state.state]}</span>
        <div class="muted small">${state.state === 'breached' ? (kind ?? '') : `else ${action === 'rollback' ? 'rolled back' : 'held'}`}</div></td>
      ${this.#figure(metric, state.stable, state.stableRange)}
      ${this.#figure(metric, state.candidate, state.candidateRange)}
      <td class="chart">${ranges(state)}</td>
      <td class="bound muted small">${this.guards === undefined ? nothing : boundOf(metric, this.guards)}</td>
    </tr>`
  }

  #arm(name: string, figures: ArmFigures | undefined) {
    if (figures === undefined) return nothing
    const { p50, p95 } = figures.latencyMs
    const ms = (value: number | null): string => (value === null ? '–' : formatDuration(value))
    return html`<tr><th scope="row"><i class=${name}></i>${name}</th>
      <td class="num">${formatCount(figures.calls)}</td><td class="num">${formatCount(figures.policyErrors)}</td>
      <td class="num">${formatCount(figures.upstreamErrors)}</td><td class="num">${formatCount(figures.denies)}</td>
      <td class="num">${formatCount(figures.guardrails)}</td>
      <td class="num">${ms(p50)}</td><td class="num">${ms(p95)}</td><td class="num">${costPerCall(figures)}</td></tr>`
  }

  override render() {
    const columns = [
      'Calls',
      'Policy errors',
      'Upstream errors',
      'Denied',
      'Guardrails',
      'p50',
      'p95',
      'Cost per call',
    ]
    const head = columns.map((each) => html`<th class="num" scope="col">${each}</th>`)
    return html`${
      this.stable === undefined && this.candidate === undefined
        ? nothing
        : html`<div class="scroll" tabindex="0" role="group" aria-label="Both arms"><table>
        <thead><tr><th scope="col">Arm</th>${head}</tr></thead>
        <tbody>${this.#arm('stable', this.stable)} ${this.#arm('candidate', this.candidate)}</tbody>
      </table></div>`
    }
    ${
      this.states.length === 0
        ? nothing
        : html`<div class="scroll guards" tabindex="0" role="group" aria-label="Guards"><table>
      <thead><tr><th scope="col">Guard</th><th scope="col">State</th><th class="num" scope="col">Stable</th><th class="num" scope="col">Candidate</th>
        <th scope="col">Beyond doubt</th><th scope="col">Bound</th></tr></thead>
      <tbody>${this.states.map((each) => this.#row(each))}</tbody>
    </table></div>`
    }`
  }

  static override styles = [
    shared,
    css`
      th, td { padding-left: 12px; padding-right: 12px; }
      tr > :first-child { padding-left: 18px; }
      tbody th { background: none; color: var(--text); font-size: 14px; border-bottom: 1px solid var(--line); }
      tr:last-child > th { border-bottom: 0; }
      .guards { border-top: 1px solid var(--line); }
      .bound { min-width: 150px; }
      .chart { padding-left: 0; padding-right: 0; }
      svg { display: block; }
      rect.stable { fill: var(--line-strong); }
      rect.candidate { fill: var(--bar-soft); }
      rect.dot.stable { fill: var(--muted); }
      rect.dot.candidate { fill: var(--bar); }
      tr.breached rect.candidate { fill: var(--bar-bad); }
      i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; background: var(--line-strong); }
      i.candidate { background: var(--bar); }
      .small { white-space: normal; }
      td.num .small { white-space: nowrap; }
    `,
  ]
}
customElements.define('sb-guard-table', GuardTable)
