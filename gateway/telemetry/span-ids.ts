import { randomFillSync } from 'node:crypto'
import type { CallSpanIds, ParentSpan } from './telemetry.ts'

const traceparentPattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const noTrace = '0'.repeat(32)
const noSpan = '0'.repeat(16)
const traceStateLengthMax = 512

const pool = Buffer.alloc(4096)
let used = pool.length

/** Random hex digits; bytes are drawn a page at a time. */
function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}

export function newSpanId(): string {
  return randomHex(8)
}

/** Reads the header of a caller; undefined where it is not one (then it is as if there were none). */
function parseTraceparent(header: string, traceState: string | undefined): ParentSpan | undefined {
  const match = traceparentPattern.exec(header)
  if (match === null) return undefined
  const [, version = '', traceId = '', spanId = '', flags = '', rest] = match
  const isBroken = version === 'ff' || traceId === noTrace || spanId === noSpan
  if (isBroken || (version === '00' && rest !== undefined)) return undefined
  const sampled = (Number.parseInt(flags, 16) & 1) === 1
  const kept = traceState !== undefined && traceState !== '' && traceState.length <= traceStateLengthMax
  return { traceId, spanId, sampled, ...(kept && { traceState }) }
}

/**
 * Ids for a call's span. A caller's sampled trace is continued. One that is not sampled would hide our spans from
 * everybody, so a trace of our own begins, linked to the caller's.
 */
export function newSpanIds(traceparent?: string, traceState?: string): CallSpanIds {
  const parent = traceparent === undefined ? undefined : parseTraceparent(traceparent, traceState)
  const spanId = randomHex(8)
  if (parent?.sampled === true) return { traceId: parent.traceId, spanId, parent }
  const traceId = randomHex(16)
  return parent === undefined ? { traceId, spanId } : { traceId, spanId, parent }
}
