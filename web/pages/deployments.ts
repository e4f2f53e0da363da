import type { Deployment, GetStatusReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { pointsAt } from '../deployments/wording.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import '../ui/empty-state.ts'
import { formatAgo } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

type Environment = GetStatusReply['environments'][number]
interface Seen {
  readonly environments: readonly Environment[]
  readonly awaiting: readonly Deployment[]
}

/** All environments at a glance: what runs where, what waits for somebody. */
class DeploymentsPage extends LitElement {
  readonly #data = new Load<Seen>(
    this,
    async (signal) => {
      const [{ environments }, { items }] = await Promise.all([
        api().getStatus({}, { signal }),
        api().listApprovals({}, { signal }),
      ])
      return { environments, awaiting: items.filter(({ status }) => status === 'awaiting_approval') }
    },
    5000,
  )

  #workspace(deployment: Deployment) {
    const { workspace, candidate, by, createdMs } = deployment
    return html`<li>
      <strong>${workspace}</strong> <span>${pointsAt(deployment)}</span>
      ${candidate === null ? nothing : html`<span class="badge accent">rolling out</span>`}
      <span class="muted small">${by}, ${formatAgo(createdMs, Date.now())}</span>
    </li>`
  }

  #environment(environment: Environment, awaiting: readonly Deployment[]) {
    const { name, deployments, gateways, converged, freeze } = environment
    const rejected = gateways.filter((each) => each.rejected !== null).length
    return html`<section class="card">
      <header>
        <h2><a href="/deployments/${name}">${name}</a></h2>
        <span class="row">
          ${awaiting.length === 0 ? nothing : html`<a class="badge warn" href="/deployments/${name}">${awaiting.length} awaiting approval</a>`}
          ${freeze === null ? nothing : html`<span class="badge warn">frozen: ${freeze.reason}</span>`}
          ${rejected === 0 ? nothing : html`<span class="badge bad">${rejected} ${rejected === 1 ? 'gateway' : 'gateways'} rejected a document</span>`}
          <span class="badge ${gateways.length === 0 ? '' : converged ? 'good' : 'warn'}">${gateways.length === 0 ? 'no gateway' : converged ? 'converged' : 'converging'}</span>
        </span>
      </header>
      ${
        deployments.length === 0
          ? html`<p class="pad muted">Nothing is deployed. <code>signalbox push --env ${name}</code> deploys a folder; <a href="/deployments/${name}">here</a> a version is chosen by hand.</p>`
          : html`<ul>${deployments.map((each) => this.#workspace(each))}</ul>`
      }
    </section>`
  }

  override render() {
    return html`<div class="head"><h1>Deployments</h1></div>
      ${this.#data.render(({ environments, awaiting }) =>
        environments.length === 0
          ? html`<section class="card"><sb-empty-state heading="No environment yet" text="The first push makes one."></sb-empty-state></section>`
          : html`<div class="stack">${environments.map((each) =>
              this.#environment(
                each,
                awaiting.filter(({ environment }) => environment === each.name),
              ),
            )}</div>`,
      )}`
  }

  static override styles = [
    shared,
    css`
      ul { list-style: none; margin: 0; padding: 6px 18px; }
      li { display: flex; flex-wrap: wrap; gap: 4px 10px; padding: 8px 0; align-items: baseline; }
      li + li { border-top: 1px solid var(--line); }
      .badge { overflow-wrap: anywhere; white-space: normal; }
    `,
  ]
}
customElements.define('sb-deployments-page', DeploymentsPage)

export const page = definePage({
  path: '/deployments',
  title: 'Deployments',
  nav: { order: 2.5, icon: icons.deployments },
  render: () => html`<sb-deployments-page></sb-deployments-page>`,
})
