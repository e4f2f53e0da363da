import { ExportedRecord } from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'

const shownMax = 60

/**
 * The record of a line of NDJSON; undefined for lines of another kind: the end of a page, a version that is kept beside
 * the records. `check`: the line comes from a file, which may hold anything.
 * @throws Error that shows the line and says what is wrong with it.
 */
export function readExportedRecord(line: string, { check }: { check: boolean }): ExportedRecord | undefined {
  let value: unknown
  const shown = line.length > shownMax ? `${line.slice(0, shownMax)}…` : line
  try {
    value = JSON.parse(line)
  } catch (error) {
    throw new Error(`a line is not JSON: ${shown}: ${error instanceof Error ? error.message : error}`)
  }
  if (typeof value !== 'object' || value === null || !('row' in value)) return undefined
  if (check && !fits(ExportedRecord, value)) {
    throw new Error(
      `a line is no record: ${shown}: ${describeViolations(violationsOf(ExportedRecord, value))}`,
    )
  }
  // What the control plane sends was checked when it came.
  return value as ExportedRecord
}
