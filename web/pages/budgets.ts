import type { Budget, Key, Team } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAmount } from '../ui/amount.ts'
import { formatCount } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { mayReadRefused } from '../ui/refused-report.ts'
import { remainingOf } from '../ui/spend-bar.ts'
import { shared } from '../ui/styles.ts'
import '../ui/budget-editor.ts'

interface Spend {
  readonly teams: readonly Team[]
  readonly keys: readonly Key[]
  readonly budgets: readonly Budget[]
}
const refreshMs = 3000
const refusedRefreshMs = 30_000
/** Nodes below this are shown at its indent. */
const depthMax = 6

/** How a budget stands, in a word. */
function stateOf({ current, mode, override }: Budget) {
  if (current !== null && current.overrun !== '0') return html`<span class="badge bad">overrun</span>`
  if (current !== null && remainingOf(current) <= 0n) return html`<span class="badge bad">used up</span>`
  if (override !== null) return html`<span class="badge warn">override</span>`
  return html`<span class="badge ${mode === 'hard' ? 'accent' : ''}">${mode}</span>`
}

class BudgetsPage extends LitElement {
  static override properties = { making: { state: true } }
  declare making: boolean
  readonly #data: Load<Spend>
  /** How many refused reports wait for a decision. */
  readonly #refused: Load<number>

  constructor() {
    super()
    this.making = false
    this.#data = new Load(
      this,
      async (signal) => {
        const [teams, keys, budgets] = await Promise.all([
          api().listTeams({ signal }),
          api().listKeys({}, { signal }),
          api().listBudgets({}, { signal }),
        ])
        return { teams: teams.items, keys: keys.items, budgets: budgets.items }
      },
      refreshMs,
    )
    this.#refused = new Load(
      this,
      async (signal) => {
        if (!mayReadRefused(await api().getMe({ signal }))) return 0
        const { items } = await api().listRefusedReports({ signal })
        return items.filter(({ state }) => state === 'open').length
      },
      refusedRefreshMs,
    )
  }

  #budget(budget: Budget, label: string, depth: number) {
    const { id, current, unit, window } = budget
    const limit = current?.limit ?? budget.override?.limit ?? budget.limit
    return html`<tr>
      <td class="d${Math.min(depth, depthMax)}"><div class="name"><a href="/budgets/${id}">${label}</a><span class="muted small">per ${window}</span>${stateOf(budget)}</div></td>
      <td class="bar"><sb-spend-bar .balance=${current} .limit=${limit} .unit=${unit}></sb-spend-bar></td>
      <td class="num">${formatAmount(current?.settled ?? '0', unit)}</td>
      <td class="num">${formatAmount(current === null ? limit : String(remainingOf(current)), unit)}</td>
      <td class="num">${formatAmount(limit, unit)}</td>
    </tr>`
  }

  /** A node with its budgets, then its keys that have some. */
  #node(team: Team, { keys, budgets }: Spend) {
    const depth = team.path === '' ? 0 : team.path.split('/').length
    const name = team.kind === 'organisation' ? team.name : (team.path.split('/').at(-1) ?? team.name)
    const own = budgets.filter(({ owner }) => owner.kind === 'node' && owner.id === team.id)
    const ofKeys = keys
      .filter((key) => key.team.id === team.id)
      .flatMap((key) =>
        budgets
          .filter(({ owner }) => owner.kind === 'key' && owner.id === key.id)
          .map((budget) => this.#budget(budget, `key ${key.name}`, depth + 1)),
      )
    if (own.length > 0) return [...own.map((budget) => this.#budget(budget, name, depth)), ...ofKeys]
    return [
      html`<tr class="bare"><td class="d${Math.min(depth, depthMax)}">${name}</td><td colspan="4" class="muted small">no budget of its own</td></tr>`,
      ...ofKeys,
    ]
  }

  #tree(data: Spend) {
    const teams = data.teams.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    if (data.budgets.length === 0) {
      return html`<section class="card"><sb-empty-state heading="No budgets yet"
        text="A budget limits what a team or a key may spend in a day, a month or in all. Several may hold at once; hard ones are never overspent.">
        <button class="primary" @click=${() => this.#open()}>Make the first one</button></sb-empty-state></section>`
    }
    return html`<section class="card">
      <header><h2>Running windows</h2><sb-spend-legend></sb-spend-legend></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Of</th><th>Spend</th><th class="num">Settled</th><th class="num">Remaining</th><th class="num">Limit</th></tr></thead>
        <tbody>${teams.flatMap((team) => this.#node(team, data))}</tbody>
      </table></div>
    </section>`
  }

  #refusedNote() {
    const count = this.#refused.value ?? 0
    if (count === 0) return nothing
    return html`<p class="note row spread"><span>${count === 1 ? 'A report of a gateway' : `${formatCount(count)} reports of gateways`} could not be booked: the ledger refused, and what was spent is missing here.</span>
      <a href="/budgets/reports/refused">Decide</a></p>`
  }

  #open(): void {
    this.making = !this.making
  }

  #saved(): void {
    this.making = false
    void this.#data.run()
  }

  override render() {
    return html`<div class="head"><h1>Budgets</h1>
        <div class="row"><a class="button" href="/budgets/reports/refused">Refused reports</a>
          <button aria-expanded=${this.making ? 'true' : 'false'} @click=${this.#open}>${this.making ? 'Close' : 'New budget'}</button></div></div>
      <div class="stack">
        ${this.#refusedNote()}
        ${this.#data.render(
          (data) => html`
            ${this.making ? html`<section class="card pad"><sb-budget-editor .teams=${data.teams} .keys=${data.keys} @saved=${this.#saved}></sb-budget-editor></section>` : nothing}
            ${this.#tree(data)}`,
        )}
      </div>`
  }

  static override styles = [
    shared,
    css`
      td.bar { min-width: 130px; width: 40%; }
      td:first-child { font-weight: 560; }
      .name { display: flex; gap: 2px 8px; align-items: baseline; flex-wrap: wrap; }
      .d1 { padding-left: 40px; }
      .d2 { padding-left: 62px; }
      .d3 { padding-left: 84px; }
      .d4 { padding-left: 106px; }
      .d5 { padding-left: 128px; }
      .d6 { padding-left: 150px; }
      .bare td:first-child { font-weight: 400; color: var(--muted); }
      section + section { margin-top: 20px; }
      .note { background: var(--warn-soft); color: var(--warn); border-radius: 8px; padding: 10px 14px; }
    `,
  ]
}
customElements.define('sb-budgets-page', BudgetsPage)

export const page = definePage({
  path: '/budgets',
  title: 'Budgets',
  nav: { order: 4.2, icon: icons.budgets },
  render: () => html`<sb-budgets-page></sb-budgets-page>`,
})
