import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import { HoldJournal } from '../../../gateway/money/hold-journal.ts'
import { Money } from '../../../gateway/money/money.ts'
import { readHoldJournal, recoverHolds } from '../../../gateway/money/recover-holds.ts'
import { RefusedReports } from '../../../gateway/money/refused-reports.ts'
import { sendAtTurnEnd } from '../../../gateway/turn-end.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { fastTimes, hardSetOf } from './budgeted-gateway.ts'

const log = createLogger('journal-test', 'silent')
const systemClock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const set = hardSetOf('b')
let folder: string
let ledger: MemoryLedger
let dead: Money
let isEnded: boolean

beforeEach(() => {
  isEnded = false
  folder = mkdtempSync(join(tmpdir(), 'signalbox-holds-'))
  ledger = new MemoryLedger().add('b', 1_000_000n)
})
afterEach(async () => {
  if (!isEnded) await dead.close(1)
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
    refused: new RefusedReports({ link: ledger, clock: systemClock, createId: createIdSource(), log }),
    signal: new AbortController().signal,
  })

describe('the journal of holds', () => {
  it('has what a turn held and settled before anything of that turn is sent', async () => {
    const journal = await dieWithHold()
    const lines = (): string[] => readFileSync(journal.path, 'utf8').split('\n')
    await new Promise((resolve) => setImmediate(resolve))
    const hold = dead.take(set, 10n, { callId: 'c4', attempt: 0 })
    const seen = await new Promise<string[]>((resolve) => {
      sendAtTurnEnd(() => resolve(lines()))
      hold?.settle(7n, 'reported', 1)
    })
    const own = seen.filter((line) => line.includes(' c4 '))
    expect(own.map((line) => line[0])).toEqual(['H', 'S'])
    // The answer that a hold grows for goes on without waiting for the end of the turn.
    const growing = dead.take(set, 10n, { callId: 'c5', attempt: 0 })
    growing?.raise(5n)
    expect(lines().filter((line) => line.includes(' c5 '))).toHaveLength(2)
    growing?.release()
  })

  it('has what was settled before the ledger hears of it, within the same turn too', async () => {
    const journal = await dieWithHold()
    await new Promise((resolve) => setImmediate(resolve))
    let seen = ''
    ledger.fault = (at) => {
      if (at === 'before') seen ||= readFileSync(journal.path, 'utf8')
    }
    dead.take(set, 10n, { callId: 'c4', attempt: 0 })?.settle(7n, 'reported', 1)
    await dead.close(50)
    isEnded = true
    expect(seen).toContain('\nS c4 0 ')
  })

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

  it('takes from a lease only what was held of it, and tells of the rest as overrun', () => {
    isEnded = true
    const lines = ['B boot-1', 'L l1 0', 'H c1 0 l1 99', 'S c1 0 l1 99 1497 1398 estimated 5', '']
    const found = readHoldJournal(lines.join('\n'), { incarnation: 'dead', bootId: 'boot-1', nowMs: 9 })
    expect(found?.leases).toEqual([{ leaseId: 'l1', amount: '99', settled: '99', final: true }])
    expect(found?.settlements).toMatchObject([{ actual: '1497', overrun: '1398' }])
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

describe('a lease whose grant was never heard of', () => {
  const wish = { need: 1000n, want: 4000n, take: () => true }

  /** A gateway's money; no reply of the ledger to its wishes comes back. */
  function openDeaf(): Money {
    ledger.fault = (at, what) => {
      if (at === 'after' && what === 'lease') throw new Error('the reply is lost')
    }
    const journal = new HoldJournal({ folder, incarnation: 'dead', bootId: 'boot-1', log })
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
    const times = { grantMs: 5, reportMs: 5, requestMs: 50, backoffMs: 1 }
    dead = new Money({
      link: ledger,
      incarnation: 'dead',
      clock,
      createId: createIdSource(),
      log,
      journal,
      times,
    })
    return dead
  }

  it('is asked for under the same id for as long as the gateway lives, however often that fails', async () => {
    const money = openDeaf()
    expect(await money.ask(set, wish, 5)).toBe('away')
    await vi.waitFor(() => expect(ledger.asked).toBeGreaterThan(25), 5000)
    expect(ledger.leases.size).toBe(1)
    ledger.fault = undefined
    await vi.waitFor(() => expect(money.poolOf(set).free()).toBeGreaterThan(0n), 5000)
    await money.close(1000)
    isEnded = true
    expect(ledger.get('b')).toMatchObject({ settled: 0n, leased: 0n, stranded: 0n })
    expect(readdirSync(folder)).toEqual([])
  })

  it('is given back by the next run: a gateway that ended with its wish open has spent nothing of it', async () => {
    const money = openDeaf()
    await money.ask(set, wish, 5)
    await vi.waitFor(() => expect(ledger.get('b').leased).toBeGreaterThan(0n))
    await money.close(20)
    isEnded = true
    expect(ledger.get('b').leased).toBeGreaterThan(0n)
    ledger.fault = undefined
    expect(await recover('boot-1')).toBe(1)
    expect(ledger.get('b')).toMatchObject({ settled: 0n, leased: 0n, stranded: 0n })
  })

  it('is no longer asked for where the ledger refuses', async () => {
    const money = openDeaf()
    ledger.fault = () => {
      throw Object.assign(new Error('a newer run has started'), { status: 409 })
    }
    expect(await money.ask(set, wish, 200)).toBe('away')
    expect(ledger.asked).toBe(1)
  })

  it('is given back where a copy of the wish arrives after the wish was refused', async () => {
    const budget = ledger.get('b')
    const times = { grantMs: 200, reportMs: 5, requestMs: 50, backoffMs: 1 }
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
    let late: Parameters<MemoryLedger['lease']>[0] | undefined
    let nowMs = 0
    const link = {
      lease: async (body: Parameters<MemoryLedger['lease']>[0]) => {
        if (late === undefined) {
          late = body
          throw new Error('it is on its way for a while')
        }
        return ledger.lease(body)
      },
      settle: ledger.settle.bind(ledger),
      putAside: ledger.putAside.bind(ledger),
    }
    dead = new Money({
      ...{ link, incarnation: 'dead', createId: createIdSource(), log, times },
      clock: { ...clock, monotonicMs: () => clock.monotonicMs() + nowMs },
    })
    budget.limit = 10n
    const refused = await dead.ask(set, { ...wish, take: () => false }, 200)
    expect(refused).toMatchObject({ budgetId: 'b' })
    budget.limit = 1_000_000n
    if (late !== undefined) await ledger.lease(late)
    expect(budget.leased).toBeGreaterThan(0n)
    dead.start()
    nowMs = 6000
    await vi.waitFor(() => expect(budget).toMatchObject({ settled: 0n, leased: 0n, stranded: 0n }), 5000)
  })
})
