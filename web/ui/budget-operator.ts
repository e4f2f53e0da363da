import type { Budget } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { attempt } from '../load.ts'
import { formatAmount, parseAmount } from './amount.ts'
import { formatTime } from './format.ts'
import { shared } from './styles.ts'

const hourMs = 3_600_000
const lengths = [
  { hours: 4, text: '4 hours' },
  { hours: 24, text: 'a day' },
  { hours: 72, text: '3 days' },
  { hours: 168, text: 'a week' },
] as const

/** What an operator may do with a budget for a while: override its limit, release what is stranded. Fires `saved`. */
export class BudgetOperator extends LitElement {
  static override properties = { budget: { attribute: false }, stranded: {}, error: { state: true } }
  declare budget: Budget | undefined
  declare stranded: string
  declare error: string

  constructor() {
    super()
    this.budget = undefined
    this.stranded = '0'
    this.error = ''
  }

  #do(work: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, async () => {
      await work()
      this.dispatchEvent(new Event('saved', { bubbles: true, composed: true }))
    })
  }

  #override(event: SubmitEvent, { id, unit, revision }: Budget): void {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const data = new FormData(form)
    const limit = parseAmount(String(data.get('limit')), unit)
    if (limit === undefined) {
      this.error = 'The limit is an amount like 10.00.'
      return
    }
    const untilMs = Date.now() + Number(data.get('hours')) * hourMs
    const reason = String(data.get('reason')).trim()
    void this.#do(async () => {
      await api().overrideBudget({ id, limit, untilMs, reason, revision })
      form.reset()
    })
  }

  #release(event: SubmitEvent, { id }: Budget): void {
    event.preventDefault()
    const reason = String(new FormData(event.target as HTMLFormElement).get('reason')).trim()
    void this.#do(() => api().releaseStranded({ id, reason }))
  }

  #overrideForm(budget: Budget) {
    const { override, unit, id } = budget
    if (override !== null) {
      return html`<p class="row"><span class="badge warn">override</span>
        <span>${formatAmount(override.limit, unit)} until ${formatTime(override.untilMs)}, by ${override.by}: “${override.reason}”</span>
        <button @click=${() => this.#do(() => api().endBudgetOverride({ id }))}>End it</button></p>`
    }
    return html`<form class="row" @submit=${(event: SubmitEvent) => this.#override(event, budget)}>
      <input name="limit" required inputmode="decimal" autocomplete="off" placeholder="Other limit" aria-label="Limit while the override holds" />
      <select name="hours" aria-label="For how long">${lengths.map(({ hours, text }) => html`<option value=${hours} ?selected=${hours === 24}>for ${text}</option>`)}</select>
      <input class="wide" name="reason" required maxlength="512" autocomplete="off" placeholder="Why" aria-label="Why the limit is overridden" />
      <button>Override</button>
    </form>`
  }

  #strandedForm(budget: Budget) {
    if (this.stranded === '0') return nothing
    return html`<form class="row" @submit=${(event: SubmitEvent) => this.#release(event, budget)}>
      <span><strong>${formatAmount(this.stranded, budget.unit)}</strong> went lost with gateways. Release it only if they spend no more.</span>
      <input class="wide" name="reason" required maxlength="512" autocomplete="off" placeholder="How that is known" aria-label="Why the stranded money is released" />
      <button class="danger">Release</button>
    </form>`
  }

  override render() {
    const { budget } = this
    if (budget === undefined) return nothing
    return html`<section class="card"><header><h2>For a while</h2></header><div class="pad parts">
      ${this.#overrideForm(budget)} ${this.#strandedForm(budget)}
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
    </div></section>`
  }

  static override styles = [
    shared,
    css`
      .parts { display: grid; gap: 12px; }
      .wide { flex: 1 1 200px; }
    `,
  ]
}
customElements.define('sb-budget-operator', BudgetOperator)
