import { describe, expect, it } from 'vitest'
import { type DiffLine, diffLines } from '../../web/ui/text-diff.ts'

const shown = (lines: readonly DiffLine[]): string[] =>
  lines.map(({ kind, text, before, after }) => `${kind} ${before ?? ''}:${after ?? ''} ${text}`.trim())

describe('the comparison of two texts', () => {
  it('finds nothing between a text and itself but lines that are left out', () => {
    expect(shown(diffLines('a\nb\n', 'a\nb\n'))).toEqual(['gap :'])
    expect(diffLines('', '')).toEqual([])
  })

  it('takes out and puts in the fewest lines, with numbers of both texts', () => {
    expect(shown(diffLines('a\nb\nc\nd\n', 'a\nc\nx\nd\n'))).toEqual([
      'same 1:1 a',
      'removed 2: b',
      'same 3:2 c',
      'added :3 x',
      'same 4:4 d',
    ])
    expect(shown(diffLines('', 'one\ntwo'))).toEqual(['added :1 one', 'added :2 two'])
    expect(shown(diffLines('one\n', ''))).toEqual(['removed 1: one'])
  })

  it('leaves out what is far from a change, once for each stretch', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`)
    const changed = lines.with(9, 'other')
    expect(shown(diffLines(lines.join('\n'), changed.join('\n')))).toEqual([
      'gap :',
      ...['same 7:7 line 7', 'same 8:8 line 8', 'same 9:9 line 9'],
      ...['removed 10: line 10', 'added :10 other'],
      ...['same 11:11 line 11', 'same 12:12 line 12', 'same 13:13 line 13'],
      'gap :',
    ])
  })

  it('gives the second text back when its changes are laid over the first', () => {
    const words = ['a', 'b', 'c']
    let seed = 7
    const next = (): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed
    }
    for (let round = 0; round < 200; round++) {
      const text = (): string[] => Array.from({ length: next() % 8 }, () => words[next() % 3] ?? '')
      const [was, is] = [text(), text()]
      const lines = diffLines(was.join('\n'), is.join('\n')).filter(({ kind }) => kind !== 'gap')
      for (const line of lines) {
        if (line.after !== undefined) expect(is[line.after - 1]).toBe(line.text)
        if (line.before !== undefined) expect(was[line.before - 1]).toBe(line.text)
      }
      const added = lines.filter(({ kind }) => kind === 'added').length
      const removed = lines.filter(({ kind }) => kind === 'removed').length
      expect(is.length - was.length).toBe(added - removed)
    }
  })
})
