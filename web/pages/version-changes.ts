import type { Version, VersionChanges } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { keyed } from 'lit/directives/keyed.js'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage, setQuery } from '../router.ts'
import '../ui/empty-state.ts'
import '../ui/file-diff.ts'
import { formatCount, formatMoney } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

type Change = VersionChanges['changes'][number]
const marks = { added: '+', removed: '−', changed: '~', moved: '↕' } as const
const tones = { added: 'good', removed: 'bad', changed: 'accent', moved: '' } as const
const things: readonly Change['thing'][] = [
  ...(['policy', 'rule', 'guardrail', 'prompt', 'param', 'alias', 'connection'] as const),
  ...(['metadata', 'price', 'workspace', 'engine'] as const),
]

interface Compared {
  readonly changes: VersionChanges | null
  readonly versions: readonly Version[]
}

/** What a version means differently from another: rules, constraints that became weaker, worst cases, texts. */
class VersionChangesPage extends LitElement {
  static override properties = { version: {}, from: { state: true } }
  declare version: string
  declare from: string
  readonly #data: Load<Compared>

  constructor() {
    super()
    this.version = ''
    this.from = new URLSearchParams(location.search).get('from') ?? ''
    this.#data = new Load(this, (signal) => this.#load(signal))
  }

  async #load(signal: AbortSignal): Promise<Compared> {
    const { workspace, version, parent } = await api().getVersion({ version: this.version }, { signal })
    const { items: versions } = await api().listVersions({ workspace, limit: 500 }, { signal })
    const parentVersion = versions.find(({ digest }) => digest === parent)
    const before = (parentVersion ?? versions.find((each) => each.version < version))?.version
    if (this.from === '' && before !== undefined) this.from = `v${before}`
    if (this.from === '') return { changes: null, versions }
    return {
      versions,
      changes: await api().compareVersions({ version: this.version, from: this.from }, { signal }),
    }
  }

  #choose(event: Event): void {
    this.from = (event.target as HTMLSelectElement).value
    setQuery({ from: this.from })
    this.#data.value = undefined
    void this.#data.run()
    this.requestUpdate()
  }

  #change({ thing, name, change, details, file, line }: Change, version: number) {
    return html`<li>
      <div class="row"><span class="mark ${tones[change]}" aria-hidden="true">${marks[change]}</span>
        <span class="badge">${thing}</span> <strong>${name}</strong> <span class="badge ${tones[change]}">${change}</span>
        ${file === undefined ? nothing : html`<a class="small" href="/policies/v${version}?file=${encodeURIComponent(file)}">${file}${line === undefined ? '' : `:${line}`}</a>`}</div>
      ${details.length === 0 ? nothing : html`<ul class="details">${details.map((each) => html`<li><code>${each}</code></li>`)}</ul>`}
    </li>`
  }

  #meaning({ changes, after }: VersionChanges) {
    if (changes.length === 0) {
      return html`<section class="card"><sb-empty-state heading="No change of meaning" text="Both versions decide every call alike; at most texts, cases or fixtures differ."></sb-empty-state></section>`
    }
    const sorted = changes.toSorted((a, b) => things.indexOf(a.thing) - things.indexOf(b.thing))
    return html`<section class="card"><header><h2>What changes</h2><span class="muted small">${changes.length} ${changes.length === 1 ? 'change' : 'changes'} of meaning</span></header>
      <ul class="changes">${sorted.map((each) => this.#change(each, after.version))}</ul></section>`
  }

  #weakened({ weakened, before, after, files }: VersionChanges) {
    if (weakened.length === 0) return nothing
    /** Where it stands, or stood if the file is gone. */
    const at = (file: string): string => {
      const isGone = files.some(({ path, change }) => path === file && change === 'removed')
      return `/policies/v${(isGone ? before : after).version}?file=${encodeURIComponent(file)}`
    }
    return html`<section class="card weak" aria-label="Weakened">
      <header><h2>${weakened.length} weakened</h2><span class="muted small">was forbidden or looked at, and would not be any more</span></header>
      <ul class="changes">${weakened.map(
        ({ what, why, file, line }) => html`<li><div class="row"><strong>${what}</strong>
          <a class="small" href=${at(file)}>${file}:${line}</a></div><p>${why}</p></li>`,
      )}</ul></section>`
  }

  #costs({ costs }: VersionChanges) {
    if (costs.length === 0) return nothing
    const money = (value: string | null): string => (value === null ? 'unknown' : formatMoney(value))
    return html`<section class="card"><header><h2>Worst case of one call</h2></header>
      <div class="scroll" tabindex="0" role="group" aria-label="Worst case of one call"><table>
        <thead><tr><th>By</th><th>Environment</th><th class="num">Input tokens</th><th class="num">Before</th><th class="num">After</th></tr></thead>
        <tbody>${costs.map(
          (
            each,
          ) => html`<tr><td>${each.what}</td><td>${each.environment === '' ? 'all' : each.environment}</td>
            <td class="num">${formatCount(each.inputTokens)}</td><td class="num">${money(each.before)}</td><td class="num">${money(each.after)}</td></tr>`,
        )}</tbody></table></div></section>`
  }

  #files({ files, before, after }: VersionChanges) {
    if (files.length === 0) return nothing
    return html`<section class="card"><header><h2>Files</h2></header>
      ${files.map(({ path, change }) => html`<sb-file-diff path=${path} change=${change} .from=${before.version} .to=${after.version}></sb-file-diff>`)}
    </section>`
  }

  #complete(compared: Compared) {
    const { changes } = compared
    if (changes === null) {
      return html`<section class="card"><sb-empty-state heading="There is no version before" text="It is the first one of its workspace: all of it is new.">
        <a href="/policies/${this.version}">Look at what is in it</a></sb-empty-state></section>`
    }
    const { rebuilt } = changes
    return html`<div class="stack">
      ${rebuilt.length === 0 ? nothing : html`<p class="note">${rebuilt.map((each) => `v${each}`).join(' and ')} ${rebuilt.length === 1 ? 'gives' : 'give'} another digest when built here: the compiler changed since. What is shown is what the sources mean now.</p>`}
      ${this.#weakened(changes)} ${this.#meaning(changes)} ${this.#costs(changes)} ${this.#files(changes)}
    </div>`
  }

  override render() {
    const { versions = [] } = this.#data.value ?? {}
    const own = versions.find(({ version }) => `v${version}` === this.version)
    const others = versions.filter(({ version }) => version !== own?.version)
    return html`<div class="head"><div>
        <a href="/policies/${this.version}">${this.version}</a>
        <h1>What ${this.version} changes</h1></div>
        ${
          others.length === 0
            ? nothing
            : html`<label>Against <select @change=${this.#choose}>${others.map(
                ({ version, push, environments }) =>
                  html`<option value="v${version}" ?selected=${`v${version}` === this.from}>v${version} ${environments.length === 0 ? (push.message ?? '') : `stable in ${environments.join(', ')}`}</option>`,
              )}</select></label>`
        }
      </div>
      ${this.#data.render((compared) => this.#complete(compared))}`
  }

  static override styles = [
    shared,
    css`
      .changes, .details { list-style: none; margin: 0; padding: 0; }
      .changes > li { padding: 12px 18px; display: grid; gap: 6px; }
      .changes > li + li { border-top: 1px solid var(--line); }
      .details { padding-left: 26px; display: grid; gap: 3px; }
      code, p, a, strong { overflow-wrap: anywhere; min-width: 0; }
      .mark { width: 16px; text-align: center; font-weight: 700; }
      .mark.good { color: var(--good); }
      .mark.bad { color: var(--bad); }
      .mark.accent { color: var(--accent); }
      .weak { border-color: var(--bad); }
      .weak header { background: var(--bad-soft); }
      .weak h2, .weak header .muted { color: var(--bad); }
      .note { background: var(--warn-soft); color: var(--warn); border-radius: 8px; padding: 10px 14px; }
      select { max-width: min(340px, 80vw); }
    `,
  ]
}
customElements.define('sb-version-changes-page', VersionChangesPage)

export const page = definePage({
  path: '/policies/:version/changes',
  title: 'Changes',
  render: ({ version = '' }) =>
    html`${keyed(`${version} ${location.search}`, html`<sb-version-changes-page .version=${version}></sb-version-changes-page>`)}`,
})
