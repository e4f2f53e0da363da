import type { GetVersionReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api } from '../api.ts'
import { Load } from '../load.ts'
import { definePage, setQuery } from '../router.ts'
import { formatTime } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'

const order = /^(signalbox\.yaml|policies\/|guardrails\/|prompts\/|tests\/|fixtures\/)/
const rank = (path: string): number => {
  const found = order.exec(path)?.[0]
  return found === undefined
    ? 9
    : ['signalbox.yaml', 'policies/', 'guardrails/', 'prompts/', 'tests/', 'fixtures/'].indexOf(found)
}

class VersionPage extends LitElement {
  static override properties = { version: {}, file: { state: true } }
  declare version: string
  declare file: string
  readonly #data: Load<GetVersionReply>
  readonly #source: Load<{ path: string; text: string }>

  constructor() {
    super()
    this.version = ''
    this.file = new URLSearchParams(location.search).get('file') ?? ''
    this.#data = new Load(this, (signal) => api().getVersion({ version: this.version }, { signal }))
    this.#source = new Load(this, async (signal) => {
      const path = this.file === '' ? 'signalbox.yaml' : this.file
      return api().getVersionFile({ version: this.version, path }, { signal })
    })
  }

  #open(path: string): void {
    this.file = path
    setQuery({ file: path })
    void this.#source.run()
  }

  #files(files: GetVersionReply['files']) {
    const current = this.#source.value?.path
    const sorted = files.toSorted((a, b) => rank(a.path) - rank(b.path) || (a.path < b.path ? -1 : 1))
    return html`<section class="card files">
      <nav aria-label="Files">
        ${sorted.map(
          ({ path }) =>
            html`<button class="quiet" aria-current=${path === current ? 'true' : nothing} @click=${() => this.#open(path)}>${path}</button>`,
        )}
      </nav>
      ${this.#source.render(({ path, text }) => html`<sb-source-view .text=${text} label=${path}></sb-source-view>`)}
    </section>`
  }

  #objects({ policies, guardrails, prompts }: GetVersionReply['compiled']) {
    const row = (kind: string, name: string, file: string, note: string) => html`<tr>
      <td><button class="quiet name" @click=${() => this.#open(file)}>${name}</button></td>
      <td><span class="badge">${kind}</span></td>
      <td class="muted">${note}</td>
    </tr>`
    return html`<section class="card"><header><h2>What is in it</h2></header><div class="scroll" tabindex="0" role="group" aria-label="Table"><table><tbody>
      ${policies.map((each) => row(each.kind, each.id, each.file, each.rules.map((rule) => rule.id).join(', ')))}
      ${guardrails.map((each) => row('guardrail', each.id, each.file, each.direction))}
      ${prompts.map((each) => row('prompt', each.name, each.file, Object.keys(each.variables).join(', ')))}
    </tbody></table></div></section>`
  }

  #cases(cases: GetVersionReply['cases']) {
    const failed = cases.filter((each) => !each.passed).length
    return html`<section class="card">
      <header><h2>Cases</h2><span class="badge ${failed === 0 ? 'good' : 'bad'}">${cases.length - failed} of ${cases.length} passed</span></header>
      ${
        cases.length === 0
          ? html`<sb-empty-state heading="No cases" text="Cases in tests/*.cases.yaml run at every push and keep a rule from changing by accident."></sb-empty-state>`
          : html`<div class="scroll cases" tabindex="0" role="region" aria-label="Cases"><table><tbody>
        ${cases.map(
          (each) => html`<tr>
            <td class="mark ${each.passed ? 'good' : 'bad'}" aria-label=${each.passed ? 'passed' : 'failed'}>${each.passed ? '✓' : '✗'}</td>
            <td>${each.name}${each.message === undefined ? nothing : html`<div class="muted small">${each.message}</div>`}</td>
            <td class="muted small">${each.file}:${each.line}</td>
          </tr>`,
        )}
      </tbody></table></div>`
      }
    </section>`
  }

  override render() {
    return this.#data.render(
      (data) => html`<div class="head">
          <div>
            <a href="/policies">Policies</a>
            <h1>${data.workspace} v${data.version}</h1>
            <p class="muted small">
              pushed ${formatTime(data.push.createdMs)} by ${data.push.author ?? data.push.by} from ${data.push.source}
              ${data.push.commit === null ? nothing : html`at <code>${data.push.commit.slice(0, 10)}</code>`}
              ${data.push.ciRun === null ? nothing : html`in CI run <code>${data.push.ciRun}</code>`}
              ${data.parent === null || data.inGit ? nothing : html`<span class="badge warn">made in the console, Git does not have it</span>`}
            </p>
            <p class="small"><code class="muted">${data.digest}</code></p>
          </div>
          <div class="row"><a class="button" href="/policies/v${data.version}/changes">What it changes</a>
            ${data.environments.map((each) => html`<span class="badge good">stable in ${each}</span>`)}</div>
        </div>
        <div class="stack">${this.#objects(data.compiled)} ${this.#files(data.files)} ${this.#cases(data.cases)}</div>`,
    )
  }

  static override styles = [
    shared,
    css`
      .files { display: grid; grid-template-columns: minmax(180px, 250px) minmax(0, 1fr); }
      .files nav { border-right: 1px solid var(--line); padding: 10px; display: grid; align-content: start; gap: 2px; }
      .files nav button { justify-content: start; text-align: left; font-weight: 460; overflow-wrap: anywhere; }
      .files nav button[aria-current] { background: var(--accent-soft); color: var(--accent); }
      .name { padding-left: 0; color: var(--accent); }
      .cases { max-height: 420px; overflow: auto; }
      .mark { width: 30px; font-weight: 700; }
      .mark.good { color: var(--good); }
      .mark.bad { color: var(--bad); }
      code { overflow-wrap: anywhere; }
      @media (max-width: 700px) {
        .files { grid-template-columns: minmax(0, 1fr); }
        .files nav { border-right: 0; border-bottom: 1px solid var(--line); }
      }
    `,
  ]
}
customElements.define('sb-version-page', VersionPage)

export const page = definePage({
  path: '/policies/:version',
  title: 'Version',
  render: ({ version }) => html`<sb-version-page .version=${version ?? ''}></sb-version-page>`,
})
