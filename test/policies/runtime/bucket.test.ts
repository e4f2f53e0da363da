import type { Engine } from '@signalbox/policies'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bucketOf, inBucket, murmur3 } from '../../../policies/authoring/bucket.ts'
import { createEngine, evaluate, programOf, script } from '../engine/programs.ts'

/** MurmurHash3_x86_32, seed 0, of the reference implementation. */
const vectors: [text: string, hash: number][] = [
  ['', 0x00000000],
  ['a', 0x3c2569b2],
  ['abc', 0xb3dd93fa],
  ['test', 0xba6bd213],
  ['hello', 0x248bfa47],
  ['hello, world', 0x149bbb7f],
  ['Hello, world!', 0xc0363e43],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
  ['aaaa', 0x7eeed987],
]
const of = (stickyKey?: string) => ({ subject: stickyKey === undefined ? {} : { stickyKey } })
const keys = Array.from({ length: 5000 }, (_, index) => `user-${index}`)
const share = (rollout: string, ppm: number) => keys.filter((key) => inBucket(of(key), { rollout, ppm }))

describe('the hash of buckets', () => {
  test.each(vectors)('of %j is that of the reference', (text, hash) => {
    expect(murmur3(text)).toBe(hash)
  })

  test('is over UTF-8, also beyond the first plane, and takes half a character for U+FFFD', () => {
    const slow = (text: string) => murmur3(String.fromCharCode(...Buffer.from(text)))
    for (const text of ['é', 'ü€', '😀 smile', 'a\ud800b', '\udc00']) {
      const latin = Buffer.from(text).every((byte) => byte < 0x80)
      expect(latin).toBe(false)
      expect(murmur3(text)).toBe(hashOfBytes(Buffer.from(text)))
    }
    expect(slow('plain')).toBe(murmur3('plain'))
  })
})

/** The reference algorithm over bytes, written apart from the one under test. */
function hashOfBytes(bytes: Buffer): number {
  const rotate = (value: number, bits: number) => ((value << bits) | (value >>> (32 - bits))) >>> 0
  const multiply = (a: number, b: number) => Number((BigInt(a) * BigInt(b)) & 0xffffffffn)
  const mix = (block: number) => multiply(rotate(multiply(block, 0xcc9e2d51), 15), 0x1b873593)
  let hash = 0
  const whole = bytes.length - (bytes.length % 4)
  for (let at = 0; at < whole; at += 4) {
    hash = (multiply(rotate((hash ^ mix(bytes.readUInt32LE(at))) >>> 0, 13), 5) + 0xe6546b64) >>> 0
  }
  let rest = 0
  for (let at = bytes.length - 1; at >= whole; at--) rest = ((rest << 8) | (bytes[at] ?? 0)) >>> 0
  if (whole < bytes.length) hash = (hash ^ mix(rest)) >>> 0
  hash = (hash ^ bytes.length) >>> 0
  hash = multiply((hash ^ (hash >>> 16)) >>> 0, 0x85ebca6b)
  hash = multiply((hash ^ (hash >>> 13)) >>> 0, 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

describe('a bucket', () => {
  test('is floor(hash · 1e6 / 2^32) over rollout, NUL and key, exact in doubles', () => {
    for (const key of keys.slice(0, 200)) {
      const exact = (BigInt(murmur3(`r\0${key}`)) * 1_000_000n) >> 32n
      expect(bucketOf('r', key)).toBe(Number(exact))
    }
  })

  test('without a sticky key holds nobody, with the whole share everybody', () => {
    expect(inBucket(of(), { rollout: 'r', ppm: 1_000_000 })).toBe(false)
    expect(share('r', 1_000_000)).toHaveLength(keys.length)
    expect(share('r', 0)).toHaveLength(0)
  })

  test('only gains callers when its share grows', () => {
    const small = share('r', 50_000)
    const large = new Set(share('r', 250_000))
    expect(small.length / keys.length).toBeCloseTo(0.05, 1)
    expect(large.size / keys.length).toBeCloseTo(0.25, 1)
    expect(small.every((key) => large.has(key))).toBe(true)
  })

  test('of one rollout says nothing about another', () => {
    const first = new Set(share('one', 500_000))
    const both = share('two', 500_000).filter((key) => first.has(key))
    expect(both.length / keys.length).toBeCloseTo(0.25, 1)
  })
})

describe('inBucket in the sandbox', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await createEngine()
  })
  afterAll(() => engine.dispose())

  test('gives what it gives here, with the share from a param', async () => {
    const files = script(
      'canary',
      `const ppm = param.int('ppm', { default: 300_000, min: 0, max: 1_000_000 })
export default route('canary', { rules: [
  rule('canary', { when: (f) => inBucket(f, { rollout: 'größe', ppm: ppm() }), then: () => use('smart') }),
] })`,
    )
    const program = await programOf(engine, [{ files }])
    for (const key of [...keys.slice(0, 40), 'ключ', undefined]) {
      for (const ppm of [300_000, 900_000]) {
        const [result] = evaluate(
          program,
          { subject: { stickyKey: key } },
          { params: { acme: { ppm } } },
        ).policies
        expect([key, ppm, result?.outcome]).toEqual([
          key,
          ppm,
          inBucket(of(key), { rollout: 'größe', ppm }) ? 'chosen' : 'noEffect',
        ])
      }
    }
  })
})
