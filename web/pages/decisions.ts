import type { FollowRecordsInput } from '@signalbox/sdk'
import { css, html, LitElement } from 'lit'
import { definePage, setQuery } from '../router.ts'
import { icons } from '../ui/icons.ts'
import { shared } from '../ui/styles.ts'
import '../ui/live-decisions.ts'

const fields = ['effect', 'arm', 'model', 'target', 'policy', 'team'] as const
const effects = ['allow', 'deny', 'error', 'none'] as const
const arms = ['stable', 'candidate'] as const

function filterFromAddress(): FollowRecordsInput {
  const query = new URLSearchParams(location.search)
  const filter: Record<string, string> = {}
  for (const name of fields) {
    const value = query.get(name)
    if (value !== null && value !== '') filter[name] = value
  }
  return filter
}

class DecisionsPage extends LitElement {
  static override properties = { filter: { state: true } }
  declare filter: FollowRecordsInput

  constructor() {
    super()
    this.filter = filterFromAddress()
  }

  #change(event: Event): void {
    const form = (event.currentTarget as HTMLFormElement) ?? null
    const data = new FormData(form)
    setQuery(Object.fromEntries(fields.map((name) => [name, String(data.get(name) ?? '').trim()])))
    this.filter = filterFromAddress()
  }

  #clear(): void {
    setQuery(Object.fromEntries(fields.map((name) => [name, ''])))
    this.filter = filterFromAddress()
    this.renderRoot.querySelector('form')?.reset()
  }

  override render() {
    const text = (name: 'model' | 'target' | 'policy' | 'team', label: string, hint: string) =>
      html`<label>${label}<input name=${name} .value=${this.filter[name] ?? ''} placeholder=${hint} spellcheck="false" /></label>`
    return html`<div class="head"><h1>Decisions</h1><span class="muted"><span class="dot"></span> live</span></div>
      <form class="card pad" @change=${this.#change} @submit=${(event: Event) => event.preventDefault()} aria-label="Filter">
        <label>Outcome
          <select name="effect">
            <option value="">any</option>
            ${effects.map((each) => html`<option ?selected=${this.filter.effect === each}>${each}</option>`)}
          </select>
        </label>
        ${text('model', 'Asked for', 'openai/gpt-5.2')} ${text('target', 'Answered by', 'openai/gpt-5.2')}
        <label>Arm
          <select name="arm">
            <option value="">any</option>
            ${arms.map((each) => html`<option ?selected=${this.filter.arm === each}>${each}</option>`)}
          </select>
        </label>
        ${text('policy', 'Policy', 'canary')} ${text('team', 'Team', 'demo')}
        <button type="button" class="quiet" @click=${this.#clear} ?disabled=${Object.keys(this.filter).length === 0}>Clear</button>
      </form>
      <section class="card"><sb-live-decisions limit="100" .filter=${this.filter}></sb-live-decisions></section>`
  }

  static override styles = [
    shared,
    css`
      form { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 14px; align-items: end; margin-bottom: 20px; }
      .dot { display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--bar); margin-right: 4px; }
    `,
  ]
}
customElements.define('sb-decisions-page', DecisionsPage)

export const page = definePage({
  path: '/decisions',
  title: 'Decisions',
  nav: { order: 3, icon: icons.decisions },
  render: () => html`<sb-decisions-page></sb-decisions-page>`,
})
