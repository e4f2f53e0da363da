import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from './api.ts'
import { session } from './session.ts'
import { icons } from './ui/icons.ts'
import { shared } from './ui/styles.ts'

type Offer = Awaited<ReturnType<ReturnType<typeof api>['getSignIn']>>

/** Why the identity provider's sign-in was refused, by the code that the control plane sends the browser back with. */
const refusals: Readonly<Record<string, string>> = {
  forbidden: 'You have no role here, or are disabled. Ask an administrator.',
  key_invalid: 'That sign-in was used already, took too long, or began elsewhere. Try again.',
  rate_limited: 'Too many attempts. Try again in a while.',
}

/** Takes the reason out of the address, so that a reload does not show it again. Empty where there is none. */
function takeRefusal(): string {
  const address = new URL(location.href)
  const code = address.searchParams.get('refused')
  if (code === null) return ''
  address.searchParams.delete('refused')
  history.replaceState(null, '', address)
  return refusals[code] ?? 'The identity provider could not sign you in. Try again, or ask an administrator.'
}

/**
 * Signs in the ways that this console offers: name and password, an identity provider, always a token.
 * @fires signed-in - the tab has a token that was accepted, or the cookie of a session
 */
export class SignIn extends LitElement {
  static override properties = { error: { state: true }, busy: { state: true }, offer: { state: true } }
  declare error: string
  declare busy: boolean
  declare offer: Offer | undefined

  constructor() {
    super()
    this.error = ''
    this.busy = false
    this.offer = undefined
  }

  override connectedCallback(): void {
    super.connectedCallback()
    this.error = takeRefusal()
    void this.#look()
  }

  /** What is offered; and whether the identity provider, or another tab, has signed this browser in already. */
  async #look(): Promise<void> {
    const offer = await api(null)
      .getSignIn()
      .catch(() => undefined)
    if (offer?.signedInAs != null) {
      session.signInAs(offer.signedInAs)
      this.dispatchEvent(new Event('signed-in'))
    }
    this.offer = offer
  }

  async #try(work: () => Promise<void>): Promise<void> {
    this.busy = true
    this.error = ''
    try {
      await work()
      this.dispatchEvent(new Event('signed-in'))
    } catch (error) {
      this.error = explainError(error)
    } finally {
      this.busy = false
    }
  }

  async #withToken(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const token = String(new FormData(event.target as HTMLFormElement).get('token') ?? '').trim()
    await this.#try(async () => {
      await api(token).getMe()
      session.signIn(token)
    })
  }

  async #withPassword(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const data = new FormData(event.target as HTMLFormElement)
    const [name, password] = [String(data.get('name') ?? ''), String(data.get('password') ?? '')]
    await this.#try(async () => {
      const user = await api(null).signIn({ name, password })
      session.signInAs(user.name)
    })
  }

  #passwordForm() {
    return html`<form @submit=${this.#withPassword}>
      <label>Name <input name="name" autocomplete="username" required autofocus spellcheck="false" autocapitalize="none" /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      <button class="primary" ?disabled=${this.busy}>${this.busy ? 'Signing in…' : 'Sign in'}</button>
    </form>`
  }

  #tokenForm(button: string) {
    return html`<form @submit=${this.#withToken}>
      <label>
        Token
        <input name="token" type="password" autocomplete="off" required autofocus spellcheck="false" placeholder="sbr_… or sbt_…" />
      </label>
      <button class="primary" ?disabled=${this.busy}>${this.busy ? 'Signing in…' : button}</button>
      <p class="muted small">
        <code>npm start</code> prints the token of a local installation. Elsewhere an administrator makes one.
      </p>
    </form>`
  }

  override render() {
    const { password = false, oidc = null } = this.offer ?? {}
    const others = password || oidc !== null
    return html`<div class="box">
      <div class="row">${icons.mark}<h1>Signalbox</h1></div>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      ${oidc === null ? nothing : html`<a class="provider" href=${oidc.path}>Sign in with ${oidc.name}</a>`}
      ${password ? this.#passwordForm() : nothing}
      ${
        others
          ? html`<details><summary>Use a token</summary>${this.#tokenForm('Sign in with the token')}</details>`
          : this.#tokenForm('Sign in')
      }
    </div>`
  }

  static override styles = [
    shared,
    css`
      :host { display: grid; place-items: center; min-height: 100vh; padding: 24px; }
      form { display: grid; gap: 18px; }
      details form { margin-top: 14px; }
      summary { cursor: pointer; color: var(--muted); }
      .provider { display: block; text-align: center; padding: 9px; border: 1px solid var(--line); border-radius: 8px;
        color: var(--text); font-weight: 560; }
      .box { display: grid; gap: 18px; width: min(380px, 100%); background: var(--surface); border: 1px solid var(--line);
        border-radius: 14px; padding: 30px; box-shadow: var(--shadow); }
      button { justify-content: center; padding: 9px; }
      input { padding: 9px 11px; font-family: var(--mono); }
    `,
  ]
}
customElements.define('sb-sign-in', SignIn)
