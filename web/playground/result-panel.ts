import { css, html, LitElement, nothing } from 'lit'
import { formatCount, shortDigest } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import type { TriedFacts } from './messages.ts'

/** What the policies decide, in a line and in full. */
export class ResultPanel extends LitElement {
  static override properties = { tried: {} }
  declare tried: TriedFacts | undefined

  override render() {
    const { tried } = this
    if (tried === undefined) return html`<p class="pad muted" role="status">Not decided yet.</p>`
    const { explanation, completed, decisionDigest, decisionJson } = tried
    const { decision, reasons, header } = explanation
    const isAllowed = explanation.row.effect === 'allow'
    return html`<header aria-live="polite">
        <p class="outcome"><span class="badge ${isAllowed ? 'good' : 'bad'}">${explanation.row.effect}</span>
          <span>${explanation.outcome.replace(/^[A-Z]+ /, '')}</span></p>
        <p class="muted small">${explanation.row.policy === undefined ? 'no policy decided' : html`decided by <strong>${explanation.row.policy}</strong>${explanation.row.rule === '' ? '' : `, rule ${explanation.row.rule}`}`}
          · fuel ${formatCount(header.fuel)} · ${formatCount(header.evaluationUs)} µs · decision <code title=${decisionDigest}>${shortDigest(decisionDigest)}</code>
          ${completed ? '· facts completed as those of a plain call' : '· facts as they are'}</p>
      </header>
      ${
        reasons.length === 0
          ? nothing
          : html`<ul class="reasons">${reasons.map(
              ({
                code,
                policy,
                rule,
                message,
                audience,
              }) => html`<li><code>${code}</code> <span class="badge">${audience === 'caller' ? 'told to the caller' : 'for operators'}</span>
                <span class="muted small">${policy}${rule === '' ? '' : `, rule ${rule}`}</span> ${message ?? ''}</li>`,
            )}</ul>`
      }
      <sb-explain-tree .explanation=${explanation}></sb-explain-tree>
      <details><summary>Would change if</summary><sb-would-change .changes=${explanation.wouldChangeIf}></sb-would-change></details>
      <details><summary>Decision, plan and caps</summary><sb-source-view label="Decision" .text=${JSON.stringify(decision ?? JSON.parse(decisionJson), null, 2)}></sb-source-view></details>
      <details><summary>Facts as they were decided</summary><sb-source-view label="Facts" .text=${JSON.stringify(tried.facts, null, 2)}></sb-source-view></details>`
  }

  static override styles = [
    shared,
    css`
      header { padding: 14px 18px; border-bottom: 1px solid var(--line); display: grid; gap: 4px; }
      .outcome { font-weight: 600; overflow-wrap: anywhere; display: flex; gap: 8px; align-items: baseline; }
      .reasons { list-style: none; margin: 0; padding: 10px 18px; display: grid; gap: 6px; border-bottom: 1px solid var(--line);
        overflow-wrap: anywhere; }
      details { border-top: 1px solid var(--line); }
      summary { cursor: pointer; padding: 11px 18px; }
    `,
  ]
}
customElements.define('sb-result-panel', ResultPanel)
