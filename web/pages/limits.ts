import type { Key, ListLimitsReply, SetLimitInput, Team } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { attempt, Load } from '../load.ts'
import { definePage } from '../router.ts'
import { formatCount } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'

type Limit = ListLimitsReply['items'][number]
interface Limits {
  readonly teams: readonly Team[]
  readonly keys: readonly Key[]
  readonly limits: readonly Limit[]
}
const units = ['requests', 'tokens', 'concurrency'] as const
const windows = ['minute', 'hour', 'day'] as const
const keysShown = 1000

/** What a limit is for, in a few words. */
function describe({ model, metadata, per }: Limit): string {
  const parts = [
    model === undefined ? undefined : `calls of ${model}`,
    metadata === undefined ? undefined : `${metadata.name} = ${metadata.value}`,
    per === undefined ? undefined : `each ${per.replace('metadata.', '')} by itself`,
  ]
  return parts.filter((each) => each !== undefined).join(' · ') || 'all calls'
}

/** A value of metadata as it is typed: `true` and numbers are what they look like. */
function typed(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

/** What the form says. */
function wantedFrom(data: FormData): SetLimitInput {
  const text = (name: string): string => String(data.get(name) ?? '').trim()
  const [kind, id = ''] = text('owner').split(' ')
  const unit = units.find((each) => each === text('unit')) ?? 'requests'
  const window = windows.find((each) => each === text('window')) ?? 'minute'
  const [name = '', value = ''] = text('metadata')
    .split('=')
    .map((part) => part.trim())
  return {
    ...(kind === 'key' ? { key: id } : { team: id }),
    ...{ unit, limit: Number(text('limit')), mode: text('mode') === 'shadow' ? 'shadow' : 'hard' },
    ...(unit === 'concurrency' ? {} : { window }),
    ...(text('model') === '' ? {} : { model: text('model') }),
    ...(name === '' ? {} : { metadata: { name, value: typed(value) } }),
    ...(text('per') === '' ? {} : { per: text('per') }),
  }
}

class LimitsPage extends LitElement {
  static override properties = { error: { state: true }, unit: { state: true } }
  declare error: string
  declare unit: string
  readonly #data: Load<Limits>

  constructor() {
    super()
    this.error = ''
    this.unit = 'requests'
    this.#data = new Load(this, async (signal) => {
      const [teams, keys, limits] = await Promise.all([
        api().listTeams({ signal }),
        api().listKeys({ active: true, limit: keysShown }, { signal }),
        api().listLimits({}, { signal }),
      ])
      return { teams: teams.items, keys: keys.items, limits: limits.items }
    })
  }

  #do(work: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, async () => {
      await work()
      await this.#data.run()
    })
  }

  async #save(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.target as HTMLFormElement
    if (!(await this.#do(() => api().setLimit(wantedFrom(new FormData(form)))))) return
    form.reset()
    this.unit = 'requests'
  }

  /** The same limit, refusing or only counting. */
  async #turn(limit: Limit): Promise<void> {
    const { owner, id: _, path: __, managedBy: ___, createdMs: ____, pending: _____, mode, ...rest } = limit
    const named = owner.kind === 'key' ? { key: owner.id } : { team: owner.id }
    await this.#do(() => api().setLimit({ ...named, ...rest, mode: mode === 'hard' ? 'shadow' : 'hard' }))
  }

  #row(limit: Limit) {
    const { id, path, owner, unit, window, mode, managedBy, revision } = limit
    const place = path === '' ? 'the organisation' : path
    const name = `the limit of ${unit} of ${place}`
    return html`<tr>
      <td><strong>${place}</strong> ${owner.kind === 'key' ? html`<span class="badge">key</span>` : nothing}</td>
      <td class="num">${formatCount(limit.limit)}</td>
      <td>${unit === 'concurrency' ? 'calls at once' : `${unit} per ${window}`}</td>
      <td class="muted">${describe(limit)}</td>
      <td><span class="badge ${mode === 'hard' ? 'accent' : ''}">${mode}</span></td>
      <td class="muted">${managedBy === 'workspace' ? 'signalbox.yaml' : 'console and API'}</td>
      <td class="num"><div class="row end">
        <button @click=${() => this.#turn(limit)} aria-label="Make ${name} ${mode === 'hard' ? 'shadow' : 'hard'}">Make ${mode === 'hard' ? 'shadow' : 'hard'}</button>
        <button class="danger" aria-label="Delete ${name}" @click=${() => this.#do(() => api().deleteLimit({ id, revision }))}>Delete</button>
      </div></td>
    </tr>`
  }

  #form({ teams, keys }: Limits) {
    const options = [
      ...teams.map((team) => ({ value: `node ${team.id}`, text: team.path === '' ? team.name : team.path })),
      ...keys.map((key) => ({ value: `key ${key.id}`, text: `key ${key.name} of ${key.team.name}` })),
    ]
    return html`<form class="pad fields" @submit=${this.#save} @input=${(event: Event) => {
      const { name, value } = event.target as HTMLInputElement
      if (name === 'unit') this.unit = value
    }}>
      <label>Of <select name="owner" required>${options.map(({ value, text }) => html`<option value=${value}>${text}</option>`)}</select></label>
      <label>At most <input name="limit" type="number" min="0" step="1" required placeholder="600" /></label>
      <label>Of what <select name="unit">${units.map((each) => html`<option>${each}</option>`)}</select></label>
      <label ?hidden=${this.unit === 'concurrency'}>Per <select name="window">${windows.map((each) => html`<option>${each}</option>`)}</select></label>
      <label>Where reached <select name="mode"><option value="hard">hard, refuses</option><option value="shadow">shadow, only counts</option></select></label>
      <label>Only this model <input name="model" placeholder="smart" /></label>
      <label>Only this metadata <input name="metadata" placeholder="feature=chat" pattern="[A-Za-z_][A-Za-z0-9_]*=.+" title="name=value" /></label>
      <label>Each by itself <input name="per" placeholder="user" pattern="key|user|model|metadata\\.[A-Za-z_][A-Za-z0-9_]*" title="key, user, model or metadata.name" /></label>
      <button class="primary">Set limit</button>
    </form>`
  }

  #list({ limits }: Limits) {
    if (limits.length === 0) {
      return html`<sb-empty-state heading="No limits yet" text="A limit bounds requests, tokens or calls at once, of a team, a key, a model or a value of metadata. A shadow limit only counts what it would refuse."></sb-empty-state>`
    }
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
      <thead><tr><th>Of</th><th class="num">At most</th><th>What</th><th>For</th><th>Mode</th><th>Managed by</th><td></td></tr></thead>
      <tbody>${limits.map((limit) => this.#row(limit))}</tbody>
    </table></div>`
  }

  override render() {
    return html`<div class="head"><h1>Limits</h1></div>
      <div class="stack">
        ${this.error === '' ? nothing : html`<p class="error" role="alert">${this.error}</p>`}
        ${this.#data.render(
          (
            data,
          ) => html`<section class="card"><header><h2>Requests, tokens, concurrency</h2></header>${this.#list(data)}</section>
          <section class="card"><header><h2>Set a limit</h2><span class="muted small">One that is there already gets the new number and mode.</span></header>${this.#form(data)}</section>`,
        )}
      </div>`
  }

  static override styles = [
    shared,
    css`
      select { max-width: 100%; }
      .fields { display: grid; gap: 14px; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); align-items: end; }
      .fields button { justify-self: start; }
      .end { justify-content: end; flex-wrap: nowrap; }
      section + section { margin-top: 20px; }
    `,
  ]
}
customElements.define('sb-limits-page', LimitsPage)

export const page = definePage({
  path: '/limits',
  title: 'Limits',
  nav: { order: 4.3, icon: icons.limits },
  render: () => html`<sb-limits-page></sb-limits-page>`,
})
