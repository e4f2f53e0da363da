import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { GoldenPrompt } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DeliveryTools } from '../../../control-plane/alerts/deliver-alerts.ts'
import { createWebhookSecret } from '../../../control-plane/alerts/sign-webhook.ts'
import { watchDrills } from '../../../control-plane/alerts/watch-drills.ts'
import { connectDatabase } from '../../../control-plane/db/connect.ts'
import { runSchedules } from '../../../control-plane/drills/run-schedules.ts'
import { createSecretBox } from '../../../control-plane/secret-box.ts'
import { webhookSecretContext } from '../../../control-plane/secret-contexts.ts'
import { insertWebhook } from '../../../control-plane/stores/webhooks.ts'
import { createTestDatabase } from '../../support/database.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { refusalOf, startPushing, workspaceFile } from '../pushing.ts'
import { workspaceFiles } from '../workspace-files.ts'

const databaseUrl = await createTestDatabase()
const { controlPlane, client, gateway: enrolled } = await startPushing(databaseUrl)
const { db, close } = connectDatabase(databaseUrl, createLogger('test', 'silent'))
const simulated = { status: 'simulated', credential: undefined, missing: 'OPENAI_API_KEY' } as const
let gateway: RunningGateway
/** Far from now, so that the control plane's own clock finds nothing due. */
let nowMs = Date.UTC(2100, 0)
const secrets = createSecretBox('a secret key for tests, long enough to be taken')
const tools = { db, secrets, nowMs: () => nowMs, newId: () => newId() }
const told: Record<string, unknown>[] = []
const receiver = createServer((request, response) => {
  let body = ''
  request.on('data', (data: Buffer) => {
    body += data.toString('utf8')
  })
  request.on('end', () => {
    told.push(JSON.parse(body))
    response.writeHead(204).end()
  })
})
beforeAll(async () => {
  gateway = await startGateway({
    defaults: { drillMs: 50 },
    snapshot: memorySnapshot({
      connections: [connectionOf('openai', simulated), connectionOf('anthropic', simulated)],
      aliases: { smart: ['openai/gpt-5.2', 'anthropic/claude-sonnet-4-5'], alone: ['openai/gpt-5.2'] },
    }),
  })
  await enrolled.hello()
  await db.execute(sql`update gateway set url = ${gateway.url}`)
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await gateway.close()
  await controlPlane.stop()
  await close()
  receiver.close()
})

const hour = 3_600_000
/** A policy that changes nothing but the version. */
const other = JSON.stringify({
  kind: 'constraint',
  id: 'more',
  onError: 'deny',
  rules: [
    {
      id: 'never',
      when: { eq: [{ fact: 'request.metadata.feature', or: '' }, 'never'] },
      then: { deny: { code: 'NO', http: 403 } },
    },
  ],
})
const faults = ['500', 'refused'] as const
const set = async (change: Partial<Parameters<typeof client.setDrillSchedule>[0]> = {}) => {
  const asked = { model: 'smart', everyMs: hour, key: memoryKey, faults: [...faults], ...change }
  const schedule = await client.setDrillSchedule(asked)
  await db.execute(sql`update drill_schedule set next = ${new Date(nowMs).toISOString()}::timestamptz`)
  return schedule
}
const route = async (model: string) =>
  (await client.listDrills({})).items.find((each) => each.model === model)
const golden = (expected: GoldenPrompt['expect']): GoldenPrompt => ({
  name: 'greeting',
  messages: [{ role: 'user', content: 'Say hello' }],
  expect: expected,
})

describe('a scheduled drill', () => {
  it('is made through a gateway of the environment, and its score card is kept', async () => {
    const schedule = await set()
    expect(schedule).toMatchObject({ model: 'smart', targets: 2, costNanoUsdMax: '100000000' })
    nowMs += 1000
    expect(await runSchedules(tools)).toBe(1)
    expect(await route('smart')).toMatchObject({
      unproven: false,
      provenMs: expect.any(Number),
      card: { held: 4, of: 4 },
      runs: [{ source: 'schedule', held: 4, of: 4, error: null }],
    })
    expect(await runSchedules(tools)).toBe(0)
    nowMs += hour
    expect(await runSchedules(tools)).toBe(1)
  })

  it('is once, however many control planes there are', async () => {
    nowMs += hour
    const made = await Promise.all([runSchedules(tools), runSchedules(tools), runSchedules(tools)])
    expect(made.reduce((sum, each) => sum + each, 0)).toBe(1)
  })

  it('checks golden prompts after the switch, and says what is not so', async () => {
    await set({ golden: [golden({ contains: ['a text that no simulation gives'] })] })
    nowMs += hour
    await runSchedules(tools)
    const { card, runs } = (await route('smart')) ?? {}
    expect([card?.held, card?.of, runs?.length]).toEqual([0, 4, 4])
    expect(card?.results[0]).toMatchObject({
      outcome: 'wrong',
      golden: 'greeting',
      unmet: ['lacks "a text that no simulation gives"'],
      status: 200,
    })
    await set({ golden: [golden({ excludes: ['a text that no simulation gives'], charsMax: 10_000 })] })
    nowMs += hour
    await runSchedules(tools)
    expect((await route('smart'))?.card).toMatchObject({ held: 4, of: 4 })
  })

  it('says why it could not be made', async () => {
    await db.execute(sql`update gateway set url = 'http://127.0.0.1:1'`)
    nowMs += hour
    await runSchedules(tools)
    const { runs, card } = (await route('smart')) ?? {}
    expect(runs?.[0]).toMatchObject({ held: 0, of: 0, error: expect.stringContaining('not reached') })
    expect(card?.held).toBe(4)
    await db.execute(sql`update gateway set url = ${gateway.url}`)
  })

  it('keeps what a change leaves out; is refused without a key, for expressions that are none, and where there is no such environment', async () => {
    const { key: _, ...keyless } = { model: 'other', everyMs: hour, key: '' }
    expect(await refusalOf(client.setDrillSchedule(keyless))).toMatchObject({ status: 400, param: 'key' })
    const { everyMs, targets } = await client.setDrillSchedule({ model: 'smart', targets: 3 })
    expect([everyMs, targets]).toEqual([hour, 3])
    await set({ targets: 2 })
    const broken = set({ golden: [golden({ matches: '(' })] })
    expect(await refusalOf(broken)).toMatchObject({ status: 400, param: 'golden' })
    expect(await refusalOf(set({ environment: 'nowhere' }))).toMatchObject({ status: 404 })
    const { items } = await client.listAudit({ action: 'setDrillSchedule', limit: 10 })
    expect(JSON.stringify(items)).not.toContain(memoryKey)
  })

  it('ends with its schedule; its runs stay', async () => {
    const { id } = await set()
    await client.deleteDrillSchedule({ id })
    nowMs += hour
    expect(await runSchedules(tools)).toBe(0)
    expect(await route('smart')).toMatchObject({ schedule: null, card: { held: 4 } })
    expect(await refusalOf(client.deleteDrillSchedule({ id }))).toMatchObject({ status: 404 })
  })
})

describe('a drill that a workspace declares', () => {
  const yaml = (drills: string) =>
    workspaceFiles({
      'signalbox.yaml': `${workspaceFile}environments:\n  development:\n    drills: ${drills}\n`,
    })
  const push = (drills: string) => client.pushVersion({ files: yaml(drills), environment: 'development' })
  const plan = '{ every: 6h, faults: ["500"], maxCost: 0.05 USD, alertAfter: 3d'

  it('comes with the deployment, takes its key from the operation, and is changed nowhere else', async () => {
    await push(`{ smart: ${plan} } }`)
    const { schedule } = (await route('smart')) ?? {}
    expect(schedule).toMatchObject({
      ...{ workspace: 'acme', hasKey: false, everyMs: 6 * hour, faults: ['500'], targets: 2 },
      ...{ costNanoUsdMax: '50000000', unprovenMs: 72 * hour },
    })
    nowMs += 7 * hour
    await runSchedules(tools)
    expect((await route('smart'))?.runs[0]?.error).toContain('no key: signalbox drills set smart')
    const keyed = await client.setDrillSchedule({ model: 'smart', key: memoryKey })
    expect(keyed).toMatchObject({ id: schedule?.id, hasKey: true, everyMs: 6 * hour })
    for (const ask of [
      () => client.setDrillSchedule({ model: 'smart', everyMs: hour }),
      () => client.setDrillSchedule({ model: 'smart', key: memoryKey, targets: 3 }),
      () => client.deleteDrillSchedule({ id: keyed.id }),
    ]) {
      const { status, message } = await refusalOf(ask())
      expect([status, message.includes('signalbox.yaml of the workspace "acme"')]).toEqual([409, true])
    }
    nowMs += hour
    await runSchedules(tools)
    expect((await route('smart'))?.card).toMatchObject({ held: 2, of: 2 })
  })

  it('keeps its key and its time where it is not changed, and goes where it is declared no more', async () => {
    const before = (await route('smart'))?.schedule
    const again = yaml(`{ smart: ${plan} } }`)
    await client.pushVersion({
      files: [...again, { path: 'policies/more.policy.json', text: other }],
      environment: 'development',
    })
    expect((await route('smart'))?.schedule).toEqual(before)
    await push(`{ smart: ${plan}, targets: 3 } }`)
    expect((await route('smart'))?.schedule).toMatchObject({ id: before?.id, hasKey: true, targets: 3 })
    const byHand = await client.setDrillSchedule({ model: 'alone', everyMs: hour, key: memoryKey })
    await client.pushVersion({ files: workspaceFiles(), environment: 'development' })
    expect([(await route('smart'))?.schedule, (await route('alone'))?.schedule]).toEqual([
      null,
      expect.objectContaining({ workspace: null }),
    ])
    await client.deleteDrillSchedule({ id: byHand.id })
  })
})

describe('a route that is not proven', () => {
  it('for too long raises an alert, once, until it is proven again', async () => {
    const { port } = receiver.address() as AddressInfo
    const { organisationId } = controlPlane
    const id = newId()
    const url = `http://127.0.0.1:${port}/hook`
    const secret = secrets.encrypt(createWebhookSecret(), webhookSecretContext(organisationId, id))
    await insertWebhook(db, { id, organisationId, url, secret, createdMs: 0, createdBy: 'root' })
    const { createdMs } = await set({ model: 'alone', unprovenMs: hour })
    nowMs = createdMs
    const delivery: DeliveryTools = {
      ...tools,
      log: createLogger('test', 'silent'),
      rules: { trusted: [`127.0.0.1:${port}`] },
    }
    expect(await watchDrills(delivery)).toBe(0)
    nowMs += 2 * hour
    expect(await watchDrills(delivery)).toBe(1)
    expect(await watchDrills(delivery)).toBe(1)
    expect(told).toEqual([
      expect.objectContaining({ type: 'drill.unproven', model: 'alone', provenMs: null, unprovenMs: hour }),
    ])
    const card = { model: 'alone', held: 1, of: 1, costNanoUsd: '0', results: [] }
    await client.reportDrills({ cards: [card] })
    nowMs = Date.now()
    expect(await watchDrills(delivery)).toBe(0)
    nowMs += 2 * hour
    expect(await watchDrills(delivery)).toBe(1)
    expect(told).toHaveLength(2)
  })
})
