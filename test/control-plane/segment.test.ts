import { zstdCompressSync } from 'node:zlib'
import { segmentRecordsMax } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import { decodeSegment, recordAt, segmentTextBytesMax, unpackSegment } from '../../control-plane/segment.ts'
import { callRecord, gapRecord, packSegment } from './segment-lines.ts'

const decode = async (lines: Parameters<typeof packSegment>[0]) => {
  const { bytes, digest } = packSegment(lines)
  return await decodeSegment(bytes, digest)
}

describe('decodeSegment', () => {
  it('gives records with the place of their lines, and gaps', async () => {
    const [first, second] = [callRecord({ modelRequested: 'größer' }), callRecord()]
    const { bytes, digest } = packSegment([first, gapRecord(2, 5), second])
    const segment = await decodeSegment(bytes, digest)
    expect(segment.records.map((each) => each.record)).toEqual([first, second])
    expect(segment.records.map((each) => each.line)).toEqual([1, 3])
    expect(segment.gaps).toEqual([gapRecord(2, 5).gap])
    const text = await unpackSegment(bytes)
    expect(segment.records.map((place) => recordAt(text, place))).toEqual([first, second])
  })

  it('takes a last line without a newline, and an empty segment', async () => {
    const bytes = zstdCompressSync(Buffer.from(JSON.stringify(callRecord())))
    expect((await decodeSegment(bytes, digestOf(bytes))).records).toHaveLength(1)
    expect(await decode([])).toEqual({ records: [], gaps: [], textBytes: 0 })
  })

  it('refuses bytes that do not have the digest', async () => {
    const { bytes, digest } = packSegment([callRecord()])
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    await expect(decodeSegment(bytes, digest)).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it('refuses what unpacks to more than 64 MiB without unpacking it all', async () => {
    const bytes = zstdCompressSync(Buffer.alloc(segmentTextBytesMax + 1, 'a'))
    expect(bytes.length).toBeLessThan(10_000)
    await expect(decodeSegment(bytes, digestOf(bytes))).rejects.toMatchObject({ code: 'request_too_large' })
  })

  it.each([
    ['bytes that are no zstd', Buffer.from('not zstd at all')],
    ['a frame that is cut off', packSegment([callRecord()]).bytes.subarray(0, -5)],
    ['bytes after the frame', Buffer.concat([packSegment([callRecord()]).bytes, Buffer.from('more')])],
    ['text that is not UTF-8', zstdCompressSync(Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))],
  ])('refuses %s', async (_, bytes) => {
    await expect(decodeSegment(bytes, digestOf(bytes))).rejects.toMatchObject({ code: 'invalid_request' })
  })

  it.each([
    ['JSON that is cut off', '{"row":'],
    ['an empty line', ''],
    ['a record with an unknown member', JSON.stringify({ ...callRecord(), extra: 1 })],
    ['a record without its body', JSON.stringify({ row: callRecord().row })],
    ['a record whose id is no UUID', JSON.stringify(callRecord({ id: 'abc' }))],
    ['a cost beyond 64 bits', JSON.stringify(callRecord({ costNanoUsd: '9223372036854775808' }))],
    ['a gap that ends before it starts', JSON.stringify(gapRecord(5, 2))],
    ['a gap for an unknown reason', '{"gap":{"incarnation":"x","from":1,"to":2,"reason":"mood"}}'],
  ])('refuses the segment for %s and names the line', async (_, line) => {
    await expect(decode([callRecord(), line, callRecord()])).rejects.toThrow(/^Line 2 of the segment /)
  })

  it('refuses more records than a segment may hold', async () => {
    const line = JSON.stringify(callRecord())
    await expect(decode(Array.from({ length: segmentRecordsMax + 1 }, () => line))).rejects.toThrow(
      /^Line 1001 of the segment is one too many/,
    )
  })
})
