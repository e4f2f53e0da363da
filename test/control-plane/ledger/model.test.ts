import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FleetMutant } from './fleet.ts'
import { type LedgerMutant, ModelLedger } from './model-ledger.ts'
import { playSchedule, schedules } from './play-schedule.ts'

const seed = 20261122

test('the protocol keeps its rules on any schedule', async () => {
  const property = fc.asyncProperty(schedules(250), (steps) => playSchedule(new ModelLedger(), steps))
  await fc.assert(property, { seed, numRuns: 300 })
})

/** Whether some schedule shows the mistake, and how it shows. */
async function caught(ledger?: LedgerMutant, fleet?: FleetMutant): Promise<string> {
  const property = fc.asyncProperty(schedules(250), (steps) =>
    playSchedule(new ModelLedger(ledger), steps, fleet),
  )
  const { failed, errorInstance } = await fc.check(property, { seed, numRuns: 400, endOnFailure: true })
  return failed ? String(errorInstance) : 'nothing was found'
}

describe('the same schedules find a ledger that', () => {
  const mistakes: readonly (readonly [LedgerMutant, string, RegExp])[] = [
    ['autoRelease', 'hands out again what expired', /I3|I1|beyond/],
    ['additiveSettle', 'adds up what is reported twice', /settled more than|negative|I1/],
    ['partialHold', 'keeps a part of a refused wish', /I7|I1/],
    ['lastReportWins', 'believes the report that comes last', /I9|I1|I3/],
    ['losesTail', 'loses its newest lease in a failover', /I3|I1|I9|negative|beyond/],
  ]
  for (const [mutant, what, shown] of mistakes) {
    test(what, async () => {
      expect(await caught(mutant)).toMatch(shown)
    })
  }
})

describe('the same schedules find gateways that', () => {
  test('look first and charge afterwards', async () => {
    expect(await caught(undefined, 'chargeAfterwards')).toMatch(/I3|beyond/)
  })
  test('retry without a hold of its own', async () => {
    expect(await caught(undefined, 'retryWithoutHold')).toMatch(/I3|beyond/)
  })
})
