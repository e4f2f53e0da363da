/** A line of a comparison; numbers count from 1, each in its own text. `gap`: lines that are the same are left out. */
export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed' | 'gap'
  readonly text: string
  readonly before?: number
  readonly after?: number
}

/** Lines of one text beyond which the middle is shown as taken out and put in, without a search for what stayed. */
const searchedMax = 3000
const contextLines = 3

/** Lengths of the longest common subsequences of what follows each pair of lines. */
function commonLengths(was: readonly string[], is: readonly string[]): Uint16Array[] {
  const rows = Array.from({ length: was.length + 1 }, () => new Uint16Array(is.length + 1))
  for (let i = was.length - 1; i >= 0; i--) {
    for (let j = is.length - 1; j >= 0; j--) {
      const [row, next] = [rows[i], rows[i + 1]]
      if (row === undefined || next === undefined) continue
      row[j] = was[i] === is[j] ? (next[j + 1] ?? 0) + 1 : Math.max(next[j] ?? 0, row[j + 1] ?? 0)
    }
  }
  return rows
}

function middle(was: readonly string[], is: readonly string[], start: number): DiffLine[] {
  const lines: DiffLine[] = []
  const searched = Math.max(was.length, is.length) <= searchedMax
  const common = searched ? commonLengths(was, is) : []
  let [i, j] = [0, 0]
  while (i < was.length || j < is.length) {
    const [old, now] = [was[i], is[j]]
    if (searched && old !== undefined && old === now) {
      lines.push({ kind: 'same', text: old, before: start + ++i, after: start + ++j })
    } else if (
      old !== undefined &&
      (now === undefined || (common[i + 1]?.[j] ?? 0) >= (common[i]?.[j + 1] ?? 0))
    ) {
      lines.push({ kind: 'removed', text: old, before: start + ++i })
    } else if (now !== undefined) lines.push({ kind: 'added', text: now, after: start + ++j })
  }
  return lines
}

/** Leaves out lines that are far from every change. */
function withoutFar(lines: readonly DiffLine[]): DiffLine[] {
  const near = new Uint8Array(lines.length)
  for (const [at, { kind }] of lines.entries()) {
    if (kind !== 'same') near.fill(1, Math.max(0, at - contextLines), at + contextLines + 1)
  }
  return lines.flatMap((line, at): DiffLine[] => {
    if (near[at] === 1) return [line]
    return at === 0 || near[at - 1] === 1 ? [{ kind: 'gap', text: '' }] : []
  })
}

/** What to take from one text and to put in for the other, with some lines around each change. */
export function diffLines(before: string, after: string): DiffLine[] {
  const split = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))
  const [was, is] = [split(before), split(after)]
  let start = 0
  while (start < was.length && start < is.length && was[start] === is[start]) start++
  let end = 0
  while (end < was.length - start && end < is.length - start && was.at(-1 - end) === is.at(-1 - end)) end++
  const head = was.slice(0, start).map((text, at): DiffLine => {
    return { kind: 'same', text, before: at + 1, after: at + 1 }
  })
  const tail = was.slice(was.length - end).map((text, at): DiffLine => {
    return { kind: 'same', text, before: was.length - end + at + 1, after: is.length - end + at + 1 }
  })
  const changed = middle(was.slice(start, was.length - end), is.slice(start, is.length - end), start)
  return withoutFar([...head, ...changed, ...tail])
}
