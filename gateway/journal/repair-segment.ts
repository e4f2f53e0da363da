import { zstdDecompressSync } from 'node:zlib'
import { CallRecord } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { gapLine, packSegment, type Segment, sequencesOf } from './segment.ts'

/**
 * Takes the lines out of a refused segment that are no valid records and puts gaps in their place. Undefined where all
 * lines are valid: then it was refused for another reason. Loaded only when it is needed, with the whole contract.
 */
export function repairSegment(
  bytes: Uint8Array,
  {
    incarnation,
    first,
    last,
  }: { readonly incarnation: string; readonly first: number; readonly last: number },
): { readonly segment: Segment; readonly removed: number } | undefined {
  const lines = zstdDecompressSync(bytes).toString('utf8').split('\n')
  let removed = 0
  let before = first - 1
  const kept: string[] = []
  for (const line of lines) {
    if (line === '') continue
    const sequences = sequencesOf(line)
    if (sequences !== undefined && (sequences.isGap || fits(CallRecord, JSON.parse(line)))) {
      kept.push(line)
      before = sequences.last
      continue
    }
    removed++
    const from = sequences?.first ?? before + 1
    kept.push(gapLine({ incarnation, from, to: Math.max(from, sequences?.last ?? from), reason: 'disk' }))
    before = from
  }
  if (removed === 0) return undefined
  const records = kept.filter((line) => !line.startsWith('{"gap":')).length
  const text = Buffer.from(`${kept.join('\n')}\n`, 'utf8')
  return { segment: packSegment(text, { records, first, last }), removed }
}
