import { describe, expect, it } from 'vitest'
import { adaptSchema } from '../../../../gateway/wire/anthropic-messages/adapt-schema.ts'

describe('adaptSchema', () => {
  it('leaves a schema alone that is taken as it is', () => {
    const schema = {
      type: 'object',
      properties: { a: { type: 'string', enum: ['x'] }, minimum: { type: 'number' } },
      required: ['a'],
      additionalProperties: false,
      $defs: { minLength: { type: 'string' } },
    }
    expect(adaptSchema(schema)).toEqual({ schema, lost: false })
  })

  it('closes objects wherever they are', () => {
    const open = { type: 'object', properties: {} }
    const closed = { ...open, additionalProperties: false }
    const { schema, lost } = adaptSchema({
      anyOf: [open, { type: 'array', items: open }],
      $defs: { d: open },
    })
    expect(schema).toEqual({ anyOf: [closed, { type: 'array', items: closed }], $defs: { d: closed } })
    expect(lost).toBe(false)
  })

  it('moves constraints that are not enforced into the description and says so', () => {
    expect(adaptSchema({ type: 'string', minLength: 1, description: 'Name' })).toEqual({
      schema: { type: 'string', description: 'Name (minLength: 1)' },
      lost: true,
    })
    expect(adaptSchema({ type: 'array', items: { type: 'number', maximum: 5 }, minItems: 2 })).toEqual({
      schema: {
        type: 'array',
        items: { type: 'number', description: '(maximum: 5)' },
        description: '(minItems: 2)',
      },
      lost: true,
    })
  })

  it('takes the limits of safe integers for no constraint', () => {
    const integer = { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }
    expect(adaptSchema(integer)).toEqual({ schema: { type: 'integer' }, lost: false })
  })

  it('survives a schema that is very deep', () => {
    let schema: unknown = { type: 'string' }
    for (let i = 0; i < 5000; i++) schema = { type: 'array', items: schema }
    expect(adaptSchema(schema).lost).toBe(false)
  })
})
