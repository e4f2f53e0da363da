import type { GetDeploymentReply, Version } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { formatAgo, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import type { Question } from './confirm-dialog.ts'
import './guard-table.ts'
import type { PromoteForm } from './promote-form.ts'
import './promote-form.ts'
import './shadow-table.ts'
import './share-bar.ts'
import { formatShare, formatSpan } from './wording.ts'

type Live = GetDeploymentReply
type RunningCandidate = NonNullable<Live['candidate']>
const whole = 1_000_000
const verdicts = {
  steady: ['good', 'steady'],
  ramping: ['good', 'ramp goes on'],
  waiting: ['warn', 'waiting for calls'],
  held: ['warn', 'held'],
  breached: ['bad', 'breached'],
} as const

/** A workspace in an environment: stable, candidate with its guards, shadows, and what can be done. Fires `ask`, `done`. */
export class WorkspaceCard extends LitElement {
  static override properties = { deployment: { attribute: false }, versions: { attribute: false } }
  declare deployment: Live | undefined
  declare versions: readonly Version[]

  constructor() {
    super()
    this.deployment = undefined
    this.versions = []
  }

  #ask(question: Question): void {
    this.dispatchEvent(new CustomEvent('ask', { detail: question, bubbles: true, composed: true }))
  }

  /** What names the deployment that the question was asked on: somebody else's change in between is not overwritten. */
  #place({ environment, workspace, revision }: Live) {
    return { environment, workspace, revision }
  }

  #promote(live: Live, { version, digest }: RunningCandidate): void {
    const { environment, revision, stable } = live
    this.#ask({
      title: `Make v${version} stable in ${environment}?`,
      text: html`<p class="muted">All calls are decided by v${version} from now on; v${stable.version} can be rolled back to. Guards no longer compare.</p>`,
      action: `Make v${version} stable`,
      reason: { label: 'Why', required: false },
      run: ({ reason }) =>
        api().promoteVersion({
          ...{ version: digest, environment, revision },
          ...(reason === undefined ? {} : { reason }),
        }),
    })
  }

  #rollBack(live: Live): void {
    const { candidate, stable, previous } = live
    const text =
      candidate === null
        ? html`<p class="muted">All calls are decided by v${previous?.version} again instead of v${stable.version}. Nothing of v${stable.version} is lost.</p>`
        : html`<p class="muted">All calls are decided by v${stable.version} again. v${candidate.version} stays and can be a candidate again, for the same callers.</p>`
    this.#ask({
      title: candidate === null ? `Roll back to v${previous?.version}?` : `Take v${candidate.version} back?`,
      text,
      action: candidate === null ? `Roll back to v${previous?.version}` : `Take v${candidate.version} back`,
      danger: true,
      reason: { label: 'Why', required: false },
      run: ({ reason }) =>
        api().rollbackDeployment({
          ...this.#place(live),
          ...(reason === undefined ? {} : { reason }),
        }),
    })
  }

  #dropShadow(live: Live, version: number): void {
    this.#ask({
      title: `Take the shadow v${version} away?`,
      text: html`<p class="muted">It is no longer evaluated beside v${live.stable.version}. What it showed stays in the history.</p>`,
      action: 'Take it away',
      run: () => api().rollbackDeployment({ ...this.#place(live), shadow: `v${version}` }),
    })
  }

  #version(digest: string) {
    const version = this.versions.find((each) => each.digest === digest)
    if (version === undefined) return nothing
    const { push } = version
    const where = push.commit === null ? push.source : push.commit.slice(0, 10)
    return html`<span class="muted small">${push.message ?? ''} <code>${where}</code> ${push.author ?? push.by}</span>`
  }

  #candidate(live: Live, candidate: RunningCandidate) {
    const { comparison, stable } = live
    const { version, teams, by, sinceMs, guards } = candidate
    const [tone, word] = verdicts[comparison?.verdict ?? 'steady']
    const left = (comparison?.nextStepMs ?? 0) - Date.now()
    return html`<div class="candidate">
      <div class="row spread">
        <h3>Candidate <a href="/policies/v${version}">v${version}</a></h3>
        <span class="row"><span class="badge ${tone}">${word}</span>${comparison?.reason === null ? nothing : html`<span class="muted small">${comparison?.reason}</span>`}</span>
      </div>
      <p class="small"><a href="/policies/v${version}/changes?from=v${stable.version}">What it changes</a> ${this.#version(candidate.digest)}</p>
      <sb-share-bar .candidate=${candidate} .stable=${stable.version}></sb-share-bar>
      <p class="muted small">${teams.length === 0 ? 'For all teams' : `Only for ${teams.join(', ')}`}, callers told apart by ${by}; this share since ${formatTime(sinceMs)}${
        comparison?.nextStepMs === null || comparison === null
          ? nothing
          : left > 0
            ? html`, the next one in ${formatSpan(left)} at the earliest`
            : html`, the next one as soon as there are enough calls and the guards are content`
      }.</p>
    </div>
    ${
      comparison === null
        ? nothing
        : html`<sb-guard-table .states=${comparison.guards} .guards=${guards} .stable=${comparison.stable} .candidate=${comparison.candidate}></sb-guard-table>
      <p class="pad muted small">Both arms since this share began. Bars show where each figure lies beyond doubt; over all guards and steps a candidate as good as stable is taken back or held with a likelihood of at most ${formatShare(guards.falseAlarmPpm)}.</p>`
    }`
  }

  #shadows(live: Live) {
    return live.shadows.map(
      ({ version }) => html`<div class="shadow">
        <div class="row spread pad"><h3>Shadow <a href="/policies/v${version}">v${version}</a>${live.shadowPpm === undefined ? nothing : html` <span class="muted small">looks at ${formatShare(live.shadowPpm)} of the calls</span>`}</h3>
          <button aria-label="Take away shadow v${version}" @click=${() => this.#dropShadow(live, version)}>Take away…</button></div>
        <sb-shadow-table .changes=${live.shadowChanges} .version=${version}></sb-shadow-table>
      </div>`,
    )
  }

  #buttons(live: Live) {
    const { candidate, previous } = live
    const form = (): PromoteForm | null => this.renderRoot.querySelector('sb-promote-form')
    return html`<span class="row">
      <button @click=${() => form()?.open()}>${candidate === null ? 'Deploy a version…' : 'Change the rollout…'}</button>
      ${candidate === null ? nothing : html`<button class="primary" @click=${() => this.#promote(live, candidate)}>${candidate.ppm === whole ? 'Complete' : 'Promote to all'}…</button>`}
      ${candidate === null && previous === null ? nothing : html`<button class="danger" @click=${() => this.#rollBack(live)}>${candidate === null ? `Roll back to v${previous?.version}` : `Take v${candidate.version} back`}…</button>`}
    </span>`
  }

  override render() {
    const live = this.deployment
    if (live === undefined) return nothing
    const { workspace, stable, candidate, by, createdMs, environment } = live
    return html`<section class="card" aria-label="Workspace ${workspace}">
        <header>
          <div><h2>${workspace} <a href="/policies/v${stable.version}">v${stable.version}</a> <span class="badge good">stable</span></h2>
            <p class="small">${this.#version(stable.digest)}</p></div>
          ${this.#buttons(live)}
        </header>
        ${
          candidate === null
            ? html`<p class="pad muted">All calls are decided by v${stable.version}; last change ${formatAgo(createdMs, Date.now())} by ${by}. Deploy a version to a share of the callers to compare it with this one live.</p>`
            : this.#candidate(live, candidate)
        }
        ${this.#shadows(live)}
      </section>
      <sb-promote-form environment=${environment} .current=${live}
        .versions=${this.versions.filter((each) => each.workspace === workspace)}
        @done=${() => this.dispatchEvent(new CustomEvent('done'))}></sb-promote-form>`
  }

  static override styles = [
    shared,
    css`
      h3 { margin: 0; font-size: 14px; }
      .candidate { padding: 16px 18px; display: grid; grid-template-columns: minmax(0, 1fr);
        gap: 12px; border-bottom: 1px solid var(--line); }
      .shadow { border-top: 1px solid var(--line); }
      .shadow .pad { padding-bottom: 0; }
      p { overflow-wrap: anywhere; }
    `,
  ]
}
customElements.define('sb-workspace-card', WorkspaceCard)
