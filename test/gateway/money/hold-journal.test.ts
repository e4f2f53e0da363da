import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import type { BudgetSet } from '../../../gateway/money/call-budgets.ts'
import { HoldJournal } from '../../../gateway/money/hold-journal.ts'
import { Money } from '../../../gateway/money/money.ts'
import { recoverHolds } from '../../../gateway/money/recover-holds.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { budgetOf, fastTimes } from './budgeted-gateway.ts'

const log = createLogger('journal-test', 'silent')
const set: BudgetSet = { id: 'b', unit: 'usd', budgets: [budgetOf('b')], isHard: true }
let folder: string
let ledger: MemoryLedger
let dead: Money

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-holds-'))
  ledger = new MemoryLedger().add('b', 1_000_000n)
})
afterEach(async () => {
  await dead.close(1)
  rmSync(folder, { recursive: true, force: true })
})

/** A gateway's money with a lease, one settled attempt of 300 and one of 500 that is under way. */
async function dieWithHold(): Promise<HoldJournal> {
  const journal = new HoldJournal({ folder, incarnation: 'dead', bootId: 'boot-1', log })
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
  dead = new Money({
    link: ledger,
    incarnation: 'dead',
    clock,
    createId: createIdSource(),
    log,
    journal,
    times: fastTimes,
  })
  await dead.ask(set, { need: 1000n, want: 4000n, take: () => true }, 200)
  dead.take(set, 400n, { callId: 'c1', attempt: 0 })?.settle(300n, 'reported', 1)
  dead.take(set, 900n, { callId: 'c2', attempt: 0 })?.release()
  const running = dead.take(set, 200n, { callId: 'c3', attempt: 1 })
  expect(running?.raise(300n)).toBe(true)
  return journal
}

const recover = (bootId: string) =>
  recoverHolds({
    ...{ folder, incarnation: 'next', bootId, nowMs: 5, link: ledger, log },
    signal: new AbortController().signal,
  })

describe('the journal of holds', () => {
  it('settles at its hold what a dead process had under way, and frees the rest of its leases', async () => {
    await dieWithHold()
    expect(ledger.get('b').leased).toBeGreaterThan(800n)
    expect(await recover('boot-1')).toBe(1)
    expect(ledger.get('b')).toMatchObject({ settled: 800n, leased: 0n, stranded: 0n })
    expect([...ledger.rows.values()].map(({ actual }) => actual)).toEqual([300n, 500n])
    expect(readdirSync(folder)).toEqual([])
  })

  it('says the same after it began anew', async () => {
    const journal = await dieWithHold()
    journal.begin([dead.poolOf(set)], [])
    await recover('boot-1')
    expect(ledger.get('b')).toMatchObject({ settled: 800n, leased: 0n })
  })

  it('says the same when it is reported twice', async () => {
    await dieWithHold()
    ledger.fault = (at) => {
      if (at === 'after') throw new Error('the reply is lost')
    }
    await expect(recover('boot-1')).rejects.toThrow('lost')
    ledger.fault = undefined
    await recover('boot-1')
    expect(ledger.get('b')).toMatchObject({ settled: 800n, leased: 0n })
  })

  it('is no evidence after the machine started again: the ledger keeps what is left as stranded', async () => {
    await dieWithHold()
    const { leased } = ledger.get('b')
    expect(await recover('boot-2')).toBe(0)
    ledger.strand('dead')
    expect(ledger.get('b')).toMatchObject({ settled: 0n, leased: 0n, stranded: leased })
    expect(readdirSync(folder)).toEqual([])
  })
})
