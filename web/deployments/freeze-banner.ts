import type { FreezeView } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { formatAgo } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import type { Question } from './confirm-dialog.ts'

type Wish = Parameters<ReturnType<typeof api>['unfreezeEnvironment']>[0]

/** What is frozen in an environment, by whom and why, with the way to end it. Fires `ask` with a question. */
export class FreezeBanner extends LitElement {
  static override properties = { environment: {}, freeze: { attribute: false } }
  declare environment: string
  declare freeze: FreezeView | null

  constructor() {
    super()
    this.environment = ''
    this.freeze = null
  }

  #unfreeze(what: string, wish: Omit<Wish, 'environment'>): void {
    const { environment } = this
    const question: Question = {
      title: `End the freeze of ${what}?`,
      text: html`<p class="muted">It holds again in ${environment} at once, and the audit log says who ended it.</p>`,
      action: 'Unfreeze',
      run: () => api().unfreezeEnvironment({ environment, ...wish }),
    }
    this.dispatchEvent(new CustomEvent('ask', { detail: question, bubbles: true, composed: true }))
  }

  #part(text: string, what: string, wish: Omit<Wish, 'environment'>) {
    return html`<li><span>${text}</span>
      <button aria-label="Unfreeze ${what}" @click=${() => this.#unfreeze(what, wish)}>Unfreeze</button></li>`
  }

  override render() {
    const { freeze } = this
    if (freeze === null) return nothing
    const { reason, by, sinceMs, deployments, candidates, policies } = freeze
    return html`<section class="card" aria-label="Freeze">
      <header><h2>Frozen: ${reason}</h2><span class="muted small">${by}, ${formatAgo(sinceMs, Date.now())}</span></header>
      <ul>
        ${deployments ? this.#part('Nothing is deployed, promoted or rolled back, and no ramp goes on.', 'deployments', { deployments: true }) : nothing}
        ${candidates ? this.#part('All calls are decided by stable versions; candidates are not asked.', 'candidates', { candidates: true }) : nothing}
        ${policies.map((each) =>
          this.#part(
            `The policy ${each.workspace}/${each.policy} is not asked.`,
            `the policy ${each.policy}`,
            { policies: [each] },
          ),
        )}
      </ul>
    </section>`
  }

  static override styles = [
    shared,
    css`
      .card { border-color: var(--warn); }
      header { background: var(--warn-soft); }
      h2 { color: var(--warn); overflow-wrap: anywhere; }
      ul { list-style: none; margin: 0; padding: 4px 18px; }
      li { display: flex; justify-content: space-between; gap: 12px; align-items: center; padding: 8px 0; flex-wrap: wrap; }
      li + li { border-top: 1px solid var(--line); }
    `,
  ]
}
customElements.define('sb-freeze-banner', FreezeBanner)
