import { setTimeout as wait } from 'node:timers/promises'
import { createLogger } from '@signalbox/sdk/node'
import { expect, it, vi } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import { Money } from '../../../gateway/money/money.ts'
import { RefusedReports } from '../../../gateway/money/refused-reports.ts'
import { metricNames } from '../../../gateway/telemetry/metric-names.ts'
import { MetricRegistry } from '../../../gateway/telemetry/metric-registry.ts'
import { observeMoney } from '../../../gateway/telemetry/money-metrics.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { hardSetOf } from './budgeted-gateway.ts'

const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const times = { grantMs: 60, reportMs: 1000, requestMs: 2000, backoffMs: 1 }
const wish = { need: 1000n, want: 4000n, take: () => true }

it('waits on for a ledger that has just answered and is slow, and not for one that is away', async () => {
  const ledger = new MemoryLedger().add('a', 1_000_000n).add('b', 1_000_000n).add('c', 1_000_000n)
  const log = createLogger('slow-test', 'silent')
  const money = new Money({ link: ledger, incarnation: 'run', clock, createId: createIdSource(), log, times })
  let slowMs = 130
  ledger.fault = async (at, what) => {
    if (at === 'before' && what === 'lease') await wait(slowMs)
  }
  // Nothing is known of it yet: who waits is not kept.
  expect(await money.ask(hardSetOf('a'), wish, times.grantMs)).toBe('away')
  await wait(150)
  expect(await money.ask(hardSetOf('b'), wish, times.grantMs)).toBe('taken')
  slowMs = 60_000
  // Who asks once more after all that time has waited long enough.
  const againMs = performance.now()
  expect(await money.ask(hardSetOf('b'), { ...wish, need: 9000n }, -4 * times.grantMs)).toBe('away')
  expect(performance.now() - againMs).toBeLessThan(2 * times.grantMs)
  const startMs = performance.now()
  expect(await money.ask(hardSetOf('c'), wish, times.grantMs)).toBe('away')
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(4 * times.grantMs - 5)
  ledger.fault = () => {
    throw new Error('away')
  }
  const failedMs = performance.now()
  expect(await money.ask(hardSetOf('a'), { ...wish, need: 900_000n }, times.grantMs)).toBe('away')
  expect(performance.now() - failedMs).toBeLessThan(3 * times.grantMs)
  await money.close(1)
})

it('tells a ledger that was slow once what came in the meantime, not once for each time it would have', async () => {
  const ledger = new MemoryLedger().add('a', 1_000_000n)
  const [log, createId] = [createLogger('slow-test', 'silent'), createIdSource()]
  const refused = new RefusedReports({ link: ledger, clock, createId, log })
  const ticks = vi.spyOn(refused, 'send')
  const money = new Money({
    ...{ link: ledger, incarnation: 'run', clock, createId, log, refused },
    times: { ...times, reportMs: 4 },
  })
  const [set, slow] = [hardSetOf('a'), Promise.withResolvers<void>()]
  await money.ask(set, wish, times.grantMs)
  ledger.fault = async (_, what) => {
    if (what === 'settle') await slow.promise
  }
  money.take(set, 100n, { callId: 'c', attempt: 0 })?.settle(100n, 'reported', 1)
  money.start()
  await vi.waitFor(() => expect(ledger.reported).toBe(1))
  const before = ticks.mock.calls.length
  await wait(150)
  slow.resolve()
  // The turns of the loop that follow at once: no interval passes in them.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(ledger.get('a').settled).toBe(100n)
  expect(ticks.mock.calls.length - before).toBeLessThanOrEqual(4)
  await money.close(100)
})

it('counts the settlements that find no room to wait for it, as a metric', async () => {
  const ledger = new MemoryLedger().add('a', 1_000_000n)
  const [log, createId] = [createLogger('slow-test', 'silent'), createIdSource()]
  const money = new Money({ link: ledger, incarnation: 'run', clock, createId, log, times })
  const registry = new MetricRegistry(0)
  observeMoney(registry, money)
  const lost = registry.observed.find(({ head }) => head.name === metricNames.settlementsLost)
  const set = hardSetOf('a')
  await money.ask(set, { ...wish, want: 200_000n }, times.grantMs)
  for (let attempt = 0; attempt < 100_003; attempt++) {
    money.take(set, 1n, { callId: 'c', attempt })?.settle(1n, 'reported', 1)
  }
  expect(lost?.observe()).toBe(3)
  await money.close(1)
})
