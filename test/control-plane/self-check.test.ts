import { createEngine, type Engine } from '@signalbox/policies'
import { createLogger } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Connection, connectDatabase } from '../../control-plane/db/connect.ts'
import { checkEnvironment, nightOf } from '../../control-plane/self-check.ts'
import { createTestDatabase } from '../support/database.ts'
import { buildTraffic, RecordedTraffic, trafficFiles } from '../support/recorded-traffic.ts'
import { packSegment } from './segment-lines.ts'
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts'
import { enrolGateway } from './test-gateway.ts'

const databaseUrl = await createTestDatabase()
const environment = 'development'
const calls = 40
const log = createLogger('control-plane', 'silent')
const hourMs = 3_600_000
/** An hour after a night began, so that a run in between does not fall into the next one. */
const nowMs = nightOf(Date.now()) + hourMs
let controlPlane: TestControlPlane
let connection: Connection
let engine: Engine
let forged = ''
beforeAll(async () => {
  controlPlane = await startTestControlPlane(databaseUrl)
  connection = connectDatabase(databaseUrl, log)
  engine = await createEngine()
  const gateway = await enrolGateway(controlPlane, environment)
  const files = Object.entries(trafficFiles).map(([path, text]) => ({ path, text }))
  const pushed = await controlPlane.client.pushVersion({ files, environment })
  const traffic = await RecordedTraffic.start(await buildTraffic())
  const records = Array.from({ length: calls }, (_, index) => {
    const { row, body } = traffic.record(index)
    const release = {
      releaseSequence: pushed.deployment?.release ?? 0,
      version: pushed.version,
      stateSequence: 1,
    }
    return { row: { ...row, ...release, timeMs: nowMs - (((index + 1) * 1_000_000) % (20 * hourMs)) }, body }
  })
  traffic.dispose()
  forged = records[5]?.row.id ?? ''
  const lines = records.map(({ row, body }) =>
    row.id === forged ? { row: { ...row, decisionDigest: `sha256:${'0'.repeat(64)}` }, body } : { row, body },
  )
  const reply = await gateway.segment(packSegment(lines), { records: calls, incarnation: newId() })
  expect(reply.status).toBe(200)
})
afterAll(async () => {
  engine.dispose()
  await connection.close()
  await controlPlane.stop()
})

const check = (atMs: number) => {
  const place = { organisationId: controlPlane.organisationId, environment }
  return checkEnvironment(
    { db: connection.db, engine, nowMs: () => atMs, log },
    place,
    new AbortController().signal,
  )
}
const shown = async () => (await controlPlane.client.getStatus({ environment })).environments[0]?.selfCheck

it('decides the calls of the day before again, once a night, and status shows what came out', async () => {
  expect(await shown()).toBeNull()
  expect(await check(nowMs)).toBe(true)
  expect(await shown()).toEqual({
    ...{ startedMs: nowMs, endedMs: nowMs, records: calls, undecided: 0, same: calls - 1, different: 1 },
    ...{ otherSelections: 0, examples: [forged], failure: null },
  })
  expect(await check(nowMs + hourMs)).toBe(false)
  expect(await check(nowMs + 25 * hourMs)).toBe(true)
  expect((await shown())?.startedMs).toBe(nowMs + 25 * hourMs)
})

it('begins a night at two o’clock UTC', () => {
  const at = (time: string) => Date.parse(`2026-11-22T${time}Z`)
  expect(nightOf(at('01:59:59'))).toBe(at('02:00:00') - 24 * hourMs)
  expect(nightOf(at('02:00:00'))).toBe(at('02:00:00'))
})
