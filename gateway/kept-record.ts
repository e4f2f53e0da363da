import type { CallRecord } from '@signalbox/sdk/contract'
import { recordedFactsOf, withRecordedFacts } from './recorded-facts.ts'
import type { Snapshot } from './snapshot.ts'
import { isUnrecorded, unlistedModel, withoutContent } from './unrecorded.ts'

/**
 * The record of what was told after the fact (a call past the gateway, a line of a batch), with no more than retention
 * lets it have.
 * @param isListed whether somebody but the caller names the model of its target.
 */
export function keptRecord(record: CallRecord, snapshot: Snapshot, isListed: boolean): CallRecord {
  const { row } = record
  const trail = { snapshot, keyId: row.keyId, nodeId: row.nodeId, metadata: row.metadata, attempts: [] }
  if (isUnrecorded(trail)) {
    const { target } = row
    if (target === undefined || isListed) return withoutContent(record, trail)
    const shown = `${target.split('/', 1)[0]}/${unlistedModel}`
    return withoutContent({ ...record, row: { ...row, target: shown } }, trail)
  }
  const may = recordedFactsOf(trail)
  return may === undefined ? record : withRecordedFacts(record, may)
}
