import type { GetDeploymentReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { api } from '../api.ts'
import '../deployments/approval-card.ts'
import '../deployments/evidence-card.ts'
import '../deployments/guard-table.ts'
import '../deployments/shadow-table.ts'
import { causeText, formatShare, formatSpan, pointsAt } from '../deployments/wording.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

/** One deployment as it was: what it pointed at, what its arms did, and why it ended if a guard ended it. */
class DeploymentPage extends LitElement {
  static override properties = { deploymentId: {} }
  declare deploymentId: string
  readonly #data: Load<{ shown: GetDeploymentReply; undone: GetDeploymentReply | null }>

  constructor() {
    super()
    this.deploymentId = ''
    this.#data = new Load(this, async (signal) => {
      const shown = await api().getDeployment({ id: this.deploymentId }, { signal })
      const undone =
        shown.rollbackOf === null ? null : await api().getDeployment({ id: shown.rollbackOf }, { signal })
      return { shown, undone }
    })
  }

  #arms({ comparison, candidate }: GetDeploymentReply) {
    if (comparison === null || candidate === null) return nothing
    return html`<section class="card">
      <header><h2>Candidate v${candidate.version} beside stable</h2><span class="muted small">at ${formatShare(candidate.ppm)}, from ${formatTime(comparison.sinceMs)}</span></header>
      <sb-guard-table .states=${comparison.guards} .guards=${candidate.guards} .stable=${comparison.stable} .candidate=${comparison.candidate}></sb-guard-table>
    </section>`
  }

  #shadows({ shadows, shadowChanges }: GetDeploymentReply) {
    return shadows.map(
      ({
        version,
      }) => html`<section class="card"><header><h2>Shadow <a href="/policies/v${version}">v${version}</a></h2></header>
        <sb-shadow-table .changes=${shadowChanges} .version=${version}></sb-shadow-table></section>`,
    )
  }

  #summary(shown: GetDeploymentReply) {
    const { candidate, release, revision, by, reason, rollbackOf, environment } = shown
    const entries: [string, unknown][] = [
      ['What', causeText(shown)],
      ['Points at', pointsAt(shown)],
      ['By', by],
      ['When', formatTime(shown.createdMs)],
      ...(reason === null ? [] : ([['Why', `“${reason}”`]] as [string, unknown][])),
      ['Release', release === 0 ? 'none yet' : String(release)],
      ['Revision', String(revision)],
    ]
    if (candidate !== null && candidate.ramp.length > 0) {
      const steps = candidate.ramp.map(
        (step) => `${formatShare(step.ppm)} ${step.minMs === 0 ? '' : formatSpan(step.minMs)}`,
      )
      entries.push(['Ramp', steps.join(' → ')])
    }
    if (rollbackOf !== null) {
      entries.push([
        'Undoes',
        html`<a href="/deployments/${environment}/history/${rollbackOf}">the deployment before</a>`,
      ])
    }
    return html`<section class="card pad"><dl>${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl></section>`
  }

  override render() {
    return this.#data.render(({ shown, undone }) => {
      const { environment, workspace, revision, evidence, status } = shown
      return html`<div class="head"><div>
          <a href="/deployments/${environment}/history">History of ${environment}</a>
          <h1>${workspace}, revision ${revision}</h1></div>
          <span class="badge ${status === 'live' ? 'good' : ''}">${status.replace('_', ' ')}</span></div>
        <div class="stack">
          ${evidence === null ? nothing : html`<sb-evidence-card .evidence=${evidence} .version=${undone?.candidate?.version ?? 0}></sb-evidence-card>`}
          ${this.#summary(shown)}
          ${shown.approval === null ? nothing : html`<sb-approval-card .request=${shown}></sb-approval-card>`}
          ${this.#arms(shown)}
          ${evidence === null || undone === null ? nothing : this.#arms(undone)}
          ${this.#shadows(shown)}
        </div>`
    })
  }

  static override styles = [
    shared,
    css`
      dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 6px 18px; margin: 0; }
      dt { color: var(--muted); }
      dd { margin: 0; overflow-wrap: anywhere; }
    `,
  ]
}
customElements.define('sb-deployment-page', DeploymentPage)

export const page = definePage({
  path: '/deployments/:environment/history/:id',
  title: 'Deployment',
  render: ({ id = '' }) =>
    html`${keyed(id, html`<sb-deployment-page .deploymentId=${id}></sb-deployment-page>`)}`,
})
