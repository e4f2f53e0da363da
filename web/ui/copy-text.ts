import { css, html, LitElement } from 'lit'
import { shared } from './styles.ts'

/** A text in a box with a button that copies it. */
export class CopyText extends LitElement {
  static override properties = { text: {}, label: {}, copied: { state: true } }
  declare text: string
  declare label: string
  declare copied: boolean

  constructor() {
    super()
    this.text = ''
    this.label = 'Copy'
    this.copied = false
  }

  async #copy(): Promise<void> {
    await navigator.clipboard.writeText(this.text)
    this.copied = true
    setTimeout(() => {
      this.copied = false
    }, 1500)
  }

  override render() {
    return html`<pre tabindex="0">${this.text}</pre>
      <button @click=${this.#copy} aria-live="polite">${this.copied ? 'Copied' : this.label}</button>`
  }

  static override styles = [
    shared,
    css`
      :host { display: flex; gap: 8px; align-items: start; width: 100%; text-align: left; }
      pre { margin: 0; flex: 1; padding: 9px 12px; background: var(--sunken); border: 1px solid var(--line);
        border-radius: 8px; overflow-x: auto; white-space: pre; }
      button { flex: none; }
    `,
  ]
}
customElements.define('sb-copy-text', CopyText)
