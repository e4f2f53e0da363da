import type { Budget, BudgetPreview, Key, SetBudgetInput, Team } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { formatAmount, parseAmount, typedAmount, type Unit } from './amount.ts'
import { formatCount } from './format.ts'
import { shared } from './styles.ts'

const windows = ['day', 'week', 'month', 'quarter', 'year', 'total'] as const
const modes = [
  { value: 'hard', text: 'hard, refuses' },
  { value: 'soft', text: 'soft, only tells' },
  { value: 'shadow', text: 'shadow, only counts' },
] as const
const previewPauseMs = 250

/** Makes or changes a budget, and says while one types what that would do now. Fires `saved`. */
export class BudgetEditor extends LitElement {
  static override properties = {
    budget: { attribute: false },
    teams: { attribute: false },
    keys: { attribute: false },
    preview: { state: true },
    error: { state: true },
    unit: { state: true },
    busy: { state: true },
  }
  /** The one that is changed; undefined for a new one. */
  declare budget: Budget | undefined
  declare teams: readonly Team[]
  declare keys: readonly Key[]
  declare preview: BudgetPreview | undefined
  declare error: string
  declare unit: Unit
  declare busy: boolean
  #timer: ReturnType<typeof setTimeout> | undefined
  #asked = 0

  constructor() {
    super()
    this.budget = undefined
    this.teams = []
    this.keys = []
    this.preview = undefined
    this.error = ''
    this.unit = 'usd'
    this.busy = false
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    clearTimeout(this.#timer)
  }

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has('budget') && this.budget !== undefined) this.unit = this.budget.unit
  }

  /** What the form says; undefined while it is not complete. */
  #wanted(): SetBudgetInput | undefined {
    const form = this.renderRoot.querySelector('form')
    if (form === null) return undefined
    const data = new FormData(form)
    const text = (name: string): string => String(data.get(name) ?? '').trim()
    const limit = parseAmount(text('limit'), this.unit)
    const alerts = text('alerts')
      .split(/[\s,]+/)
      .filter(Boolean)
    const alertsPpm = alerts.map((each) => Math.round(Number(each) * 10_000))
    if (limit === undefined || alertsPpm.some((ppm) => !(ppm >= 1 && ppm <= 10_000_000))) return undefined
    const { budget } = this
    const [kind, id = ''] =
      budget === undefined ? text('owner').split(' ') : [budget.owner.kind, budget.owner.id]
    const window = windows.find((each) => each === (budget?.window ?? text('window'))) ?? 'month'
    const mode = modes.find(({ value }) => value === text('mode'))?.value ?? 'hard'
    return {
      ...(kind === 'key' ? { key: id } : { team: id }),
      ...{ window, unit: this.unit, mode, limit, alertsPpm },
      ...(text('timeZone') === '' ? {} : { timeZone: text('timeZone') }),
      ...(budget === undefined ? {} : { revision: budget.revision }),
    }
  }

  #onInput(event: Event): void {
    const { name, value } = event.target as HTMLInputElement
    if (name === 'unit') this.unit = value === 'tokens' ? 'tokens' : 'usd'
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#look(), previewPauseMs)
  }

  async #look(): Promise<void> {
    const wanted = this.#wanted()
    const asked = ++this.#asked
    this.error = ''
    if (wanted === undefined) {
      this.preview = undefined
      return
    }
    try {
      const preview = await api().previewBudget(wanted)
      if (asked === this.#asked) this.preview = preview
    } catch (error) {
      if (asked !== this.#asked) return
      this.preview = undefined
      this.error = explainError(error)
    }
  }

  async #save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const wanted = this.#wanted()
    if (wanted === undefined) {
      this.error = 'The limit is an amount like 10.00, and alerts are percents like 50, 80, 100.'
      return
    }
    this.busy = true
    this.error = ''
    try {
      await api().setBudget(wanted)
      this.preview = undefined
      this.dispatchEvent(new Event('saved', { bubbles: true, composed: true }))
    } catch (error) {
      this.error = explainError(error)
    } finally {
      this.busy = false
    }
  }

  #place() {
    if (this.budget !== undefined) return nothing
    const nameOf = (team: Team): string =>
      team.kind === 'organisation' ? 'the whole organisation' : team.path
    return html`<label>Whose
        <select name="owner">
          <optgroup label="Teams">${this.teams.map((team) => html`<option value="node ${team.id}">${nameOf(team)}</option>`)}</optgroup>
          <optgroup label="Keys">${this.keys
            .filter(({ revokedMs }) => revokedMs === null)
            .map(
              (key) => html`<option value="key ${key.id}">${key.team.name} / ${key.name}</option>`,
            )}</optgroup>
        </select></label>
      <label>Window<select name="window">${windows.map((each) => html`<option ?selected=${each === 'month'}>${each}</option>`)}</select></label>
      <label>Counts<select name="unit"><option value="usd">dollars</option><option value="tokens">tokens</option></select></label>`
  }

  #effect({ before, after, available, closesNow, spenders, warnings, alertsPpm }: BudgetPreview) {
    const { unit } = this
    return html`<section class="effect" role="status" aria-label="What this would do now">
      <div class="row">
        <strong>${before === null ? 'New' : `${formatAmount(before.limit, unit)} → ${formatAmount(after.limit, unit)}`}</strong>
        <span>${formatAmount(after.settled, unit)} spent in the running window</span>
        ${closesNow ? html`<span class="badge bad">closes at once</span>` : html`<span class="badge good">${formatAmount(available, unit)} available</span>`}
      </div>
      ${closesNow && spenders.length > 0 ? html`<p>Refused from now on: ${spenders.slice(0, 8).map(({ name, keyId }, index) => html`${index > 0 ? ', ' : ''}<strong>${name ?? keyId ?? 'a call without record'}</strong>`)}${spenders.length > 8 ? ` and ${formatCount(spenders.length - 8)} more` : ''}.</p>` : nothing}
      ${alertsPpm.length > 0 ? html`<p>Told of at once: ${alertsPpm.map((ppm) => `${ppm / 10_000} %`).join(', ')}.</p>` : nothing}
      ${warnings.map((warning) => html`<p class="warning">${warning}</p>`)}
    </section>`
  }

  override render() {
    const { budget } = this
    const alerts = (budget?.alertsPpm ?? [500_000, 800_000, 1_000_000]).map((ppm) => ppm / 10_000).join(', ')
    return html`<form @submit=${this.#save} @input=${this.#onInput}>
      <div class="fields">
        ${this.#place()}
        <label>Limit<input name="limit" required inputmode="decimal" autocomplete="off" placeholder=${this.unit === 'usd' ? '500.00' : '2000000'}
          .defaultValue=${budget === undefined ? '' : typedAmount(budget.limit, budget.unit)} /></label>
        <label>Mode<select name="mode">${modes.map(({ value, text }) => html`<option value=${value} ?selected=${value === (budget?.mode ?? 'hard')}>${text}</option>`)}</select></label>
        <label>Alerts at, in percent<input name="alerts" autocomplete="off" .defaultValue=${alerts} /></label>
        <label>Time zone<input name="timeZone" autocomplete="off" placeholder="UTC" .defaultValue=${budget?.timeZone ?? ''} /></label>
      </div>
      ${this.preview === undefined ? nothing : this.#effect(this.preview)}
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      <div class="row"><button class="primary" ?disabled=${this.busy}>${budget === undefined ? 'Make budget' : 'Save'}</button></div>
    </form>`
  }

  static override styles = [
    shared,
    css`
      form { display: grid; gap: 14px; }
      .fields { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(190px, 100%), 1fr)); gap: 12px; align-items: start; }
      .fields input, .fields select { font-weight: 400; height: 34px; }
      .effect { background: var(--sunken); border-radius: 8px; padding: 12px 14px; display: grid; gap: 6px; }
      .warning { color: var(--warn); }
    `,
  ]
}
customElements.define('sb-budget-editor', BudgetEditor)
