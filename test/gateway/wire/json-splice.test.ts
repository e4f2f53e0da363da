import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JsonEdit, spliceJson, spliceRequest } from '../../../gateway/wire/json-splice.ts'

function splice(text: string, ...edits: JsonEdit[]): string {
  return spliceJson(Buffer.from(text), edits).toString()
}
const set = (name: string, value: unknown): JsonEdit => ({ path: [name], value: JSON.stringify(value) })
const drop = (name: string): JsonEdit => ({ path: [name], value: undefined })

describe('spliceJson', () => {
  it('replaces a value where it stands and leaves every other byte', () => {
    const text =
      '\uFEFF\n{ "a" : [1,{"model":"x"},"}"] ,\t"model":\r\n"gpt",  "n": 12345678901234567890.10 } \n'
    expect(splice(text, set('model', 'claude'))).toBe(text.replace('"gpt"', '"claude"'))
  })

  it('replaces of duplicates the last one, which is the one that counts', () => {
    expect(splice('{"m":1,"m":2,"x":{"m":3}}', set('m', 9))).toBe('{"m":1,"m":9,"x":{"m":3}}')
  })

  it('adds what is missing at the end, also to an empty object', () => {
    expect(splice('{"a":1 }', set('b', 2), set('c', 3))).toBe('{"a":1,"b":2,"c":3 }')
    expect(splice(' { } ', set('b', 2))).toBe(' {"b":2 } ')
  })

  it('removes a member with its comma and all its duplicates', () => {
    expect(splice('{"a":1, "b":2, "c":3}', drop('a'))).toBe('{"b":2, "c":3}')
    expect(splice('{"a":1, "b":2, "c":3}', drop('b'))).toBe('{"a":1, "c":3}')
    expect(splice('{"a":1, "b":2, "c":3}', drop('c'))).toBe('{"a":1, "b":2}')
    expect(splice('{"b":1,"a":2,"b":3}', drop('b'))).toBe('{"a":2}')
    expect(splice('{"a":1}', drop('a'))).toBe('{}')
    expect(splice('{"a":1}', drop('x'))).toBe('{"a":1}')
    expect(splice('{"a":1,"b":2}', drop('a'), drop('b'), set('c', 3))).toBe('{"c":3}')
  })

  it('changes a member one level below, or makes the level', () => {
    const usage: JsonEdit = { path: ['stream_options', 'include_usage'], value: 'true' }
    expect(splice('{"stream":true}', usage)).toBe('{"stream":true,"stream_options":{"include_usage":true}}')
    expect(splice('{"stream_options": {"x": 1} }', usage)).toBe(
      '{"stream_options": {"x": 1,"include_usage":true} }',
    )
    expect(splice('{"stream_options":{"include_usage":false}}', usage)).toBe(
      '{"stream_options":{"include_usage":true}}',
    )
    expect(splice('{"stream_options":null}', usage)).toBe('{"stream_options":{"include_usage":true}}')
    expect(splice('{"stream_options":{}}', usage, set('model', 'm'))).toBe(
      '{"stream_options":{"include_usage":true},"model":"m"}',
    )
  })

  it('finds names that are written with escapes', () => {
    expect(splice('{"mo\\u0064el":"a"}', set('model', 'b'))).toBe('{"mo\\u0064el":"b"}')
  })

  it('is not misled by quotes, braces and backslashes inside strings', () => {
    const text = '{"a":"\\\\\\"}]{[\\\\","model":"x","z":"\\"model\\":1"}'
    expect(splice(text, set('model', 'y'))).toBe(text.replace('"x"', '"y"'))
  })

  it('throws where the bytes are no whole object', () => {
    for (const text of ['', '[]', '{', '{"a"', '{"a":', '{"a":1', '{"a":"', '{"a":[1}', '{a:1}', 'null']) {
      expect(() => splice(text, set('a', 2)), text).toThrow(SyntaxError)
    }
  })

  it('takes time in proportion to the body', () => {
    const body = Buffer.from(JSON.stringify({ messages: [{ content: '\\"'.repeat(400_000) }], model: 'a' }))
    const start = performance.now()
    spliceJson(body, [set('model', 'b')])
    expect(performance.now() - start).toBeLessThan(1000)
  })
})

describe('spliceRequest', () => {
  const splice = (text: string, ...edits: JsonEdit[]) => spliceRequest(Buffer.from(text), edits).toString()

  it('returns the very bytes where nothing is to be changed', () => {
    const bytes = Buffer.from('{ "model":"a", "x":{"a":1,"a":2} }')
    expect(spliceRequest(bytes, [])).toBe(bytes)
  })

  it('leaves of members that stand twice only the last, so that every parser sees the same', () => {
    expect(splice('{"model":"a", "n":1, "model":"b","mo\\u0064el":"c"}')).toBe('{"n":1, "mo\\u0064el":"c"}')
    expect(splice('{"model":"a", "model":"b"}', set('model', 'x'), set('z', 1))).toBe('{"model":"x","z":1}')
    expect(splice('{"s":1,"s":{"a":1}}', { path: ['s', 'b'], value: '2' })).toBe('{"s":{"a":1,"b":2}}')
  })
})

describe('spliceJson on any object', () => {
  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('"', '\\', '{"a":1}', '\u2028', '12345678901234567890'),
  )
  const names = fc.oneof(
    fc.constantFrom('model', 'max_tokens', 'a', '"', 'mo\\del', '__proto__'),
    fc.string(),
  )
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(tie('value')),
      fc.dictionary(names, tie('value')),
    ),
  })).value
  const space = fc.constantFrom('', ' ', '\n', '\t\r\n ')

  /** An object with odd white space, as text and as its members. */
  const written = fc.array(fc.tuple(names, value, space, space), { maxLength: 8 }).map((members) => {
    const parts = members.map(([name, inner, before, after]) => {
      return `${before}${JSON.stringify(name)}${after}:${before}${JSON.stringify(inner)}${after}`
    })
    return `{${parts.join(',')}}`
  })

  it('sets and removes exactly what was asked for', () => {
    fc.assert(
      fc.property(written, names, value, fc.boolean(), (text, name, inner, removes) => {
        const expected = new Map(Object.entries(JSON.parse(text)))
        if (removes) expected.delete(name)
        else expected.set(name, JSON.parse(JSON.stringify(inner)))
        const edit = removes ? drop(name) : set(name, inner)
        const result: unknown = JSON.parse(splice(text, edit))
        expect(new Map(Object.entries(Object(result)))).toEqual(expected)
      }),
    )
  })

  it('keeps every byte outside of the one replaced value', () => {
    fc.assert(
      fc.property(written, value, (text, inner) => {
        const marked = text.replace(/^\{/, `{"model":"old"${text === '{}' ? '' : ','}`)
        const isLast = !/"model"\s*:/.test(text) && !text.includes('\\u')
        fc.pre(isLast)
        expect(splice(marked, set('model', inner))).toBe(marked.replace('"old"', () => JSON.stringify(inner)))
      }),
    )
  })
})
