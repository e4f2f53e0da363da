import type { GetOverviewReply } from '@signalbox/sdk'
import { css, html, LitElement } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatCount, formatDuration, formatMoney } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'
import '../ui/live-decisions.ts'

const hourMs = 3_600_000
const ranges = [
  { name: 'Last hour', ms: hourMs },
  { name: 'Last 24 hours', ms: 24 * hourMs },
  { name: 'Last 7 days', ms: 168 * hourMs },
] as const
const percent = (part: number, whole: number): string =>
  whole === 0 ? '0 %' : `${((100 * part) / whole).toFixed(1)} %`

class OverviewPage extends LitElement {
  static override properties = { rangeMs: { state: true } }
  declare rangeMs: number
  readonly #overview: Load<GetOverviewReply>
  readonly #key: Load<string>

  constructor() {
    super()
    this.rangeMs = hourMs
    this.#overview = new Load(
      this,
      (signal) => api().getOverview({ sinceMs: Date.now() - this.rangeMs }, { signal }),
      5000,
    )
    this.#key = new Load(
      this,
      async (signal) => (await api().getMe({ signal })).gatewayUrl ?? 'http://127.0.0.1:8787',
    )
  }

  #choose(event: Event): void {
    this.rangeMs = Number((event.target as HTMLSelectElement).value)
    void this.#overview.run()
  }

  #figure(label: string, value: string, note: string) {
    return html`<div class="card pad figure">
      <span class="muted">${label}</span><strong>${value}</strong><span class="muted small">${note}</span>
    </div>`
  }

  #figures({ totals, cache }: GetOverviewReply) {
    const looked = cache.hits + cache.misses
    const unpriced = totals.unpriced === 0 ? 'all priced' : `${formatCount(totals.unpriced)} calls unpriced`
    return html`<div class="figures">
      ${this.#figure('Calls', formatCount(totals.calls), `${formatCount(totals.denied)} denied by policy`)}
      ${this.#figure('Spend', formatMoney(totals.costNanoUsd), unpriced)}
      ${this.#figure('Errors', formatCount(totals.errors), `${percent(totals.errors, totals.calls)} of calls`)}
      ${this.#figure('Tokens', formatCount(totals.inputTokens + totals.outputTokens), `${formatCount(totals.outputTokens)} of them written`)}
      ${looked === 0 ? '' : this.#figure('Cache', percent(cache.hits, looked), `of ${formatCount(looked)} calls hit, ${formatMoney(cache.savedNanoUsd)} saved`)}
    </div>`
  }

  #charts({ series }: GetOverviewReply) {
    const calls = series.map((each) => ({ timeMs: each.timeMs, value: each.calls, bad: each.errors }))
    const spend = series.map((each) => ({ timeMs: each.timeMs, value: Number(each.costNanoUsd) }))
    return html`<div class="charts">
      <section class="card">
        <header><h2>Calls</h2><span class="row small muted"><span class="key good"></span>answered <span class="key bad"></span>errors</span></header>
        <div class="pad"><sb-time-chart .points=${calls} label="Calls over time" .format=${formatCount}></sb-time-chart></div>
      </section>
      <section class="card">
        <header><h2>Spend</h2></header>
        <div class="pad"><sb-time-chart .points=${spend} label="Spend over time" .format=${(value: number) => formatMoney(String(Math.round(value)))}></sb-time-chart></div>
      </section>
    </div>`
  }

  #targets({ byTarget }: GetOverviewReply) {
    return html`<section class="card">
      <header><h2>By target</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table">
        <table>
          <thead><tr><th>Target</th><th class="num">Calls</th><th class="num">Errors</th><th class="num">Median</th><th class="num">Spend</th></tr></thead>
          <tbody>
            ${byTarget.map(
              (each) => html`<tr>
                <td><a href="/decisions?target=${encodeURIComponent(each.target)}"><code>${each.target}</code></a></td>
                <td class="num">${formatCount(each.calls)}</td>
                <td class="num">${formatCount(each.errors)}</td>
                <td class="num">${formatDuration(each.durationMsP50)}</td>
                <td class="num">${formatMoney(each.costNanoUsd)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </section>`
  }

  #firstCall() {
    const gateway = this.#key.value ?? 'http://127.0.0.1:8787'
    const command = `curl ${gateway}/v1/chat/completions -H "Authorization: Bearer $KEY" \\
  -H 'Content-Type: application/json' \\
  -d '{"model":"openai/gpt-5.2","messages":[{"role":"user","content":"Hello"}]}'`
    return html`<section class="card">
      <sb-empty-state heading="No calls in this time" text="Make a key under Access, then send a call. It shows here within a second.">
        <sb-copy-text .text=${command}></sb-copy-text>
      </sb-empty-state>
    </section>`
  }

  override render() {
    return html`<div class="head">
        <h1>Overview</h1>
        <select aria-label="Time" @change=${this.#choose}>
          ${ranges.map(({ name, ms }) => html`<option value=${ms} ?selected=${ms === this.rangeMs}>${name}</option>`)}
        </select>
      </div>
      ${this.#overview.render(
        (overview) => html`<div class="stack">
          ${overview.gaps === 0 ? '' : html`<p class="error">${formatCount(overview.gaps)} records of this time were lost; sums are too low.</p>`}
          ${overview.direct.calls === 0 ? '' : html`<p class="note">${formatCount(overview.direct.calls)} calls were made past the gateways while they were away, for ${formatMoney(overview.direct.costNanoUsd)} that no budget counts${overview.direct.unpriced === 0 ? '' : html`; ${formatCount(overview.direct.unpriced)} of them have no price`}.</p>`}
          ${this.#figures(overview)}
          ${overview.totals.calls === 0 ? this.#firstCall() : html`${this.#charts(overview)} ${this.#targets(overview)}`}
          <section class="card">
            <header><h2>Live</h2><a href="/decisions">All decisions</a></header>
            <sb-live-decisions limit="8"></sb-live-decisions>
          </section>
        </div>`,
      )}`
  }

  static override styles = [
    shared,
    css`
      .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 16px; }
      .figure { display: grid; gap: 2px; }
      .figure strong { font-size: 26px; font-weight: 640; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
      .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 16px; }
      .note { background: var(--warn-soft); color: var(--warn); border-radius: 8px; padding: 10px 14px; }
      .key { width: 10px; height: 10px; border-radius: 3px; }
      .key.good { background: var(--bar); }
      .key.bad { background: var(--bar-bad); }
    `,
  ]
}
customElements.define('sb-overview-page', OverviewPage)

export const page = definePage({
  path: '/',
  title: 'Overview',
  nav: { order: 1, icon: icons.overview },
  render: () => html`<sb-overview-page></sb-overview-page>`,
})
