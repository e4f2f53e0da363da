import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { ControlPlaneLink } from '../../../gateway/documents/control-plane-link.ts'
import { isNotUnderstood } from '../../../gateway/money/ledger-link.ts'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startAccessPlane } from '../access-plane.ts'
import { enrolHolder } from './holder.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client } = plane
const gateway = await enrolHolder(plane)
let teams = 0

/** A team of its own with a budget of so much. */
async function newBudget(limit: number, more: Partial<Parameters<typeof client.setBudget>[0]> = {}) {
  const team = await client.createTeam({ name: `team-${++teams}` })
  const wish = { team: team.id, window: 'total' as const, limit: String(limit), ...more }
  return { team, ...(await client.setBudget(wish)) }
}
const currentOf = async (id: string) => {
  const { current } = await client.getBudget({ id })
  if (current === null) return null
  const { limit, settled, leased, stranded, overrun } = current
  return [limit, settled, leased, stranded, overrun].map(Number)
}

test('a lease is deducted from all its budgets, or from none', async () => {
  const wide = await newBudget(1000)
  const tight = await newBudget(100)
  const taken = await gateway.take([wide.id, tight.id], 80)
  expect(taken).toMatchObject({ granted: '80', expiresInMs: 60_000 })
  const refused = await gateway.take([wide.id, tight.id], 30)
  expect(refused).toMatchObject({
    granted: '0',
    refusedBy: { budgetId: tight.id, available: '20', resetsAtMs: null },
  })
  expect([await currentOf(wide.id), await currentOf(tight.id)]).toEqual([
    [1000, 0, 80, 0, 0],
    [100, 0, 80, 0, 0],
  ])
})

test('who asks twice with one id has one lease', async () => {
  const { id } = await newBudget(100)
  const leaseId = newId()
  const answers = [await gateway.take([id], 60, { leaseId }), await gateway.take([id], 60, { leaseId })]
  expect(answers.map(({ granted }) => granted)).toEqual(['60', '60'])
  expect(await currentOf(id)).toEqual([100, 0, 60, 0, 0])
})

test('a wish gets a fair share of what is there, and near the end exactly what it needs', async () => {
  const { id } = await newBudget(1000)
  const first = Number((await gateway.take([id], 10, { want: 1_000_000 })).granted)
  expect(first).toBeGreaterThan(10)
  expect(first).toBeLessThanOrEqual(500)
  await gateway.take([id], 1000 - first - 15)
  expect((await gateway.take([id], 10, { want: 15 })).granted).toBe('10')
})

test('reports may be repeated and come in any order', async () => {
  const { id } = await newBudget(100)
  const { leaseId } = await gateway.take([id], 100)
  await gateway.report(leaseId, 70, 50)
  await gateway.report(leaseId, 100, 20)
  await gateway.report(leaseId, 70, 50)
  expect(await currentOf(id)).toEqual([100, 50, 20, 0, 0])
  await gateway.report(leaseId, 60, 60, true)
  await gateway.report(leaseId, 70, 50)
  expect(await currentOf(id)).toEqual([100, 60, 0, 0, 0])
})

test('what an attempt was billed beyond its hold is overrun, counts once and closes the window', async () => {
  const { id } = await newBudget(1000)
  const { leaseId } = await gateway.take([id], 100)
  const callId = newId()
  const attempt = { leaseId, callId, amount: 100, settled: 100, actual: 130, overrun: 30 }
  await gateway.settle(attempt)
  await gateway.settle(attempt)
  expect(await currentOf(id)).toEqual([1000, 100, 0, 0, 30])
  expect(await gateway.take([id], 1)).toMatchObject({ granted: '0', refusedBy: { available: '0' } })
  const { current } = await client.settleOverrun({ id, reason: 'the provider was right' })
  expect(current).toMatchObject({ settled: '130', overrun: '0' })
  expect((await gateway.take([id], 1)).granted).toBe('1')
})

test('what a silent gateway holds is stranded, comes back with its word, and is not given to others before', async () => {
  const { id } = await newBudget(100)
  const { leaseId } = await gateway.take([id], 80)
  plane.clock.offsetMs += 61_000
  expect(await plane.ledger.strandExpired()).toBeGreaterThan(0)
  expect(await currentOf(id)).toEqual([100, 0, 0, 80, 0])
  expect((await gateway.take([id], 30)).granted).toBe('0')
  await gateway.report(leaseId, 80, 25)
  expect(await currentOf(id)).toEqual([100, 25, 55, 0, 0])
  await gateway.report(leaseId, 25, 25, true)
  expect((await gateway.take([id], 75)).granted).toBe('75')
})

test('an operator frees stranded money with a reason; spending that shows up later is overrun', async () => {
  const { id } = await newBudget(100)
  const { leaseId } = await gateway.take([id], 80)
  await gateway.report(leaseId, 80, 10)
  plane.clock.offsetMs += 61_000
  await plane.ledger.strandExpired()
  const reply = await client.releaseStranded({ id, reason: 'the machine is gone' })
  expect(reply).toMatchObject({ leases: [leaseId], released: '70', budget: { current: { stranded: '0' } } })
  expect(await refusalOf(client.releaseStranded({ id, reason: 'again' }))).toMatchObject({ code: 'conflict' })
  await gateway.report(leaseId, 80, 30)
  await gateway.report(leaseId, 80, 30)
  expect(await currentOf(id)).toEqual([100, 10, 0, 0, 20])
})

test('the next run of a gateway reports for the one before it, and no other gateway does', async () => {
  const { id } = await newBudget(100)
  const one = await enrolHolder(plane)
  const other = await enrolHolder(plane)
  const { leaseId } = await one.take([id], 80)
  const strange = await other.report(leaseId, 0, 0, true)
  expect(strange.leases).toEqual([{ leaseId, expiresInMs: 0, recall: true }])
  const next = { ...one, incarnation: newId() }
  await one.ask('gatewayHello', {
    incarnation: next.incarnation,
    publicKey: Buffer.alloc(32, 7).toString('base64url'),
    software: 'gateway/2',
  })
  expect(await refusalOf(one.take([id], 1))).toMatchObject({ code: 'conflict' })
  // In the words of the dead run; a lease that was asked for and never granted is among them.
  const never = { leaseId: newId(), amount: '0', settled: '0', final: true }
  await next.ask('gatewaySettle', {
    incarnation: one.incarnation,
    leases: [{ leaseId, amount: '35', settled: '35', final: true }, never],
    settlements: [],
  })
  expect(await currentOf(id)).toEqual([100, 35, 0, 0, 0])
})

test('soft and shadow budgets never refuse and count what a hard one would have refused', async () => {
  const soft = await newBudget(100, { mode: 'soft' })
  const shadow = await newBudget(10, { mode: 'shadow' })
  for (const need of [90, 90]) {
    expect((await gateway.take([soft.id, shadow.id], need)).granted).toBe(String(need))
  }
  expect(await currentOf(soft.id)).toEqual([100, 0, 180, 0, 0])
  expect((await client.explainBudget({ id: shadow.id })).wouldRefuse).toBe(2)
  expect((await client.explainBudget({ id: soft.id })).wouldRefuse).toBe(1)
})

test('the idle part is wanted back once others wait, the limit fell, or the budget is gone', async () => {
  const { id, team } = await newBudget(100)
  const { leaseId } = await gateway.take([id], 100)
  const recalled = async () => (await gateway.report(leaseId, 100, 10)).leases[0]?.recall
  expect(await recalled()).toBe(false)
  await gateway.take([id], 5)
  expect(await recalled()).toBe(true)
  plane.clock.offsetMs += 6000
  expect(await recalled()).toBe(false)
  await client.setBudget({ team: team.id, window: 'total', limit: '50' })
  expect(await recalled()).toBe(true)
  await client.deleteBudget({ id })
  expect(await recalled()).toBe(true)
  // A gateway that has not heard of the deletion is not held up by it.
  expect((await gateway.take([id], 500)).granted).toBe('500')
})

test('a window ends by the clock and the next one begins with nothing spent', async () => {
  const { id } = await newBudget(100, { window: 'day' })
  const { leaseId } = await gateway.take([id], 100)
  expect((await gateway.take([id], 1)).refusedBy?.resetsAtMs).toBeGreaterThan(Date.now())
  plane.clock.offsetMs += 86_400_000
  expect((await gateway.take([id], 70)).granted).toBe('70')
  expect((await gateway.report(leaseId, 100, 40)).leases[0]).toMatchObject({ recall: true })
  const { windows } = await client.explainBudget({ id })
  expect(windows.map(({ settled, leased, stranded }) => [settled, leased, stranded])).toEqual([
    ['0', '70', '0'],
    ['40', '60', '0'],
  ])
  plane.clock.offsetMs -= 86_400_000
})

test('what no ledger can have said is refused by name', async () => {
  const { id } = await newBudget(100)
  const { leaseId } = await gateway.take([id], 50)
  for (const [amount, settled, final] of [
    [10, 20, false],
    [20, 10, true],
  ] as const) {
    expect(await refusalOf(gateway.report(leaseId, amount, settled, final))).toMatchObject({
      status: 400,
      param: 'leases',
    })
  }
  expect(await refusalOf(gateway.take(['team'], 1))).toMatchObject({ status: 400, param: 'wishes' })
  expect(await gateway.take([newId()], 1)).toMatchObject({ granted: '0', refusedBy: { available: '0' } })
  expect((await gateway.take([id], 2 * 10 ** 15)).granted).toBe('0')
  expect(await currentOf(id)).toEqual([100, 0, 50, 0, 0])
})

test('after all of this the transfers and leases add up to the balances', async () => {
  const { windows, transfers, differences } = await client.reconcileBudgets()
  expect(windows).toBeGreaterThan(10)
  expect(transfers).toBeGreaterThan(windows)
  expect(differences).toEqual([])
})

const openCount = async (): Promise<number> => (await client.getStatus({})).refusedReports
const putAside = async (report: object, error = 'answered with 409 (conflict)'): Promise<string> => {
  const id = newId()
  const told = {
    id,
    incarnation: 'dead',
    timeMs: Date.now(),
    error,
    tries: 5,
    report: JSON.stringify(report),
  }
  await successor.ask('gatewayPutAside', { reports: [told] })
  // Its reply may be lost: the same report again is the same one.
  expect(await successor.ask('gatewayPutAside', { reports: [told] })).toEqual({ kept: 0 })
  return id
}
/** A gateway that was enrolled anew, on the folder of `gateway`. */
const successor = await enrolHolder(plane)

test('what a gateway tells of the leases of another is refused, put aside, and taken on an operator’s word', async () => {
  const { id } = await newBudget(1000)
  const { leaseId } = await gateway.take([id], 600)
  const leases = [{ leaseId, amount: '70', settled: '70', final: true }]
  const callId = newId()
  const spent = { callId, attempt: 0, leaseId, hold: '70', actual: '70', overrun: '0' }
  const settlements = [{ ...spent, evidence: 'estimated' as const, timeMs: Date.now() }]
  const report = { leases, settlements }
  const refused = successor.ask('gatewaySettle', { incarnation: newId(), ...report })
  expect(await refusalOf(refused)).toMatchObject({ status: 409 })
  const open = await openCount()
  const refusedId = await putAside(report)
  expect(await openCount()).toBe(open + 1)
  const told = (await client.listBudgetAlerts({})).items.filter(({ budgetId }) => budgetId === id)
  expect(told).toMatchObject([{ kind: 'refused', budgetId: id }])
  const [first] = (await client.listRefusedReports()).items
  expect(first).toMatchObject({
    id: refusedId,
    state: 'open',
    gatewayId: successor.id,
    tries: 5,
    budgets: [id],
  })

  // Its holder is silent: the rest is stranded by the normal rule.
  plane.clock.offsetMs += 61_000
  await plane.ledger.strandExpired()
  expect(await currentOf(id)).toEqual([1000, 0, 0, 600, 0])
  const taken = await client.retryRefusedReport({ id: refusedId, note: 'same machine, enrolled anew' })
  expect(taken).toMatchObject({ state: 'taken', note: 'same machine, enrolled anew' })
  expect(await currentOf(id)).toEqual([1000, 70, 0, 0, 0])
  expect((await client.explainBudget({ id })).calls).toMatchObject([{ callId, actual: '70' }])
  expect(await refusalOf(client.retryRefusedReport({ id: refusedId, note: 'again' }))).toMatchObject({
    status: 409,
  })
  expect(await openCount()).toBe(open)
  const audit = await client.listAudit({ action: 'retryRefusedReport' })
  expect(audit.items).toMatchObject([
    { object: `refused report ${refusedId}`, detail: { note: 'same machine, enrolled anew' } },
  ])
  plane.clock.offsetMs = 0
})

test('a report that no ledger can take says why on a retry, and is put out of the way with a note', async () => {
  const { id } = await newBudget(1000)
  const { leaseId } = await gateway.take([id], 100)
  const before = await currentOf(id)
  const report = (more: object) => ({ leases: [{ leaseId, amount: '50', settled: '50', ...more }] })
  const cases: [object | string, number, RegExp][] = [
    [{ ...report({ settled: '-1', final: true }), settlements: [] }, 400, /settled/],
    [{ ...report({ settled: '60', final: false }), settlements: [] }, 400, /settled is at most/],
    [{ ...report({ leaseId: newId(), final: true }), settlements: [] }, 409, /never granted/],
    ['no report', 400, /must be/],
  ]
  for (const [told, status, message] of cases) {
    const refusedId = await putAside(told as object)
    const refusal = await refusalOf(client.retryRefusedReport({ id: refusedId, note: 'try' }))
    expect(refusal).toMatchObject({ status, message: expect.stringMatching(message) })
    expect(await client.voidRefusedReport({ id: refusedId, note: 'a bug' })).toMatchObject({ state: 'void' })
    expect(await refusalOf(client.voidRefusedReport({ id: refusedId, note: 'twice' }))).toMatchObject({
      status: 409,
    })
  }
  expect(await currentOf(id)).toEqual(before)
  expect((await client.reconcileBudgets()).differences).toEqual([])
  expect(await refusalOf(client.voidRefusedReport({ id: 'x', note: 'n' }))).toMatchObject({ status: 404 })
})

test('a report in a form that this version does not know is told apart from one that is wrong', async () => {
  const { token } = await client.enrollGateway({ environment: 'development' })
  const link = new ControlPlaneLink({ url: plane.url, token })
  const lease = { leaseId: newId(), amount: '5', settled: '5', final: true }
  const body = { incarnation: newId(), settlements: [], leases: [lease] }
  const faultOf = (leases: (typeof lease)[]) =>
    link.settle({ ...body, leases }, AbortSignal.timeout(5000)).catch((error: unknown) => error)
  const newer = { ...lease, added: 1 }
  const unknown = await faultOf([newer])
  expect(unknown).toMatchObject({ status: 400, message: expect.stringContaining('unknown member "added"') })
  expect(isNotUnderstood(unknown, body)).toBe(true)
  expect(isNotUnderstood(await faultOf([{ ...lease, amount: '4' }]), body)).toBe(false)
  await link.close()
})

test('a wish that arrives after its sender gave it up is granted nothing', async () => {
  const { id } = await newBudget(1000)
  const leaseId = newId()
  // It was asked for, not heard of, and refused when it was asked for again: the run ends, and says so.
  await gateway.report(leaseId, 0, 0, true)
  await gateway.report(leaseId, 0, 0, true)
  expect(await gateway.take([id], 600, { leaseId })).toMatchObject({ granted: '0' })
  expect(await currentOf(id)).toBeOneOf([null, [1000, 0, 0, 0, 0]])
  expect((await gateway.take([id], 600)).granted).toBe('600')
  expect((await client.reconcileBudgets()).differences).toEqual([])
})

test('a batch that was given up before it is opened keeps nothing, and none that was opened', async () => {
  const { team, id } = await newBudget(100)
  const { incarnation } = gateway
  const jobOf = () => ({
    ...{ batchId: newId(), callId: newId(), kind: 'openai' as const, connection: 'openai', keyId: 'k' },
    ...{ nodeId: team.id, endpoint: '/v1/chat/completions', models: [], lines: 1, createdMs: 0 },
  })
  for (const order of ['open', 'giveUp'] as const) {
    const [job, leaseId] = [jobOf(), newId()]
    const open = () =>
      gateway.ask('gatewayOpenBatch', {
        ...{ incarnation, job },
        wishes: [{ leaseId, budgets: [id], need: '60', want: '60', unit: 'usd' }],
      })
    const giveUp = () =>
      gateway.ask('gatewayTellBatch', {
        ...{ incarnation, batchId: job.batchId, settlements: [] },
        change: { type: 'ended', outcome: 'refused', settled: [{ leaseId, amount: '0' }], metered: 0 },
      })
    if (order === 'open') expect(await open()).toMatchObject({ opened: true })
    await giveUp()
    await giveUp()
    if (order === 'giveUp') expect(await open()).toMatchObject({ opened: false })
    expect([order, ...((await currentOf(id)) ?? [])]).toEqual([order, 100, 0, 0, 0, 0])
  }
  const refused = gateway.ask('gatewayTellBatch', {
    ...{ incarnation, batchId: newId(), settlements: [] },
    change: { type: 'started', providerId: 'batch_1' },
  })
  expect((await refusalOf(refused)).code).toBe('not_found')
})
