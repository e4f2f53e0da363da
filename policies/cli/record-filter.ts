import type { ListRecordsInput } from '@signalbox/sdk'
import { arms } from '@signalbox/sdk/contract'
import { InvalidArgumentError } from 'commander'

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const members = [
  'environment',
  'team',
  'key',
  'target',
  'model',
  'policy',
  'rule',
  'effect',
  'errorCode',
  'arm',
] as const
/** Members with a closed set of values. */
const closedSets: Readonly<Record<string, readonly string[]>> = {
  effect: ['allow', 'deny', 'error', 'none'],
  arm: arms,
}

/** `30m`, `24h`, `7d` → milliseconds. */
export function parseSpan(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? []
  const unitMs = unitsMs[unit]
  if (unitMs === undefined || Number(count) === 0) {
    throw new InvalidArgumentError('Expected a time such as 30m, 24h or 7d.')
  }
  return Number(count) * unitMs
}

/** `effect=deny,team=search` → a filter of records; several add up. */
export function parseRecordFilter(text: string, before: ListRecordsInput = {}): ListRecordsInput {
  const filter: Record<string, string> = {}
  for (const part of text.split(',')) {
    const at = part.indexOf('=')
    const [name, value] = [part.slice(0, at).trim(), part.slice(at + 1).trim()]
    if (at === -1 || value === '' || !members.some((each) => each === name)) {
      throw new InvalidArgumentError(`Expected NAME=VALUE with a name of ${members.join(', ')}.`)
    }
    const allowed = closedSets[name]
    if (allowed?.includes(value) === false) {
      throw new InvalidArgumentError(`Expected ${name} to be one of ${allowed.join(', ')}.`)
    }
    filter[name] = value
  }
  // Names and closed sets of values were just checked.
  return { ...before, ...(filter as ListRecordsInput) }
}
