import type { TryFilesReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { shared } from '../ui/styles.ts'
import type { SeenPolicy } from './seen-conditions.ts'

type Cases = NonNullable<TryFilesReply['cases']>

/**
 * Which conditions were seen true and false, and what became of the cases.
 * @fires open-place - `detail` is `{ file, line, column }`
 */
export class CoveragePanel extends LitElement {
  static override properties = { policies: {}, cases: {}, tried: {} }
  declare policies: readonly SeenPolicy[]
  declare cases: Cases | null
  declare tried: number

  #place(file: string, line: number, column = 1): void {
    this.dispatchEvent(new CustomEvent('open-place', { detail: { file, line, column } }))
  }

  #policy({ policy, file, conditions }: SeenPolicy) {
    const missing = conditions.filter(({ isTrue, isFalse }) => !isTrue || !isFalse)
    return html`<li>
      <div class="row spread"><strong>${policy}</strong>
        <span class="badge ${missing.length === 0 ? 'good' : 'warn'}">${conditions.length - missing.length} of ${conditions.length}</span></div>
      ${missing.map(
        ({
          text,
          line,
          isTrue,
          isFalse,
        }) => html`<button class="quiet missing" @click=${() => this.#place(file, line)}>
          <code>${text}</code><span class="small">${isTrue || isFalse ? `never ${isTrue ? 'false' : 'true'}` : 'never seen'}</span>
        </button>`,
      )}
    </li>`
  }

  override render() {
    const { policies, cases } = this
    const all = policies.flatMap(({ conditions }) => conditions)
    const seen = all.filter(({ isTrue, isFalse }) => isTrue && isFalse).length
    const failed = cases?.results.filter(({ passed }) => !passed) ?? []
    const total = cases?.results.length ?? 0
    return html`<header><h2>Coverage</h2><span class="muted small">${seen} of ${all.length} conditions seen true and false</span></header>
      <p class="pad muted small note">Over ${this.tried === 1 ? 'the facts' : `${this.tried} facts`} tried here${total === 0 ? '' : ` and the ${total} cases`}.
        ${cases === null ? nothing : html`<span class="badge ${failed.length === 0 ? 'good' : 'bad'}">${total - failed.length} of ${total} cases pass</span>`}</p>
      ${failed.map(
        ({
          file,
          line,
          column,
          name,
          message,
        }) => html`<button class="quiet missing bad" @click=${() => this.#place(file, line, column)}>
          <span>✗ ${name}</span><span class="small">${message ?? ''}</span></button>`,
      )}
      <ul>${policies.filter(({ conditions }) => conditions.length > 0).map((each) => this.#policy(each))}</ul>`
  }

  static override styles = [
    shared,
    css`
      header { padding: 14px 18px; border-bottom: 1px solid var(--line); display: flex; gap: 4px 12px; flex-wrap: wrap;
        justify-content: space-between; align-items: center; }
      .note { padding-bottom: 6px; }
      ul { list-style: none; margin: 0; padding: 6px 18px 14px; display: grid; gap: 10px; }
      .missing { display: grid; gap: 2px; justify-items: start; text-align: left; width: 100%; padding: 4px 8px; font-weight: 400;
        overflow-wrap: anywhere; }
      .missing code { white-space: pre-wrap; overflow-wrap: anywhere; color: var(--text); }
      .missing .small { color: var(--warn); }
      .missing.bad { color: var(--bad); padding: 4px 18px; }
      .missing.bad .small { color: var(--muted); white-space: pre-wrap; }
    `,
  ]
}
customElements.define('sb-coverage-panel', CoveragePanel)
