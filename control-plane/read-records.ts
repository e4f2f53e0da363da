import type { ExportedRecord } from '@signalbox/sdk/contract'
import type { Queryable } from './db/connect.ts'
import { recordAt, unpackSegment } from './segment.ts'
import { decodeRecord, type StoredRecord } from './stores/record-columns.ts'
import { loadSegmentBytes } from './stores/segments.ts'

/** Unpacked segments that are kept at hand; records of a time stand in as many as there are gateways. */
const segmentsMax = 4

/**
 * Reads records with their bodies. Neighbours stand in the same segments, so the last few are kept unpacked; one
 * reader is for one pass over records.
 */
export class BodyReader {
  readonly #q: Queryable
  readonly #organisationId: string
  readonly #segments = new Map<string, Buffer | undefined>()

  constructor(q: Queryable, organisationId: string) {
    this.#q = q
    this.#organisationId = organisationId
  }

  async #segment(digest: string): Promise<Buffer | undefined> {
    if (this.#segments.has(digest)) return this.#segments.get(digest)
    const bytes = await loadSegmentBytes(this.#q, this.#organisationId, digest)
    const text = bytes === undefined ? undefined : await unpackSegment(bytes)
    const [oldest] = this.#segments.keys()
    if (this.#segments.size >= segmentsMax && oldest !== undefined) this.#segments.delete(oldest)
    this.#segments.set(digest, text)
    return text
  }

  /** Row and body; what the row says of organisation, environment and gateway is the token's word, not the line's. */
  async read(stored: StoredRecord): Promise<ExportedRecord> {
    const text = await this.#segment(stored.segmentDigest)
    const row = decodeRecord(stored)
    if (text === undefined) return { row, body: null }
    const place = { offset: stored.segmentOffset, length: stored.segmentLength }
    return { row, body: recordAt(text, place)?.body ?? null }
  }
}
