import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findJsonBreak } from '../../gateway/json-break.ts'

describe('the place where a text stops being JSON', () => {
  it.each<[string, number]>([
    ['{"a": tru}', 6],
    ['{"a": 1,}', 8],
    ['{"a" 1}', 5],
    ['{a: 1}', 1],
    ['[1, 2', 5],
    ['{"a": "b', 8],
    ['{"a": "\n"}', 7],
    ['{"a": "\\x"}', 7],
    ['[01]', 2],
    ['{} x', 3],
    ['\ufeff{}', 0],
    ['[1}', 2],
    ['{"model": "gpt", "messages": [secret]}', 30],
    ['', 0],
  ])('of %j is %i', (text, position) => {
    expect(() => JSON.parse(text)).toThrow()
    expect(findJsonBreak(text)).toBe(position)
  })

  it('is the end for every beginning of a JSON text that is cut off', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), (text, seed) => {
        const cut = text.slice(0, seed % (text.length + 1))
        const wrapped = `[${cut}`
        const at = findJsonBreak(wrapped)
        // A cut inside `true` or a number's exponent is seen at its start.
        expect(at).toBeLessThanOrEqual(wrapped.length)
        expect(wrapped.slice(at)).toMatch(/^[a-z\-\d.eE+\\u]*$/i)
      }),
    )
  })
})
