import type { CompletionSource } from '@codemirror/autocomplete'
import { css, html, LitElement, nothing } from 'lit'
import { setQuery } from '../router.ts'
import { formatDuration } from '../ui/format.ts'
import { shared } from '../ui/styles.ts'
import { CodeEditor } from './code-editor.ts'
import { pathCompletion, typescriptCompletion } from './completions.ts'
import './coverage-panel.ts'
import './facts-panel.ts'
import './result-panel.ts'
import { download } from './draft.ts'
import { lineMarks } from './line-marks.ts'
import { type PlaygroundProblem, PlaygroundSession } from './session.ts'

const groups = ['policies', 'guardrails', 'prompts', 'tests', 'fixtures'] as const
const groupOf = (path: string): string => groups.find((each) => path.startsWith(`${each}/`)) ?? 'workspace'

/** Edit, compile, decide, explain: nothing of it is stored. */
export class PlaygroundView extends LitElement {
  readonly #session = new PlaygroundSession(this)
  readonly #inPolicies: CompletionSource = typescriptCompletion(() => this.#session.vocabulary)
  readonly #inOthers: CompletionSource = pathCompletion(() => this.#session.vocabulary)

  override firstUpdated(): void {
    void this.#session.start(new URLSearchParams(location.search).get('record'))
  }

  override updated(): void {
    const { source } = this.#session.facts
    if (this.#session.version !== undefined) {
      setQuery({ record: source.startsWith('record ') ? source.slice('record '.length) : '' })
    }
  }

  async #openPlace({ file, line, column }: { file: string; line: number; column: number }): Promise<void> {
    if (file !== this.#session.open && this.#session.paths.includes(file)) await this.#session.show(file)
    await this.updateComplete
    const editor = this.renderRoot.querySelector('sb-code-editor')
    if (editor instanceof CodeEditor) {
      await editor.updateComplete
      editor.reveal(line, column)
    }
  }

  #status() {
    const { work, problems, isCurrent, latencyMs, error, isKept } = this.#session
    const errors = problems.filter(({ severity }) => severity === 'error').length
    const words =
      work === 'building'
        ? 'compiling…'
        : work === 'checking'
          ? 'checking types and cases…'
          : isCurrent
            ? 'compiled'
            : ''
    return html`<div class="row" role="status">
      ${errors > 0 ? html`<span class="badge bad">${errors} ${errors === 1 ? 'error' : 'errors'}</span>` : nothing}
      ${errors > 0 && !isCurrent ? html`<span class="muted small">decided with what compiled last</span>` : nothing}
      <span class="muted small">${words}</span>
      ${latencyMs > 0 && isCurrent ? html`<span class="muted small">${formatDuration(latencyMs)} from key to decision</span>` : nothing}
      ${isKept ? nothing : html`<span class="badge warn">this browser has no room to keep your edits</span>`}
    </div>
    ${error === '' ? nothing : html`<p class="error" role="alert">${error}</p>`}`
  }

  #files() {
    const { paths, open, files, problems } = this.#session
    const wrong = new Set(problems.filter(({ severity }) => severity === 'error').map(({ file }) => file))
    const sorted = (group: string): string[] => paths.filter((path) => groupOf(path) === group).sort()
    return html`<nav aria-label="Files">
      ${['workspace', ...groups].map((group) => {
        const own = sorted(group)
        if (own.length === 0) return nothing
        return html`<p class="muted small group">${group}</p>
          ${own.map(
            (
              path,
            ) => html`<button class="quiet" aria-current=${path === open ? 'true' : nothing} @click=${() => void this.#session.show(path)}>
              <span class="path">${path.replace(`${group}/`, '')}</span>
              ${path in files ? html`<span class="dot" role="img" aria-label="edited">●</span>` : nothing}
              ${wrong.has(path) ? html`<span class="bad" role="img" aria-label="has errors">!</span>` : nothing}
            </button>`,
          )}`
      })}
    </nav>`
  }

  #problem(problem: PlaygroundProblem) {
    const { severity, file, line, column, code, message } = problem
    const tone = severity === 'error' ? 'bad' : severity === 'warning' ? 'warn' : ''
    return html`<li><button class="quiet" @click=${() => void this.#openPlace(problem)}>
      <span class="badge ${tone}">${severity}</span> <code>${file}:${line}:${column}</code> <span>${message}</span> <code class="muted">${code}</code>
    </button></li>`
  }

  #editor() {
    const { open, openText, problems, tried, isCurrent, files } = this.#session
    const marks = tried !== undefined && isCurrent ? lineMarks(open, openText, tried.explanation) : []
    return html`<div class="editor">
      <div class="bar row spread">
        <code>${open}</code>
        <span class="row">
          ${open in files ? html`<button class="quiet" @click=${() => void this.#session.revert(open)}>Undo edits</button>` : nothing}
          <button class="quiet" @click=${() => download(open, openText)}>Download</button>
        </span>
      </div>
      <sb-code-editor .path=${open} .text=${openText} label=${`Source of ${open}`} .marks=${marks}
        .problems=${problems.filter(({ file }) => file === open)}
        .complete=${open.endsWith('.ts') ? this.#inPolicies : this.#inOthers}
        @text-changed=${({ detail }: CustomEvent<string>) => this.#session.edit(detail)}></sb-code-editor>
    </div>`
  }

  #toolbar() {
    const { versions, version, files } = this.#session
    const edited = Object.keys(files).length
    return html`<div class="head">
      <div><h1>Playground</h1>
        <p class="muted small">Nothing here is stored or published: edits stay in this tab. Download what you keep, and publish it through Git.</p></div>
      <div class="row">
        ${edited === 0 ? nothing : html`<button @click=${() => void this.#session.revert()}>Undo all edits (${edited} ${edited === 1 ? 'file' : 'files'})</button>`}
        <label class="pick">Version
          <select @change=${(event: Event) => void this.#session.choose(Number((event.target as HTMLSelectElement).value))}>
            ${versions.map((each) => html`<option value=${each.version} ?selected=${each.version === version?.version}>${each.workspace} v${each.version}</option>`)}
          </select></label>
      </div>
    </div>`
  }

  override render() {
    const session = this.#session
    const { version, tried, triedError, problems, facts, cases } = session
    if (version === undefined) {
      if (session.error !== '') return html`<p class="error" role="alert">${session.error}</p>`
      return !session.isStarted
        ? html`<p class="muted" role="status">Loading…</p>`
        : html`<sb-empty-state heading="No version yet" text="Push a workspace first; then its policies can be tried out here."></sb-empty-state>`
    }
    const seen = tried === undefined ? [] : session.seen.report(tried.explanation, cases)
    return html`${this.#toolbar()} ${this.#status()}
      <div class="desk">
        <section class="card source" aria-label="Sources">${this.#files()} ${this.#editor()}</section>
        <section class="card" aria-label="Facts">
          <sb-facts-panel .session=${session} .text=${facts.text} .source=${facts.source} .error=${triedError}></sb-facts-panel>
        </section>
        ${
          problems.length === 0
            ? nothing
            : html`<section class="card wide" aria-label="Problems"><ul class="problems">${problems.map((each) => this.#problem(each))}</ul></section>`
        }
        <section class="card result" aria-label="Decision"><sb-result-panel .tried=${tried}></sb-result-panel></section>
        <section class="card" aria-label="Coverage">
          <sb-coverage-panel .policies=${seen} .cases=${cases} .tried=${session.seen.tried.size}
            @open-place=${({ detail }: CustomEvent<{ file: string; line: number; column: number }>) => void this.#openPlace(detail)}></sb-coverage-panel>
        </section>
      </div>`
  }

  static override styles = [
    shared,
    css`
      .head { margin-bottom: 8px; }
      .desk { display: grid; grid-template-columns: minmax(0, 5fr) minmax(280px, 2fr); gap: 16px; margin-top: 12px; align-items: start; }
      .wide { grid-column: 1 / -1; }
      .source { display: grid; grid-template-columns: 176px minmax(0, 1fr); }
      .source, sb-facts-panel { height: 460px; }
      nav { border-right: 1px solid var(--line); padding: 8px; overflow-y: auto; }
      .group { padding: 6px 8px 2px; }
      nav button { width: 100%; font-size: 13px; justify-content: start; text-align: left; font-weight: 460; padding: 4px 8px; }
      nav button[aria-current] { background: var(--accent-soft); color: var(--accent); }
      .path { overflow-wrap: anywhere; flex: 1; }
      .dot { color: var(--warn); }
      .bad { color: var(--bad); font-weight: 700; }
      .editor { display: grid; grid-template-rows: auto minmax(0, 1fr); min-width: 0; min-height: 0; }
      .bar { padding: 4px 6px 4px 14px; border-bottom: 1px solid var(--line); flex-wrap: nowrap; min-height: 42px; }
      .bar code { overflow-wrap: anywhere; }
      sb-code-editor { min-height: 0; overflow: hidden; }
      .pick { display: flex; align-items: center; gap: 8px; }
      .problems { list-style: none; margin: 0; padding: 6px; max-height: 190px; overflow-y: auto; }
      .problems button { display: block; width: 100%; text-align: left; font-weight: 400; color: var(--text); overflow-wrap: anywhere; }
      @media (max-width: 1000px) {
        .desk { grid-template-columns: minmax(0, 1fr); }
        sb-facts-panel { height: 320px; }
      }
      @media (max-width: 700px) {
        .source { grid-template-columns: minmax(0, 1fr); grid-template-rows: 150px 380px; height: auto; }
        nav { border-right: 0; border-bottom: 1px solid var(--line); }
      }
    `,
  ]
}
customElements.define('sb-playground-view', PlaygroundView)
