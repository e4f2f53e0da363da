import { createHash } from 'node:crypto'
import { type KeyRow, keysPerSingleShardMax } from '@signalbox/sdk/contract'
import { digestOf, keyIndexRoot } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import {
  encodeKeyShard,
  groupByPrefix,
  keyPrefixLength,
} from '../../../control-plane/documents/key-shards.ts'

function keyRows(count: number): KeyRow[] {
  return Array.from({ length: count }, (_, index) => ({
    hash: createHash('sha256').update(`key ${index}`).digest('hex'),
    id: `id-${index}`,
    node: 'node',
    name: `key ${index}`,
    expiresMs: null,
  }))
}

describe('keyPrefixLength', () => {
  it('puts up to 10,000 keys into one shard', () => {
    for (const count of [0, 1, 3, keysPerSingleShardMax]) expect(keyPrefixLength(count)).toBe(0)
    expect(keyPrefixLength(keysPerSingleShardMax + 1)).toBe(1)
  })

  it('keeps shards near 250 keys, never above 1,000, as keys grow', () => {
    const perShard = (count: number) => count / 16 ** keyPrefixLength(count)
    expect(keyPrefixLength(50_000)).toBe(2)
    expect(perShard(50_000)).toBeCloseTo(195.3, 1)
    expect(keyPrefixLength(1_000_000)).toBe(3)
    expect(perShard(1_000_000)).toBeCloseTo(244.1, 1)
    for (let count = 10_001; count < 40_000_000; count *= 1.1) {
      expect(perShard(Math.round(count))).toBeLessThanOrEqual(1001)
      expect(perShard(Math.round(count))).toBeGreaterThanOrEqual(62)
    }
  })
})

describe('encodeKeyShard', () => {
  it('gives the same bytes whatever the order of the rows', () => {
    const rows = keyRows(50)
    const shard = encodeKeyShard('', rows)
    expect(encodeKeyShard('', rows.toReversed()).digest).toBe(shard.digest)
    expect(shard.digest).toBe(digestOf(shard.bytes))
    expect(shard.count).toBe(50)
  })

  it('writes one row per line, sorted by hash', () => {
    const rows = keyRows(20)
    const text = Buffer.from(encodeKeyShard('', rows).bytes).toString('utf8')
    const read = text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as KeyRow)
    expect(read).toEqual(rows.toSorted((a, b) => (a.hash < b.hash ? -1 : 1)))
  })

  it('changes its digest with any member of any row', () => {
    const [row] = keyRows(1)
    if (row === undefined) throw new Error('no row')
    const digests = [row, { ...row, name: 'b' }, { ...row, node: 'b' }, { ...row, expiresMs: 1 }].map(
      (each) => encodeKeyShard('', [each]).digest,
    )
    expect(new Set(digests).size).toBe(4)
  })
})

describe('groupByPrefix', () => {
  it('puts each key where a look-up by its hash finds it', () => {
    const rows = keyRows(500)
    const groups = groupByPrefix(rows, 1)
    expect([...groups.keys()]).toEqual([...groups.keys()].toSorted())
    for (const row of rows) expect(groups.get(row.hash.slice(0, 1))).toContain(row)
    expect(groupByPrefix([], 0).size).toBe(0)
  })
})

describe('keyIndexRoot', () => {
  const leaf = (name: string) =>
    createHash('sha256')
      .update(Buffer.concat([Buffer.from([0]), Buffer.from(name)]))
      .digest()
  const inner = (left: Buffer, right: Buffer) =>
    createHash('sha256')
      .update(Buffer.concat([Buffer.from([1]), left, right]))
      .digest()

  it('is a Merkle tree with marked leaves and nodes', () => {
    const three = inner(inner(leaf('a'), leaf('b')), leaf('c'))
    expect(keyIndexRoot(['a', 'b', 'c'])).toBe(`sha256:${three.toString('hex')}`)
    expect(keyIndexRoot(['a'])).toBe(`sha256:${leaf('a').toString('hex')}`)
    expect(keyIndexRoot([])).toBe(digestOf(''))
  })

  it('changes with any shard, their order and their number', () => {
    const roots = [
      ['a', 'b'],
      ['b', 'a'],
      ['a', 'b', 'b'],
      ['a', 'c'],
    ].map(keyIndexRoot)
    expect(new Set(roots).size).toBe(4)
  })
})
