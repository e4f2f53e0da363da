import { Refusal } from '@signalbox/sdk/contract'
import { createSecret } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import { authenticate } from '../../../gateway/steps/authenticate.ts'
import { memoryKey, memorySnapshot, revokedKey } from '../../support/memory-snapshot.ts'

const snapshot = memorySnapshot()
const codeOf = (headers: Record<string, string>, url = '/v1/chat/completions', at = snapshot): string => {
  try {
    return authenticate(headers, url, at, 1000).key.id
  } catch (error) {
    if (error instanceof Refusal) return error.code
    throw error
  }
}

describe('the key of a call', () => {
  it.each([
    { authorization: `Bearer ${memoryKey}` },
    { authorization: `bearer  ${memoryKey}` },
    { 'x-api-key': memoryKey },
    { 'api-key': memoryKey },
    { 'x-goog-api-key': memoryKey },
  ])('is read from %o', (headers) => {
    expect(codeOf(headers)).toBe('key-1')
  })

  it('is read from the query', () => {
    expect(codeOf({}, `/v1/chat/completions?beta=true&key=${memoryKey}`)).toBe('key-1')
    expect(codeOf({}, `/v1/chat/completions?monkey=${memoryKey}`)).toBe('key_missing')
  })

  it('may be sent twice, but not as two different ones', () => {
    expect(codeOf({ authorization: `Bearer ${memoryKey}`, 'x-api-key': memoryKey })).toBe('key-1')
    const other = createSecret('key', { environment: 'development' })
    expect(codeOf({ authorization: `Bearer ${memoryKey}`, 'x-api-key': other })).toBe('key_invalid')
    expect(codeOf({ 'x-api-key': memoryKey }, `/v1/messages?key=${other}`)).toBe('key_invalid')
  })

  it('must be there', () => {
    expect(codeOf({})).toBe('key_missing')
    expect(codeOf({ authorization: '' })).toBe('key_missing')
  })

  it.each([
    'sk-proj-abc',
    `${memoryKey}x`,
    "sb_d' or 1=1 --",
    'sb_d\u0000',
    'x'.repeat(100_000),
    createSecret('token'),
    `Basic ${memoryKey}`,
  ])('of another form (%#) is not known', (key) => {
    expect(codeOf({ authorization: key })).toBe('key_invalid')
  })

  it('that nobody made is not known', () => {
    expect(codeOf({ 'x-api-key': createSecret('key', { environment: 'development' }) })).toBe('key_invalid')
  })

  it('of another environment is told so', () => {
    const key = createSecret('key', { environment: 'production' })
    expect(() => authenticate({ 'x-api-key': key }, '/', snapshot, 0)).toThrow(/another environment/)
  })

  it('that is revoked or has expired is refused as that', () => {
    expect(codeOf({ 'x-api-key': revokedKey })).toBe('key_revoked')
    expect(codeOf({ 'x-api-key': memoryKey }, '/', memorySnapshot({ expiresMs: 1000 }))).toBe('key_revoked')
    expect(codeOf({ 'x-api-key': memoryKey }, '/', memorySnapshot({ expiresMs: 1001 }))).toBe('key-1')
  })
})

describe('the place of a key', () => {
  it('is its node, the path below the organisation, and the nearest team', () => {
    const { place } = authenticate({ 'x-api-key': memoryKey }, '/', snapshot, 0)
    expect(place.node.id).toBe('project-1')
    expect(place.path).toEqual(['search', 'ranking'])
    expect(place.team).toEqual({ id: 'team-1', name: 'search' })
  })

  it('names the workspaces on its path, and none where all of them are', () => {
    const [root] = snapshot.versions
    if (root === undefined) throw new Error('no version')
    const own = { ...root, nodePath: ['search'], nodeId: 'team-1' }
    const foreign = { ...root, nodePath: ['ads'], nodeId: 'team-2' }
    const layersOf = (versions: typeof snapshot.versions): readonly number[] | undefined =>
      authenticate({ 'x-api-key': memoryKey }, '/', { ...snapshot, versions }, 0).place.layers
    expect(layersOf([root, own])).toBeUndefined()
    expect(layersOf([root, foreign, own])).toEqual([0, 2])
  })
})
