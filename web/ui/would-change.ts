import type { WouldChangeIf } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { shared } from './styles.ts'

type Change = WouldChangeIf['changes'][number]
const tones = { allow: 'good', deny: 'bad', error: 'bad' } as const

/** Which single change of a fact or a param would have led to another decision. */
export class WouldChange extends LitElement {
  static override properties = { changes: {} }
  declare changes: WouldChangeIf | undefined

  #change({ shown, outcome, policy, rule }: Change) {
    // The text begins with the effect, which stands in the badge.
    const text = outcome.text.replace(/^[A-Z]+ /, '')
    return html`<li>
      <div><span class="muted small">if</span> <code>${shown}</code> <span class="muted small">${policy}, rule ${rule}</span></div>
      <div class="then"><span class="badge ${tones[outcome.effect]}">${outcome.effect}</span> <span>${text}</span></div>
    </li>`
  }

  override render() {
    const { changes } = this
    if (changes === undefined) return nothing
    const notes = [
      ...(changes.withoutEffect === 0
        ? []
        : [`${changes.withoutEffect} flipped alone would have left the decision as it is`]),
      ...(changes.untried === 0 ? [] : [`${changes.untried} not flipped`]),
      ...(changes.why === null ? [] : [changes.why]),
    ]
    return html`${
      changes.changes.length === 0
        ? html`<p class="pad muted">No single change of a fact or a param was found that would have led elsewhere.</p>`
        : html`<ul>${changes.changes.map((each) => this.#change(each))}</ul>`
    }
    ${notes.length === 0 ? nothing : html`<p class="notes muted small">Conditions: ${notes.join('; ')}.</p>`}`
  }

  static override styles = [
    shared,
    css`
      ul { list-style: none; margin: 0; padding: 0; }
      li { padding: 11px 18px; border-bottom: 1px solid var(--line); display: grid; gap: 5px; }
      code { overflow-wrap: anywhere; }
      .then { display: flex; gap: 8px; align-items: baseline; padding-left: 18px; overflow-wrap: anywhere; }
      li:last-child { border-bottom: 0; }
      .notes { padding: 11px 18px; border-top: 1px solid var(--line); }
    `,
  ]
}
customElements.define('sb-would-change', WouldChange)
