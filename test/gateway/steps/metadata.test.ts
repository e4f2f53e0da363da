import { describe, expect, it } from 'vitest'
import { type Claims, readClaims } from '../../../gateway/steps/metadata.ts'
import { memorySnapshot } from '../../support/memory-snapshot.ts'

const { versions } = memorySnapshot({
  workspace: {
    metadata: {
      feature: { type: 'string', maxLength: 20 },
      tier: { enum: ['free', 'paid'] },
      priority: { type: 'integer', minimum: 1 },
      tags: { type: 'array' },
    },
  },
})
const read = (own: Record<string, unknown>, header?: unknown): Claims =>
  readClaims(
    own,
    header === undefined
      ? {}
      : { 'x-signalbox-metadata': typeof header === 'string' ? header : JSON.stringify(header) },
    versions,
  )

describe('metadata', () => {
  it("comes from the dialect's own, and the header wins member by member", () => {
    const { metadata } = read({ feature: 'polish', tier: 'free' }, { tier: 'paid', priority: 2 })
    expect(metadata).toEqual({ feature: 'polish', tier: 'paid', priority: 2 })
  })

  it('of a header is read as the UTF-8 that clients write', () => {
    const header = Buffer.from('{"feature":"žluť"}').toString('latin1')
    expect(read({}, header).metadata).toEqual({ feature: 'žluť' })
  })

  it('stands in the order of its names', () => {
    expect(Object.keys(read({ tier: 'free', feature: 'x' }, { priority: 1 }).metadata)).toEqual([
      'feature',
      'priority',
      'tier',
    ])
  })

  it('that nobody declares is named, not taken', () => {
    const claims = read({ feature: 'x', secret_plan: 'y' }, { other: 1 })
    expect(claims.metadata).toEqual({ feature: 'x' })
    expect(claims.undeclared).toEqual(['other', 'secret_plan'])
  })

  it('says under `route` what the caller is doing', () => {
    expect(read({ route: 'docs/summary' })).toEqual({ metadata: {}, undeclared: [], route: 'docs/summary' })
    expect(read({ route: 5 }).route).toBe('')
  })

  it.each<[string, Record<string, unknown>, string, RegExp]>([
    ['of a wrong type', { priority: '2' }, 'metadata.priority', /must be integer/],
    ['outside an enum', { tier: 'gold' }, 'metadata.tier', /one of free, paid/],
    ['that is too long for its schema', { feature: 'x'.repeat(21) }, 'metadata.feature', /20 characters/],
    ['that is too long for any', { feature: 'x'.repeat(257) }, 'metadata.feature', /at most 256/],
    ['that is no scalar', { tags: ['a'] }, 'metadata.tags', /string, a number or a boolean/],
  ])('%s is refused with its path', (_name, own, param, message) => {
    expect(() => read(own)).toThrow(expect.objectContaining({ code: 'metadata_invalid', param }))
    expect(() => read(own)).toThrow(message)
  })

  it.each(['{', '[]', 'null', '"x"', '{}'.padEnd(20_000)])('of a header like %# is refused', (header) => {
    expect(() => read({}, header)).toThrow(expect.objectContaining({ code: 'metadata_invalid' }))
  })

  it('is data even where it is called like a prototype', () => {
    const claims = read({}, '{"__proto__":{"admin":true},"constructor":"x","feature":"y"}')
    expect(claims.metadata).toEqual({ feature: 'y' })
    expect(claims.undeclared).toEqual(['__proto__', 'constructor'])
  })
})
