import { css, html, LitElement, nothing } from 'lit'
import { type Counted, dimensions, type Moved, type Report, readReport } from '../backtest/report.ts'
import { formatShare } from '../deployments/wording.ts'
import { definePage } from '../router.ts'
import '../ui/copy-text.ts'
import '../ui/empty-state.ts'
import { formatCount, formatDuration, formatMoney, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

/** The report that is open in this tab; it is sent nowhere. */
const keptKey = 'signalbox.backtest'
const bytesMax = 16 * 1024 * 1024
const rowsMax = 12
const headings: Readonly<Record<(typeof dimensions)[number], string>> = {
  outcome: 'Outcome',
  target: 'Target',
  rule: 'Deciding rule',
  guardrails: 'Guardrails',
  prompt: 'Prompt',
}
const ms = (value: number | null): string => (value === null ? '–' : formatDuration(value))
const change = (ppm: number | null): string =>
  ppm === null ? '–' : `${ppm > 0 ? '+' : ''}${(ppm / 10_000).toFixed(1)} %`
function span(low: string, high: string): string {
  const [from, to] = [formatMoney(low), formatMoney(high)]
  return from === to ? from : `${from} to ${to}`
}
const example = (id: string | undefined) =>
  id === undefined ? html`–` : html`<a href="/decisions/${id}"><code>…${id.slice(-8)}</code></a>`

/** What a version would have done with recorded calls: the report that the CLI wrote. */
class BacktestPage extends LitElement {
  static override properties = { report: { state: true }, name: { state: true }, error: { state: true } }
  declare report: Report | undefined
  declare name: string
  declare error: string

  constructor() {
    super()
    this.report = undefined
    this.name = ''
    this.error = ''
    const kept = sessionStorage.getItem(keptKey)
    if (kept !== null) this.#show(kept, 'opened before')
  }

  #show(text: string, name: string): void {
    try {
      this.report = readReport(text)
      this.name = name
      this.error = ''
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error)
    }
  }

  async #open(file: File | null | undefined): Promise<void> {
    if (file === null || file === undefined) return
    if (file.size > bytesMax) {
      this.error = `${file.name} is larger than 16 MiB.`
      return
    }
    const text = await file.text()
    this.#show(text, file.name)
    if (this.error !== '') return
    try {
      sessionStorage.setItem(keptKey, text)
    } catch {
      // Too large for the tab's store: it has to be opened again after a reload.
      sessionStorage.removeItem(keptKey)
    }
  }

  #choose(event: Event): void {
    void this.#open((event.target as HTMLInputElement).files?.[0])
  }

  #drop(event: DragEvent): void {
    event.preventDefault()
    void this.#open(event.dataTransfer?.files[0])
  }

  #picker() {
    return html`<label class="button">Open a report…<input type="file" accept="application/json,.json" @change=${this.#choose} /></label>`
  }

  #figure(label: string, value: string, note: string) {
    return html`<div class="card pad figure"><span class="muted">${label}</span><strong>${value}</strong><span class="muted small">${note}</span></div>`
  }

  #figures(report: Report) {
    const { compared, changed, changedPpm, replay, cost, latency } = report
    const share =
      changedPpm === null
        ? 'no call was compared'
        : `${formatShare(changedPpm)} of ${formatCount(compared)} compared`
    const [low, high] = [change(cost.changeLowPpm), change(cost.changeHighPpm)]
    return html`<div class="figures">
      ${this.#figure('Decided otherwise', formatCount(changed), share)}
      ${this.#figure('Cost', low === high ? low : `${low} to ${high}`, `estimate for ${formatCount(cost.after.estimated)} calls`)}
      ${this.#figure('p95', `${ms(latency.before.p95Ms)} → ${ms(latency.after.p95Ms)}`, latency.unknown === 0 ? 'estimate' : `unknown for ${formatCount(latency.unknown)} calls`)}
      ${this.#figure('Replayable', replay.replayablePpm === null ? '–' : formatShare(replay.replayablePpm), `of ${formatCount(replay.decided)} decided calls`)}
    </div>`
  }

  #moves(name: (typeof dimensions)[number], rows: readonly Moved[]) {
    if (rows.length === 0) return nothing
    return html`<section class="card"><header><h2>${headings[name]}</h2><span class="muted small">before → after</span></header>
      <div class="scroll" tabindex="0" role="group" aria-label=${headings[name]}><table>
        <thead><tr><th>Before</th><th>After</th><th class="num">Calls</th><th>Example</th></tr></thead>
        <tbody>${rows.slice(0, rowsMax).map(
          ({ from, to, calls, examples }) => html`<tr><td><code>${from}</code></td><td><code>${to}</code></td>
            <td class="num">${formatCount(calls)}</td><td>${example(examples[0])}</td></tr>`,
        )}</tbody></table></div>
      ${rows.length <= rowsMax ? nothing : html`<p class="pad muted small">${rows.length - rowsMax} more in the file.</p>`}
    </section>`
  }

  #counted(heading: string, note: string, rows: readonly Counted[]) {
    if (rows.length === 0) return nothing
    return html`<section class="card"><header><h2>${heading}</h2><span class="muted small">${note}</span></header>
      <ul class="rows">${rows
        .slice(0, rowsMax)
        .map(
          ({ what, calls, examples }) =>
            html`<li><strong>${formatCount(calls)}</strong> <span>${what}</span> ${example(examples[0])}</li>`,
        )}</ul></section>`
  }

  #money({ cost, latency }: Report) {
    const { before, after } = cost
    return html`<section class="card"><header><h2>Cost and latency</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Cost and latency"><table>
        <thead><tr><th>Figure</th><th class="num">Before</th><th class="num">After</th></tr></thead>
        <tbody>
          <tr><td>Spend</td><td class="num">${span(before.lowNanoUsd, before.highNanoUsd)}</td><td class="num">${span(after.lowNanoUsd, after.highNanoUsd)}</td></tr>
          <tr><td>Calls without a price</td><td class="num">${formatCount(before.unpriced)}</td><td class="num">${formatCount(after.unpriced)}</td></tr>
          <tr><td>p50</td><td class="num">${ms(latency.before.p50Ms)}</td><td class="num">${ms(latency.after.p50Ms)}</td></tr>
          <tr><td>p95</td><td class="num">${ms(latency.before.p95Ms)}</td><td class="num">${ms(latency.after.p95Ms)}</td></tr>
        </tbody></table></div></section>`
  }

  #cohorts({ cohorts }: Report) {
    if (cohorts.length === 0) return nothing
    return html`<section class="card"><header><h2>Most changed</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Most changed"><table>
        <thead><tr><th>By</th><th>Which</th><th class="num">Changed</th><th class="num">Compared</th><th>Example</th></tr></thead>
        <tbody>${cohorts.map(
          (
            each,
          ) => html`<tr><td>${each.by}</td><td><strong>${each.name}</strong></td><td class="num">${formatCount(each.changed)}</td>
            <td class="num">${formatCount(each.compared)}</td><td>${example(each.examples[0])}</td></tr>`,
        )}</tbody></table></div></section>`
  }

  #notes({ deadRules, reasons, assumptions }: Report) {
    return html`${
      deadRules.length + reasons.length === 0
        ? nothing
        : html`<section class="card"><header><h2>Rules and reasons</h2></header><ul class="rows">
      ${reasons.map((each) => html`<li><code>${each.code}</code> <span>${formatCount(each.before)} → ${formatCount(each.after)} calls</span></li>`)}
      ${deadRules.map((each) => html`<li><code>${each.rule}</code> <span>no call meets it${each.before === 0 ? '' : `; ${formatCount(each.before)} did before`}</span></li>`)}
    </ul></section>`
    }
    <section class="card"><header><h2>What these figures do not know</h2></header>
      <ul class="rows">${assumptions.map((each) => html`<li>${each}</li>`)}</ul></section>`
  }

  #verdict({ ok, replay, thresholds }: Report) {
    return html`<section class="card pad verdict">
      <p><span class="badge ${ok ? 'good' : 'bad'}">${ok ? 'holds' : 'does not hold'}</span>
        ${replay.ok ? 'Every call that could be replayed came out as it was recorded.' : `${formatCount(replay.different)} calls come out differently by the very version that decided them: the rest is not to be trusted.`}</p>
      ${thresholds.map((each) => html`<p><span class="badge ${each.passed ? 'good' : 'bad'}">${each.passed ? 'ok' : 'failed'}</span> ${each.text}</p>`)}
    </section>`
  }

  #complete(report: Report) {
    const { candidate, baseline, replay, transitions } = report
    const against =
      baseline === null
        ? 'what decided each call'
        : baseline.version === null
          ? baseline.digest.slice(7, 19)
          : `v${baseline.version}`
    const time =
      replay.sinceMs === null || replay.untilMs === null
        ? ''
        : `, ${formatTime(replay.sinceMs)} to ${formatTime(replay.untilMs)}`
    return html`<div class="stack">
      <p class="muted">${this.name}: <strong>${candidate.workspace}</strong> <code>${candidate.digest.slice(7, 19)}</code> against ${against}, ${formatCount(replay.records)} recorded calls${time}</p>
      ${this.#verdict(report)} ${this.#figures(report)}
      ${dimensions.map((name) => this.#moves(name, transitions[name]))}
      ${this.#counted('Broken', 'calls that the candidate fails', report.failures)}
      ${this.#cohorts(report)} ${this.#money(report)}
      ${this.#counted('Left out', 'cannot be replayed', replay.notReplayable)}
      ${this.#counted('Cannot be asked', 'the candidate reads what the record does not have', report.unanswerable)}
      ${this.#counted('Assumed', 'compared, with this assumption', report.assumed)}
      ${this.#notes(report)}
    </div>`
  }

  override render() {
    return html`<div @dragover=${(event: DragEvent) => event.preventDefault()} @drop=${this.#drop}>
      <div class="head"><div><a href="/policies">Policies</a><h1>Backtest</h1></div>${this.report === undefined ? nothing : this.#picker()}</div>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      ${
        this.report === undefined
          ? html`<section class="card"><sb-empty-state heading="No report is open"
              text="A backtest decides recorded calls again with a workspace on your machine. Write its report to a file and open it here; it stays in this tab and is sent nowhere.">
              <sb-copy-text .text=${'npx signalbox backtest acme --env production --since 7d --json > report.json'}></sb-copy-text>
              ${this.#picker()}</sb-empty-state></section>`
          : this.#complete(this.report)
      }
    </div>`
  }

  static override styles = [
    shared,
    css`
      label.button { display: inline-flex; position: relative; cursor: pointer; font-size: 14px; }
      label.button:focus-within { outline: 2px solid var(--focus); outline-offset: 2px; }
      input[type="file"] { position: absolute; inset: 0; width: 100%; opacity: 0; cursor: pointer; padding: 0; }
      .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px; }
      .figure { display: grid; gap: 2px; }
      .figure strong { font-size: 20px; font-weight: 650; overflow-wrap: anywhere; }
      .verdict { display: grid; gap: 8px; }
      .rows { list-style: none; margin: 0; padding: 4px 18px; }
      .rows li { padding: 8px 0; display: flex; flex-wrap: wrap; gap: 4px 10px; }
      .rows li + li { border-top: 1px solid var(--line); }
      code, span { overflow-wrap: anywhere; }
      .error { margin-bottom: 16px; }
    `,
  ]
}
customElements.define('sb-backtest-page', BacktestPage)

export const page = definePage({
  path: '/policies/backtest/report',
  title: 'Backtest',
  render: () => html`<sb-backtest-page></sb-backtest-page>`,
})
