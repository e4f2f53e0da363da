import { setTimeout as wait } from 'node:timers/promises'
import { createLogger } from '@signalbox/sdk/node'
import { expect, it } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import type { BudgetSet } from '../../../gateway/money/call-budgets.ts'
import { Money } from '../../../gateway/money/money.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { budgetOf } from './budgeted-gateway.ts'

const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const times = { grantMs: 60, reportMs: 1000, requestMs: 2000, backoffMs: 1 }
const setOf = (id: string): BudgetSet => ({
  id,
  unit: 'usd',
  budgets: [budgetOf(id)],
  isHard: true,
  shadows: [],
})
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
  expect(await money.ask(setOf('a'), wish, times.grantMs)).toBe('away')
  await wait(150)
  expect(await money.ask(setOf('b'), wish, times.grantMs)).toBe('taken')
  slowMs = 60_000
  // Who asks once more after all that time has waited long enough.
  const againMs = performance.now()
  expect(await money.ask(setOf('b'), { ...wish, need: 9000n }, -4 * times.grantMs)).toBe('away')
  expect(performance.now() - againMs).toBeLessThan(2 * times.grantMs)
  const startMs = performance.now()
  expect(await money.ask(setOf('c'), wish, times.grantMs)).toBe('away')
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(4 * times.grantMs - 5)
  ledger.fault = () => {
    throw new Error('away')
  }
  const failedMs = performance.now()
  expect(await money.ask(setOf('a'), { ...wish, need: 900_000n }, times.grantMs)).toBe('away')
  expect(performance.now() - failedMs).toBeLessThan(3 * times.grantMs)
  await money.close(1)
})
