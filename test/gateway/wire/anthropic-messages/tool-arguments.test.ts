import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  argumentsOfInput,
  inputOfArguments,
} from '../../../../gateway/wire/anthropic-messages/tool-arguments.ts'

/** What the wire would carry. */
function overTheWire(text: string, isCut = false): string {
  return argumentsOfInput(JSON.parse(JSON.stringify(inputOfArguments(text, isCut))))
}

describe('arguments of tool calls', () => {
  it('are an object to Anthropic', () => {
    expect(inputOfArguments('{"a":[1]}')).toEqual({ a: [1] })
    expect(inputOfArguments('')).toEqual({})
    expect(inputOfArguments(' null ')).toEqual({})
  })

  it('survive as they are when they are no object', () => {
    for (const text of ['{"a": ', 'oops', '[1,2]', '"x"', '7', '{"_raw":'])
      expect(overTheWire(text)).toBe(text)
  })

  it('are not made whole when the answer was cut before they came', () => {
    expect(inputOfArguments('', true)).toEqual({ _raw: '' })
    expect(overTheWire('', true)).toBe('')
  })

  it('keep integers that a double cannot hold', () => {
    expect(JSON.stringify(inputOfArguments('{"id":12345678901234567890}'))).toBe(
      '{"id":12345678901234567890}',
    )
  })

  it('keep a member called _raw of their own', () => {
    expect(overTheWire('{"_raw":"{\\"a\\":1}"}')).toBe('{"_raw":"{\\"a\\":1}"}')
    expect(overTheWire('{"_raw":1}')).toBe('{"_raw":1}')
  })

  it('mean the same there and back, whatever they are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value)
        expect(JSON.parse(overTheWire(text))).toEqual(JSON.parse(text))
      }),
    )
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(text.trim() !== '' && text.trim() !== 'null' && !text.trim().startsWith('{'))
        expect(overTheWire(text)).toBe(text)
      }),
    )
  })
})
