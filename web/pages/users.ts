import type { Me, Team, UpdateUserInput, User } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { attempt, Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAgo } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

interface Users {
  readonly me: Me
  readonly teams: readonly Team[]
  /** Undefined where the asking person may not see them. */
  readonly users: readonly User[] | undefined
}
const roles = ['owner', 'admin', 'security', 'developer', 'finance', 'viewer'] as const
const passwordLengthMin = 12
type Grants = User['grants']

const placeOf = (path: string): string => (path === '' ? 'the organisation' : path)
const wantedOf = (grants: Grants) =>
  grants.map(({ role, node }) => ({ role, node: node.path === '' ? '' : node.id }))

class UsersPage extends LitElement {
  static override properties = { error: { state: true }, told: { state: true }, chosen: { state: true } }
  declare error: string
  declare told: string
  /** Whose password or end is asked about. */
  declare chosen: User | undefined
  readonly #data: Load<Users>

  constructor() {
    super()
    this.error = ''
    this.told = ''
    this.chosen = undefined
    this.#data = new Load(this, async (signal) => {
      const [me, teams] = await Promise.all([api().getMe({ signal }), api().listTeams({ signal })])
      const maySee = me.grants.some(
        ({ role, node }) => node.path === '' && /^(owner|admin|security)$/.test(role),
      )
      const users = maySee ? (await api().listUsers({ signal })).items : undefined
      return { me, teams: teams.items, users }
    })
  }

  #do(work: () => Promise<unknown>, told = ''): Promise<boolean> {
    this.told = ''
    return attempt(this, async () => {
      await work()
      this.told = told
      await this.#data.run()
    })
  }

  #change(user: User, change: Omit<UpdateUserInput, 'id' | 'revision'>, told = ''): Promise<boolean> {
    return this.#do(() => api().updateUser({ id: user.id, revision: user.revision, ...change }), told)
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const text = (name: string): string => String(new FormData(form).get(name) ?? '')
    const role = roles.find((each) => each === text('role')) ?? 'viewer'
    const displayName = text('displayName').trim()
    const done = await this.#do(() =>
      api().createUser({
        ...{ name: text('name').trim(), password: text('password'), grants: [{ role, node: text('node') }] },
        ...(displayName === '' ? {} : { displayName }),
      }),
    )
    if (done) form.reset()
  }

  async #grant(event: SubmitEvent, user: User): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const data = new FormData(form)
    const role = roles.find((each) => each === data.get('role')) ?? 'viewer'
    const added = { role, node: String(data.get('node')) }
    if (await this.#change(user, { grants: [...wantedOf(user.grants), added] })) form.reset()
  }

  async #setPassword(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const password = String(new FormData(form).get('password'))
    const { chosen } = this
    this.renderRoot.querySelector('dialog')?.close()
    form.reset()
    if (chosen !== undefined) await this.#change(chosen, { password }, `${chosen.name} has a new password.`)
  }

  async #ask(user: User): Promise<void> {
    this.chosen = user
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  #roleFields(teams: readonly Team[], whose: string) {
    return html`<select name="role" aria-label="Role ${whose}">${roles.toReversed().map((role) => html`<option>${role}</option>`)}</select>
      <select name="node" aria-label="On which node ${whose}">
        ${teams.map((team) => html`<option value=${team.kind === 'organisation' ? '' : team.id}>${placeOf(team.path)}</option>`)}
      </select>`
  }

  #grants(user: User) {
    const isLocal = user.source === 'local'
    return user.grants.map((grant, index) => {
      const name = `${grant.role} on ${placeOf(grant.node.path)}`
      const rest = user.grants.filter((_, other) => other !== index)
      const remove = html`<button class="quiet" aria-label="Take ${name} from ${user.name}"
        @click=${() => this.#change(user, { grants: wantedOf(rest) })}>×</button>`
      return html`<span class="grant"><span class="badge accent">${grant.role}</span> ${placeOf(grant.node.path)}${isLocal ? remove : nothing}</span>`
    })
  }

  #actions(user: User) {
    const { id, name, disabledMs, source } = user
    const end = (): Promise<boolean> =>
      this.#do(() => api().endUserSessions({ id }), `All sessions of ${name} are ended.`)
    return html`<div class="row end">
      ${source === 'local' ? html`<button @click=${() => this.#ask(user)} aria-label="Set the password of ${name}">Password</button>` : nothing}
      <button @click=${end} aria-label="Sign out ${name}">Sign out</button>
      <button class=${disabledMs === null ? 'danger' : ''} aria-label="${disabledMs === null ? 'Disable' : 'Enable'} ${name}"
        @click=${() => this.#change(user, { disabled: disabledMs === null })}>${disabledMs === null ? 'Disable' : 'Enable'}</button>
    </div>`
  }

  #user(user: User, teams: readonly Team[]) {
    const { name, displayName, source, lastSignInMs, disabledMs } = user
    const add = html`<details><summary>Give a role</summary>
      <form class="row" @submit=${(event: SubmitEvent) => this.#grant(event, user)}>
        ${this.#roleFields(teams, `for ${name}`)} <button aria-label="Give ${name} this role">Give</button></form></details>`
    return html`<tr>
      <td><strong>${name}</strong>${displayName === name ? nothing : html`<div class="muted small">${displayName}</div>`}</td>
      <td><div class="grants">${this.#grants(user)}</div>${source === 'local' ? add : html`<div class="muted small">given at each sign-in by the identity provider</div>`}</td>
      <td class="muted">${lastSignInMs === null ? 'never' : formatAgo(lastSignInMs, Date.now())}</td>
      <td>${disabledMs === null ? html`<span class="badge good">active</span>` : html`<span class="badge bad">disabled</span>`}</td>
      <td>${this.#actions(user)}</td>
    </tr>`
  }

  #list({ users, teams, me }: Users) {
    if (users === undefined) {
      return html`<section class="card"><sb-empty-state heading="Users are kept by the organisation"
        text="Owners, admins and security of the whole organisation see and change them. You have these roles:">
        <div class="grants">${me.grants.map(({ role, node }) => html`<span class="grant"><span class="badge accent">${role}</span> ${placeOf(node.path)}</span>`)}</div>
      </sb-empty-state></section>`
    }
    const table = html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
      <thead><tr><th>Name</th><th>Roles</th><th>Signed in</th><th>State</th><td></td></tr></thead>
      <tbody>${users.map((user) => this.#user(user, teams))}</tbody></table></div>`
    const none = html`<sb-empty-state heading="No users yet" text="Who signs in with a token needs none. Make an account for each person, or connect an identity provider."></sb-empty-state>`
    return html`<section class="card"><header><h2>People</h2></header>${users.length === 0 ? none : table}</section>
      <section class="card"><header><h2>Make an account</h2></header>
        <form class="pad fields" @submit=${this.#create}>
          <label>Name <input name="name" required pattern="[a-z0-9][a-z0-9._%+@\\-]{0,126}" title="In lower case" autocomplete="off" placeholder="ada" /></label>
          <label>Shown as <input name="displayName" maxlength="128" autocomplete="off" placeholder="Ada Lovelace" /></label>
          <label>Password <input name="password" type="password" required minlength=${passwordLengthMin} autocomplete="new-password" /></label>
          <div class="row">${this.#roleFields(teams, 'of the new account')}</div>
          <button class="primary">Make account</button>
        </form>
      </section>`
  }

  #dialog() {
    return html`<dialog aria-labelledby="password-title"><form @submit=${this.#setPassword}>
      <h2 id="password-title">A new password for ${this.chosen?.name ?? ''}</h2>
      <label>Password <input name="password" type="password" required minlength=${passwordLengthMin} autocomplete="new-password" /></label>
      <div class="row end">
        <button type="button" @click=${() => this.renderRoot.querySelector('dialog')?.close()}>Leave it</button>
        <button class="primary">Set</button>
      </div></form></dialog>`
  }

  override render() {
    return html`<div class="head"><h1>Users</h1></div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${this.told === '' ? nothing : html`<p class="muted" role="status">${this.told}</p>`}
        ${this.#data.render((data) => this.#list(data))}
      </div>
      ${this.#dialog()}`
  }

  static override styles = [
    shared,
    css`
      select { max-width: 100%; }
      .grants { display: flex; flex-wrap: wrap; gap: 4px 12px; }
      .grant { display: inline-flex; gap: 6px; align-items: center; }
      .grant button { padding: 0 6px; }
      summary { cursor: pointer; color: var(--muted); font-size: 12.5px; }
      details form { padding-top: 8px; }
      .fields { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); align-items: end; }
      .end { justify-content: end; flex-wrap: nowrap; }
      section + section { margin-top: 20px; }
      dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--raised); color: var(--text); padding: 24px;
        width: min(420px, calc(100vw - 32px)); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(10 15 12 / 45%); }
      dialog form { display: grid; gap: 16px; }
    `,
  ]
}
customElements.define('sb-users-page', UsersPage)

export const page = definePage({
  path: '/users',
  title: 'Users',
  nav: { order: 4.1, icon: icons.users },
  render: () => html`<sb-users-page></sb-users-page>`,
})
