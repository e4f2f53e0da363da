import type { Team } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { attempt } from '../load.ts'
import { shared } from './styles.ts'

const nameHint = 'Lower-case letters, digits, . _ -'
const namePattern = '[a-z0-9][a-z0-9._\\-]{0,62}'
const depthMax = 6
type Asked = { readonly team: Team; readonly what: 'change' | 'delete' }

/** Whether a node may be the new parent of another: neither itself nor anything below it. */
const mayHold = (parent: Team, moved: Team): boolean =>
  parent.id !== moved.id && !parent.path.startsWith(`${moved.path}/`)

/** The tree of nodes: makes, renames, moves and deletes them. Fires `changed`. */
export class TeamTree extends LitElement {
  static override properties = { teams: { attribute: false }, error: { state: true }, asked: { state: true } }
  declare teams: readonly Team[]
  declare error: string
  declare asked: Asked | undefined

  constructor() {
    super()
    this.teams = []
    this.error = ''
    this.asked = undefined
  }

  #do(work: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, async () => {
      await work()
      this.dispatchEvent(new CustomEvent('changed', { bubbles: true, composed: true }))
    })
  }

  async #create(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    const data = new FormData(form)
    const [name, parent] = [String(data.get('name')).trim(), String(data.get('parent'))]
    const kind = data.get('kind') === 'project' ? 'project' : 'team'
    const isRoot = this.teams.find(({ id }) => id === parent)?.kind === 'organisation'
    if (await this.#do(() => api().createTeam({ name, kind, ...(isRoot ? {} : { parent }) }))) form.reset()
  }

  async #ask(team: Team, what: Asked['what']): Promise<void> {
    this.asked = { team, what }
    await this.updateComplete
    this.renderRoot.querySelector('dialog')?.showModal()
  }

  #close(): void {
    this.renderRoot.querySelector('dialog')?.close()
  }

  async #confirm(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const { asked } = this
    const data = new FormData(event.target as HTMLFormElement)
    this.#close()
    if (asked === undefined) return
    const { team, what } = asked
    const { id, revision } = team
    if (what === 'delete') {
      await this.#do(() => api().deleteTeam({ team: id, revision }))
      return
    }
    const [name, parent] = [String(data.get('name')).trim(), String(data.get('parent'))]
    const change = {
      ...(name === team.name ? {} : { name }),
      ...(parent === team.parentId ? {} : { parent }),
    }
    if (Object.keys(change).length > 0)
      await this.#do(() => api().updateTeam({ team: id, revision, ...change }))
  }

  #row(team: Team) {
    const depth = team.path === '' ? 0 : team.path.split('/').length
    const isOwn = team.kind !== 'organisation' && team.managedBy === 'api'
    const place = team.path === '' ? team.name : team.path
    const buttons = html`<button @click=${() => this.#ask(team, 'change')} aria-label="Change ${place}">Change</button>
      <button class="danger" @click=${() => this.#ask(team, 'delete')} aria-label="Delete ${place}">Delete</button>`
    return html`<tr>
      <td class="d${Math.min(depth, depthMax)}"><strong>${team.name}</strong> <span class="muted small">${team.path}</span></td>
      <td><span class="badge">${team.kind}</span></td>
      <td class="num">${team.keys}</td>
      <td class="muted">${team.managedBy === 'workspace' ? 'signalbox.yaml' : 'console and API'}</td>
      <td class="num">${isOwn ? buttons : nothing}</td>
    </tr>`
  }

  #parents(teams: readonly Team[], chosen: string | null | undefined) {
    return teams.map(
      (team) =>
        html`<option value=${team.id} ?selected=${team.id === chosen}>${team.path === '' ? team.name : team.path}</option>`,
    )
  }

  #dialog() {
    const { team, what } = this.asked ?? { team: undefined, what: 'change' }
    const parents = team === undefined ? [] : this.teams.filter((each) => mayHold(each, team))
    const form =
      what === 'delete'
        ? html`<p class="muted">It goes only where nothing hangs on it: no node, key, token or role, and no call ever.</p>`
        : html`<p class="muted">What is below it moves with it. Budgets and roles above its new place hold from then on.</p>
          <div class="fields">
            <label>Name <input name="name" required pattern=${namePattern} title=${nameHint} .value=${team?.name ?? ''} /></label>
            <label>Below <select name="parent">${this.#parents(parents, team?.parentId)}</select></label>
          </div>`
    return html`<dialog aria-labelledby="team-title">
      <form @submit=${this.#confirm}>
        <h2 id="team-title">${what === 'delete' ? 'Delete' : 'Rename or move'} ${team?.path ?? ''}${what === 'delete' ? '?' : ''}</h2>
        ${form}
        <div class="row end">
          <button type="button" @click=${this.#close}>Leave it</button>
          <button class=${what === 'delete' ? 'danger' : 'primary'}>${what === 'delete' ? 'Delete' : 'Change'}</button>
        </div>
      </form>
    </dialog>`
  }

  override render() {
    const teams = this.teams.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    return html`<section class="card">
      <header><h2>Teams</h2></header>
      ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
      <div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
        <thead><tr><th>Node</th><th>Kind</th><th class="num">Keys</th><th>Managed by</th><td></td></tr></thead>
        <tbody>${teams.map((team) => this.#row(team))}</tbody>
      </table></div>
      <form class="pad row line" @submit=${this.#create}>
        <input name="name" required pattern=${namePattern} placeholder="search" aria-label="Name of the new team" title=${nameHint} />
        <select name="kind" aria-label="Kind of the new node"><option>team</option><option>project</option></select>
        <select name="parent" aria-label="Parent of the new node">${this.#parents(teams, teams[0]?.id)}</select>
        <button>Make team</button>
      </form>
    </section>
    ${this.#dialog()}`
  }

  static override styles = [
    shared,
    css`
      select { max-width: 100%; }
      .line { border-top: 1px solid var(--line); }
      .error { margin: 12px 18px; }
      .d2 { padding-left: 40px; }
      .d3 { padding-left: 62px; }
      .d4 { padding-left: 84px; }
      .d5 { padding-left: 106px; }
      .d6 { padding-left: 128px; }
      dialog { border: 1px solid var(--line); border-radius: 14px; background: var(--raised); color: var(--text); padding: 24px;
        width: min(420px, calc(100vw - 32px)); box-shadow: var(--shadow); }
      dialog::backdrop { background: rgb(10 15 12 / 45%); }
      dialog p { margin: 8px 0 16px; }
      .fields { display: grid; gap: 12px; }
      .end { justify-content: end; margin-top: 18px; }
    `,
  ]
}
customElements.define('sb-team-tree', TeamTree)
