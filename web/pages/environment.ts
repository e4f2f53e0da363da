import type { Deployment, FreezeView } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { api } from '../api.ts'
import '../deployments/approval-card.ts'
import type { ConfirmDialog, Question } from '../deployments/confirm-dialog.ts'
import '../deployments/confirm-dialog.ts'
import { type EnvironmentData, loadEnvironment } from '../deployments/environment-data.ts'
import '../deployments/environment-tabs.ts'
import '../deployments/freeze-banner.ts'
import type { PromoteForm } from '../deployments/promote-form.ts'
import '../deployments/workspace-card.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import '../ui/empty-state.ts'
import '../ui/fleet-table.ts'
import { shared } from '../ui/styles.ts'

const refreshMs = 3000

/** What runs in an environment, live: rollouts, approvals, freeze, drift, gateways. */
class EnvironmentPage extends LitElement {
  static override properties = { environment: {} }
  declare environment: string
  readonly #data: Load<EnvironmentData>

  constructor() {
    super()
    this.environment = ''
    this.#data = new Load(this, (signal) => loadEnvironment(this.environment, signal), refreshMs)
  }

  #ask(question: Question): void {
    void this.renderRoot.querySelector<ConfirmDialog>('sb-confirm-dialog')?.ask(question)
  }

  #freeze(before: FreezeView | null, data: EnvironmentData): void {
    const { environment } = this
    const policies = data.deployments.map(({ workspace }) => workspace)
    this.#ask({
      title: `Freeze ${environment}`,
      text: html`<p class="muted">It holds at once in every gateway, by a signed document${before === null ? '' : ', and adds to the freeze that is on'}.</p>
        <label class="check"><input type="checkbox" name="deployments" checked /> <span>Deployments: nothing is promoted or rolled back, no ramp goes on</span></label>
        <label class="check"><input type="checkbox" name="candidates" /> <span>Candidates: all calls are decided by stable versions</span></label>
        <label>A policy that is not to be asked
          <input name="policy" placeholder="none; or the name of a policy" />
          <span class="muted small">Of workspace ${policies.join(', ')}. A constraint needs the role security.</span></label>`,
      action: 'Freeze',
      danger: true,
      reason: { label: 'Why', required: true },
      run: async ({ reason, form }) => {
        const policy = String(form.get('policy') ?? '').trim()
        const [workspace = ''] = policies
        const at = policy.indexOf('/')
        const named =
          at === -1 ? { workspace, policy } : { workspace: policy.slice(0, at), policy: policy.slice(at + 1) }
        const [deployments, candidates] = [form.has('deployments'), form.has('candidates')]
        if (!deployments && !candidates && policy === '') throw new Error('Choose what to freeze.')
        await api().freezeEnvironment({
          ...{ environment, reason: reason ?? '', deployments, candidates },
          ...(policy === '' ? {} : { policies: [named] }),
        })
      },
    })
  }

  #drift(data: Pick<EnvironmentData, 'environment'>) {
    const { drift } = data.environment
    if (drift.length === 0) return nothing
    return html`<section class="card drift" aria-label="Drift">
      <header><h2>Git does not have what runs here</h2></header>
      <div class="pad body">
        ${drift.map((each) => {
          const { version, parent, by, role } = each
          const from =
            parent === null
              ? nothing
              : html` from v${parent};
            <a href="/policies/v${version}/changes?from=v${parent}">what it changes</a>`
          return html`<p><a href="/policies/v${version}">v${version}</a> (${role}) was made outside Git by ${by}${from}.</p>`
        })}
        <p class="muted">The next push from Git takes the change back. Bring it home first, then commit and push:</p>
        <sb-copy-text .text=${drift.map(({ version }) => `npx signalbox pull --version v${version}`).join('\n')}></sb-copy-text>
      </div>
    </section>`
  }

  #requests(requests: readonly Deployment[]) {
    const open = requests.filter(({ status }) => status === 'awaiting_approval')
    const closed = requests.filter(({ status }) => status !== 'awaiting_approval')
    return html`${open.map((each) => html`<sb-approval-card .request=${each}></sb-approval-card>`)}
      ${
        closed.length === 0
          ? nothing
          : html`<details><summary>${closed.length} decided ${closed.length === 1 ? 'request' : 'requests'}</summary>
        <div class="stack decided">${closed.map((each) => html`<sb-approval-card .request=${each}></sb-approval-card>`)}</div></details>`
      }`
  }

  #nothingDeployed({ versions }: EnvironmentData) {
    const form = (): PromoteForm | null => this.renderRoot.querySelector('sb-promote-form')
    return html`<section class="card"><sb-empty-state heading="Nothing is deployed here"
        text="Calls are refused until a version is stable. Push a folder, or choose a version that exists.">
        ${versions.length === 0 ? nothing : html`<button class="primary" @click=${() => form()?.open()}>Deploy a version…</button>`}
        <sb-copy-text .text=${`npx signalbox push --env ${this.environment}`}></sb-copy-text>
      </sb-empty-state></section>
      <sb-promote-form environment=${this.environment} .versions=${versions} @done=${() => this.#data.run()}></sb-promote-form>`
  }

  #convergence({ gateways, converged, release, state }: EnvironmentData['environment']) {
    if (gateways.length === 0) return nothing
    const documents = `on release ${release ?? '–'}, state ${state ?? '–'}`
    return html`<span class="badge ${converged ? 'good' : 'warn'}">${converged ? 'converged' : 'converging'} ${documents}</span>`
  }

  #complete(data: EnvironmentData) {
    const { environment, deployments, requests, versions, runs } = data
    return html`<div class="stack">
      <sb-freeze-banner environment=${environment.name} .freeze=${environment.freeze} ?hidden=${environment.freeze === null}></sb-freeze-banner>
      ${this.#drift(data)} ${this.#requests(requests)}
      ${
        deployments.length === 0
          ? this.#nothingDeployed(data)
          : deployments.map(
              (each) =>
                html`<sb-workspace-card .deployment=${each} .versions=${versions} @done=${() => this.#data.run()}></sb-workspace-card>`,
            )
      }
      <section class="card">
        <header><h2>Gateways</h2>${this.#convergence(environment)}</header>
        <sb-fleet-table .environment=${environment} .runs=${runs}></sb-fleet-table>
      </section>
    </div>`
  }

  override render() {
    const { value } = this.#data
    return html`<sb-environment-tabs environment=${this.environment} current="Rollout">
        ${value === undefined || value.deployments.length === 0 ? nothing : html`<button @click=${() => this.#freeze(value.environment.freeze, value)}>Freeze…</button>`}
      </sb-environment-tabs>
      <div @ask=${(event: CustomEvent<Question>) => this.#ask(event.detail)}>${this.#data.render((data) => this.#complete(data))}</div>
      <sb-confirm-dialog @done=${() => this.#data.run()}></sb-confirm-dialog>`
  }

  static override styles = [
    shared,
    css`
      .drift { border-color: var(--warn); }
      .body { display: grid; gap: 10px; }
      summary { cursor: pointer; color: var(--muted); }
      .decided { margin-top: 12px; gap: 12px; }
    `,
  ]
}
customElements.define('sb-environment-page', EnvironmentPage)

export const page = definePage({
  path: '/deployments/:environment',
  title: 'Rollout',
  render: ({ environment = '' }) =>
    html`${keyed(environment, html`<sb-environment-page .environment=${environment}></sb-environment-page>`)}`,
})
