import type { ListRecordsReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { formatClock } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import { factsCompletion } from './completions.ts'
import type { PlaygroundSession } from './session.ts'

const recordsListed = 20
const plain = '{\n  "request": {\n    "metadata": {}\n  }\n}\n'
const fixture = /^fixtures\/.*\.facts\.json$/

/** Facts of a call: picked from what was recorded or is in the workspace, or written. */
export class FactsPanel extends LitElement {
  static override properties = { session: {}, text: {}, source: {}, error: {} }
  declare session: PlaygroundSession
  declare text: string
  declare source: string
  declare error: string
  readonly #records = new Load<ListRecordsReply>(this, (signal) =>
    api().listRecords({ limit: recordsListed }, { signal }),
  )

  async #pick(event: Event): Promise<void> {
    const { value } = event.target as HTMLSelectElement
    if (value === '') this.session.setFacts('', plain)
    else if (value.startsWith('record ')) await this.session.pickRecord(value.slice('record '.length))
    else if (fixture.test(value)) this.session.setFacts(value, await this.session.text(value))
  }

  override render() {
    const { session, source } = this
    const fixtures = session.paths.filter((path) => fixture.test(path))
    const rows = (this.#records.value?.items ?? []).filter(({ effect }) => effect !== 'none')
    const known = ['', ...fixtures, ...rows.map(({ id }) => `record ${id}`)]
    return html`<header>
        <label class="pick">Facts
          <select @change=${this.#pick} .value=${source}>
            <option value="" ?selected=${source === ''}>A plain call, or what you write</option>
            ${known.includes(source) ? nothing : html`<option value=${source} selected>${source}</option>`}
            ${fixtures.length === 0 ? nothing : html`<optgroup label="Fixtures">${fixtures.map((path) => html`<option value=${path} ?selected=${source === path}>${path.replace('fixtures/', '')}</option>`)}</optgroup>`}
            ${
              rows.length === 0
                ? nothing
                : html`<optgroup label="Recent calls">${rows.map(
                    (row) =>
                      html`<option value="record ${row.id}" ?selected=${source === `record ${row.id}`}>${formatClock(row.timeMs)} ${row.modelRequested} ${row.effect}</option>`,
                  )}</optgroup>`
            }
          </select>
        </label>
      </header>
      <sb-code-editor path="facts.json" label="Facts as JSON" .text=${this.text}
        .complete=${factsCompletion(() => session.vocabulary)}
        @text-changed=${({ detail }: CustomEvent<string>) => session.setFacts(source, detail)}></sb-code-editor>
      ${this.error === '' ? nothing : html`<p class="error small" role="alert">${this.error}</p>`}`
  }

  static override styles = [
    shared,
    css`
      :host { display: grid; grid-template-rows: auto minmax(0, 1fr) auto; min-width: 0; }
      header { padding: 10px 14px; border-bottom: 1px solid var(--line); }
      .pick { display: flex; gap: 10px; align-items: center; }
      select { flex: 1; width: 100%; }
      sb-code-editor { min-height: 0; overflow: hidden; }
      .error { border-radius: 0; overflow-wrap: anywhere; }
    `,
  ]
}
customElements.define('sb-facts-panel', FactsPanel)
