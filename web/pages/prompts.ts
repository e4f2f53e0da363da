import type { GetVersionReply, ListVersionsReply, RenderPromptReply } from '@signalbox/sdk'
import { css, html, LitElement, nothing } from 'lit'
import { api, explainError } from '../api.ts'
import { Load } from '../load.ts'
import { definePage, setQuery } from '../router.ts'
import { diffLines } from '../ui/diff-lines.ts'
import { icons } from '../ui/icons.ts'
import { readVariables, type Typed, variableField } from '../ui/prompt-variables.ts'
import { shared } from '../ui/styles.ts'

type Version = ListVersionsReply['items'][number]
type Prompt = GetVersionReply['compiled']['prompts'][number]
/** A prompt as a version has it; without it where that version lacks it. */
interface Side {
  readonly version: number
  readonly prompt: Prompt | undefined
  readonly text: string
}
interface Shown {
  readonly versions: readonly Version[]
  readonly names: readonly string[]
  readonly name: string
  readonly after: Side
  readonly before: Side | undefined
}
type Rendered = { readonly version: number; readonly reply?: RenderPromptReply; readonly error?: string }

/** Versions to choose from. */
const versionsMax = 100
const sign = { same: ' ', removed: '−', added: '+' } as const

class PromptsPage extends LitElement {
  static override properties = { typed: { state: true }, rendered: { state: true } }
  declare typed: Typed
  declare rendered: readonly Rendered[]
  readonly #data: Load<Shown | null>

  constructor() {
    super()
    this.typed = {}
    this.rendered = []
    this.#data = new Load(this, (signal) => this.#load(signal))
  }

  async #load(signal: AbortSignal): Promise<Shown | null> {
    const query = new URLSearchParams(location.search)
    const { items } = await api().listVersions({ limit: versionsMax }, { signal })
    const all = items.filter(({ prompts }) => prompts > 0)
    const chosen = all.find(({ version }) => `v${version}` === query.get('version')) ?? all[0]
    if (chosen === undefined) return null
    const versions = all.filter(({ workspace }) => workspace === chosen.workspace)
    const now = await api().getVersion({ version: `v${chosen.version}` }, { signal })
    const names = now.compiled.prompts.map(({ name }) => name).sort()
    const wanted = query.get('prompt') ?? ''
    const name = names.includes(wanted) ? wanted : (names[0] ?? '')
    const older = versions.find(({ version }) => version < chosen.version)
    const other = versions.find(({ version }) => `v${version}` === query.get('with')) ?? older
    const after = await this.#side(now, name, signal)
    if (other === undefined) return { versions, names, name, after, before: undefined }
    const then = await api().getVersion({ version: `v${other.version}` }, { signal })
    return { versions, names, name, after, before: await this.#side(then, name, signal) }
  }

  async #side({ version, compiled }: GetVersionReply, name: string, signal: AbortSignal): Promise<Side> {
    const prompt = compiled.prompts.find((each) => each.name === name)
    if (prompt === undefined) return { version, prompt, text: '' }
    const { text } = await api().getVersionFile({ version: `v${version}`, path: prompt.file }, { signal })
    return { version, prompt, text }
  }

  #choose(name: string): (event: Event) => void {
    return ({ target }) => {
      if (!(target instanceof HTMLSelectElement)) return
      setQuery({ [name]: target.value })
      this.rendered = []
      void this.#data.run()
    }
  }

  async #render(event: Event, { name, after, before }: Shown): Promise<void> {
    event.preventDefault()
    const sides = [before, after].filter((side): side is Side => side?.prompt !== undefined)
    this.rendered = await Promise.all(
      sides.map(async ({ version, prompt }): Promise<Rendered> => {
        const variables = readVariables(prompt?.variables ?? {}, this.typed)
        try {
          return {
            version,
            reply: await api().renderPrompt({ version: `v${version}`, prompt: name, variables }),
          }
        } catch (error) {
          return { version, error: explainError(error) }
        }
      }),
    )
  }

  #head({ versions, names, name, after, before }: Shown) {
    const option = (value: string, current: string) =>
      html`<option value=${value} ?selected=${value === current}>${value}</option>`
    const numbers = versions.map(({ version }) => `v${version}`)
    return html`<div class="row choices">
      <label>Prompt <select @change=${this.#choose('prompt')}>${names.map((each) => option(each, name))}</select></label>
      <label>Version <select @change=${this.#choose('version')}>${numbers.map((each) => option(each, `v${after.version}`))}</select></label>
      ${
        before === undefined
          ? nothing
          : html`<label>Compared with <select @change=${this.#choose('with')}>${numbers.map((each) => option(each, `v${before.version}`))}</select></label>`
      }
    </div>`
  }

  #diff({ after, before }: Shown) {
    const lines = diffLines(before?.prompt === undefined ? after.text : before.text, after.text)
    const changed = lines.filter(({ kind }) => kind !== 'same').length
    const what =
      before?.prompt === undefined
        ? before === undefined
          ? 'the only version'
          : `not in v${before.version}`
        : changed === 0
          ? `the same as in v${before.version}`
          : `${changed} lines differ from v${before.version}`
    return html`<section class="card">
      <header><h2>Text</h2><span class="badge ${changed === 0 ? '' : 'accent'}">${what}</span></header>
      <div class="scroll" tabindex="0" role="region" aria-label="Text of the prompt"><pre>${lines.map(
        ({ kind, text }) => html`<span class=${kind}>${sign[kind]} ${text}\n</span>`,
      )}</pre></div>
    </section>`
  }

  #tryOut(shown: Shown) {
    const { prompt } = shown.after
    const schemas = { ...shown.before?.prompt?.variables, ...prompt?.variables }
    return html`<section class="card">
      <header><h2>Try it out</h2><span class="muted small">Rendered as a gateway does it; no model is asked</span></header>
      <form class="pad stack" @submit=${(event: Event) => this.#render(event, shown)}>
        ${Object.entries(schemas).map(([name, schema]) =>
          variableField(name, schema, {
            text: this.typed[name] ?? '',
            onInput: (text) => {
              this.typed = { ...this.typed, [name]: text }
            },
          }),
        )}
        <div><button class="primary">Render</button></div>
      </form>
      <div class="results" aria-live="polite">${this.rendered.map((each) => this.#result(each))}</div>
    </section>`
  }

  #result({ version, reply, error }: Rendered) {
    return html`<div class="pad">
      <h3>v${version}</h3>
      ${error === undefined ? nothing : html`<p class="error" role="alert">${error}</p>`}
      ${reply?.messages.map(
        ({ role, text }) =>
          html`<div class="message"><span class="badge">${role}</span><pre>${text}</pre></div>`,
      )}
    </div>`
  }

  #command({ name, after }: Shown) {
    const variables = JSON.stringify(readVariables(after.prompt?.variables ?? {}, this.typed))
    const text = [
      'curl -s $GATEWAY_URL/v1/chat/completions -H "authorization: Bearer $KEY" \\',
      `  -H 'x-signalbox-prompt: ${name}@v${after.version}' \\`,
      `  -H 'x-signalbox-variables: ${variables.replaceAll("'", '\\u0027')}' \\`,
      `  -d '{"model": "${after.prompt?.model ?? 'MODEL'}", "messages": [{"role": "user", "content": "Hello"}]}'`,
    ].join('\n')
    return html`<section class="card">
      <header><h2>Call it</h2><span class="muted small">Only versions that were deployed lately are kept by gateways</span></header>
      <div class="pad"><sb-copy-text .text=${text}></sb-copy-text></div>
    </section>`
  }

  override render() {
    return html`<div class="head"><h1>Prompts</h1></div>
      ${this.#data.render((shown) =>
        shown === null
          ? html`<section class="card"><sb-empty-state heading="No prompt yet" text="A prompt is a file of a workspace: prompts/NAME.prompt.md. Push one, and callers and policies can name it."></sb-empty-state></section>`
          : html`<div class="stack">${this.#head(shown)} ${this.#diff(shown)} ${this.#tryOut(shown)} ${this.#command(shown)}</div>`,
      )}`
  }

  static override styles = [
    shared,
    css`
      .choices { align-items: end; gap: 16px; }
      pre { margin: 0; padding: 14px 16px; line-height: 1.6; white-space: pre-wrap; overflow-wrap: anywhere; }
      .added { background: var(--good-soft); color: var(--good); display: block; }
      .removed { background: var(--bad-soft); color: var(--bad); display: block; }
      .same { display: block; }
      h3 { font-size: 13px; margin: 0 0 8px; }
      textarea { font: inherit; color: var(--text); background: var(--surface); border: 1px solid var(--line-strong);
        border-radius: 8px; padding: 6px 10px; }
      .results { display: grid; grid-template-columns: repeat(auto-fit, minmax(280px, 1fr)); }
      .message { border-top: 1px solid var(--line); padding: 10px 0; }
    `,
  ]
}
customElements.define('sb-prompts-page', PromptsPage)

export const page = definePage({
  path: '/prompts',
  title: 'Prompts',
  nav: { order: 2.5, icon: icons.prompts },
  render: () => html`<sb-prompts-page></sb-prompts-page>`,
})
