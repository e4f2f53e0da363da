import { css, html, LitElement } from 'lit'
import { shared } from './styles.ts'

/**
 * Stands where there is nothing yet, and says what to do next.
 * @slot - a command, a button or a link
 */
export class EmptyState extends LitElement {
  static override properties = { heading: {}, text: {} }
  declare heading: string
  declare text: string

  constructor() {
    super()
    this.heading = ''
    this.text = ''
  }

  override render() {
    return html`<h2>${this.heading}</h2>
      <p class="muted">${this.text}</p>
      <slot></slot>`
  }

  static override styles = [
    shared,
    css`
      :host { padding: 44px 24px; display: grid; gap: 8px; justify-items: center; text-align: center; }
      p { max-width: 52ch; }
    `,
  ]
}
customElements.define('sb-empty-state', EmptyState)
