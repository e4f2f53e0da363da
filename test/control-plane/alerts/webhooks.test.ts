import { createHmac } from 'node:crypto'
import { createLogger } from '@signalbox/sdk/node'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { deliverAlerts, pauseAfter } from '../../../control-plane/alerts/deliver-alerts.ts'
import { raiseForecasts } from '../../../control-plane/alerts/watch-budgets.ts'
import { createTestDatabase } from '../../support/database.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'
import { refusalOf, startAccessPlane, testOutboundRules } from '../access-plane.ts'
import { enrolHolder } from '../ledger/holder.ts'

const plane = await startAccessPlane(await createTestDatabase())
const { client, db, secrets, clock } = plane
const gateway = await enrolHolder(plane)
const log = createLogger('control-plane', 'silent')
const nowMs = () => Date.now() + clock.offsetMs
const send = () => deliverAlerts({ db, secrets, log, nowMs, rules: testOutboundRules })
let receiver: ScriptedUpstream
let hook: Awaited<ReturnType<typeof client.createWebhook>>
let number = 0

beforeEach(async () => {
  receiver = await startScriptedUpstream()
  receiver.play((turn) => turn.json(204, null))
  hook = await client.createWebhook({ url: `${receiver.url}/hook?key=1` })
})
afterEach(async () => {
  await client.deleteWebhook({ id: hook.id })
  await receiver.close()
})
afterAll(() => plane.stop())

/** A budget of which all is spent. */
async function spendAll(): Promise<string> {
  const team = `team-${++number}`
  await client.createTeam({ name: team })
  const { id } = await client.setBudget({ team, window: 'total', limit: '100', alertsPpm: [1_000_000] })
  const { leaseId } = await gateway.take([id], 100)
  await gateway.settle({ leaseId, amount: 100, settled: 100, actual: 100 })
  return id
}

test('an alert comes once, signed, with all that is to be known, and is shown as delivered', async () => {
  const budgetId = await spendAll()
  expect(await send()).toBe(1)
  expect(await send()).toBe(0)
  expect(receiver.requests).toHaveLength(1)
  const [request] = receiver.requests
  expect(request).toMatchObject({ method: 'POST', path: '/hook?key=1' })
  expect(request?.json).toMatchObject({
    ...{ type: 'budget.threshold', kind: 'threshold', thresholdPpm: 1_000_000, spent: '100', limit: '100' },
    budget: { id: budgetId, path: `team-${number}`, window: 'total', unit: 'usd', mode: 'hard' },
  })
  const {
    'webhook-id': id,
    'webhook-timestamp': time,
    'webhook-signature': signature,
  } = request?.headers ?? {}
  const key = Buffer.from(hook.secret.replace('whsec_', ''), 'base64')
  const wanted = createHmac('sha256', key).update(`${id}.${time}.${request?.text}`).digest('base64')
  expect(signature).toBe(`v1,${wanted}`)
  expect(Math.abs(Number(time) - Date.now() / 1000)).toBeLessThan(60)
  const [alert] = (await client.listBudgetAlerts({ limit: 1 })).items
  expect(alert).toMatchObject({
    id,
    unit: 'usd',
    deliveries: [{ webhookId: hook.id, attempts: 1, error: null }],
  })
  expect(alert?.deliveredMs).toBe(alert?.deliveries[0]?.deliveredMs)
})

test('what is not taken comes again, later each time, until it is; the id stays', async () => {
  receiver.play(
    (turn) => turn.json(500, { secret: 'not to be kept' }),
    (turn) => turn.reset(),
    (turn) => turn.json(302, null, { location: `${receiver.url}/elsewhere` }),
    (turn) => turn.json(200, null),
  )
  await spendAll()
  const errors = []
  for (let attempt = 1; attempt <= 4; attempt++) {
    expect(await send()).toBe(attempt === 4 ? 1 : 0)
    // It is not due before its pause is over.
    expect(await send()).toBe(0)
    const [alert] = (await client.listBudgetAlerts({ limit: 1 })).items
    errors.push(alert?.deliveries[0]?.error)
    clock.offsetMs += pauseAfter(attempt) + 1000
  }
  clock.offsetMs = 0
  expect(errors).toEqual(['status 500', expect.stringContaining('ECONNRESET'), 'status 302', null])
  expect(receiver.requests.map(({ path }) => path)).toEqual(Array.from({ length: 4 }, () => '/hook?key=1'))
  expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect([1, 2, 3, 20].map(pauseAfter)).toEqual([5000, 10_000, 20_000, 3_600_000])
})

test('two control planes deliver an alert once, and one that dies with it loses nothing', async () => {
  await spendAll()
  expect((await Promise.all([send(), send(), send()])).reduce((sum, each) => sum + each)).toBe(1)
  expect(receiver.requests).toHaveLength(1)
})

test('overruns and stranded money are told of, and a window that is going to cost more than its limit', async () => {
  // Noon of tomorrow, since no clock goes back: half of the day is over, and more than half of the limit is spent.
  const now = nowMs()
  clock.offsetMs = now - (now % 86_400_000) + 86_400_000 + 43_200_000 - Date.now()
  await client.createTeam({ name: 'troubled' })
  const rest = { team: 'troubled', alertsPpm: [] }
  const { id } = await client.setBudget({ ...rest, window: 'day', limit: '100' })
  const { id: other } = await client.setBudget({ ...rest, window: 'total', limit: '100' })
  const overrun = await gateway.take([id], 20)
  await gateway.settle({ leaseId: overrun.leaseId, amount: 20, settled: 20, actual: 60, overrun: 40 })
  await gateway.take([other], 10)
  await plane.ledger.strandExpired()
  clock.offsetMs += 70_000
  await plane.ledger.strandExpired()
  expect(await raiseForecasts(db, async () => nowMs())).toBe(1)
  expect(await raiseForecasts(db, async () => nowMs())).toBe(0)
  expect(await send()).toBeGreaterThanOrEqual(3)
  const told = receiver.requests.filter(({ json }) => Object(json.budget).path === 'troubled')
  expect(told.map(({ json }) => json.type).sort()).toEqual([
    'budget.forecast',
    'budget.overrun',
    'budget.stranded',
  ])
  const forecast = told.find(({ json }) => json.type === 'budget.forecast')?.json
  expect(Number(forecast?.projected)).toBeGreaterThan(100)
  expect((await client.explainBudget({ id })).forecast?.projected).toBe(forecast?.projected)
  clock.offsetMs = 0
})

test('a webhook is made, tried out and deleted, each with its audit row and no secret in it', async () => {
  expect(hook.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/)
  expect(await client.testWebhook({ id: hook.id })).toEqual({ taken: true, error: null })
  expect(receiver.requests[0]?.json).toMatchObject({ type: 'test' })
  receiver.play((turn) => turn.json(404, null))
  expect(await client.testWebhook({ id: hook.id })).toEqual({ taken: false, error: 'status 404' })
  expect(await refusalOf(client.createWebhook({ url: hook.url }))).toMatchObject({ code: 'already_exists' })
  expect(await refusalOf(client.createWebhook({ url: 'https://169.254.169.254/latest' }))).toMatchObject({
    ...{ status: 400, param: 'url' },
  })
  const { items } = await client.listWebhooks()
  expect(items).toEqual([
    { id: hook.id, url: hook.url, createdMs: hook.createdMs, createdBy: hook.createdBy },
  ])
  const rows = (await client.listAudit({ action: 'createWebhook' })).items
  expect(JSON.stringify(rows)).not.toMatch(/whsec_|key=1/)
  expect(rows[0]).toMatchObject({ object: `webhook ${hook.id}` })
})
