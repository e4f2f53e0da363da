import { css, html, LitElement, nothing } from 'lit'
import { formatCount, formatMoney } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import { abilitiesOf, costOfCall, formatPerMillion } from './model-filter.ts'
import { dataPolicyOf, lifeOf, localityOf } from './model-marks.ts'
import type { OfferedModel } from './offered-models.ts'

const unitNames: Readonly<Record<string, string>> = {
  input: 'Input',
  output: 'Output',
  cacheRead: 'Cache read',
  cacheWrite5m: 'Cache write, 5 min',
  cacheWrite1h: 'Cache write, 1 h',
  reasoning: 'Reasoning',
  imageIn: 'Image in',
  audioIn: 'Audio in',
  audioOut: 'Audio out',
  searches: 'Searches',
}

/** Models beside each other, with what a call of a given size costs. @fires removed - with the key in `detail` */
export class ModelComparison extends LitElement {
  static override properties = {
    models: { attribute: false },
    input: { state: true },
    output: { state: true },
  }
  declare models: readonly OfferedModel[]
  declare input: number
  declare output: number

  constructor() {
    super()
    this.models = []
    this.input = 10_000
    this.output = 1000
  }

  #size(name: 'input' | 'output', event: Event): void {
    const count = (event.currentTarget as HTMLInputElement).valueAsNumber
    if (Number.isSafeInteger(count) && count >= 0) this[name] = count
  }

  #sizeField(name: 'input' | 'output', label: string) {
    const change = (event: Event): void => this.#size(name, event)
    return html`<label>${label}<input type="number" min="0" step="100" .value=${String(this[name])} @input=${change} /></label>`
  }

  #remove(key: string): void {
    this.dispatchEvent(new CustomEvent('removed', { detail: key }))
  }

  #row(name: string, of: (model: OfferedModel) => unknown, num = false) {
    return html`<tr><th scope="row">${name}</th>${this.models.map((each) => html`<td class=${num ? 'num' : ''}>${of(each)}</td>`)}</tr>`
  }

  /** Every tier of a unit: `$5.00, above 272,000 tokens $10.00`. */
  #price({ model }: OfferedModel, unit: string) {
    const tiers = (model.prices ?? []).flatMap(({ inputOver, units }) => {
      const price = Object.entries(units).find(([name]) => name === unit)?.[1]
      if (price === undefined) return []
      const text = formatPerMillion(price)
      return [inputOver === undefined ? text : `above ${formatCount(inputOver)} tokens ${text}`]
    })
    return tiers.length === 0 ? '–' : tiers.join(', ')
  }

  #prices() {
    const used = new Set(
      this.models.flatMap(({ model }) => (model.prices ?? []).flatMap(({ units }) => Object.keys(units))),
    )
    return [...new Set([...Object.keys(unitNames), ...used])]
      .filter((unit) => used.has(unit))
      .map((unit) => this.#row(unitNames[unit] ?? unit, (each) => this.#price(each, unit), true))
  }

  #cost({ model }: OfferedModel) {
    const pico = costOfCall(model, this.input, this.output)
    return pico === undefined ? 'price not known' : formatMoney(String(pico / 1000))
  }

  #policy(each: OfferedModel) {
    const text = dataPolicyOf(each)
    const source = each.vendor?.source
    return source === undefined
      ? text
      : html`${text} <a href=${source} rel="noreferrer" target="_blank">terms</a>`
  }

  override render() {
    const count = (value: number | undefined) => (value === undefined ? '–' : formatCount(value))
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Comparison"><table>
      <thead><tr><td></td>${this.models.map(
        ({ key, model }) => html`<th scope="col"><span class="name">${model.name ?? model.id}</span>
          <button class="quiet" aria-label="Take ${key} out of the comparison" @click=${() => this.#remove(key)}>✕</button></th>`,
      )}</tr></thead>
      <tbody>
        ${this.#row('Ask for', ({ key, connections, model }) => html`<code>${connections[0] === undefined ? key : `${connections[0].name}/${model.id}`}</code>`)}
        ${this.#row('Aliases', ({ aliases }) => (aliases.length === 0 ? '–' : aliases.map((each) => html`<span class="badge accent">${each}</span> `)))}
        ${this.#row('Can', ({ model }) => abilitiesOf(model).map((each) => html`<span class="badge">${each}</span> `))}
        ${this.#row('Context', ({ model }) => count(model.contextTokens), true)}
        ${this.#row('Longest answer', ({ model }) => count(model.outputTokensMax), true)}
        <tr class="section"><th scope="colgroup" colspan=${this.models.length + 1}>USD per million units</th></tr>
        ${this.#prices()}
        ${this.#row('A call of that size', (each) => html`<strong>${this.#cost(each)}</strong>`, true)}
        <tr class="section"><th scope="colgroup" colspan=${this.models.length + 1}>Where, and for how long</th></tr>
        ${this.#row('Locality', localityOf)}
        ${this.#row('Data', (each) => this.#policy(each))}
        ${this.#row('Weights', ({ model }) => (model.openWeights === undefined ? '–' : model.openWeights ? 'open' : 'closed'))}
        ${this.#row('Released', ({ model }) => model.released ?? '–')}
        ${this.#row('Life', (each) => (lifeOf(each) === nothing ? 'no end announced' : lifeOf(each)))}
      </tbody>
    </table></div>
    <form class="pad row" aria-label="Size of a call" @submit=${(event: Event) => event.preventDefault()}>
      ${this.#sizeField('input', 'Input tokens')} ${this.#sizeField('output', 'Output tokens')}
    </form>`
  }

  static override styles = [
    shared,
    css`
      th[scope='row'] { background: none; font-weight: 560; color: var(--muted); }
      th[scope='col'] { color: var(--text); min-width: 170px; white-space: normal; }
      th .name { font-size: 14px; font-weight: 620; }
      th button { padding: 0 6px; }
      td { vertical-align: top; }
      td a { text-decoration: underline; }
      td.num { text-align: left; }
      .section th { font-size: 12px; }
      form { border-top: 1px solid var(--line); }
      input { width: 130px; }
    `,
  ]
}
customElements.define('sb-model-comparison', ModelComparison)
