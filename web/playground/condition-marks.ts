import { type Extension, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state'
import {
  Decoration,
  type DecorationSet,
  EditorView,
  GutterMarker,
  gutter,
  WidgetType,
} from '@codemirror/view'

export type MarkOutcome = 'true' | 'false' | 'notEvaluated' | 'threw' | 'unknown'
/** What a condition came to, for the line it stands in. */
export interface LineMark {
  /** Counts from 1. */
  readonly line: number
  readonly outcome: MarkOutcome
  /** The condition with its values; empty for a rule without one. */
  readonly shown: string
}

const signs: Readonly<Record<MarkOutcome, string>> = {
  true: '✓',
  false: '✗',
  notEvaluated: '–',
  threw: '!',
  unknown: '?',
}
const words: Readonly<Record<MarkOutcome, string>> = {
  true: 'true',
  false: 'false',
  notEvaluated: 'not evaluated',
  threw: 'threw',
  unknown: 'unknown',
}

class Sign extends GutterMarker {
  readonly marks: readonly LineMark[]
  constructor(marks: readonly LineMark[]) {
    super()
    this.marks = marks
  }

  override toDOM(): Node {
    const span = document.createElement('span')
    const [first] = this.marks
    const outcomes = new Set(this.marks.map(({ outcome }) => outcome))
    span.className = outcomes.size === 1 ? (first?.outcome ?? '') : 'mixed'
    span.textContent = outcomes.size === 1 && first !== undefined ? signs[first.outcome] : '±'
    span.title = this.marks.map(({ outcome, shown }) => `${words[outcome]}: ${shown}`).join('\n')
    return span
  }
}

class Value extends WidgetType {
  readonly text: string
  constructor(text: string) {
    super()
    this.text = text
  }

  override eq(other: Value): boolean {
    return other.text === this.text
  }

  override toDOM(): HTMLElement {
    const span = document.createElement('div')
    span.className = 'cm-value'
    span.textContent = this.text
    return span
  }
}

export const setMarks = StateEffect.define<readonly LineMark[]>()

const byLine = (marks: readonly LineMark[]): Map<number, LineMark[]> =>
  Map.groupBy(
    [...marks].sort((a, b) => a.line - b.line),
    ({ line }) => line,
  )

const current = StateField.define<{ marks: readonly LineMark[]; values: DecorationSet }>({
  create: () => ({ marks: [], values: Decoration.none }),
  update(value, transaction) {
    const effect = transaction.effects.find((each) => each.is(setMarks))
    if (effect === undefined) {
      // What was said of a text that has changed since is shown no longer.
      return transaction.docChanged ? { marks: [], values: Decoration.none } : value
    }
    const { doc } = transaction.state
    const builder = new RangeSetBuilder<Decoration>()
    const marks: LineMark[] = effect.value.filter(({ line }: LineMark) => line >= 1 && line <= doc.lines)
    for (const [line, own] of byLine(marks)) {
      const text = own.map(({ outcome, shown }) => `${words[outcome]}: ${shown}`).join('   ')
      const { to, text: source } = doc.line(line)
      const indent = /^\s*/.exec(source)?.[0] ?? ''
      builder.add(to, to, Decoration.widget({ widget: new Value(indent + text), block: true, side: 1 }))
    }
    return { marks, values: builder.finish() }
  },
  provide: (field) => EditorView.decorations.from(field, ({ values }) => values),
})

/** Signs in the gutter and values behind the lines. */
export function conditionMarks(): Extension {
  return [
    current,
    gutter({
      class: 'cm-mark',
      markers(view) {
        const { doc } = view.state
        const builder = new RangeSetBuilder<GutterMarker>()
        for (const [line, own] of byLine(view.state.field(current).marks)) {
          const { from } = doc.line(line)
          builder.add(from, from, new Sign(own))
        }
        return builder.finish()
      },
    }),
  ]
}
