import type { UsageCounts } from '../call.ts'

/** How an answer is written: one JSON value, or server-sent events. */
export type AnswerForm = 'whole' | 'events'

/** A whole answer as its caller got it. */
export interface CachedAnswer {
  readonly form: AnswerForm
  /** Of streams: what the call said of them (`stream_options`), as JSON. */
  readonly streamOptions: string
  readonly contentType: string
  /** The caller got the upstream's own bytes. */
  readonly identity: boolean
  /** Who answered. */
  readonly target: string
  /** Record of the call that was answered. */
  readonly recordId: string
  readonly storedMs: number
  readonly expiresMs: number
  /** What the answer cost; undefined where its price is not known. */
  readonly costNanoUsd: string | undefined
  /** As the upstream reported it; a stream need not say it to its caller. */
  readonly usage: UsageCounts
  /** Paths that could not be carried. */
  readonly dropped: readonly string[]
  readonly body: Buffer
}

/** As one value of a shared store: a line of JSON, then the body. */
export function packAnswer({ body, ...head }: CachedAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), body])
}

/** The answer of a packed value; undefined where it is none. */
export function unpackAnswer(packed: Buffer): CachedAnswer | undefined {
  const end = packed.indexOf(10)
  try {
    const head: unknown = JSON.parse(packed.toString('utf8', 0, Math.max(0, end)))
    if (typeof head !== 'object' || head === null || !('form' in head) || !('expiresMs' in head))
      return undefined
    const named = head as Omit<CachedAnswer, 'body'>
    return { ...named, costNanoUsd: named.costNanoUsd, body: packed.subarray(end + 1) }
  } catch {
    return undefined
  }
}
