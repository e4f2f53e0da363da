import { describe, expect, it } from 'vitest'
import { expandMatrix } from '../../../policies/cases/expand-matrix.ts'

describe('expandMatrix', () => {
  it('gives every combination a name that tells it apart', () => {
    expect(expandMatrix({ 'a.b': [1, 2], c: ['x', null] })).toEqual([
      { suffix: ' [a.b=1, c=x]', set: { 'a.b': 1, c: 'x' } },
      { suffix: ' [a.b=1, c=null]', set: { 'a.b': 1, c: null } },
      { suffix: ' [a.b=2, c=x]', set: { 'a.b': 2, c: 'x' } },
      { suffix: ' [a.b=2, c=null]', set: { 'a.b': 2, c: null } },
    ])
  })

  it('is one case without a matrix', () => {
    expect(expandMatrix(undefined)).toEqual([{ suffix: '', set: {} }])
  })

  it('refuses more combinations than it may run, before it makes them', () => {
    const many = Array.from({ length: 64 }, (_, value) => value)
    expect(() => expandMatrix({ a: many, b: many, c: many, d: many, e: many })).toThrow(
      'the matrix has 1073741824 combinations; at most 1000 are run',
    )
  })
})
