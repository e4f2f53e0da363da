import { hash } from 'node:crypto'
import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import type { CallRecord } from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import type { SegmentOwner } from '../db/tables/records.ts'

const compress = promisify(zstdCompress)
const newline = 10
const space = 0x20
/** After this many lines other requests get their turn. */
const linesPerTurn = 64

/** Why a body is not there. */
export type ErasureReason = 'retention' | 'user'

/**
 * Takes lines out of the text of a segment: each is filled with a short note and blanks, as long as it was, so that all
 * others stay where they are and rows find them. Gaps stay. Gives how many went, and the bytes of what is left.
 */
export async function eraseLines(
  text: Buffer,
  reason: ErasureReason,
  isErased: (record: CallRecord) => boolean,
): Promise<{ readonly erased: number; readonly bytes: Buffer; readonly digest: string }> {
  const note = Buffer.from(`{"erased":"${reason}"}`, 'utf8')
  const kept = Buffer.from(text)
  let erased = 0
  for await (const { value, offset, end } of linesOf(text)) {
    if (!('row' in value) || !isErased(value)) continue
    erased++
    kept.fill(space, offset, end)
    note.copy(kept, offset, 0, end - offset)
  }
  const bytes = await compress(kept)
  return { erased, bytes, digest: digestOf(bytes) }
}

async function* linesOf(
  text: Buffer,
): AsyncGenerator<{ value: CallRecord | Record<never, never>; offset: number; end: number }> {
  let number = 0
  for (let offset = 0; offset < text.length; ) {
    const found = text.indexOf(newline, offset)
    const end = found === -1 ? text.length : found
    yield { value: JSON.parse(text.toString('utf8', offset, end)) as CallRecord, offset, end }
    offset = end + 1
    if (++number % linesPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** The end user that a call named, if any: what its facts say, else its metadata. */
export function userOf({ row, body }: CallRecord): string | undefined {
  const { metadata } = row
  const named = body.facts?.subject.userId ?? metadata.user ?? metadata.userId ?? metadata.user_id
  return named === undefined || named === '' ? undefined : String(named)
}

/** What stands for an end user in rows. */
export function userHashOf(organisationId: string, user: string): string {
  return hash('sha256', `${organisationId} ${user}`, 'hex').slice(0, 32)
}

/** Whether a body is metering alone. */
export function isBare({ body }: CallRecord): boolean {
  return body.facts === undefined && body.decision === undefined && body.policies.length === 0
}

/** Whose records stand in a segment, and of what times. */
export function ownersOf(records: readonly CallRecord[]): SegmentOwner[] {
  const owners = new Map<string, SegmentOwner>()
  for (const record of records) {
    const { nodeId = null, keyId = null, timeMs } = record.row
    const bare = isBare(record)
    const name = `${nodeId} ${keyId} ${bare}`
    const known = owners.get(name)
    const owner = { nodeId, keyId, fromMs: timeMs, toMs: timeMs }
    if (known === undefined) owners.set(name, bare ? { ...owner, bare } : owner)
    else {
      known.fromMs = Math.min(known.fromMs, timeMs)
      known.toMs = Math.max(known.toMs, timeMs)
    }
  }
  return [...owners.values()]
}

/** The records of a segment as it is kept, without those that were taken out. */
export async function recordsOf(text: Buffer): Promise<CallRecord[]> {
  const records: CallRecord[] = []
  for await (const { value } of linesOf(text)) if ('row' in value) records.push(value)
  return records
}
