import { hash } from 'node:crypto'
import { constants, zstdCompressSync } from 'node:zlib'
import type { GapRecord } from '@signalbox/sdk/contract'

/** Lines of a segment, packed. */
export interface Segment {
  readonly bytes: Buffer
  readonly digest: string
  /** Lines that are records; the rest are gaps. */
  readonly records: number
  readonly first: number
  readonly last: number
}
type Gap = GapRecord['gap']

/** Records are much alike, so that the quickest level already packs them to a tenth. */
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }

/** First and last sequence that a line stands for; undefined where it is no line of ours. */
export function sequencesOf(line: string): { first: number; last: number; isGap: boolean } | undefined {
  let value: { row?: { sequence?: unknown }; gap?: Partial<Gap> } | null
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  const sequence = value?.row?.sequence
  if (typeof sequence === 'number') return { first: sequence, last: sequence, isGap: false }
  const { from, to } = value?.gap ?? {}
  return typeof from === 'number' && typeof to === 'number'
    ? { first: from, last: to, isGap: true }
    : undefined
}

/** The line that stands in place of lost records, without its end. */
export function gapLine(gap: Gap): string {
  return JSON.stringify({ gap })
}

/** Packs whole lines; `sequences` and the count of records are the caller's knowledge. */
export function packSegment(
  text: Uint8Array,
  known: { readonly records: number; readonly first: number; readonly last: number },
): Segment {
  const bytes = zstdCompressSync(text, zstdOptions)
  return { bytes, digest: `sha256:${hash('sha256', bytes, 'hex')}`, ...known }
}

/** A segment that says only that records are lost. */
export function packGap(gap: Gap): Segment {
  return packSegment(Buffer.from(`${gapLine(gap)}\n`, 'utf8'), { records: 0, first: gap.from, last: gap.to })
}
