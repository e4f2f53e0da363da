import { html, LitElement, type TemplateResult } from 'lit'
import { explainError } from '../api.ts'
import { definePage } from '../router.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

/** The editor and the engine are large and come only when this page is opened. */
class PlaygroundPage extends LitElement {
  static override properties = { content: { state: true } }
  declare content: TemplateResult

  constructor() {
    super()
    this.content = html`<p class="muted" role="status">Loading the editor and the engine…</p>`
    void this.#load()
  }

  async #load(): Promise<void> {
    try {
      await import('../playground/playground-view.ts')
      this.content = html`<sb-playground-view></sb-playground-view>`
    } catch (error) {
      this.content = html`<p class="error" role="alert">The playground cannot be loaded: ${explainError(error)}</p>`
    }
  }

  override render() {
    return this.content
  }

  static override styles = [shared]
}
customElements.define('sb-playground-page', PlaygroundPage)

export const page = definePage({
  path: '/playground',
  title: 'Playground',
  nav: { order: 3.5, icon: icons.playground },
  render: () => html`<sb-playground-page></sb-playground-page>`,
})
