import type { Thresholds } from '@signalbox/policies'
import type { ListRecordsInput } from '@signalbox/sdk'
import { type Command, InvalidArgumentError } from 'commander'
import { parseRecordFilter } from './record-filter.ts'
import type { RecordSelection } from './record-source.ts'
import { wholeNumber } from './test-options.ts'

/** Options of verbs that decide recorded calls again. */
export interface BacktestOptions {
  readonly since: number
  readonly env?: string
  readonly where?: ListRecordsInput
  readonly limit?: number
  readonly maxChanged?: number
  readonly maxCost?: number
  readonly maxDenied?: number
  readonly minCompared?: number
}

/** `5%`, `0.5%`, `+10%` → millionths. */
export function parseShare(text: string): number {
  const [, number = ''] = /^\+?(-?\d{1,6}(?:\.\d{1,4})?)%$/.exec(text) ?? []
  if (number === '') throw new InvalidArgumentError('Expected a share such as 5% or +10%.')
  return Math.round(Number(number) * 10_000)
}

/** Adds which records are meant, and the limits that a change must keep. */
export function addBacktestOptions(command: Command): Command {
  return command
    .option('--where <filter>', 'effect=deny,team=search; may stand again', parseRecordFilter)
    .option('--limit <n>', 'records at most, the oldest first', wholeNumber(1, 100_000_000))
    .option('--max-changed <share>', 'fail where more calls are decided differently: 5%', parseShare)
    .option('--max-cost <change>', 'fail where all calls together could cost more: +10%', parseShare)
    .option('--max-denied <share>', 'fail where more calls are no longer allowed: 0%', parseShare)
    .option('--min-compared <share>', 'fail where fewer calls could be compared: 95%', parseShare)
}

export function thresholdsOf({ maxChanged, maxCost, maxDenied, minCompared }: BacktestOptions): Thresholds {
  return {
    ...(maxChanged !== undefined && { maxChangedPpm: maxChanged }),
    ...(maxCost !== undefined && { maxCostPpm: maxCost }),
    ...(maxDenied !== undefined && { maxDeniedPpm: maxDenied }),
    ...(minCompared !== undefined && { minComparedPpm: minCompared }),
  }
}

/** The records that options select, up to now. */
export function selectedRecords(
  options: Pick<BacktestOptions, 'env' | 'where' | 'limit'> & {
    since?: number
    from?: string
    save?: string
  },
): RecordSelection {
  const { env, since, where, limit, from, save } = options
  const nowMs = Date.now()
  return {
    filter: {
      ...where,
      ...(since !== undefined && { sinceMs: nowMs - since }),
      untilMs: nowMs,
      ...(env !== undefined && { environment: env }),
    },
    ...(limit !== undefined && { limit }),
    ...(from !== undefined && { from }),
    ...(save !== undefined && { save }),
  }
}
