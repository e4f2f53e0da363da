import { describe, expect, it } from 'vitest'
import { isStrictSchema } from '../../../../gateway/wire/openai-chat/strict-schema.ts'

const strict = {
  type: 'object',
  properties: { a: { type: 'string' }, b: { anyOf: [{ type: 'number' }, { type: 'null' }] } },
  required: ['a', 'b'],
  additionalProperties: false,
}

describe('isStrictSchema', () => {
  it('takes closed objects that require all their properties', () => {
    expect(isStrictSchema(strict)).toBe(true)
    expect(isStrictSchema({ type: 'array', items: strict, $defs: { strict } })).toBe(true)
  })

  it('refuses open objects and optional properties, at any depth', () => {
    expect(isStrictSchema({ ...strict, additionalProperties: undefined })).toBe(false)
    expect(isStrictSchema({ ...strict, required: ['a'] })).toBe(false)
    expect(isStrictSchema({ type: 'array', items: { ...strict, required: [] } })).toBe(false)
    expect(isStrictSchema({ ...strict, properties: { a: { type: 'object' } }, required: ['a'] })).toBe(false)
  })

  it('refuses what is no schema, and what is too deep to look at', () => {
    expect(isStrictSchema(true)).toBe(false)
    let deep: unknown = { type: 'string' }
    for (let i = 0; i < 5000; i++) deep = { type: 'array', items: deep }
    expect(isStrictSchema(deep)).toBe(false)
  })
})
