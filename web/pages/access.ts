import type { Key, Team } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { attempt, Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatAgo } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'
import '../ui/team-tree.ts'

interface Access {
  readonly teams: readonly Team[]
  readonly keys: readonly Key[]
  /** There are more than are shown. */
  readonly more: boolean
}

/** Keys on the page; the search finds the others. */
const keysShown = 200

const listOf = (data: FormData, name: string): string[] =>
  String(data.get(name) ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')

/** What the form holds a key to; nothing where it is left empty. */
function scopesFrom(data: FormData): Key['scopes'] {
  const [models, ipRanges] = [listOf(data, 'models'), listOf(data, 'ipRanges')]
  const requiredMetadata = listOf(data, 'requiredMetadata')
  return {
    ...(models.length > 0 && { models }),
    ...(ipRanges.length > 0 && { ipRanges }),
    ...(requiredMetadata.length > 0 && { requiredMetadata }),
    ...(data.get('direct') === 'on' && { direct: true }),
  }
}

/** What a key is held to, in a few words. */
function shortScopes({ scopes }: Key): string {
  const { models, operations, ipRanges, requiredMetadata, direct } = scopes
  const parts = [
    models?.join(', '),
    operations?.join(', '),
    ipRanges === undefined ? undefined : `from ${ipRanges.join(', ')}`,
    requiredMetadata === undefined ? undefined : `with ${requiredMetadata.join(', ')}`,
  ]
  const held = parts.filter((each) => each !== undefined).join(' · ') || 'everything'
  return direct === true ? `${held} · direct while no gateway answers` : held
}

class AccessPage extends LitElement {
  static override properties = { error: { state: true }, created: { state: true }, asked: { state: true } }
  declare error: string
  /** The key that was just made; shown until the page is left. */
  declare created: { readonly name: string; readonly key: string } | undefined
  /** What the dialog asks about. */
  declare asked: { readonly key: Key; readonly what: 'revoke' | 'rotate' } | undefined
  readonly #data: Load<Access>
  #prefix = ''

  constructor() {
    super()
    this.error = ''
    this.created = undefined
    this.asked = undefined
    this.#data = new Load(this, async (signal) => {
      const search = this.#prefix === '' ? {} : { prefix: this.#prefix }
      const [teams, keys] = await Promise.all([
        api().listTeams({ signal }),
        api().listKeys({ ...search, limit: keysShown }, { signal }),
      ])
      return { teams: teams.items, keys: keys.items, more: keys.nextCursor !== null }
    })
  }

  #do(work: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, async () => {
      await work()
      await this.#data.run()
    })
  }

  async #createKey(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const data = new FormData(form)
    const [team, name] = [String(data.get('team')), String(data.get('name')).trim()]
    const [scopes, until] = [scopesFrom(data), String(data.get('until') ?? '')]
    const expires = until === '' ? {} : { expiresMs: Date.parse(`${until}T23:59:59Z`) }
    const done = await this.#do(async () => {
      const { key } = await api().createKey({ team, name, scopes, ...expires })
      this.created = { name, key }
    })
    if (done) form.reset()
  }

  async #confirm(): Promise<void> {
    const asked = this.asked
    const form = this.renderRoot.querySelector<HTMLFormElement>('dialog form')
    const graceS = Number(form === null ? 0 : (new FormData(form).get('grace') ?? 0))
    this.renderRoot.querySelector('dialog')?.close()
    if (asked === undefined) return
    const { id, name } = asked.key
    await this.#do(async () => {
      if (asked.what === 'revoke') await api().revokeKey({ id })
      else this.created = { name, key: (await api().rotateKey({ id, graceS })).key }
    })
  }

  async #ask(key: Key, what: 'revoke' | 'rotate'): Promise<void> {
    this.asked = { key, what }
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  async #search(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    this.#prefix = String(new FormData(event.target as HTMLFormElement).get('prefix') ?? '').trim()
    await this.#do(async () => undefined)
  }

  #keyRow(key: Key) {
    const expired = key.expiresMs !== null && key.expiresMs <= Date.now()
    const state =
      key.revokedMs !== null
        ? html`<span class="badge bad">revoked</span>`
        : expired
          ? html`<span class="badge bad">expired</span>`
          : html`<span class="badge good">active</span>`
    const buttons = html`<button @click=${() => this.#ask(key, 'rotate')} aria-label="Rotate ${key.name}">Rotate</button>
      <button class="danger" @click=${() => this.#ask(key, 'revoke')} aria-label="Revoke ${key.name}">Revoke</button>`
    return html`<tr>
      <td><strong>${key.name}</strong></td>
      <td>${key.team.name}</td>
      <td><code>${key.start}…</code></td>
      <td>${key.environment}</td>
      <td class="muted">${shortScopes(key)}</td>
      <td class="muted">${key.lastUsedMs === null ? 'never' : formatAgo(key.lastUsedMs, Date.now())}</td>
      <td class="muted">${formatAgo(key.createdMs, Date.now())}</td>
      <td>${state}</td>
      <td class="num">${key.revokedMs === null ? buttons : nothing}</td>
    </tr>`
  }

  #keyForm(teams: readonly Team[]) {
    return html`<form class="pad row line" @submit=${this.#createKey}>
      <select name="team" aria-label="Team" required>
        ${teams.filter((team) => team.kind !== 'organisation').map((team) => html`<option value=${team.id}>${team.path}</option>`)}
      </select>
      <input name="name" required maxlength="128" placeholder="ci" aria-label="Label of the new key" />
      <details>
        <summary>What it may be used for</summary>
        <div class="scopes">
          <label>Models <input name="models" placeholder="smart, openai/*" /></label>
          <label>Addresses <input name="ipRanges" placeholder="10.0.0.0/8" /></label>
          <label>Required metadata <input name="requiredMetadata" placeholder="feature" /></label>
          <label class="row"><input name="direct" type="checkbox" /> Direct calls while no gateway answers</label>
          <label>Until <input name="until" type="date" /></label>
        </div>
      </details>
      <button class="primary">Make key</button>
    </form>`
  }

  #keys({ keys, teams, more }: Access) {
    const headings = ['Label', 'Team', 'Key', 'Environment', 'For', 'Used', 'Made', 'State']
    const none =
      this.#prefix === ''
        ? html`<sb-empty-state heading="No keys yet" text="A key belongs to a team and works in one environment. Make the first one below."></sb-empty-state>`
        : html`<p class="pad muted">No key begins with ${this.#prefix}.</p>`
    return html`<section class="card">
      <header class="row spread"><h2>Keys</h2>
        <form class="row" role="search" @submit=${this.#search}>
          <input name="prefix" placeholder="sb_dAb3" aria-label="How the key begins" spellcheck="false" />
          <button>Find</button>
        </form>
      </header>
      ${
        keys.length === 0
          ? none
          : html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr>${headings.map((each) => html`<th>${each}</th>`)}<td></td></tr></thead>
        <tbody>${keys.map((key) => this.#keyRow(key))}</tbody>
      </table></div>`
      }
      ${more ? html`<p class="pad muted">These are the newest; find others by how they begin.</p>` : nothing}
      ${this.#keyForm(teams)}
    </section>`
  }

  #dialog() {
    const { key, what } = this.asked ?? { key: undefined, what: 'revoke' }
    const revoke = html`<p class="muted">Calls with this key fail from the next request on. This cannot be undone.</p>`
    const rotate = html`<p class="muted">The key gets a new secret, shown once. How long should the old one work on?</p>
      <select name="grace" aria-label="Grace">
        <option value="86400">one day</option><option value="604800">one week</option>
        <option value="3600">one hour</option><option value="0">not at all</option>
      </select>`
    return html`<dialog aria-labelledby="ask-title">
      <form @submit=${(event: SubmitEvent) => {
        event.preventDefault()
        void this.#confirm()
      }}>
        <h2 id="ask-title">${what === 'revoke' ? 'Revoke' : 'Rotate'} ${key?.name ?? ''}?</h2>
        ${what === 'revoke' ? revoke : rotate}
        <div class="row end">
          <button type="button" @click=${() => this.renderRoot.querySelector('dialog')?.close()}>Keep it</button>
          <button class=${what === 'revoke' ? 'danger' : 'primary'}>${what === 'revoke' ? 'Revoke' : 'Rotate'}</button>
        </div>
      </form>
    </dialog>`
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
        ${this.#data.render(
          (data) => html`${this.#keys(data)}
          <sb-team-tree .teams=${data.teams} @changed=${() => this.#data.run()}></sb-team-tree>`,
        )}
      </div>
      ${this.#dialog()}`
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
      .end { justify-content: end; margin-top: 18px; }
      .scopes { display: grid; gap: 8px; padding: 10px 0; }
      summary { cursor: pointer; color: var(--muted); }
      section + section, sb-team-tree { margin-top: 20px; }
      sb-team-tree { min-width: 0; }
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
