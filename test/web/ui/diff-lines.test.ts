import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diffLines } from '../../../web/ui/diff-lines.ts'

const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'))

describe('lines that differ', () => {
  it('give both texts again', () => {
    fc.assert(
      fc.property(text, text, (from, to) => {
        const lines = diffLines(from, to)
        const without = (kind: string) => lines.filter((line) => line.kind !== kind).map((line) => line.text)
        expect([without('added').join('\n'), without('removed').join('\n')]).toEqual([from, to])
      }),
    )
  })

  it('are the fewest', () => {
    expect(diffLines('a\nb\nc', 'a\nc\nd').map(({ kind, text: line }) => `${kind} ${line}`)).toEqual([
      'same a',
      'removed b',
      'same c',
      'added d',
    ])
    expect(diffLines('a\nb', 'a\nb').every(({ kind }) => kind === 'same')).toBe(true)
  })
})
