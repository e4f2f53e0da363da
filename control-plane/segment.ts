import { isUtf8 } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { zstdDecompress } from 'node:zlib'
import { CallRecord, GapRecord, Refusal, segmentBytesMax, segmentRecordsMax } from '@signalbox/sdk/contract'
import { describeViolations, digestOf, fits, violationsOf } from '@signalbox/sdk/node'

/** A segment may not unpack to more than this (1,000 records of 64 KiB). */
export const segmentTextBytesMax = 64 * 1024 * 1024
/** After this many lines other requests get their turn. */
const linesPerTurn = 64
const newline = 10
const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
/** What a 64-bit column holds; some nine billion dollars. */
const costNanoUsdMax = 2n ** 63n - 1n

/** A record and where its line stands in the unpacked text, in bytes without the newline. */
export interface PlacedRecord {
  readonly record: CallRecord
  /** Counts from 1, gaps included. */
  readonly line: number
  readonly offset: number
  readonly length: number
}
export interface DecodedSegment {
  readonly records: readonly PlacedRecord[]
  readonly gaps: readonly GapRecord['gap'][]
  readonly textBytes: number
}

function refuseLine(number: number, what: string): Refusal {
  return new Refusal('invalid_request', { message: `Line ${number} of the segment ${what}.` })
}

function unpackedTextRefusal(error: unknown): Refusal {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ERR_BUFFER_TOO_LARGE') {
    return new Refusal('request_too_large', {
      message: `The segment unpacks to more than ${segmentTextBytesMax} bytes.`,
    })
  }
  return new Refusal('invalid_request', { message: 'The segment is not a whole zstd frame.', cause: error })
}

interface Unpacked {
  readonly buffer: Buffer
  /** `bytesWritten`: how many of the packed bytes were read. */
  readonly engine: { readonly bytesWritten: number }
}
// With `info` the callback gets the engine too, which the published types do not say.
const unpackZstd = promisify(zstdDecompress) as (
  bytes: Uint8Array,
  options: { maxOutputLength: number; info: true },
) => Promise<Buffer | Unpacked>

/**
 * Unpacks the text of a segment: zstd, at most 64 MiB of UTF-8.
 * @throws Refusal `request_too_large` where it unpacks to more, `invalid_request` where it is not such a text.
 */
export async function unpackSegment(bytes: Uint8Array): Promise<Buffer> {
  let unpacked: Buffer | Unpacked
  try {
    unpacked = await unpackZstd(bytes, { maxOutputLength: segmentTextBytesMax, info: true })
  } catch (error) {
    throw unpackedTextRefusal(error)
  }
  const text = Buffer.isBuffer(unpacked) ? unpacked : unpacked.buffer
  if (!Buffer.isBuffer(unpacked) && unpacked.engine.bytesWritten !== bytes.length) {
    throw new Refusal('invalid_request', { message: 'Bytes follow the zstd frame of the segment.' })
  }
  if (!isUtf8(text)) throw new Refusal('invalid_request', { message: 'The segment is not UTF-8.' })
  return text
}

/** Ids become columns of 128 bits, and money one of 64; the contract allows more. */
function checkColumns(number: number, { row }: CallRecord): void {
  const ids = { id: row.id, incarnation: row.incarnation, keyId: row.keyId, nodeId: row.nodeId }
  for (const [name, value] of Object.entries(ids)) {
    if (value !== undefined && !uuidPattern.test(value))
      throw refuseLine(number, `has no UUID in row.${name}`)
  }
  for (const text of [row.costNanoUsd, row.savedNanoUsd]) {
    const cost = BigInt(text ?? 0)
    if (cost > costNanoUsdMax || cost < -costNanoUsdMax) {
      throw refuseLine(number, 'has a cost beyond 64 bits')
    }
  }
}

function parseLine(number: number, text: string): CallRecord | GapRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw refuseLine(number, 'is not JSON')
  }
  if (typeof value === 'object' && value !== null && 'gap' in value) {
    if (fits(GapRecord, value)) {
      if (value.gap.to < value.gap.from) throw refuseLine(number, 'has a gap that ends before it starts')
      if (!uuidPattern.test(value.gap.incarnation)) throw refuseLine(number, 'has no UUID in gap.incarnation')
      return value
    }
    throw refuseLine(number, `is no gap: ${describeViolations(violationsOf(GapRecord, value))}`)
  }
  if (!fits(CallRecord, value)) {
    throw refuseLine(number, `is no record: ${describeViolations(violationsOf(CallRecord, value))}`)
  }
  checkColumns(number, value)
  return value
}

/**
 * `{ row, body }` at a place of an unpacked segment; trusted, since the segment was checked when it came. Undefined
 * where the record was taken out since.
 */
export function recordAt(text: Buffer, place: { offset: number; length: number }): CallRecord | undefined {
  const line = text.toString('utf8', place.offset, place.offset + place.length)
  const value = JSON.parse(line) as CallRecord | { readonly erased: string }
  return 'erased' in value ? undefined : value
}

/**
 * Checks the bytes against their digest, unpacks and parses them, line by line and strictly.
 * @throws Refusal `invalid_request` that names the line, `request_too_large`.
 */
export async function decodeSegment(bytes: Uint8Array, digest: string): Promise<DecodedSegment> {
  if (bytes.length > segmentBytesMax) throw new Refusal('request_too_large')
  if (digestOf(bytes) !== digest) {
    throw new Refusal('invalid_request', { message: 'The bytes of the segment do not have its digest.' })
  }
  const text = await unpackSegment(bytes)
  const records: PlacedRecord[] = []
  const gaps: GapRecord['gap'][] = []
  let number = 0
  for (let offset = 0; offset < text.length; ) {
    number++
    const found = text.indexOf(newline, offset)
    const end = found === -1 ? text.length : found
    const line = parseLine(number, text.toString('utf8', offset, end))
    if ('gap' in line) gaps.push(line.gap)
    else records.push({ record: line, line: number, offset, length: end - offset })
    if (records.length > segmentRecordsMax || gaps.length > segmentRecordsMax) {
      throw refuseLine(number, `is one too many: ${segmentRecordsMax} is the limit`)
    }
    offset = end + 1
    if (number % linesPerTurn === 0) await nextTurn()
  }
  return { records, gaps, textBytes: text.length }
}
