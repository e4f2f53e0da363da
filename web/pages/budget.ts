import type { Budget, BudgetExplanation } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAmount } from '../ui/amount.ts'
import { formatAgo, formatCount, formatTime } from '../ui/format.ts'
import { remainingOf } from '../ui/spend-bar.ts'
import { shared } from '../ui/styles.ts'
import '../ui/budget-editor.ts'
import '../ui/budget-operator.ts'
import '../ui/time-chart.ts'

const callsShown = 25
const refreshMs = 5000
const evidenceText = { reported: 'as reported', estimated: 'estimated', hold: 'its whole hold' } as const

class BudgetPage extends LitElement {
  static override properties = { budgetId: {}, editing: { state: true }, error: { state: true } }
  declare budgetId: string
  declare editing: boolean
  declare error: string
  readonly #data: Load<BudgetExplanation>

  constructor() {
    super()
    this.budgetId = ''
    this.editing = false
    this.error = ''
    const ask = (signal: AbortSignal) =>
      api().explainBudget({ id: this.budgetId, limit: callsShown }, { signal })
    this.#data = new Load(this, ask, refreshMs)
  }

  #toggle(): void {
    this.editing = !this.editing
  }

  async #void(callId: string, attempt: number, leaseId: string): Promise<void> {
    const note = prompt('Why is this cost taken back? The note stands in the audit log.')?.trim()
    if (note === undefined || note === '') return
    this.error = ''
    try {
      await api().voidSettlement({ callId, attempt, leaseId, note })
      await this.#data.run()
    } catch (error) {
      this.error = explainError(error)
    }
  }

  #figure(label: string, value: string, note: string | undefined) {
    return html`<div class="card pad figure"><span class="muted">${label}</span><strong>${value}</strong>
      <span class="muted small">${note ?? ''}</span></div>`
  }

  #figures({ budget, window, forecast, wouldRefuse, unexplained }: BudgetExplanation) {
    const { unit, current, override } = budget
    const limit = current?.limit ?? override?.limit ?? budget.limit
    const sum = (name: 'settled' | 'leased' | 'stranded' | 'overrun') =>
      formatAmount(window?.[name] ?? '0', unit)
    const left = current === null ? limit : String(remainingOf(current))
    const until =
      current?.endMs === undefined || current.endMs === null
        ? undefined
        : `until ${formatTime(current.endMs)}`
    const inHand =
      unexplained === '0' ? undefined : `${formatAmount(unexplained, unit)} not explained by a call yet`
    const exhausted = forecast?.exhaustedMs
    return html`<section class="card pad"><sb-spend-bar .balance=${current} .limit=${limit} .unit=${unit}></sb-spend-bar>
        <sb-spend-legend></sb-spend-legend></section>
      <div class="figures">
        ${this.#figure('Settled', sum('settled'), inHand)}
        ${this.#figure('Leased', sum('leased'), 'in the hands of gateways')}
        ${this.#figure('Stranded', sum('stranded'), window?.overrun === '0' || window === null ? undefined : `overrun ${sum('overrun')}`)}
        ${this.#figure('Remaining', formatAmount(left, unit), until)}
        ${
          forecast === null
            ? nothing
            : this.#figure(
                'Forecast',
                formatAmount(forecast.projected, unit),
                exhausted === null || exhausted === undefined
                  ? 'stays within the limit'
                  : `used up ${formatTime(exhausted)}`,
              )
        }
        ${budget.mode === 'hard' ? nothing : this.#figure('Would refuse', formatCount(wouldRefuse), 'were it hard')}
      </div>`
  }

  #shares(
    title: string,
    heading: string,
    rows: readonly (readonly [string, string, number])[],
    unit: Budget['unit'],
  ) {
    return html`<section class="card"><header><h2>${title}</h2></header>
      ${
        rows.length === 0
          ? html`<p class="pad muted">Nothing yet.</p>`
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>${heading}</th><th class="num">Attempts</th><th class="num">Spent</th></tr></thead>
        <tbody>${rows.map(([name, amount, attempts]) => html`<tr><td>${name}</td><td class="num">${formatCount(attempts)}</td><td class="num">${formatAmount(amount, unit)}</td></tr>`)}</tbody>
      </table></div>`
      }</section>`
  }

  #calls({ calls, budget: { unit } }: BudgetExplanation) {
    if (calls.length === 0) return nothing
    return html`<section class="card"><header><h2>Dearest calls</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Time</th><th>Answered by</th><th>Cost</th><th class="num">Held</th><th class="num">Spent</th><td></td></tr></thead>
        <tbody>${calls.map(
          (each) => html`<tr>
            <td class="nowrap"><a href="/decisions/${each.callId}">${formatTime(each.timeMs)}</a></td>
            <td><code>${each.target ?? '–'}</code></td>
            <td>${each.voided ? html`<span class="badge warn">taken back</span>` : evidenceText[each.evidence]}</td>
            <td class="num muted">${formatAmount(each.hold, unit)}</td>
            <td class="num">${formatAmount(each.actual, unit)}</td>
            <td class="num">${each.voided ? nothing : html`<button class="quiet" aria-label="Take back the cost of ${each.callId}" @click=${() => this.#void(each.callId, each.attempt, each.leaseId)}>Take back</button>`}</td>
          </tr>`,
        )}</tbody>
      </table></div></section>`
  }

  #leases({ leases, budget: { unit } }: BudgetExplanation) {
    if (leases.length === 0) return nothing
    return html`<section class="card"><header><h2>In the hands of gateways</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Gateway</th><th>State</th><th>Since</th><th class="num">Lease</th><th class="num">Settled of it</th></tr></thead>
        <tbody>${leases.map(
          (each) => html`<tr>
            <td><code>${each.gatewayId.slice(0, 13)}</code></td>
            <td><span class="badge ${each.state === 'stranded' ? 'warn' : 'good'}">${each.state}</span></td>
            <td class="muted">${formatAgo(each.sinceMs, Date.now())}</td>
            <td class="num">${formatAmount(each.amount, unit)}</td>
            <td class="num">${formatAmount(each.settled, unit)}</td>
          </tr>`,
        )}</tbody>
      </table></div></section>`
  }

  #byDay({ byDay, budget: { unit } }: BudgetExplanation) {
    const points = byDay.map(({ dayMs, amount }) => ({ timeMs: dayMs, value: Number(amount) }))
    if (points.length < 2) return nothing
    const format = (value: number): string => formatAmount(String(Math.round(value)), unit)
    return html`<section class="card"><header><h2>By day</h2></header>
      <div class="pad"><sb-time-chart .points=${points} label="Spend by day" .format=${format}></sb-time-chart></div></section>`
  }

  #body(explanation: BudgetExplanation) {
    const { budget, byKey, byTarget } = explanation
    const keys = byKey.map(
      (each) => [each.name ?? each.keyId ?? 'records on their way', each.amount, each.attempts] as const,
    )
    const targets = byTarget.map(
      (each) => [each.target ?? 'records on their way', each.amount, each.attempts] as const,
    )
    const saved = (): void => {
      this.editing = false
      void this.#data.run()
    }
    return html`<div class="head">
        <div><a href="/budgets" class="small">Budgets</a><h1>${budget.path === '' ? 'The whole organisation' : budget.path}</h1>
          <p class="muted">${budget.mode}, per ${budget.window}, ${budget.timeZone}${budget.managedBy === 'workspace' ? ' · declared in signalbox.yaml, which sets it again' : ''}</p></div>
        <button aria-expanded=${this.editing ? 'true' : 'false'} @click=${this.#toggle}>${this.editing ? 'Close' : 'Edit'}</button>
      </div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${this.editing ? html`<section class="card pad"><sb-budget-editor .budget=${budget} @saved=${saved}></sb-budget-editor></section>` : nothing}
        ${this.#figures(explanation)}
        <sb-budget-operator .budget=${budget} .stranded=${explanation.window?.stranded ?? '0'} @saved=${saved}></sb-budget-operator>
        <div class="two">${this.#shares('By key', 'Key', keys, budget.unit)} ${this.#shares('By target', 'Target', targets, budget.unit)}</div>
        ${this.#byDay(explanation)} ${this.#leases(explanation)} ${this.#calls(explanation)}
      </div>`
  }

  override render() {
    return this.#data.render((explanation) => this.#body(explanation))
  }

  static override styles = [
    shared,
    css`
      .figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 16px; }
      .figure { display: grid; gap: 2px; align-content: start; }
      .figure strong { font-size: 22px; font-weight: 640; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
      .two { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); gap: 20px; align-items: start; }
      sb-spend-legend { margin-top: 12px; }
      .nowrap { white-space: nowrap; }
    `,
  ]
}
customElements.define('sb-budget-page', BudgetPage)

export const page = definePage({
  path: '/budgets/:id',
  title: 'Budget',
  render: ({ id = '' }) => html`<sb-budget-page .budgetId=${id}></sb-budget-page>`,
})
