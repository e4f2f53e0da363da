import fc from 'fast-check'
import { expect, test } from 'vitest'
import { locateJsonFault } from '../../control-plane/json-position.ts'

test.each([
  ['', 1, 1],
  ['{', 1, 2],
  ['{"a":}', 1, 6],
  ['{"a":1,}', 1, 8],
  ['{"a" 1}', 1, 6],
  ['{a:1}', 1, 2],
  ['[1,,2]', 1, 4],
  ['[1 2]', 1, 4],
  ['[1}', 1, 3],
  ['{"a":1}}', 1, 8],
  ['{"a":01}', 1, 7],
  ['"tab\there"', 1, 1],
  ['{"a":"\\x"}', 1, 6],
  ['nul', 1, 1],
  ['{\n  "a": 1,\n  "b": oops\n}', 3, 8],
  ['{"a": [1, 2, {"b": tru}]}', 1, 20],
])('finds where %j goes wrong', (text, line, column) => {
  expect(() => JSON.parse(text) as unknown).toThrow()
  expect(locateJsonFault(text)).toEqual({ line, column })
})

test('agrees with JSON.parse about what is whole: of valid text nothing is found before its end', () => {
  fc.assert(
    fc.property(fc.json(), fc.integer({ min: 0, max: 2 }), (text, spaces) => {
      const padded = `${' '.repeat(spaces)}${text}`
      expect(locateJsonFault(padded)).toEqual(endOf(padded))
    }),
  )
})

test('finds the end of text that was cut, or the cut scalar, never beyond', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), (text, at) => {
      const cut = text.slice(0, at % (text.length + 1))
      const { line, column } = locateJsonFault(cut)
      const end = endOf(cut)
      expect(line).toBeLessThanOrEqual(end.line)
      if (line === end.line) expect(column).toBeLessThanOrEqual(end.column)
    }),
  )
})

function endOf(text: string): { line: number; column: number } {
  const lines = text.split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
