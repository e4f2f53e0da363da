import type { Deployment } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { formatAgo, formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import type { Answer, Question } from './confirm-dialog.ts'
import { formatShare } from './wording.ts'

const tones = {
  awaiting_approval: 'warn',
  live: 'good',
  replaced: '',
  rejected: 'bad',
  outdated: '',
} as const

/** A deployment that others have to agree to: who asked, who agreed, and the buttons. Fires `ask` with a question. */
export class ApprovalCard extends LitElement {
  static override properties = { request: { attribute: false } }
  declare request: Deployment | undefined

  constructor() {
    super()
    this.request = undefined
  }

  #decide(request: Deployment, agrees: boolean): void {
    const id = request.approval?.id ?? ''
    const what = this.#what(request)
    const said = ({ reason, person }: Answer) => ({
      id,
      ...(reason === undefined ? {} : { comment: reason }),
      ...(person === undefined ? {} : { person }),
    })
    const question: Question = {
      title: `${agrees ? 'Approve' : 'Reject'} ${what}?`,
      text: agrees
        ? html`<p class="muted">Four eyes: ${request.by} asked for it, so somebody else has to agree. The last agreement that is needed deploys it at once. Your name and note are kept.</p>`
        : html`<p class="muted">It is not deployed; whoever asked may ask again. Your name and note are kept.</p>`,
      action: agrees ? 'Approve' : 'Reject',
      danger: !agrees,
      reason: { label: 'Note', required: !agrees },
      needsPerson: true,
      run: (answer) =>
        agrees ? api().approveDeployment(said(answer)) : api().rejectDeployment(said(answer)),
    }
    this.dispatchEvent(new CustomEvent('ask', { detail: question, bubbles: true, composed: true }))
  }

  #what({ candidate, stable, environment }: Deployment): string {
    if (candidate === null) return `v${stable.version} for ${environment}`
    return `v${candidate.version} as candidate for ${formatShare(candidate.ppm)} in ${environment}`
  }

  override render() {
    const { request } = this
    const approval = request?.approval ?? null
    if (request === undefined || approval === null) return nothing
    const agreed = approval.decisions.filter(({ decision }) => decision === 'approved').length
    const version = request.candidate?.version ?? request.stable.version
    const isOpen = request.status === 'awaiting_approval'
    return html`<section class="card ${isOpen ? 'open' : ''}">
      <header>
        <h2>${this.#what(request)}</h2>
        <span class="badge ${tones[request.status]}">${request.status.replace('_', ' ')}</span>
      </header>
      <div class="pad body">
        <p>Asked for by <strong>${approval.requestedBy}</strong> <span class="muted" title=${formatTime(approval.requestedMs)}>${formatAgo(approval.requestedMs, Date.now())}</span>${request.reason === null ? nothing : html`: “${request.reason}”`}</p>
        <p>${agreed} of ${approval.needed} agreed${approval.role === null ? nothing : html`, who must hold the role <strong>${approval.role}</strong>`}. <a href="/policies/v${version}">Look at v${version}</a></p>
        ${approval.decisions.map(
          ({ decision, person, by, comment, timeMs }) => html`<p class="said">
            <span class="badge ${decision === 'approved' ? 'good' : 'bad'}">${decision}</span> ${person}
            <span class="muted">${person === by ? '' : `by ${by}, `}${formatTime(timeMs)}</span>${comment === null ? nothing : html` “${comment}”`}</p>`,
        )}
        ${
          isOpen
            ? html`<div class="row">
          <button class="primary" aria-label="Approve v${version}" @click=${() => this.#decide(request, true)}>Approve…</button>
          <button class="danger" aria-label="Reject v${version}" @click=${() => this.#decide(request, false)}>Reject…</button>
          <span class="muted small">Whoever asked cannot agree: it takes another person.</span>
        </div>`
            : nothing
        }
      </div>
    </section>`
  }

  static override styles = [
    shared,
    css`
      .open { border-color: var(--warn); }
      .body { display: grid; gap: 10px; }
      .said { overflow-wrap: anywhere; }
    `,
  ]
}
customElements.define('sb-approval-card', ApprovalCard)
