/** A line of a text in two versions: in both, only in the first, or only in the second. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Longer texts are shown as one removed and one added whole: the table of the comparison grows with the square. */
const linesMax = 2000

function whole(before: readonly string[], after: readonly string[]): DiffLine[] {
  return [
    ...before.map((text): DiffLine => ({ kind: 'removed', text })),
    ...after.map((text): DiffLine => ({ kind: 'added', text })),
  ]
}

/** Lengths of the longest common sequences of what is left from each pair of lines on. */
function commonLengths(before: readonly string[], after: readonly string[]): Uint16Array[] {
  const rows = Array.from({ length: before.length + 1 }, () => new Uint16Array(after.length + 1))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = rows[i] as Uint16Array
      const next = rows[i + 1] as Uint16Array
      row[j] = before[i] === after[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return rows
}

/** What changed between two texts, line by line: the fewest removed and added lines. */
export function diffLines(from: string, to: string): DiffLine[] {
  const before = from.split('\n')
  const after = to.split('\n')
  if (before.length > linesMax || after.length > linesMax) return whole(before, after)
  const common = commonLengths(before, after)
  const lines: DiffLine[] = []
  let [i, j] = [0, 0]
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push({ kind: 'same', text: before[i] ?? '' })
      i++
      j++
    } else if ((common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0)) {
      lines.push({ kind: 'removed', text: before[i++] ?? '' })
    } else lines.push({ kind: 'added', text: after[j++] ?? '' })
  }
  return [...lines, ...whole(before.slice(i), after.slice(j))]
}
