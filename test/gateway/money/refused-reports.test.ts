import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { refusedPerRequestMax } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import type { BudgetSet } from '../../../gateway/money/call-budgets.ts'
import { HoldJournal } from '../../../gateway/money/hold-journal.ts'
import type { SettleBody } from '../../../gateway/money/ledger-link.ts'
import { Money } from '../../../gateway/money/money.ts'
import { recoverHolds } from '../../../gateway/money/recover-holds.ts'
import { RefusedReports, refusalsMax } from '../../../gateway/money/refused-reports.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { hardSetOf } from './budgeted-gateway.ts'

const log = createLogger('refused-test', 'silent')
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() }
const times = { grantMs: 200, reportMs: 4, requestMs: 200, backoffMs: 1 }
const ids = createIdSource()
const [good, bad] = [hardSetOf('good'), hardSetOf('bad')]

let folder: string
let ledger: MemoryLedger
let money: Money
/** Says what the ledger answers to a report instead of taking it: an HTTP status, or nothing. */
let refusal: (body: SettleBody) => number | undefined
/** What it says besides. */
let said: string | undefined
/** Ids of leases that were sent, as often as they were. */
let sent: string[]

const link = {
  lease: (...args: Parameters<MemoryLedger['lease']>) => ledger.lease(...args),
  settle: async (body: SettleBody) => {
    sent.push(...body.leases.map(({ leaseId }) => leaseId))
    const status = refusal(body)
    if (status !== undefined) throw Object.assign(new Error(`answered with ${status}`), { status, said })
    return ledger.settle(body)
  },
  putAside: (...args: Parameters<MemoryLedger['putAside']>) => ledger.putAside(...args),
}
const refusedIn = (path = folder) =>
  new RefusedReports({ folder: join(path, 'refused'), link, clock, createId: ids, log })

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'signalbox-refused-'))
  ledger = new MemoryLedger().add('good', 1_000_000n).add('bad', 1_000_000n)
  ;[refusal, said, sent] = [() => undefined, undefined, []]
  const journal = new HoldJournal({ folder, incarnation: 'run', bootId: 'boot', log })
  money = new Money({
    ...{ link, incarnation: 'run', clock, createId: ids, log, times, journal },
    refused: refusedIn(),
  })
})
afterEach(async () => {
  await money.close(200)
  rmSync(folder, { recursive: true, force: true })
})

async function takeLease(set: BudgetSet): Promise<string> {
  await money.ask(set, { need: 1000n, want: 4000n, take: () => true }, 200)
  return money.poolOf(set).leases[0]?.id ?? ''
}
const spend = (set: BudgetSet, callId: string, amount: bigint): void => {
  money.take(set, amount, { callId, attempt: 0 })?.settle(amount, 'reported', 1)
}

describe('a report that the ledger refuses', () => {
  it.each([400, 409, 413])('with %i is put aside after some tries, and holds up no other', async (status) => {
    const [, badLease] = [await takeLease(good), await takeLease(bad)]
    refusal = ({ leases }) => (leases.some(({ leaseId }) => leaseId === badLease) ? status : undefined)
    spend(good, 'c1', 300n)
    spend(bad, 'c2', 200n)
    money.start()
    await vi.waitFor(() => expect(ledger.aside).toHaveLength(1), 3000)
    const [{ report = '', tries, incarnation } = {}] = ledger.aside
    expect({ tries, incarnation }).toEqual({ tries: refusalsMax + 1, incarnation: 'run' })
    expect(JSON.parse(report).leases).toEqual([
      { leaseId: badLease, amount: '200', settled: '200', final: true },
    ])
    expect(ledger.get('good').settled).toBe(300n)
    expect(ledger.rows.size).toBe(2)
    expect(money.status()).toMatchObject({ refusedReports: 1, unreported: 0 })
    expect(money.poolOf(bad).leases).toEqual([])
    // It is not said again, and no later call spends from what nobody can account for.
    await vi.waitFor(() => expect(readdirSync(join(folder, 'refused'))).toEqual([]), 3000)
    const often = sent.filter((id) => id === badLease).length
    spend(good, 'c3', 100n)
    await vi.waitFor(() => expect(ledger.get('good').settled).toBe(400n), 3000)
    expect(sent.filter((id) => id === badLease)).toHaveLength(often)
    expect(money.take(bad, 10n, { callId: 'c4', attempt: 0 })).toBeUndefined()
    ledger.strand('run')
    expect(ledger.get('bad').stranded).toBeGreaterThan(0n)
  })

  it('of an attempt alone is put aside alone: the sum that its lease reports is taken', async () => {
    await takeLease(good)
    refusal = ({ settlements }) => (settlements.some(({ callId }) => callId === 'c2') ? 400 : undefined)
    for (const [index, id] of ['c1', 'c2', 'c3'].entries()) spend(good, id, BigInt(100 * (index + 1)))
    money.start()
    await vi.waitFor(() => expect(ledger.aside).toHaveLength(1), 3000)
    expect(JSON.parse(ledger.aside[0]?.report ?? '').settlements).toMatchObject([{ callId: 'c2' }])
    await vi.waitFor(() => expect(money.status().unreported).toBe(0), 3000)
    expect(ledger.get('good').settled).toBe(600n)
    expect([...ledger.rows.keys()].map((key) => key.split(' ')[0]).sort()).toEqual(['c1', 'c3'])
  })

  it.each([
    0, 401, 403, 404, 429, 500, 503,
  ])('with %i as all others is said again for as long as it takes', async (status) => {
    const lease = await takeLease(good)
    spend(good, 'c1', 300n)
    refusal = () => status
    money.start()
    const often = (): number => sent.filter((id) => id === lease).length
    await vi.waitFor(() => expect(often()).toBeGreaterThan(2), 3000)
    refusal = () => undefined
    await vi.waitFor(() => expect(ledger.get('good').settled).toBe(300n), 3000)
    expect(ledger.aside).toEqual([])
  })

  it('with the failure of the ledger on this one alone is put aside too', async () => {
    await takeLease(good)
    const badLease = await takeLease(bad)
    refusal = ({ leases }) => (leases.some(({ leaseId }) => leaseId === badLease) ? 500 : undefined)
    for (let n = 0; n < 4; n++) spend(good, `g${n}`, 10n)
    spend(bad, 'b', 20n)
    money.start()
    // Something must be there to be taken beside it: only that tells whose fault it is.
    const more = setInterval(() => spend(good, ids(), 1n), 3)
    await vi.waitFor(() => expect(ledger.aside).toHaveLength(1), 5000).finally(() => clearInterval(more))
    expect(ledger.aside[0]?.report).toContain(badLease)
  })

  it('for a form that only this gateway’s version knows waits, with a count, until it is understood', async () => {
    const [, badLease] = [await takeLease(good), await takeLease(bad)]
    ;[refusal, said] = [() => 400, 'Body: leases[0] unknown member "added"']
    spend(good, 'c1', 300n)
    spend(bad, 'c2', 200n)
    money.start()
    await vi.waitFor(() => expect(money.status().notUnderstood).toBeGreaterThan(refusalsMax), 3000)
    expect(money.status()).toMatchObject({ refusedReports: 0, unreported: 2 })
    // What an older ledger does not know of one lease holds up no other.
    refusal = (body) => (body.leases.some(({ leaseId }) => leaseId === badLease) ? 400 : undefined)
    await vi.waitFor(() => expect(ledger.get('good').settled).toBe(300n), 3000)
    refusal = () => undefined
    await vi.waitFor(() => expect(ledger.get('bad').settled).toBe(200n), 3000)
    expect(ledger.aside).toEqual([])
  })

  it('for what is wrong by this gateway’s own contract too is put aside', async () => {
    await takeLease(bad)
    said = 'Body: settlements[0].callId must not be empty'
    money.take(bad, 200n, { callId: '', attempt: 0 })?.settle(200n, 'reported', 1)
    money.start()
    refusal = ({ settlements }) => (settlements.length > 0 ? 400 : undefined)
    await vi.waitFor(() => expect(ledger.aside).toHaveLength(1), 3000)
    expect(money.status().notUnderstood).toBe(0)
  })

  it('holds up no other where the ledger fails on the first two alone', async () => {
    const other = hardSetOf('other')
    ledger.add('other', 1_000_000n)
    const failing = [await takeLease(bad), await takeLease(other)]
    await takeLease(good)
    refusal = ({ leases }) => (leases.some(({ leaseId }) => failing.includes(leaseId)) ? 500 : undefined)
    for (const set of [bad, other, good]) spend(set, set.id, 20n)
    money.start()
    await vi.waitFor(() => expect(ledger.get('good').settled).toBe(20n), 3000)
  })

  it('waits in a file while the control plane does not take it, for the next run too', async () => {
    const lease = await takeLease(bad)
    spend(bad, 'c1', 200n)
    refusal = () => 400
    vi.spyOn(ledger, 'putAside').mockRejectedValueOnce(new Error('away'))
    money.start()
    await vi.waitFor(() => expect(money.status().refusedReports).toBeGreaterThan(1), 3000)
    await vi.waitFor(() => expect(readdirSync(join(folder, 'refused')).length).toBeGreaterThan(1), 3000)
    const next = refusedIn()
    expect(next.waiting).toBeGreaterThan(1)
    await next.send(new AbortController().signal)
    expect(ledger.aside.map(({ report }) => report).join()).toContain(lease)
    expect(readdirSync(join(folder, 'refused'))).toEqual([])
  })

  it('holds up no stop: what the control plane does not take in time is there for the next run', async () => {
    await takeLease(bad)
    spend(bad, 'c1', 200n)
    refusal = () => 400
    vi.spyOn(ledger, 'putAside').mockRejectedValueOnce(new Error('away'))
    money.start()
    await vi.waitFor(() => expect(money.status().refusedReports).toBeGreaterThan(1), 3000)
    const silent = vi.fn((_: object, signal: AbortSignal) => {
      const ended = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => ended.reject(signal.reason))
      return ended.promise
    })
    const next = refusedIn()
    const stopping = new Money({
      ...{ link: { ...link, putAside: silent }, incarnation: 'next', clock, createId: ids, log, times },
      refused: new RefusedReports({
        ...{ folder: join(folder, 'refused'), link: { putAside: silent }, clock, createId: ids, log },
      }),
    })
    const startMs = performance.now()
    await stopping.close(150)
    expect(performance.now() - startMs).toBeLessThan(2000)
    expect(silent).toHaveBeenCalledTimes(1)
    expect(next.waiting).toBeGreaterThan(1)
  })
})

it('many of them are handed over one request at a time, so that leases are told of in between', async () => {
  const refused = refusedIn()
  const numbers = Array.from({ length: refusedPerRequestMax + 1 }, (_, number) => number)
  for (const number of numbers) {
    const lease = { leaseId: `lease-${number}`, amount: '0', settled: '0', final: true }
    for (let tries = 0; tries < refusalsMax; tries++) {
      refused.refuse({ leases: [lease], settlements: [] }, new Error('no'), 'run')
    }
  }
  const { signal } = new AbortController()
  await refused.send(signal)
  expect([ledger.aside.length, refused.waiting]).toEqual([refusedPerRequestMax, 1])
  await refused.send(signal)
  expect([ledger.aside.length, refused.waiting]).toEqual([refusedPerRequestMax + 1, 0])
})

describe('what an earlier run held', () => {
  const lines = (lease: string): string => `B boot\nL ${lease} 0\nH c1 0 ${lease} 70\n`
  const recover = (refused: RefusedReports) =>
    recoverHolds({
      ...{ folder, incarnation: 'run', bootId: 'boot', nowMs: 5, link, log, refused },
      signal: new AbortController().signal,
    })

  it('is put aside where the ledger does not take it from this gateway, and the next journal is read', async () => {
    writeFileSync(join(folder, 'a-dead.holds'), lines('foreign'))
    writeFileSync(join(folder, 'b-dead.holds'), lines('own'))
    const isForeign = ({ leases, settlements }: SettleBody): boolean =>
      [...leases, ...settlements].some(({ leaseId }) => leaseId === 'foreign')
    refusal = (body) => (isForeign(body) ? 409 : undefined)
    const refused = refusedIn()
    for (let tries = 1; tries < refusalsMax; tries++) {
      await expect(recover(refused)).rejects.toThrow('refuses')
    }
    expect(await recover(refused)).toBe(2)
    await refused.send(new AbortController().signal)
    const reports = ledger.aside.map(({ report, incarnation }) => ({ ...JSON.parse(report), incarnation }))
    expect(reports).toMatchObject([
      { incarnation: 'a-dead', leases: [{ leaseId: 'foreign', settled: '70', final: true }] },
      { incarnation: 'a-dead', settlements: [{ callId: 'c1', actual: '70', evidence: 'estimated' }] },
    ])
    expect(sent).toContain('own')
  })

  it('is no evidence where a line makes no sense: it stays stranded, and nothing is held up', async () => {
    writeFileSync(join(folder, 'torn.holds'), `${lines('own')}H c2 0 own 7x0\n`)
    expect(await recover(refusedIn())).toBe(0)
    expect(readdirSync(folder).filter((name) => name.startsWith('torn'))).toEqual([])
    expect(sent).toEqual([])
  })
})
