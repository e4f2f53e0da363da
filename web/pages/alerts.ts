import type { BudgetAlert, Webhook } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAmount } from '../ui/amount.ts'
import { formatTime } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

interface Told {
  readonly alerts: readonly BudgetAlert[]
  readonly webhooks: readonly Webhook[]
}
const refreshMs = 5000
const alertsShown = 200

function what({ kind, thresholdPpm, projected, unit }: BudgetAlert) {
  if (kind === 'threshold') {
    return html`<span class="badge ${thresholdPpm >= 1_000_000 ? 'bad' : 'warn'}">${thresholdPpm / 10_000} %</span>`
  }
  if (kind === 'forecast')
    return html`<span class="badge accent">forecast</span> ${formatAmount(projected ?? '0', unit)} at the end of the window`
  const text = {
    exhausted: 'a call found too little left',
    overrun: 'billed beyond what was held',
    stranded: 'money went lost with a gateway',
    refused: 'the ledger could not take what a gateway told of its spending',
  }[kind]
  const decide = kind === 'refused' ? html` <a href="/budgets/reports/refused">Decide</a>` : nothing
  return html`<span class="badge bad">${kind}</span> ${text}${decide}`
}

function delivery({ deliveries }: BudgetAlert, webhooks: readonly Webhook[]) {
  if (deliveries.length === 0) return html`<span class="muted">–</span>`
  return deliveries.map((each) => {
    const url = webhooks.find(({ id }) => id === each.webhookId)?.url
    const host = url === undefined ? 'webhook' : new URL(url).host
    if (each.deliveredMs !== null) return html`<div><span class="badge good">taken</span> ${host}</div>`
    const next = each.nextMs === null ? 'given up' : `tried ${each.attempts} times`
    return html`<div><span class="badge ${each.nextMs === null ? 'bad' : 'warn'}">${next}</span> ${host} <span class="muted">${each.error ?? ''}</span></div>`
  })
}

class AlertsPage extends LitElement {
  static override properties = { error: { state: true }, note: { state: true }, secret: { state: true } }
  declare error: string
  declare note: string
  /** Of the webhook that was just made; shown until the page is left. */
  declare secret: string
  readonly #data: Load<Told>

  constructor() {
    super()
    this.error = ''
    this.note = ''
    this.secret = ''
    this.#data = new Load(
      this,
      async (signal) => {
        const [alerts, webhooks] = await Promise.all([
          api().listBudgetAlerts({ limit: alertsShown }, { signal }),
          api().listWebhooks({ signal }),
        ])
        return { alerts: alerts.items, webhooks: webhooks.items }
      },
      refreshMs,
    )
  }

  async #do(work: () => Promise<void>): Promise<void> {
    this.error = ''
    this.note = ''
    try {
      await work()
      await this.#data.run()
    } catch (error) {
      this.error = explainError(error)
    }
  }

  #create(event: SubmitEvent): void {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    void this.#do(async () => {
      const { secret } = await api().createWebhook({ url: String(new FormData(form).get('url')).trim() })
      this.secret = secret
      form.reset()
    })
  }

  #test({ id, url }: Webhook): void {
    void this.#do(async () => {
      const { taken, error } = await api().testWebhook({ id })
      if (taken) this.note = `${new URL(url).host} took a message of type test.`
      else this.error = `${new URL(url).host} did not take it: ${error ?? 'no reason'}`
    })
  }

  #webhooks(webhooks: readonly Webhook[]) {
    return html`<section class="card"><header><h2>Webhooks</h2></header>
      ${
        webhooks.length === 0
          ? html`<p class="pad muted">Alerts are shown here only. Give an address to have them sent: each is signed, and tried until it is taken.</p>`
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>URL</th><th>Made</th><th>By</th><td></td></tr></thead>
        <tbody>${webhooks.map(
          (
            each,
          ) => html`<tr><td class="url"><code>${each.url}</code></td><td class="muted">${formatTime(each.createdMs)}</td><td class="muted">${each.createdBy}</td>
            <td class="num"><button @click=${() => this.#test(each)} aria-label="Test ${each.url}">Test</button>
              <button class="danger" aria-label="Delete ${each.url}" @click=${() =>
                this.#do(async () => {
                  await api().deleteWebhook({ id: each.id })
                })}>Delete</button></td></tr>`,
        )}</tbody></table></div>`
      }
      <form class="pad row line" @submit=${this.#create}>
        <input class="wide" name="url" type="url" required placeholder="https://hooks.example.com/signalbox" aria-label="URL of the new webhook" />
        <button>Add webhook</button>
      </form></section>`
  }

  #alerts({ alerts, webhooks }: Told) {
    if (alerts.length === 0) {
      return html`<section class="card"><sb-empty-state heading="No alerts"
        text="A budget tells when it passes one of its thresholds, when it is going to cost more than its limit, when it is used up, and of overruns and stranded money."><a href="/budgets">To the budgets</a></sb-empty-state></section>`
    }
    return html`<section class="card"><div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
      <thead><tr><th>Time</th><th>Budget</th><th>What</th><th class="num">Spent</th><th class="num">Limit</th><th>Webhooks</th></tr></thead>
      <tbody>${alerts.map(
        (each) => html`<tr>
          <td class="muted nowrap">${formatTime(each.timeMs)}</td>
          <td><a href="/budgets/${each.budgetId}">${each.path === '' ? 'organisation' : each.path}</a> <span class="muted">per ${each.window}</span></td>
          <td>${what(each)}</td>
          <td class="num">${formatAmount(each.spent, each.unit)}</td>
          <td class="num">${formatAmount(each.limit, each.unit)}</td>
          <td>${delivery(each, webhooks)}</td>
        </tr>`,
      )}</tbody></table></div></section>`
  }

  override render() {
    return html`<div class="head"><h1>Alerts</h1></div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${this.note === '' ? nothing : html`<p class="note" role="status">${this.note}</p>`}
        ${
          this.secret === ''
            ? nothing
            : html`<section class="card pad stack made" role="status"><h2>Secret of the webhook</h2>
          <p class="muted">Copy it now: it verifies the signature of each message, and cannot be shown again.</p>
          <sb-copy-text .text=${this.secret}></sb-copy-text></section>`
        }
        ${this.#data.render((told) => html`<div class="stack">${this.#alerts(told)} ${this.#webhooks(told.webhooks)}</div>`)}
      </div>`
  }

  static override styles = [
    shared,
    css`
      .line { border-top: 1px solid var(--line); }
      .wide { flex: 1 1 240px; }
      .nowrap { white-space: nowrap; }
      .url { overflow-wrap: anywhere; }
      td a { text-decoration: underline; text-underline-offset: 2px; }
      .made { border-color: var(--accent); gap: 10px; }
      .note { background: var(--good-soft); color: var(--good); border-radius: 8px; padding: 10px 14px; }
    `,
  ]
}
customElements.define('sb-alerts-page', AlertsPage)

export const page = definePage({
  path: '/alerts',
  title: 'Alerts',
  nav: { order: 4.4, icon: icons.alerts },
  render: () => html`<sb-alerts-page></sb-alerts-page>`,
})
