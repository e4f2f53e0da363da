import type { Key, Team } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAgo } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

interface Access {
  readonly teams: readonly Team[]
  readonly keys: readonly Key[]
}

class AccessPage extends LitElement {
  static override properties = { error: { state: true }, created: { state: true }, revoking: { state: true } }
  declare error: string
  /** The key that was just made; shown until the page is left. */
  declare created: { readonly name: string; readonly key: string } | undefined
  declare revoking: Key | undefined
  readonly #data: Load<Access>

  constructor() {
    super()
    this.error = ''
    this.created = undefined
    this.revoking = undefined
    this.#data = new Load(this, async (signal) => {
      const [teams, keys] = await Promise.all([api().listTeams({ signal }), api().listKeys({}, { signal })])
      return { teams: teams.items, keys: keys.items }
    })
  }

  async #do(work: () => Promise<void>): Promise<boolean> {
    this.error = ''
    try {
      await work()
      await this.#data.run()
      return true
    } catch (error) {
      this.error = explainError(error)
      return false
    }
  }

  async #createTeam(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const name = String(new FormData(form).get('name')).trim()
    const done = await this.#do(async () => {
      await api().createTeam({ name })
    })
    if (done) form.reset()
  }

  async #createKey(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const data = new FormData(form)
    const [team, name] = [String(data.get('team')), String(data.get('name')).trim()]
    const done = await this.#do(async () => {
      const { key } = await api().createKey({ team, name })
      this.created = { name, key }
    })
    if (done) form.reset()
  }

  async #revoke(): Promise<void> {
    const key = this.revoking
    this.renderRoot.querySelector('dialog')?.close()
    if (key === undefined) return
    await this.#do(async () => {
      await api().revokeKey({ id: key.id })
    })
  }

  async #ask(key: Key): Promise<void> {
    this.revoking = key
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  #teams(teams: readonly Team[]) {
    return html`<section class="card">
      <header><h2>Teams</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Path</th><th>Kind</th><th class="num">Keys</th><th>Managed by</th></tr></thead>
        <tbody>${teams.map(
          (team) => html`<tr>
            <td><strong>${team.path}</strong></td>
            <td><span class="badge">${team.kind}</span></td>
            <td class="num">${team.keys}</td>
            <td class="muted">${team.managedBy === 'workspace' ? 'signalbox.yaml' : 'console and API'}</td>
          </tr>`,
        )}</tbody>
      </table></div>
      <form class="pad row line" @submit=${this.#createTeam}>
        <input name="name" required pattern="[a-z0-9][a-z0-9._\\-]{0,62}" placeholder="search" aria-label="Name of the new team" title="Lower-case letters, digits, . _ -" />
        <button>Make team</button>
      </form>
    </section>`
  }

  #keyRow(key: Key) {
    const state =
      key.revokedMs === null
        ? html`<span class="badge good">active</span>`
        : html`<span class="badge bad">revoked</span>`
    return html`<tr>
      <td><strong>${key.name}</strong></td>
      <td>${key.team.name}</td>
      <td><code>${key.start}…</code></td>
      <td>${key.environment}</td>
      <td class="muted">${formatAgo(key.createdMs, Date.now())}</td>
      <td>${state}</td>
      <td class="num">${key.revokedMs === null ? html`<button class="danger" @click=${() => this.#ask(key)} aria-label="Revoke ${key.name}">Revoke</button>` : nothing}</td>
    </tr>`
  }

  #keys({ keys, teams }: Access) {
    return html`<section class="card">
      <header><h2>Keys</h2></header>
      ${
        keys.length === 0
          ? html`<sb-empty-state heading="No keys yet" text="A key belongs to a team and works in one environment. Make the first one below."></sb-empty-state>`
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Label</th><th>Team</th><th>Key</th><th>Environment</th><th>Made</th><th>State</th><td></td></tr></thead>
        <tbody>${keys.map((key) => this.#keyRow(key))}</tbody>
      </table></div>`
      }
      <form class="pad row line" @submit=${this.#createKey}>
        <select name="team" aria-label="Team" required>
          ${teams.filter((team) => team.kind !== 'organisation').map((team) => html`<option value=${team.id}>${team.path}</option>`)}
        </select>
        <input name="name" required maxlength="128" placeholder="ci" aria-label="Label of the new key" />
        <button class="primary">Make key</button>
      </form>
    </section>`
  }

  override render() {
    return html`<div class="head"><h1>Access</h1></div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${
          this.created === undefined
            ? nothing
            : html`<section class="card pad stack created" role="status">
          <h2>Key ${this.created.name}</h2>
          <p class="muted">Copy it now: it is stored as a hash and cannot be shown again.</p>
          <sb-copy-text .text=${this.created.key}></sb-copy-text>
        </section>`
        }
        ${this.#data.render((data) => html`${this.#keys(data)} ${this.#teams(data.teams)}`)}
      </div>
      <dialog aria-labelledby="revoke-title">
        <h2 id="revoke-title">Revoke ${this.revoking?.name ?? ''}?</h2>
        <p class="muted">Calls with this key fail from the next request on. This cannot be undone.</p>
        <div class="row end">
          <button @click=${() => this.renderRoot.querySelector('dialog')?.close()}>Keep it</button>
          <button class="danger" @click=${this.#revoke}>Revoke</button>
        </div>
      </dialog>`
  }

  static override styles = [
    shared,
    css`
      .line { border-top: 1px solid var(--line); }
      .created { border-color: var(--accent); gap: 10px; }
      .stack > * + section { margin-top: 0; }
      dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--raised); color: var(--text); padding: 24px;
        width: min(420px, calc(100vw - 32px)); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(10 15 12 / 45%); }
      dialog p { margin: 8px 0 20px; }
      .end { justify-content: end; }
      section + section { margin-top: 20px; }
    `,
  ]
}
customElements.define('sb-access-page', AccessPage)

export const page = definePage({
  path: '/access',
  title: 'Access',
  nav: { order: 4, icon: icons.access },
  render: () => html`<sb-access-page></sb-access-page>`,
})
