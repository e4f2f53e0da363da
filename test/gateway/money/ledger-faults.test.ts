import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Refusal } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import { admit } from '../../../gateway/money/admit.ts'
import type { AttemptHold } from '../../../gateway/money/attempt-hold.ts'
import type { BudgetSet } from '../../../gateway/money/call-budgets.ts'
import { HoldJournal } from '../../../gateway/money/hold-journal.ts'
import { Money } from '../../../gateway/money/money.ts'
import { recoverHolds } from '../../../gateway/money/recover-holds.ts'
import { RefusedReports } from '../../../gateway/money/refused-reports.ts'
import { usdAt } from '../../../gateway/money/request-bound.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { hardSetOf } from './budgeted-gateway.ts'

const log = createLogger('faults-test', 'silent')
const times = { grantMs: 30, reportMs: 3, requestMs: 20, backoffMs: 1 }
const sets = ['k1', 'k2', 'k3'].map((key) => hardSetOf('org', 'team', key))
const ids = createIdSource()
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }

/** A gateway with a journal; when it is dead nothing of it reaches the ledger any more. */
class World {
  readonly ledger = new MemoryLedger()
    .add('org', 60_000_000n)
    .add('team', 40_000_000n)
    .add('k1', 15_000_000n)
    .add('k2', 30_000_000n)
    .add('k3', 50_000_000n)
  readonly folder = mkdtempSync(join(tmpdir(), 'signalbox-faults-'))
  readonly bills = new Map<string, bigint>()
  readonly random: () => number
  readonly monies: Money[] = []
  readonly dead = new Set<Money>()
  readonly faults: number
  deadIncarnations = 0

  constructor(seed: number, faults: number) {
    let state = seed | 1
    this.random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state / 2 ** 32
    }
    this.faults = faults
    this.ledger.fault = async () => {
      if (this.random() < this.faults) throw new Error('lost')
      if (this.random() < 0.3) await wait(this.random() * 4)
    }
  }

  boot(): Money {
    const incarnation = ids()
    const { ledger } = this
    const check = () => {
      if (this.dead.has(money)) throw new Error('dead')
    }
    const link = {
      lease: async (...args: Parameters<MemoryLedger['lease']>) => {
        check()
        const reply = await ledger.lease(...args)
        check()
        return reply
      },
      settle: async (...args: Parameters<MemoryLedger['settle']>) => {
        check()
        const reply = await ledger.settle(...args)
        // A duplicate that comes later must change nothing.
        if (this.random() < this.faults) void ledger.settle(...args).catch(() => {})
        return reply
      },
      putAside: ledger.putAside.bind(ledger),
    }
    const journal = new HoldJournal({ folder: this.folder, incarnation, bootId: 'boot', log })
    const money = new Money({ link, incarnation, clock, createId: ids, log, journal, times })
    money.start()
    this.monies.push(money)
    return money
  }

  bill(set: BudgetSet, amount: bigint): void {
    for (const { id } of set.budgets) this.bills.set(id, (this.bills.get(id) ?? 0n) + amount)
  }

  /** I5 at every lease, the ledger's own sums, and the oracle: what providers bill stays under every limit. */
  check(): void {
    this.ledger.check()
    for (const [id, bill] of this.bills) expect(bill).toBeLessThanOrEqual(this.ledger.get(id).limit)
    for (const money of this.monies) {
      for (const set of sets) {
        for (const lease of money.poolOf(set).leases) {
          expect(lease.settled + lease.held <= lease.amount && lease.held >= 0n).toBe(true)
        }
      }
    }
  }

  /** One attempt with its upstream: it streams, breaks off, is cut or dies with its gateway. */
  async attempt(money: Money, n: number): Promise<'ok' | 'refused' | 'killed'> {
    const set = sets[n % sets.length] as BudgetSet
    const canGrow = this.random() < 0.5
    const bound = {
      inputTokens: 200,
      outputTokens: Math.floor(this.random() * 4000) + 20,
      answers: 1,
      inputPico: 200_000_000n,
      outputPico: 1_000_000n,
    }
    let hold: AttemptHold
    try {
      hold = await admit(money, {
        ...{ budgets: [set], owner: { callId: `c${n}`, attempt: n % 3 }, bound, canGrow, isVisible: canGrow },
        ...{
          stopsBilling: canGrow,
          isStream: true,
          capLeft: undefined,
          priceDigest: undefined,
          targetName: 'x/y',
        },
      })
    } catch (error) {
      if (error instanceof Refusal) return 'refused'
      throw error
    }
    if (this.dead.has(money)) {
      hold.close(0)
      return 'killed'
    }
    hold.dispatch()
    const limit = hold.state.clampTo ?? bound.outputTokens
    const wanted = Math.floor(this.random() * limit)
    let seen = 0
    let outcome: 'ok' | 'cut' | 'reset' = 'ok'
    while (seen < wanted && outcome === 'ok') {
      seen = Math.min(wanted, seen + 150)
      if (!hold.grow(seen)) outcome = 'cut'
      else if (this.random() < 0.02) outcome = 'reset'
      if (this.random() < 0.2) await wait(1)
      // What was made by the time a process dies is billed, whoever saw it; never more than was held.
      if (this.dead.has(money)) {
        this.bill(set, usdAt(bound, seen))
        return 'killed'
      }
    }
    // After an abort the provider may have made a little more than was seen.
    const made = outcome === 'ok' ? seen : Math.min(limit, seen + Math.floor(this.random() * 200))
    const cost = usdAt(bound, made)
    this.bill(set, cost)
    const isReported = outcome === 'ok' && this.random() < 0.9
    hold.settle(
      {
        evidence: isReported ? 'reported' : 'estimated',
        usage: { input: 200, output: made },
        costNanoUsd: cost,
        outcome,
        seenTokens: seen,
        reportedOutputTokens: isReported ? made : 0,
      },
      n,
    )
    this.check()
    return 'ok'
  }

  async end(): Promise<void> {
    this.ledger.fault = undefined
    for (const money of this.monies) if (!this.dead.has(money)) await money.close(500)
    const signal = new AbortController().signal
    const of = { folder: this.folder, incarnation: 'none', bootId: 'boot', nowMs: 1 }
    const refused = new RefusedReports({ link: this.ledger, clock, createId: ids, log })
    this.deadIncarnations = await recoverHolds({ ...of, link: this.ledger, refused, log, signal })
    for (const money of this.dead) await money.close(1)
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function run(seed: number, faults: number, kills: boolean): Promise<World> {
  const world = new World(seed, faults)
  const live = [world.boot(), world.boot()]
  const calls: Promise<unknown>[] = []
  for (let n = 0; n < 90; n++) {
    const at = Math.floor(world.random() * live.length)
    calls.push(world.attempt(live[at] as Money, n))
    const dice = world.random()
    if (dice < 0.3) await wait(1)
    // A sweep of the ledger that takes a slow gateway for dead.
    if (faults > 0 && dice > 0.98)
      for (const lease of world.ledger.leases.values()) world.ledger.strand(lease.holder)
    if (kills && n % 30 === 29) {
      world.dead.add(live[at] as Money)
      live[at] = world.boot()
    }
  }
  await Promise.all(calls)
  world.check()
  await world.end()
  world.check()
  return world
}

describe('gateways and a ledger that lose, repeat and delay what they say to each other', () => {
  it('never let providers bill more than a limit, and agree on what was spent to the nano-dollar', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.constantFrom(0, 0.05, 0.3),
        async (seed, faults) => {
          const { ledger, bills } = await run(seed, faults, false)
          const estimated = [...bills].some(([id, bill]) => ledger.get(id).settled !== bill)
          for (const [id, bill] of bills) {
            const { settled, leased, stranded, overrun } = ledger.get(id)
            expect({ leased, stranded, overrun }).toEqual({ leased: 0n, stranded: 0n, overrun: 0n })
            // Estimates are bounds: they may be above the bill, never below.
            if (estimated) expect(settled).toBeGreaterThanOrEqual(bill)
          }
        },
      ),
      { numRuns: 12, interruptAfterTimeLimit: 8000 },
    )
  }, 20_000)

  it('lose no money with a gateway that is killed: its journal settles what it held', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
        const { ledger, bills, deadIncarnations } = await run(seed, 0.05, true)
        expect(deadIncarnations).toBeGreaterThan(0)
        for (const [id, bill] of bills) {
          const { settled, stranded } = ledger.get(id)
          expect(bill).toBeLessThanOrEqual(settled + stranded)
        }
      }),
      { numRuns: 8, interruptAfterTimeLimit: 6000 },
    )
  }, 20_000)
})
