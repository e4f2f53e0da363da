import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { shared } from './styles.ts'
import { type DiffLine, diffLines } from './text-diff.ts'

const marks = { same: ' ', added: '+', removed: '−', gap: '⋯' } as const

/** A source file of two versions, line by line; asked for when it is opened. */
export class FileDiff extends LitElement {
  static override properties = {
    path: {},
    change: {},
    from: { type: Number },
    to: { type: Number },
    lines: { state: true },
    error: { state: true },
  }
  declare path: string
  declare change: 'added' | 'removed' | 'changed'
  declare from: number
  declare to: number
  declare lines: readonly DiffLine[] | undefined
  declare error: string

  constructor() {
    super()
    this.path = ''
    this.change = 'changed'
    this.from = 0
    this.to = 0
    this.lines = undefined
    this.error = ''
  }

  async #text(version: number, missing: boolean): Promise<string> {
    if (missing) return ''
    return (await api().getVersionFile({ version: `v${version}`, path: this.path })).text
  }

  async #open(event: Event): Promise<void> {
    if (!(event.target as HTMLDetailsElement).open || this.lines !== undefined) return
    this.error = ''
    try {
      const [was, is] = await Promise.all([
        this.#text(this.from, this.change === 'added'),
        this.#text(this.to, this.change === 'removed'),
      ])
      this.lines = diffLines(was, is)
    } catch (error) {
      this.error = explainError(error)
    }
  }

  #row({ kind, text, before, after }: DiffLine) {
    return html`<tr class=${kind}><td class="number">${before ?? ''}</td><td class="number">${after ?? ''}</td>
      <td class="sign" aria-label=${kind}>${marks[kind]}</td><td><code>${text}</code></td></tr>`
  }

  override render() {
    const { lines } = this
    const tone = { added: 'good', removed: 'bad', changed: 'accent' }[this.change]
    return html`<details @toggle=${this.#open}>
      <summary><code>${this.path}</code> <span class="badge ${tone}">${this.change}</span></summary>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      ${
        lines === undefined
          ? this.error === ''
            ? html`<p class="pad muted" role="status">Loading…</p>`
            : nothing
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Lines of ${this.path}"><table><tbody>${lines.map((each) => this.#row(each))}</tbody></table></div>`
      }
    </details>`
  }

  static override styles = [
    shared,
    css`
      :host(:not(:last-of-type)) { border-bottom: 1px solid var(--line); }
      summary { cursor: pointer; padding: 11px 18px; overflow-wrap: anywhere; }
      .scroll { border-top: 1px solid var(--line); max-height: 480px; overflow: auto; }
      td { padding: 0 10px; border: 0; white-space: pre; line-height: 1.55; }
      .number, .sign { color: var(--muted); font: 12px/1.55 var(--mono); text-align: right; width: 1px; user-select: none; }
      tr.added { background: var(--good-soft); }
      tr.removed { background: var(--bad-soft); }
      tr.gap { background: var(--sunken); }
      tr.added .number, tr.added .sign { color: var(--good); }
      tr.removed .number, tr.removed .sign { color: var(--bad); }
    `,
  ]
}
customElements.define('sb-file-diff', FileDiff)
