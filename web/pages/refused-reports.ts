import type { Budget, Gateway, ListRefusedReportsReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { attempt, Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAmount } from '../ui/amount.ts'
import { formatTime } from '../ui/format.ts'
import { mayDecideRefused, mayReadRefused, parseReported } from '../ui/refused-report.ts'
import { shared } from '../ui/styles.ts'

type Report = ListRefusedReportsReply['items'][number]
interface Refused {
  /** Undefined where the asking person may not see them. */
  readonly reports: readonly Report[] | undefined
  readonly budgets: ReadonlyMap<string, Budget>
  readonly gateways: ReadonlyMap<string, Gateway>
  readonly mayDecide: boolean
}
/** What somebody is about to do, asked about in the dialog. */
interface Asked {
  readonly what: 'retry' | 'void'
  readonly report: Report
}

const refreshMs = 5000
const decisions = {
  retry: {
    heading: 'Have the ledger take it',
    text: 'On your word its leases are what the report says, whichever gateway holds them. Do it where the report is right.',
    button: 'Retry',
    told: 'The ledger has taken the report.',
  },
  void: {
    heading: 'Put it out of the way',
    text: 'The report is taken for wrong. What its lease holds stays stranded until it is released on the page of its budget.',
    button: 'Void',
    told: 'The report is void.',
  },
} as const

class RefusedReportsPage extends LitElement {
  static override properties = { error: { state: true }, told: { state: true }, asked: { state: true } }
  declare error: string
  declare told: string
  declare asked: Asked | undefined
  readonly #data: Load<Refused>

  constructor() {
    super()
    this.error = ''
    this.told = ''
    this.asked = undefined
    this.#data = new Load(this, (signal) => this.#load(signal), refreshMs)
  }

  async #load(signal: AbortSignal): Promise<Refused> {
    const me = await api().getMe({ signal })
    const nobodys = {
      budgets: new Map<string, Budget>(),
      gateways: new Map<string, Gateway>(),
      mayDecide: false,
    }
    if (!mayReadRefused(me)) return { ...nobodys, reports: undefined }
    const [reports, budgets, gateways] = await Promise.all([
      api().listRefusedReports({ signal }),
      api().listBudgets({}, { signal }),
      api().listGateways({ signal }),
    ])
    return {
      reports: reports.items,
      budgets: new Map(budgets.items.map((each) => [each.id, each])),
      gateways: new Map(gateways.items.map((each) => [each.id, each])),
      mayDecide: mayDecideRefused(me),
    }
  }

  async #ask(asked: Asked): Promise<void> {
    this.error = ''
    this.told = ''
    this.asked = asked
    await this.updateComplete
    this.renderRoot.querySelector('form')?.reset()
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  #close(): void {
    this.renderRoot.querySelector('dialog')?.close()
  }

  async #decide(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const { asked } = this
    const form = event.target as HTMLFormElement
    const note = String(new FormData(form).get('note')).trim()
    if (asked === undefined || note === '') return
    const { id } = asked.report
    const isDone = await attempt(this, async () => {
      if (asked.what === 'retry') await api().retryRefusedReport({ id, note })
      else await api().voidRefusedReport({ id, note })
    })
    if (isDone) {
      this.#close()
      this.told = decisions[asked.what].told
    }
    // Where somebody else was faster this shows what they decided.
    await this.#data.run()
  }

  #gateway({ gatewayId }: Report, { gateways }: Refused) {
    return gateways.get(gatewayId)?.name ?? html`<code>${gatewayId.slice(0, 13)}</code>`
  }

  #money({ report, budgets: ids }: Report, { budgets }: Refused) {
    const known = ids.flatMap((id) => budgets.get(id) ?? [])
    const unit = known[0]?.unit
    const amount = (text: string) =>
      html`<strong>${unit === undefined ? `${text} nano-dollars or tokens` : formatAmount(text, unit)}</strong>`
    const { leases, settlements } = parseReported(report)
    const paths = known.map(
      ({ id, path, window }, index) =>
        html`${index === 0 ? '' : ', '}<a href="/budgets/${id}">${path === '' ? 'organisation' : path}</a> per ${window}`,
    )
    const isReadable = leases.length + settlements.length > 0
    return html`
      ${isReadable ? nothing : html`<div>not readable</div>`}
      ${leases.map((settled) => html`<div>lease that spent ${amount(settled)}</div>`)}
      ${settlements.map(({ callId, actual }) => html`<div><a href="/decisions/${callId}">call</a> that cost ${amount(actual)}</div>`)}
      <div class="muted small">${known.length === 0 ? 'of no budget that is known' : html`of ${paths}`}</div>
      <details><summary>What it says</summary><pre tabindex="0">${report}</pre></details>`
  }

  #actions(report: Report, { mayDecide }: Refused, name: string) {
    if (!mayDecide) return nothing
    return html`<div class="row end">
      <button aria-label="Retry the report ${name}" @click=${() => this.#ask({ what: 'retry', report })}>Retry</button>
      <button class="danger" aria-label="Void the report ${name}" @click=${() => this.#ask({ what: 'void', report })}>Void</button>
    </div>`
  }

  #open(open: readonly Report[], data: Refused) {
    if (open.length === 0) {
      return html`<section class="card"><sb-empty-state heading="Nothing waits for a decision"
        text="What a gateway tells of its spending and the ledger refuses five times is put aside here, for a person to decide."><a href="/budgets">To the budgets</a></sb-empty-state></section>`
    }
    return html`<section class="card"><header><h2>To decide</h2>
        ${data.mayDecide ? nothing : html`<span class="muted small">Owners, admins and finance of the whole organisation decide.</span>`}</header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table class="open">
      <thead><tr><th>Time</th><th>Gateway</th><th>Why</th><th>Money</th><td></td></tr></thead>
      <tbody>${open.map(
        (each) => html`<tr>
          <td class="muted nowrap">${formatTime(each.timeMs)}</td>
          <td class="nowrap">${this.#gateway(each, data)}</td>
          <td class="why">${each.error} <span class="muted small nowrap">${each.tries} tries</span></td>
          <td class="money">${this.#money(each, data)}</td>
          <td>${this.#actions(each, data, `of ${formatTime(each.timeMs)}, ${each.id.slice(-6)}`)}</td>
        </tr>`,
      )}</tbody></table></div></section>`
  }

  #decided(decided: readonly Report[], data: Refused) {
    if (decided.length === 0) return nothing
    return html`<section class="card"><header><h2>Decided</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
      <thead><tr><th>Time</th><th>Gateway</th><th>Money</th><th>Decision</th><th>By</th><th>Note</th></tr></thead>
      <tbody>${decided.map(
        (each) => html`<tr>
          <td class="muted nowrap">${formatTime(each.timeMs)}</td>
          <td class="nowrap">${this.#gateway(each, data)}</td>
          <td class="money">${this.#money(each, data)}</td>
          <td class="nowrap"><span class="badge ${each.state === 'taken' ? 'good' : ''}">${each.state}</span> <span class="muted small">${each.decidedMs === null ? '' : formatTime(each.decidedMs)}</span></td>
          <td class="muted">${each.decidedBy ?? ''}</td>
          <td class="why">${each.note ?? ''}</td>
        </tr>`,
      )}</tbody></table></div></section>`
  }

  #lists(data: Refused) {
    const { reports } = data
    if (reports === undefined) {
      return html`<section class="card"><sb-empty-state heading="Refused reports are kept by the organisation"
        text="Who has a role on the whole organisation sees them."><a href="/budgets">To the budgets</a></sb-empty-state></section>`
    }
    const isOpen = ({ state }: Report): boolean => state === 'open'
    return html`<div class="stack">${this.#open(reports.filter(isOpen), data)}
      ${this.#decided(
        reports.filter((each) => !isOpen(each)),
        data,
      )}</div>`
  }

  #dialog() {
    const { heading, text, button } = decisions[this.asked?.what ?? 'retry']
    return html`<dialog aria-labelledby="decide-title"><form @submit=${this.#decide}>
      <h2 id="decide-title">${heading}</h2>
      <p>${text}</p>
      <label>Why <input name="note" required maxlength="512" pattern=".*\\S.*" autocomplete="off" placeholder="Stands in the audit log" /></label>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      <div class="row end">
        <button type="button" @click=${this.#close}>Leave it</button>
        <button class="primary">${button}</button>
      </div></form></dialog>`
  }

  override render() {
    return html`<div class="head"><div><a href="/budgets" class="small">Budgets</a><h1>Refused reports</h1>
        <p class="muted">What gateways told of their spending, and the ledger would not take.</p></div></div>
      <div class="stack">
        ${this.told === '' ? nothing : html`<p class="note" role="status">${this.told}</p>`}
        ${this.#data.render((data) => this.#lists(data))}
      </div>
      ${this.#dialog()}`
  }

  static override styles = [
    shared,
    css`
      .nowrap { white-space: nowrap; }
      .why { min-width: 180px; max-width: 340px; overflow-wrap: anywhere; }
      .money { min-width: 200px; }
      .money a { text-decoration: underline; text-underline-offset: 2px; }
      td { vertical-align: top; }
      summary { cursor: pointer; color: var(--muted); font-size: 12.5px; }
      pre { margin: 6px 0 0; max-width: 420px; white-space: pre-wrap; overflow-wrap: anywhere; }
      .end { justify-content: end; flex-wrap: nowrap; }
      .note { background: var(--good-soft); color: var(--good); border-radius: 8px; padding: 10px 14px; }
      dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--raised); color: var(--text); padding: 24px;
        width: min(460px, calc(100vw - 32px)); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(10 15 12 / 45%); }
      dialog form { display: grid; gap: 16px; }
      @media (max-width: 700px) {
        /* What is to be decided stands one below the other, so that the buttons are in sight. */
        .open thead { display: none; }
        .open tr { display: block; padding: 10px 0; border-bottom: 1px solid var(--line); }
        .open tr:last-child { border-bottom: 0; }
        .open td { display: block; max-width: none; padding: 3px 18px; border-bottom: 0; }
        .open .end { justify-content: start; padding-top: 6px; }
      }
    `,
  ]
}
customElements.define('sb-refused-reports-page', RefusedReportsPage)

export const page = definePage({
  path: '/budgets/reports/refused',
  title: 'Refused reports',
  render: () => html`<sb-refused-reports-page></sb-refused-reports-page>`,
})
