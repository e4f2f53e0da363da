import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CuttableLine, openLine } from '../support/cuttable-line.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { type CallOptions, type CallResult, MoneyWorld } from '../support/money-world.ts'
import { describeWith, redisBinary } from '../support/needs.ts'
import { RedisServer } from '../support/redis-server.ts'

const databaseUrl = new URL(await createTestDatabase())
const cent = 10_000_000n
/** What the input of such a call is bounded by (its bytes and the framing), with the shortest answer that is let out. */
const leastHold = 4_500_000n
let line: CuttableLine
let redis: RedisServer | undefined
let world: MoneyWorld

beforeAll(async () => {
  line = await openLine({ host: databaseUrl.hostname, port: Number(databaseUrl.port) })
  databaseUrl.port = String(line.port)
  // Gateways share their limits where this machine has a server for that.
  redis = redisBinary() === undefined ? undefined : await RedisServer.start()
  world = await MoneyWorld.start({
    ...{ gateways: 2, planeEnv: { DATABASE_URL: databaseUrl.href } },
    gatewayEnv: () => (redis === undefined ? {} : { REDIS_URL: redis.url }),
  })
}, 120_000)
afterAll(async () => {
  await world?.stop()
  await line?.close()
  await redis?.stop()
})

/** Calls without a pause until one is refused; gives all of them. */
async function callUntilRefused(each: (number: number) => CallOptions): Promise<CallResult[]> {
  const results: CallResult[] = []
  for (;;) {
    const result = await world.call(each(results.length))
    results.push(result)
    if (result.status !== 200) return results
  }
}

describe('a hard budget of a team with keys, called through two gateways at once', () => {
  it('is spent to its end and no further, and the ledger says what the provider bills', async () => {
    const limit = 6n * cent
    const { budget, keys } = await world.team('search', {
      limit,
      keys: { web: undefined, batch: 3n * cent, tests: 50_000_000n },
    })
    const seen: bigint[] = []
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        const { settled, leased, stranded } = await world.sums(budget.id)
        seen.push(settled + leased + stranded)
        await wait(50)
      }
    })()
    const callers = Array.from({ length: 6 }, (_, caller) =>
      callUntilRefused((number) => ({
        ...{ gateway: (caller + number) % 2, key: keys[caller % 3]?.key ?? '' },
        ...{ name: `search-${caller}-${number}`, tokens: 70 + ((caller * 37 + number * 11) % 90) },
        ...{ tokensMax: 160, isStream: (caller + number) % 3 === 0 },
      })),
    )
    const results = (await Promise.all(callers)).flat()
    isOver = true
    await watching
    expect(results.filter(({ status }) => status !== 200).map(({ status, code }) => [status, code])).toEqual(
      Array.from({ length: 6 }, () => [402, 'budget_exhausted']),
    )
    // What calls under way kept and did not need is spendable afterwards, whichever gateway has it.
    await eventually(async () => {
      const late = { gateway: 0, key: keys[0]?.key ?? '', name: 'search-late', tokens: 100, tokensMax: 100 }
      expect((await world.call(late)).status).toBe(402)
      expect(limit - world.upstream.bill('search-')).toBeLessThan(leastHold)
    }, 20_000)
    const bill = world.upstream.bill('search-')
    expect(bill).toBeLessThanOrEqual(limit)
    expect(seen.every((sum) => sum <= limit)).toBe(true)
    await world.eventually(budget.id, ({ settled }) => expect(settled).toBe(bill))
    for (const { id, budget: own } of keys.slice(1)) {
      const explained = await world.client.explainBudget({ id: own?.id ?? '' })
      expect(BigInt(explained.window?.settled ?? 0)).toBeLessThanOrEqual(BigInt(own?.limit ?? 0))
      expect(explained.calls.every(({ evidence }) => evidence === 'reported')).toBe(true)
      await eventually(async () => {
        const { byKey } = await world.client.explainBudget({ id: own?.id ?? '' })
        expect(byKey.map(({ keyId }) => keyId)).toEqual([id])
      })
    }
  }, 120_000)
})

describe('an answer that is whole', () => {
  it('is settled in the journal of its gateway before its end goes out', async () => {
    const { keys } = await world.team('whole', { limit: 100n * cent, keys: { a: undefined } })
    const journal = (): string => {
      const folder = join(world.folder, 'gateway-0', 'gateway', 'holds')
      return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => readFileSync(join(folder, name), 'utf8'))
        .join('')
    }
    const ways = ['plain', 'open'].flatMap((model) => [true, false].map((isStream) => ({ model, isStream })))
    for (let number = 0; number < 40; number++) {
      const way = ways[number % ways.length]
      const name = `whole-${number}`
      const { id, isWhole } = await world.call({
        ...{ gateway: 0, key: keys[0]?.key ?? '', name, tokens: 5 + number, tokensMax: 400, ...way },
      })
      // Nothing is awaited in between: a kill after the end of the answer finds what is found here.
      const lines = journal()
      expect({ name, isWhole, isSettled: lines.includes(`\nS ${id} `) }).toEqual({
        ...{ name, isWhole: true, isSettled: true },
      })
    }
  }, 60_000)
})

describe('a gateway that is killed with calls under way', () => {
  it('settles them by its journal when it is back: not below the bill, and above it by its holds at most', async () => {
    const { budget, keys } = await world.team('killed', { limit: 100n * cent, keys: { a: undefined } })
    const key = keys[0]?.key ?? ''
    const options = { key, tokens: 100, tokensMax: 3000, isStream: true }
    const call = (gateway: number, name: string, rest: Partial<CallOptions> = {}) =>
      world.call({ gateway, name: `killed-${name}`, ...options, ...rest })
    const whole = await Promise.all([call(0, 'w0'), call(0, 'w1'), call(1, 'w2')])
    expect(whole.map(({ isWhole }) => isWhole)).toEqual([true, true, true])
    const running = ['r0', 'r1', 'r2', 'r3'].map((name, index) =>
      call(0, name, { tokens: 2000, paceMs: 20, model: index < 2 ? 'open' : 'plain' }),
    )
    const other = call(1, 'other', { tokens: 400, paceMs: 10 })
    await eventually(() => expect(world.upstream.running).toBe(5))
    await wait(700)
    await world.gateways[0]?.stop('SIGKILL')
    const broken = await Promise.all(running)
    expect(broken.every(({ isWhole }) => !isWhole)).toBe(true)
    expect((await other).isWhole).toBe(true)
    await eventually(() => expect(world.upstream.running).toBe(0))
    const bill = world.upstream.bill('killed-')
    const dead = await world.sums(budget.id)
    expect(bill).toBeLessThanOrEqual(dead.settled + dead.leased + dead.stranded)
    await world.boot(0)
    const { calls } = await eventually(async () => {
      const reply = await world.client.explainBudget({ id: budget.id, limit: 1000 })
      expect(new Set(reply.calls.map(({ callId }) => callId)).size).toBe(8)
      return reply
    })
    const estimated = calls.filter(({ evidence }) => evidence !== 'reported')
    const ids = new Set(broken.map(({ id }) => id))
    expect(estimated.every(({ callId }) => ids.has(callId))).toBe(true)
    expect(new Set(estimated.map(({ callId }) => callId)).size).toBe(4)
    const holds = estimated.reduce((sum, { hold }) => sum + BigInt(hold), 0n)
    const { settled, stranded } = await world.sums(budget.id)
    expect(settled).toBeLessThanOrEqual(bill + holds)
    expect(bill).toBeLessThanOrEqual(settled + stranded)
    expect((await world.client.reconcileBudgets()).differences).toEqual([])
    // What was reported is exact; the whole difference is on the calls that were under way.
    const exact = calls.reduce(
      (sum, row) => (row.evidence === 'reported' ? sum + BigInt(row.actual) : sum),
      0n,
    )
    expect(exact).toBe(['w', 'other'].reduce((sum, name) => sum + world.upstream.bill(`killed-${name}`), 0n))
  }, 120_000)
})

describe('a batch job that loops over the weekend', () => {
  it('stops at the cap of its key, an alert tells of it, and the rest of the team works on', async () => {
    const cap = 4n * cent
    const { keys, budget } = await world.team('night', {
      limit: 100n * cent,
      keys: { job: cap, web: undefined },
    })
    const [job, web] = keys
    let isOver = false
    const others = (async () => {
      const results: CallResult[] = []
      for (let number = 0; !isOver; number++) {
        const name = `night-web-${number}`
        await wait(20)
        results.push(
          await world.call({ gateway: number % 2, key: web?.key ?? '', name, tokens: 20, tokensMax: 200 }),
        )
      }
      return results
    })()
    const jobCall = (gateway: number, name: string) =>
      world.call({
        ...{ gateway, key: job?.key ?? '', name: `night-job-${name}` },
        ...{ tokens: 200, tokensMax: 220, isStream: gateway === 0 },
      })
    const loops = [0, 1].map(async (loop) => {
      let refusals = 0
      // It does not listen to what it is told.
      for (let number = 0; refusals < 4; number++) {
        const { status } = await jobCall((loop + number) % 2, `${loop}-${number}`)
        if (status === 402) refusals++
      }
    })
    await Promise.all(loops)
    isOver = true
    const results = await others
    expect(results.length).toBeGreaterThan(5)
    expect(results.filter(({ status }) => status !== 200)).toEqual([])
    await eventually(async () => {
      expect((await jobCall(0, 'late')).status).toBe(402)
      expect(cap - world.upstream.bill('night-job-')).toBeLessThan(leastHold)
    }, 20_000)
    const bill = world.upstream.bill('night-job-')
    expect(bill).toBeLessThanOrEqual(cap)
    await world.eventually(job?.budget?.id ?? '', ({ settled }) => expect(settled).toBe(bill))
    const { items } = await world.client.listBudgetAlerts()
    const told = items.filter(({ budgetId }) => budgetId === job?.budget?.id)
    expect(told.map(({ kind }) => kind)).toContain('exhausted')
    expect(told.map(({ thresholdPpm }) => thresholdPpm)).toContain(800_000)
    expect(items.filter(({ budgetId }) => budgetId === budget.id)).toEqual([])
  }, 120_000)
})

describe('a database that is cut off', () => {
  it('is on no call’s way while a lease is in hand, and learns afterwards what was spent', async () => {
    const { budget, keys } = await world.team('cut', { limit: 1000n * cent, keys: { a: undefined } })
    const call = (number: number) =>
      world.call({
        ...{ gateway: 0, key: keys[0]?.key ?? '', name: `cut-${number}`, tokens: 10 },
        ...{ tokensMax: 400, isStream: number % 2 === 0 },
      })
    for (let number = 0; number < 4; number++) expect((await call(number)).status).toBe(200)
    line.cut()
    const during = []
    for (let number = 4; number < 10; number++) during.push(await call(number))
    expect(during.map(({ status, isWhole }) => [status, isWhole])).toEqual(
      Array.from({ length: 6 }, () => [200, true]),
    )
    await expect(world.client.getBudget({ id: budget.id })).rejects.toThrow()
    line.mend()
    const bill = world.upstream.bill('cut-')
    await eventually(async () => {
      const { settled, overrun } = await world.sums(budget.id)
      expect({ settled, overrun }).toEqual({ settled: bill, overrun: 0n })
    }, 15_000)
  }, 120_000)
})

describeWith('redis', 'a database and a shared store that are cut off at once', () => {
  it('are on no call’s way while a lease is in hand, though limits are shared', async () => {
    const { budget, keys } = await world.team('apart', { limit: 1000n * cent, keys: { a: undefined } })
    for (const unit of ['requests', 'tokens'] as const) {
      await world.client.setLimit({ team: 'apart', unit, window: 'minute', limit: 1_000_000 })
    }
    await world.client.setLimit({ team: 'apart', unit: 'concurrency', limit: 50 })
    const call = (number: number) =>
      world.call({
        ...{ gateway: 0, key: keys[0]?.key ?? '', name: `apart-${number}`, tokens: 10 },
        ...{ tokensMax: 400, isStream: number % 2 === 0 },
      })
    for (let number = 0; number < 4; number++) expect((await call(number)).status).toBe(200)
    line.cut()
    await redis?.stop()
    const during: { status: number; isWhole: boolean; ms: number }[] = []
    for (let number = 4; number < 12; number++) {
      const startMs = performance.now()
      const { status, isWhole } = await call(number)
      during.push({ status, isWhole, ms: performance.now() - startMs })
    }
    expect(during.map(({ status, isWhole }) => [status, isWhole])).toEqual(
      Array.from({ length: 8 }, () => [200, true]),
    )
    await expect(world.client.getBudget({ id: budget.id })).rejects.toThrow()
    line.mend()
    await redis?.start()
    const bill = world.upstream.bill('apart-')
    await world.eventually(
      budget.id,
      ({ settled, overrun }) => {
        expect({ settled, overrun }).toEqual({ settled: bill, overrun: 0n })
      },
      20_000,
    )
    process.stdout.write(`database and Redis cut: ${during.map(({ ms }) => ms.toFixed(0)).join(' ')} ms\n`)
  }, 120_000)
})

describe('a price that changes', () => {
  it('counts from the next call on: what was billed before keeps its price', async () => {
    const { budget, keys } = await world.team('priced', { limit: 100n * cent, keys: { a: undefined } })
    const call = (name: string) =>
      world.call({
        ...{ gateway: 0, key: keys[0]?.key ?? '', name: `priced-${name}`, tokens: 50, tokensMax: 60 },
      })
    const before = await call('before')
    const cost = world.upstream.bill('priced-')
    await world.setPrices(2)
    const after = await call('after-')
    const calls = await eventually(async () => {
      const reply = await world.client.explainBudget({ id: budget.id })
      expect(reply.calls).toHaveLength(2)
      await world.client.getRecord({ id: after.id ?? '' })
      return reply.calls
    }, 20_000)
    expect(calls.find(({ callId }) => callId === before.id)?.actual).toBe(String(cost))
    const twice = BigInt(calls.find(({ callId }) => callId === after.id)?.actual ?? 0)
    expect(twice).toBeGreaterThan((cost * 19n) / 10n)
    const [old, young] = await Promise.all(
      [before, after].map(({ id }) => world.client.getRecord({ id: id ?? '' })),
    )
    expect(old?.row.costNanoUsd).toBe(String(cost))
    expect(young?.row.costNanoUsd).toBe(String(twice))
    const digests = [old, young].map((each) => each?.body.attempts[0]?.hold?.priceDigest)
    expect(new Set(digests).size).toBe(2)
  }, 120_000)
})

describe('gateways that are told to end', () => {
  it('give all leases back, and every sum of the ledger adds up anew', async () => {
    expect(await Promise.all(world.gateways.map((gateway) => gateway.stop('SIGTERM')))).toEqual([0, 0])
    for (const { id, path } of (await world.client.listBudgets()).items) {
      const { leased, stranded, overrun } = await world.sums(id)
      expect({ path, leased, stranded, overrun }).toEqual({ path, leased: 0n, stranded: 0n, overrun: 0n })
    }
    const [budget] = (await world.client.listBudgets({ team: 'search' })).items
    expect((await world.sums(budget?.id ?? '')).settled).toBe(world.upstream.bill('search-'))
    expect((await world.client.reconcileBudgets()).differences).toEqual([])
  }, 120_000)
})
