import type { Explanation } from '@signalbox/sdk'
import type { LineMark } from './condition-marks.ts'

/** Where a condition stands, as its author wrote it, from the line of its rule on; that line where it is not found. */
function lineOf(text: string, condition: string, ruleLine: number): number {
  const start = text.split('\n', ruleLine - 1).reduce((sum, line) => sum + line.length + 1, 0)
  const [first = ''] = condition.split('\n')
  const at = first === '' ? -1 : text.indexOf(first, start)
  return at === -1 ? ruleLine : text.slice(0, at).split('\n').length
}

/** Marks for the lines of one file: what each condition came to, with its values. */
export function lineMarks(path: string, text: string, { policies }: Explanation): LineMark[] {
  return policies
    .filter(({ file }) => file === path)
    .flatMap(({ rules }) =>
      rules.flatMap((rule) =>
        rule.conditions.map(({ text: condition, shown, outcome }) => ({
          line: lineOf(text, condition, rule.line),
          outcome,
          shown,
        })),
      ),
    )
}
