import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { loadModels, type ModelCatalogue } from '../models/load-models.ts'
import { abilities, filterModels, type ModelFilter, orders } from '../models/model-filter.ts'
import type { OfferedModel } from '../models/offered-models.ts'
import { definePage, setQuery } from '../router.ts'
import { formatCount } from '../ui/format.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'
import '../models/model-comparison.ts'
import '../models/model-table.ts'

interface Loaded extends ModelCatalogue {
  readonly environment: string
  readonly environments: readonly string[]
}
const names = ['q', 'vendor', 'can', 'sort', 'from', 'environment'] as const
type Filter = ModelFilter & { readonly environment: string }
const comparedMax = 4
const shownMax = 100

function filterFromAddress(): Filter {
  const query = new URLSearchParams(location.search)
  const of = (name: (typeof names)[number]): string => query.get(name) ?? ''
  return {
    q: of('q'),
    vendor: of('vendor'),
    can: of('can'),
    sort: of('sort'),
    from: of('from'),
    environment: of('environment'),
  }
}

class ModelsPage extends LitElement {
  static override properties = { filter: { state: true }, compared: { state: true } }
  declare filter: Filter
  declare compared: readonly string[]
  readonly #catalogue: Load<Loaded>

  constructor() {
    super()
    this.filter = filterFromAddress()
    this.compared = (new URLSearchParams(location.search).get('compare') ?? '').split(',').filter(Boolean)
    this.#catalogue = new Load(this, async (signal) => {
      const status = await api().getStatus({}, { signal })
      const environments = status.environments.map(({ name }) => name)
      const used = status.environments.find(({ deployments }) => deployments.length > 0)?.name
      const wanted = this.filter.environment
      const environment = environments.includes(wanted) ? wanted : (used ?? environments[0] ?? 'development')
      this.filter = { ...this.filter, environment }
      return { environment, environments, ...(await loadModels(environment, signal)) }
    })
  }

  #change(event: Event): void {
    const data = new FormData(event.currentTarget as HTMLFormElement)
    const before = this.filter.environment
    setQuery(Object.fromEntries(names.map((name) => [name, String(data.get(name) ?? '').trim()])))
    this.filter = filterFromAddress()
    if (this.filter.environment !== before) void this.#catalogue.run()
  }

  #toggle(key: string): void {
    const without = this.compared.filter((each) => each !== key)
    const isNew = without.length === this.compared.length
    this.compared = isNew ? [...without, key].slice(0, comparedMax) : without
    setQuery({ compare: this.compared.join(',') })
  }

  #select(
    name: 'vendor' | 'can' | 'sort' | 'environment',
    label: string,
    values: readonly string[],
    any?: string,
  ) {
    const chosen = this.filter[name]
    return html`<label>${label}<select name=${name}>
      ${any === undefined ? nothing : html`<option value="">${any}</option>`}
      ${values.map((each) => html`<option ?selected=${each === chosen}>${each}</option>`)}
    </select></label>`
  }

  #filters({ models, environments }: Loaded) {
    const isAll = this.filter.from === 'all'
    const reached = models.filter(({ connections }) => isAll || connections.length > 0)
    const vendors = [...new Set(reached.map(({ model }) => model.provider))].toSorted()
    return html`<form class="card pad" aria-label="Filter" @input=${this.#change} @submit=${(event: Event) => event.preventDefault()}>
      <label class="wide">Search<input name="q" type="search" .value=${this.filter.q} placeholder="opus, gpt-5, an alias" spellcheck="false" /></label>
      ${this.#select('vendor', 'Vendor', vendors, 'any')}
      ${this.#select('can', 'Can', abilities, 'anything')}
      ${this.#select('sort', 'Order', orders.slice(1), orders[0])}
      ${environments.length > 1 ? this.#select('environment', 'Environment', environments) : nothing}
      <label class="check"><input type="checkbox" name="from" value="all" .checked=${isAll} /> also without a connection here</label>
    </form>`
  }

  #comparison(models: readonly OfferedModel[]) {
    const compared = this.compared.flatMap((key) => models.find((each) => each.key === key) ?? [])
    if (compared.length === 0) return nothing
    return html`<section class="card"><header><h2>Side by side</h2><span class="muted small">up to ${comparedMax}</span></header>
      <sb-model-comparison .models=${compared} @removed=${({ detail }: CustomEvent<string>) => this.#toggle(detail)}></sb-model-comparison>
    </section>`
  }

  #found(models: readonly OfferedModel[]) {
    const found = filterModels(models, this.filter)
    if (found.length === 0) {
      return html`<section class="card"><sb-empty-state heading="No such model" text="A model newer than the catalogue works all the same under its connection; its price stands in signalbox.yaml until the catalogue has one.">
        <sb-copy-text .text=${'catalogue:\n  openai/gpt-next: { input: 2.50, output: 10 }'}></sb-copy-text></sb-empty-state></section>`
    }
    const more = found.length - shownMax
    return html`<section class="card"><header><h2>${formatCount(found.length)} ${found.length === 1 ? 'model' : 'models'}</h2></header>
      <sb-model-table .models=${found.slice(0, shownMax)} .chosen=${this.compared} .full=${this.compared.length >= comparedMax}
        @chosen=${({ detail }: CustomEvent<string>) => this.#toggle(detail)}></sb-model-table>
      ${more > 0 ? html`<p class="pad muted">${formatCount(more)} more; search for some words of theirs.</p>` : nothing}
    </section>`
  }

  override render() {
    return html`<div class="head"><h1>Models</h1></div>
      ${this.#catalogue.render(
        (loaded) => html`<div class="stack">
          ${this.#filters(loaded)} ${this.#comparison(loaded.models)} ${this.#found(loaded.models)}
          <p class="muted small">As ${loaded.environment} decides with it: ${loaded.source}. Prices are the vendors' lists, in USD per million tokens.</p>
        </div>`,
      )}`
  }

  static override styles = [
    shared,
    css`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 14px; align-items: end; }
      .check { display: flex; gap: 8px; align-items: center; font-weight: 400; padding: 7px 0; }
      .check input { width: 18px; height: 18px; }
    `,
  ]
}
customElements.define('sb-models-page', ModelsPage)

export const page = definePage({
  path: '/models',
  title: 'Models',
  nav: { order: 3.5, icon: icons.models },
  render: () => html`<sb-models-page></sb-models-page>`,
})
