import { createHash } from 'node:crypto'
import type { KeyRow } from '@signalbox/sdk/contract'
import { afterAll, describe, expect, it } from 'vitest'
import { BlobStore } from '../../../gateway/documents/blob-store.ts'
import type { BlobSource } from '../../../gateway/documents/collect-blobs.ts'
import { loadKeyIndex } from '../../../gateway/documents/key-index.ts'
import { createCompactShard, createMapShard, NodeIds } from '../../../gateway/documents/key-shard.ts'
import { Blobs, keyRow, stateDocument } from '../../support/signed-documents.ts'
import { closeAll, createFolder } from './running-documents.ts'

afterAll(closeAll)

const hashOf = (index: number): string => createHash('sha256').update(String(index)).digest('hex')
const uuid = (index: number): string => `01990000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`

function rows(count: number): KeyRow[] {
  return Array.from({ length: count }, (_, index) =>
    keyRow(hashOf(index), {
      id: index % 7 === 0 ? `key-${index}` : uuid(index),
      node: uuid(index % 11),
      name: `Schlüssel ${index}`,
      expiresMs: index % 3 === 0 ? 1_800_000_000_000 + index : null,
    }),
  )
}

/** A source that counts what is asked of it. */
function sourceOf(blobs: Blobs): BlobSource & { fetched: string[] } {
  const fetched: string[] = []
  return {
    fetched,
    store: new BlobStore(createFolder()),
    onDiskFailure: () => {},
    fetch: async (digest) => {
      fetched.push(digest)
      return Buffer.from(blobs.get(digest) ?? [])
    },
  }
}

describe('the key index', () => {
  for (const prefixLength of [0, 1, 2, 3]) {
    it(`finds every key and no other with prefixes of ${prefixLength} digits`, async () => {
      const all = rows(300)
      const blobs = new Blobs()
      const { keys } = stateDocument(blobs, {}, { keys: all, prefixLength })
      const index = await loadKeyIndex(keys, sourceOf(blobs), undefined)
      for (const row of all) expect(index.find(row.hash)).toEqual(row)
      expect(index.find(hashOf(301))).toBeUndefined()
      expect(index.find('')).toBeUndefined()
    })
  }

  it('holds more than 10,000 keys in sorted buffers that say the same', async () => {
    const all = rows(10_500)
    const blobs = new Blobs()
    const { keys } = stateDocument(blobs, {}, { keys: all, prefixLength: 2 })
    const index = await loadKeyIndex(keys, sourceOf(blobs), undefined)
    expect(index.compact).toBe(true)
    for (const row of all) expect(index.find(row.hash)).toEqual(row)
    expect(index.find(hashOf(20_000))).toBeUndefined()
    expect(index.find('not a hash')).toBeUndefined()
  })

  it('takes over the shards that did not change', async () => {
    const all = rows(200)
    const blobs = new Blobs()
    const source = sourceOf(blobs)
    const before = await loadKeyIndex(
      stateDocument(blobs, {}, { keys: all, prefixLength: 1 }).keys,
      source,
      undefined,
    )
    expect(source.fetched).toHaveLength(16)
    const added = keyRow(hashOf(1000))
    const { keys } = stateDocument(blobs, {}, { keys: [...all, added], prefixLength: 1 })
    const after = await loadKeyIndex(keys, source, before)
    expect(source.fetched).toHaveLength(17)
    expect(after.find(added.hash)).toEqual(added)
    expect(before.find(added.hash)).toBeUndefined()
  })
})

describe('a key shard', () => {
  const lines = (...of: KeyRow[]): Buffer =>
    Buffer.from(of.map((row) => `${JSON.stringify(row)}\n`).join(''), 'utf8')
  const [low, high] = [keyRow('aa'.repeat(32)), keyRow('ab'.repeat(32))]

  for (const [name, create] of [
    ['map', createMapShard],
    ['compact', (bytes: Buffer, prefix: string) => createCompactShard(bytes, prefix, new NodeIds())],
  ] as const) {
    it(`as a ${name} refuses rows that are out of order, twice there, of another prefix or no rows`, () => {
      expect(create(lines(low, high), 'a').find(high.hash)).toEqual(high)
      expect(() => create(lines(high, low), 'a')).toThrow('not in order')
      expect(() => create(lines(low, low), 'a')).toThrow('not in order')
      expect(() => create(lines(low), 'b')).toThrow('not in order')
      expect(() => create(Buffer.from('{"hash":1}\n'), '')).toThrow('holds no key')
      expect(() => create(Buffer.from('hash\n'), '')).toThrow('not JSON')
    })

    it(`as a ${name} may be empty`, () => {
      expect(create(Buffer.alloc(0), '').find(low.hash)).toBeUndefined()
    })
  }
})
