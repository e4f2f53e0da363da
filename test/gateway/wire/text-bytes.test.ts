import { describe, expect, it } from 'vitest'
import { textBytesAfter } from '../../../gateway/wire/text-bytes.ts'

describe('textBytesAfter', () => {
  const openings = ['content":"', 'arguments":"']

  it('counts the strings behind the openings', () => {
    expect(
      textBytesAfter('{"delta":{"content":"Hello","arguments":"{}"},"x":{"content":"!"}}', openings),
    ).toBe(8)
  })

  it('reads over escaped quotes and backslashes', () => {
    expect(textBytesAfter(JSON.stringify({ content: 'a"b\\' }), openings)).toBe('a\\"b\\\\'.length)
    expect(textBytesAfter(JSON.stringify({ content: '"content":"x"' }), openings)).toBe(
      '\\"content\\":\\"x\\"'.length,
    )
  })

  it('counts to the end where a string does not end', () => {
    expect(textBytesAfter('{"content":"abc', openings)).toBe(3)
  })

  it('counts nothing where there is none', () => {
    expect(textBytesAfter('{"content":null,"finish_reason":"stop"}', openings)).toBe(0)
  })
})
