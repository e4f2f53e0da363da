import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from './api.ts'
import { session } from './session.ts'
import { icons } from './ui/icons.ts'
import { shared } from './ui/styles.ts'

/**
 * Signs in with an API token.
 * @fires signed-in - the token was accepted and is kept for this tab
 */
export class SignIn extends LitElement {
  static override properties = { error: { state: true }, busy: { state: true } }
  declare error: string
  declare busy: boolean

  constructor() {
    super()
    this.error = ''
    this.busy = false
  }

  async #submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const token = String(new FormData(event.target as HTMLFormElement).get('token') ?? '').trim()
    this.busy = true
    this.error = ''
    try {
      await api(token).getMe()
      session.signIn(token)
      this.dispatchEvent(new Event('signed-in'))
    } catch (error) {
      this.error = explainError(error)
    } finally {
      this.busy = false
    }
  }

  override render() {
    return html`<form @submit=${this.#submit}>
      <div class="row">${icons.mark}<h1>Signalbox</h1></div>
      <label>
        Token
        <input name="token" type="password" autocomplete="current-password" required autofocus spellcheck="false" placeholder="sbr_… or sbt_…" />
      </label>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      <button class="primary" ?disabled=${this.busy}>${this.busy ? 'Signing in…' : 'Sign in'}</button>
      <p class="muted small">
        <code>npm start</code> prints the token of a local installation. Elsewhere an administrator makes one.
      </p>
    </form>`
  }

  static override styles = [
    shared,
    css`
      :host { display: grid; place-items: center; min-height: 100vh; padding: 24px; }
      form { display: grid; gap: 18px; width: min(380px, 100%); background: var(--surface); border: 1px solid var(--line);
        border-radius: 14px; padding: 30px; box-shadow: var(--shadow); }
      button { justify-content: center; padding: 9px; }
      input { padding: 9px 11px; font-family: var(--mono); }
    `,
  ]
}
customElements.define('sb-sign-in', SignIn)
