import type { Attempt, RecordRow } from '@signalbox/sdk/contract'
import { newSpanIds } from '../../../gateway/telemetry/span-ids.ts'
import type { FinishedCall } from '../../../gateway/telemetry/telemetry.ts'
import { callRecord } from '../../support/call-records.ts'

/** A call that is over; `attempt` changes its one attempt. */
export function finishedCall(
  row: Partial<RecordRow> = {},
  attempt: Partial<Attempt> = {},
  call: Partial<FinishedCall> = {},
): FinishedCall {
  const { row: wholeRow, body } = callRecord({ sequence: 1, ...row })
  return {
    ...newSpanIds(),
    record: {
      row: wholeRow,
      body: { ...body, attempts: body.attempts.map((each) => ({ ...each, ...attempt })) },
    },
    startMs: 1_800_000_000_000.5,
    endMs: 1_800_000_000_813,
    policy: { startMs: 1_800_000_000_001, endMs: 1_800_000_000_001.05 },
    httpRoute: '/v1/chat/completions',
    method: 'POST',
    ...call,
  }
}
