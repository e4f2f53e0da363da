import { autocompletion, type CompletionSource } from '@codemirror/autocomplete'
import { javascript } from '@codemirror/lang-javascript'
import { json } from '@codemirror/lang-json'
import { markdown } from '@codemirror/lang-markdown'
import { yaml } from '@codemirror/lang-yaml'
import { bracketMatching, type LanguageSupport } from '@codemirror/language'
import { type Diagnostic, setDiagnostics } from '@codemirror/lint'
import { EditorState, type Extension } from '@codemirror/state'
import { drawSelection, EditorView, lineNumbers } from '@codemirror/view'
import { LitElement } from 'lit'
import { conditionMarks, type LineMark, setMarks } from './condition-marks.ts'
import { editorLook } from './editor-look.ts'
import { editing } from './history.ts'

/** Something to tell of a place in the text. Lines and columns count from 1. */
export interface EditorProblem {
  readonly severity: 'error' | 'warning' | 'note'
  readonly line: number
  readonly column: number
  readonly message: string
}

function languageOf(path: string): LanguageSupport | Extension {
  if (path.endsWith('.ts')) return javascript({ typescript: true })
  if (path.endsWith('.json')) return json()
  if (path.endsWith('.md')) return markdown()
  return yaml()
}

/** Open files whose state (undo, selection, place) is kept while another is looked at. */
const statesMax = 64

/**
 * An editor of one file at a time.
 * @fires text-changed - `detail` is the new text
 */
export class CodeEditor extends LitElement {
  static override properties = { path: {}, text: {}, label: {}, problems: {}, marks: {}, complete: {} }
  declare path: string
  declare text: string
  declare label: string
  declare problems: readonly EditorProblem[]
  declare marks: readonly LineMark[]
  declare complete: CompletionSource | undefined
  #view: EditorView | undefined
  #shown = ''
  readonly #states = new Map<string, EditorState>()

  constructor() {
    super()
    this.path = ''
    this.text = ''
    this.label = 'Editor'
    this.problems = []
    this.marks = []
    this.complete = undefined
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback()
    this.#view?.destroy()
    this.#view = undefined
  }

  override connectedCallback(): void {
    super.connectedCallback()
    if (this.hasUpdated) this.requestUpdate()
  }

  override firstUpdated(): void {
    this.#open()
  }

  override updated(changed: Map<string, unknown>): void {
    if (this.#view === undefined || this.#shown !== this.path) this.#open()
    const view = this.#view
    if (view === undefined) return
    if (changed.has('text') && view.state.doc.toString() !== this.text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: this.text } })
    }
    view.dispatch(setDiagnostics(view.state, this.#diagnostics(view)))
    view.dispatch({ effects: setMarks.of(this.marks) })
  }

  /** Puts the cursor at a place and shows it. Both count from 1. */
  reveal(line: number, column: number): void {
    const view = this.#view
    if (view === undefined) return
    const at = this.#offset(view, line, column)
    view.dispatch({ selection: { anchor: at }, scrollIntoView: true })
    view.focus()
  }

  #offset(view: EditorView, line: number, column: number): number {
    const { doc } = view.state
    const found = doc.line(Math.min(Math.max(1, line), doc.lines))
    return Math.min(found.to, found.from + column - 1)
  }

  #diagnostics(view: EditorView): Diagnostic[] {
    return this.problems.map(({ severity, line, column, message }) => {
      const from = this.#offset(view, line, column)
      const end = /^[\w$.-]+/.exec(view.state.doc.sliceString(from, from + 80))?.[0].length ?? 1
      return {
        from,
        to: Math.min(view.state.doc.length, from + end),
        severity: severity === 'note' ? 'info' : severity,
        message,
      }
    })
  }

  #open(): void {
    if (this.#view !== undefined) {
      if (this.#states.size >= statesMax) this.#states.clear()
      this.#states.set(this.#shown, this.#view.state)
    }
    this.#shown = this.path
    const known = this.#states.get(this.path)
    const state = known?.doc.toString() === this.text ? known : this.#newState()
    if (this.#view === undefined)
      this.#view = new EditorView({ state, parent: this.renderRoot, root: this.shadowRoot ?? document })
    else this.#view.setState(state)
  }

  #newState(): EditorState {
    return EditorState.create({
      doc: this.text,
      extensions: [
        lineNumbers(),
        conditionMarks(),
        editing(),
        drawSelection(),
        bracketMatching(),
        EditorState.tabSize.of(2),
        EditorView.contentAttributes.of({ 'aria-label': this.label, spellcheck: 'false', tabindex: '0' }),
        autocompletion({
          override: [(context) => this.complete?.(context) ?? null],
          activateOnTypingDelay: 80,
        }),
        languageOf(this.path),
        editorLook(),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return
          this.text = update.state.doc.toString()
          this.dispatchEvent(new CustomEvent('text-changed', { detail: this.text }))
        }),
      ],
    })
  }
}
customElements.define('sb-code-editor', CodeEditor)
