import {
  Annotation,
  type ChangeSet,
  EditorSelection,
  type Extension,
  StateField,
  Transaction,
} from '@codemirror/state'
import { type EditorView, type KeyBinding, keymap } from '@codemirror/view'

interface Step {
  readonly changes: ChangeSet
  readonly selection: EditorSelection
  readonly timeMs: number
  readonly kind: string
}
interface Steps {
  readonly undo: readonly Step[]
  readonly redo: readonly Step[]
}

const stepsMax = 400
/** Keystrokes of one kind that follow each other within this time are one step. */
const togetherMs = 600
const fromHistory = Annotation.define<'undo' | 'redo'>()

/** The step that takes a transaction back. */
function inverseOf(transaction: Transaction, timeMs: number): Step {
  const { startState, changes } = transaction
  const kind = transaction.annotation(Transaction.userEvent) ?? ''
  return { changes: changes.invert(startState.doc), selection: startState.selection, timeMs, kind }
}

function joined(last: Step | undefined, next: Step): Step | undefined {
  if (last === undefined || !/^(input\.type|delete)/.test(next.kind)) return undefined
  if (last.kind !== next.kind || next.timeMs - last.timeMs > togetherMs) return undefined
  return { ...next, changes: next.changes.compose(last.changes), selection: last.selection }
}

const steps = StateField.define<Steps>({
  create: () => ({ undo: [], redo: [] }),
  update(value, transaction) {
    if (!transaction.docChanged) return value
    const step = inverseOf(transaction, transaction.annotation(Transaction.time) ?? 0)
    const source = transaction.annotation(fromHistory)
    if (source === 'undo') return { undo: value.undo.slice(0, -1), redo: [...value.redo, step] }
    if (source === 'redo') return { undo: [...value.undo, step], redo: value.redo.slice(0, -1) }
    const one = joined(value.undo.at(-1), step)
    const undo = one === undefined ? [...value.undo, step] : [...value.undo.slice(0, -1), one]
    return { undo: undo.slice(-stepsMax), redo: [] }
  },
})

function go(view: EditorView, way: 'undo' | 'redo'): boolean {
  const step = view.state.field(steps)[way].at(-1)
  if (step === undefined) return false
  const { changes, selection } = step
  view.dispatch({ changes, selection, annotations: fromHistory.of(way), scrollIntoView: true })
  return true
}

/** A new line as deep as the one before; deeper after an opening bracket. */
function newLine(view: EditorView): boolean {
  const { state } = view
  view.dispatch(
    state.changeByRange(({ from, to }) => {
      const line = state.doc.lineAt(from)
      const before = line.text.slice(0, from - line.from)
      const indent = /^\s*/.exec(before)?.[0] ?? ''
      const insert = `${state.lineBreak}${indent}${/[[({]\s*$/.test(before) ? '  ' : ''}`
      return { changes: { from, to, insert }, range: EditorSelection.cursor(from + insert.length) }
    }),
    { scrollIntoView: true, userEvent: 'input' },
  )
  return true
}

const bindings: readonly KeyBinding[] = [
  { key: 'Mod-z', run: (view) => go(view, 'undo'), preventDefault: true },
  { key: 'Mod-y', mac: 'Mod-Shift-z', run: (view) => go(view, 'redo'), preventDefault: true },
  { key: 'Mod-Shift-z', run: (view) => go(view, 'redo'), preventDefault: true },
  { key: 'Enter', run: newLine },
]

/** Undo, redo and new lines; Tab is left alone, so that it leads out of the editor. */
export function editing(): Extension {
  return [steps, keymap.of(bindings)]
}
