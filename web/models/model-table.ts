import { css, html, LitElement, nothing } from 'lit'
import { formatCount } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import { abilitiesOf, formatPerMillion, priceOf } from './model-filter.ts'
import { dataPolicyOf, lifeOf, localityOf } from './model-marks.ts'
import type { OfferedModel } from './offered-models.ts'

/** Models in rows that can be chosen. @fires chosen - with the key in `detail` */
export class ModelTable extends LitElement {
  static override properties = {
    models: { attribute: false },
    chosen: { attribute: false },
    full: { type: Boolean },
  }
  declare models: readonly OfferedModel[]
  declare chosen: readonly string[]
  /** No more can be chosen. */
  declare full: boolean

  constructor() {
    super()
    this.models = []
    this.chosen = []
    this.full = false
  }

  #choose(key: string): void {
    this.dispatchEvent(new CustomEvent('chosen', { detail: key }))
  }

  #row(offered: OfferedModel) {
    const { key, model, aliases, isDeclared } = offered
    const isChosen = this.chosen.includes(key)
    const isOut = this.full && !isChosen
    const choose = (): void => this.#choose(key)
    return html`<tr>
      <td><input type="checkbox" aria-label="Compare ${key}" .checked=${isChosen} ?disabled=${isOut} @change=${choose} /></td>
      <td><div class="name"><strong>${model.name ?? model.id}</strong>
        ${model.free === true ? html`<span class="badge good">free</span>` : nothing}
        ${aliases.map((each) => html`<span class="badge accent">${each}</span>`)} ${lifeOf(offered)}</div>
        <code class="muted">${key}</code></td>
      <td class="can">${abilitiesOf(model)
        .filter((each) => each !== 'free')
        .map((each) => html`<span class="badge">${each}</span> `)}</td>
      <td class="num">${model.contextTokens === undefined ? '–' : formatCount(model.contextTokens)}</td>
      <td class="num">${formatPerMillion(priceOf(model, 'input'))}</td>
      <td class="num">${formatPerMillion(priceOf(model, 'output'))}${isDeclared ? html`<div class="small muted">yours</div>` : nothing}</td>
      <td class="where">${localityOf(offered)}</td>
      <td class="small">${dataPolicyOf(offered)}</td>
    </tr>`
  }

  override render() {
    return html`<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>
      <thead><tr><td></td><th>Model</th><th>Can</th><th class="num">Context</th><th class="num">Input $/M</th><th class="num">Output $/M</th><th>Locality</th><th>Data</th></tr></thead>
      <tbody>${this.models.map((each) => this.#row(each))}</tbody>
    </table></div>`
  }

  static override styles = [
    shared,
    css`
      .name { display: flex; gap: 2px 8px; align-items: baseline; flex-wrap: wrap; }
      .can { min-width: 160px; max-width: 260px; }
      .where { white-space: nowrap; }
      input { width: 18px; height: 18px; }
    `,
  ]
}
customElements.define('sb-model-table', ModelTable)
