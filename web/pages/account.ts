import type { Session } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAgo } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

type Me = Awaited<ReturnType<ReturnType<typeof api>['getMe']>>
interface Account {
  readonly me: Me
  readonly sessions: readonly Session[]
}

/** Who is signed in, what they may do, where else they are signed in, and their password. */
class AccountPage extends LitElement {
  static override properties = { error: { state: true }, done: { state: true } }
  declare error: string
  declare done: string
  readonly #data: Load<Account>

  constructor() {
    super()
    this.error = ''
    this.done = ''
    this.#data = new Load(this, async (signal) => {
      const me = await api().getMe({ signal })
      const sessions = me.kind === 'user' ? (await api().listSessions({ signal })).items : []
      return { me, sessions }
    })
  }

  async #do(work: () => Promise<string>): Promise<boolean> {
    this.error = ''
    this.done = ''
    try {
      this.done = await work()
      await this.#data.run()
      return true
    } catch (error) {
      this.error = explainError(error)
      return false
    }
  }

  async #changePassword(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const data = new FormData(form)
    const [current, password] = [String(data.get('current')), String(data.get('password'))]
    const changed = await this.#do(async () => {
      await api().changePassword({ current, password })
      return 'The password is changed, and all other sessions have ended.'
    })
    if (changed) form.reset()
  }

  #sessions(sessions: readonly Session[]) {
    return html`<section class="card">
      <header><h2>Sessions</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Browser</th><th>From</th><th>Began</th><th>Used</th><td></td></tr></thead>
        <tbody>${sessions.map(
          ({ id, userAgent, address, createdMs, lastUsedMs, current }) => html`<tr>
            <td>${userAgent === '' ? 'unknown' : userAgent}</td>
            <td><code>${address}</code></td>
            <td class="muted">${formatAgo(createdMs, Date.now())}</td>
            <td class="muted">${formatAgo(lastUsedMs, Date.now())}</td>
            <td class="num">${
              current
                ? html`<span class="badge good">this one</span>`
                : html`<button class="danger" @click=${() =>
                    this.#do(async () => {
                      await api().revokeSession({ id })
                      return 'The session has ended.'
                    })}>End</button>`
            }</td>
          </tr>`,
        )}</tbody>
      </table></div>
    </section>`
  }

  #account({ me, sessions }: Account) {
    const roles = me.grants.map(
      ({ role, node }) => `${role} of ${node.path === '' ? 'the organisation' : node.path}`,
    )
    return html`<p>${me.kind === 'token' ? 'Token' : 'User'} <strong>${me.name}</strong>: ${roles.join(', ')}</p>
      ${me.kind === 'user' ? this.#sessions(sessions) : nothing}
      ${
        me.passwordChangeable
          ? html`<section class="card">
        <header><h2>Password</h2></header>
        <form class="pad row" @submit=${this.#changePassword}>
          <input name="current" type="password" autocomplete="current-password" required aria-label="Password now" placeholder="now" />
          <input name="password" type="password" autocomplete="new-password" required minlength="12" aria-label="New password" placeholder="new" />
          <button>Change</button>
        </form>
      </section>`
          : nothing
      }`
  }

  override render() {
    return html`<div class="head"><h1>Account</h1></div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${this.done === '' ? nothing : html`<p role="status">${this.done}</p>`}
        ${this.#data.render((account) => this.#account(account))}
      </div>`
  }

  static override styles = [
    shared,
    css`
      section + section { margin-top: 20px; }
      p + section { margin-top: 20px; }
    `,
  ]
}
customElements.define('sb-account-page', AccountPage)

export const page = definePage({
  path: '/account',
  title: 'Account',
  render: () => html`<sb-account-page></sb-account-page>`,
})
