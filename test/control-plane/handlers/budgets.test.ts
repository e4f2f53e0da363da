import { createClient } from '@signalbox/sdk'
import { v7 as newId } from 'uuid'
import { afterAll, expect, test } from 'vitest'
import { applyDeclaredTeams } from '../../../control-plane/declared-teams.ts'
import { buildState } from '../../../control-plane/documents/state.ts'
import { createTestDatabase } from '../../support/database.ts'
import { refusalOf, startAccessPlane } from '../access-plane.ts'
import { enrolHolder } from '../ledger/holder.ts'

const plane = await startAccessPlane(await createTestDatabase())
afterAll(() => plane.stop())
const { client, db, organisationId } = plane
const gateway = await enrolHolder(plane)
const usd = (dollars: number): string => String(dollars * 1_000_000_000)
const newest = async () => (await client.listAudit({ limit: 1 })).items[0]

test('a budget is made, changed and listed by its place; each change has its audit row', async () => {
  const team = await client.createTeam({ name: 'search' })
  const made = await client.setBudget({ team: 'search', window: 'month', limit: usd(10) })
  expect(made).toMatchObject({
    owner: { kind: 'node', id: team.id },
    ...{
      path: 'search',
      window: 'month',
      unit: 'usd',
      mode: 'hard',
      limit: usd(10),
      timeZone: 'UTC',
      revision: 1,
    },
    ...{ override: null, current: null, managedBy: 'api', alertsPpm: [500_000, 800_000, 1_000_000] },
  })
  const changed = await client.setBudget({ team: 'search', window: 'month', limit: usd(20), mode: 'soft' })
  expect(changed).toMatchObject({ id: made.id, limit: usd(20), mode: 'soft', revision: 2 })
  expect(await newest()).toMatchObject({
    action: 'setBudget',
    object: `budget ${made.id}`,
    detail: { before: { limit: usd(10), mode: 'hard' }, after: { limit: usd(20), mode: 'soft' } },
  })
  const same = await client.setBudget({ team: 'search', window: 'month', limit: usd(20) })
  expect(same.revision).toBe(2)
  const key = await client.createKey({ team: 'search', name: 'nightly' })
  await client.setBudget({ key: key.id, window: 'day', limit: '5000', unit: 'tokens' })
  const { items } = await client.listBudgets()
  expect(items.map(({ path, unit }) => [path, unit])).toEqual([
    ['search', 'usd'],
    ['search/nightly', 'tokens'],
  ])
})

test('gateways read of budgets in the state: those of nodes, and those of keys of their environment', async () => {
  const budgetsOf = async (environment: string) =>
    (await buildState(db, { organisationId, environment }, Date.now())).budgets?.map(
      ({ owner }) => owner.kind,
    )
  expect([await budgetsOf('development'), await budgetsOf('production')]).toEqual([['node', 'key'], ['node']])
})

test('of two who edit at once the second learns what happened', async () => {
  await client.createTeam({ name: 'ads' })
  const wish = { team: 'ads', window: 'day' as const, limit: usd(1) }
  const { id } = await client.setBudget({ ...wish, revision: 0 })
  await client.setBudget({ ...wish, limit: usd(2), revision: 1 })
  const refusal = await refusalOf(client.setBudget({ ...wish, limit: usd(3), revision: 1 }))
  expect(refusal).toMatchObject({ status: 409, code: 'conflict', param: 'revision' })
  expect(refusal.message).toContain('revision 2')
  expect(await refusalOf(client.deleteBudget({ id, revision: 1 }))).toMatchObject({ code: 'conflict' })
  const many = Array.from({ length: 8 }, (_, index) =>
    client.setBudget({ team: 'ads', window: 'week', limit: usd(index + 1) }),
  )
  const settled = await Promise.allSettled(many)
  expect(settled.some(({ status }) => status === 'fulfilled')).toBe(true)
  for (const each of settled)
    if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'conflict' })
})

test('what makes no sense is refused and says why', async () => {
  const refuse = async (wish: object) =>
    refusalOf(client.setBudget(wish as Parameters<typeof client.setBudget>[0]))
  const good = { team: 'ads', window: 'day', limit: '1' }
  expect(await refuse({ ...good, limit: '-1' })).toMatchObject({ status: 400 })
  expect(await refuse({ ...good, limit: '9999999999999999999' })).toMatchObject({ status: 400 })
  expect(await refuse({ ...good, timeZone: 'Mars/Olympus' })).toMatchObject({
    status: 400,
    param: 'timeZone',
  })
  expect(await refuse({ ...good, fiscalStart: '02-30' })).toMatchObject({ status: 400 })
  const { id: key } = await client.createKey({ team: 'ads', name: 'both' })
  expect(await refuse({ ...good, key })).toMatchObject({ status: 400 })
  expect(await refuse({ ...good, key: newId() })).toMatchObject({ status: 404 })
  expect(await refuse({ window: 'day', limit: '1', key: 'nobody' })).toMatchObject({ status: 404 })
  expect(await refuse({ ...good, team: 'nobody' })).toMatchObject({ status: 404 })
  expect(await refuse({ window: 'day', limit: '1' })).toMatchObject({ status: 400 })
})

test('a member reads budgets and changes none', async () => {
  const { token } = await client.createToken({ name: 'reader', role: 'developer' })
  const member = createClient({ url: plane.url, token })
  expect((await member.listBudgets()).items.length).toBeGreaterThan(0)
  expect((await member.previewBudget({ team: 'ads', window: 'day', limit: '1' })).before).not.toBeNull()
  expect(await refusalOf(member.setBudget({ team: 'ads', window: 'day', limit: '1' }))).toMatchObject({
    status: 403,
  })
})

test('a preview says what an edit would do and does nothing', async () => {
  await client.createTeam({ name: 'preview' })
  const { id, revision } = await client.setBudget({ team: 'preview', window: 'month', limit: '1000' })
  const { leaseId } = await gateway.take([id], 400)
  await gateway.report(leaseId, 400, 400, true)
  const preview = await client.previewBudget({ team: 'preview', window: 'month', limit: '300' })
  expect(preview).toMatchObject({
    available: '-100',
    closesNow: true,
    alertsPpm: [500_000, 800_000, 1_000_000],
  })
  expect(preview.warnings.join()).toContain('nothing is granted')
  expect(await client.getBudget({ id })).toMatchObject({ limit: '1000', revision })
})

test('an override holds until its time, with a reason, and can be ended', async () => {
  await client.createTeam({ name: 'launch' })
  const { id } = await client.setBudget({ team: 'launch', window: 'total', limit: '100' })
  await gateway.take([id], 100)
  const untilMs = Date.now() + 3_600_000
  const overridden = await client.overrideBudget({ id, limit: '150', untilMs, reason: 'launch day' })
  expect(overridden).toMatchObject({
    limit: '100',
    override: { limit: '150', reason: 'launch day' },
    current: { limit: '150' },
  })
  expect((await gateway.take([id], 50)).granted).toBe('50')
  plane.clock.offsetMs += 3_700_000
  expect(await client.getBudget({ id })).toMatchObject({ override: null, current: { limit: '100' } })
  expect((await gateway.take([id], 1)).granted).toBe('0')
  plane.clock.offsetMs = 0
  expect((await client.endBudgetOverride({ id })).override).toBeNull()
  expect(await newest()).toMatchObject({ action: 'endBudgetOverride' })
  expect(await refusalOf(client.overrideBudget({ id, limit: '1', untilMs: 1, reason: 'x' }))).toMatchObject({
    status: 400,
  })
})

test('the weekend batch job: its cap holds and is told of once, and its team goes on', async () => {
  await client.createTeam({ name: 'busy' })
  const key = await client.createKey({ team: 'busy', name: 'batch' })
  const cap = await client.setBudget({ key: key.id, window: 'day', limit: '100' })
  const team = await client.setBudget({ team: 'busy', window: 'month', limit: '10000' })
  for (let call = 0; call < 12; call++) {
    const { leaseId, granted } = await gateway.take([cap.id, team.id], 10)
    if (granted !== '0') await gateway.settle({ leaseId, amount: 10, settled: 10, actual: 10 })
  }
  expect((await gateway.take([team.id], 500)).granted).toBe('500')
  const alerts = (await client.listBudgetAlerts()).items.filter(({ budgetId }) => budgetId === cap.id)
  expect(alerts.map(({ kind, thresholdPpm }) => `${kind} ${thresholdPpm}`).sort()).toEqual([
    'exhausted 0',
    'threshold 1000000',
    'threshold 500000',
    'threshold 800000',
  ])
  expect(alerts[0]).toMatchObject({ path: 'busy/batch', deliveredMs: null, limit: '100' })
  const explained = await client.explainBudget({ id: cap.id, limit: 3 })
  expect(explained).toMatchObject({ unexplained: '0', window: { settled: '100' } })
  expect(explained.byDay.map(({ amount, attempts }) => [amount, attempts])).toEqual([['100', 10]])
  expect(explained.calls).toHaveLength(3)
})

test('an attempt that held of two leases counts as one where a budget is explained', async () => {
  await client.createTeam({ name: 'wide' })
  const { id } = await client.setBudget({ team: 'wide', window: 'total', limit: '100' })
  const callId = newId()
  for (const actual of [30, 0]) {
    const { leaseId } = await gateway.take([id], 40)
    await gateway.settle({ leaseId, callId, amount: 40, settled: actual, actual })
  }
  const { byKey, byTarget, byDay } = await client.explainBudget({ id })
  for (const shares of [byKey, byTarget, byDay]) expect(shares).toMatchObject([{ amount: '30', attempts: 1 }])
})

test('a settlement is taken back with a note, once', async () => {
  await client.createTeam({ name: 'void' })
  const { id } = await client.setBudget({ team: 'void', window: 'total', limit: '100' })
  const { leaseId } = await gateway.take([id], 60)
  const callId = newId()
  await gateway.settle({ leaseId, callId, amount: 60, settled: 60, actual: 75, overrun: 15 })
  const wish = { callId, attempt: 0, leaseId, note: 'billed by mistake' }
  expect(await client.voidSettlement(wish)).toEqual({ amount: '60', overrun: '15', budgets: [id] })
  expect((await client.getBudget({ id })).current).toMatchObject({ settled: '0', overrun: '0' })
  expect(await newest()).toMatchObject({ action: 'voidSettlement', detail: { note: 'billed by mistake' } })
  expect(await refusalOf(client.voidSettlement(wish))).toMatchObject({ code: 'conflict' })
  expect(await refusalOf(client.voidSettlement({ ...wish, attempt: 1 }))).toMatchObject({ code: 'not_found' })
  expect((await client.explainBudget({ id })).calls[0]).toMatchObject({ voided: true, actual: '75' })
  expect((await client.reconcileBudgets()).differences).toEqual([])
})

test('a deleted budget is gone for everybody, and its place is free', async () => {
  await client.createTeam({ name: 'gone' })
  const { id } = await client.setBudget({ team: 'gone', window: 'day', limit: '5' })
  await client.deleteBudget({ id })
  expect(await refusalOf(client.getBudget({ id }))).toMatchObject({ status: 404 })
  expect((await client.listBudgets({ team: 'gone' })).items).toEqual([])
  expect((await client.setBudget({ team: 'gone', window: 'day', limit: '6' })).id).not.toBe(id)
})

test('teams of a workspace bring their budgets, and what the file does not name stays', async () => {
  const tools = { db, nowMs: Date.now, newId }
  const context = { organisationId, actor: 'ci', action: 'pushVersion' }
  const apply = (budget: object) =>
    applyDeclaredTeams(tools, context, { ownerPath: '', teams: { declared: { budget } } })
  expect(await apply({ monthly: '500 USD', daily: '2.50 USD', alerts: [50, 100] })).toBe(true)
  expect(await apply({ monthly: '500 USD', daily: '2.50 USD', alerts: [50, 100] })).toBe(false)
  expect(await apply({ monthly: '600 USD', mode: 'soft' })).toBe(true)
  const { items } = await client.listBudgets({ team: 'declared' })
  const shown = items.map(({ window, limit, mode, managedBy, alertsPpm }) => ({
    window,
    limit,
    mode,
    managedBy,
    alertsPpm,
  }))
  const common = { managedBy: 'workspace', alertsPpm: [500_000, 1_000_000] }
  expect(shown.sort((a, b) => (a.window < b.window ? -1 : 1))).toEqual([
    { window: 'day', limit: usd(2.5), mode: 'hard', ...common },
    { window: 'month', limit: usd(600), mode: 'soft', ...common },
  ])
})
