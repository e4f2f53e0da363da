import { zstdCompressSync } from 'node:zlib'
import type { CallRecord, RecordRow } from '@signalbox/sdk/contract'
import { createLogger, digestOf } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { v7 as newId } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectDatabase } from '../../control-plane/db/connect.ts'
import { createTestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { callRecord, gapRecord, incarnation, packSegment } from './segment-lines.ts'
import { startTestControlPlane, type TestControlPlane } from './test-control-plane.ts'
import { enrolGateway, readEvents, type TestGateway } from './test-gateway.ts'

const environment = 'development'
const databaseUrl = await createTestDatabase()
const database = connectDatabase(databaseUrl, createLogger('test', 'silent'))
let controlPlane: TestControlPlane
let gateway: TestGateway
beforeAll(async () => {
  controlPlane = await startTestControlPlane(databaseUrl)
  gateway = await enrolGateway(controlPlane, environment)
})
afterAll(async () => {
  await controlPlane.stop()
  await database.close()
})

/** Uploads records as the first segment of an incarnation of its own. */
const upload = async (records: readonly CallRecord[], via = gateway) => {
  const response = await via.segment(packSegment(records), { records: records.length, incarnation: newId() })
  expect(await response.json()).toEqual({ stored: true, records: records.length })
}
const storedSegments = async (of: string) => {
  const found = await database.db.execute<{ digest: string; previous: string | null; fork: boolean }>(
    sql`select digest, previous, fork from segment where incarnation = ${of}::uuid order by received`,
  )
  return found.rows
}

describe('a segment', () => {
  it('becomes searchable rows and readable bodies', async () => {
    const records = Array.from({ length: 3 }, (_, index) => callRecord({ sequence: index + 1 }))
    await upload(records)
    for (const record of records) {
      const read = await controlPlane.client.getRecord({ id: record.row.id })
      expect(read.body).toEqual(record.body)
      const { organisationId } = controlPlane
      expect(read.row).toEqual({ ...record.row, organisationId, environment, gatewayId: gateway.id })
    }
  })

  it('belongs to who sent it, whatever its rows say', async () => {
    const record = callRecord({ organisationId: newId(), environment: 'production', gatewayId: newId() })
    const staging = await enrolGateway(controlPlane, 'staging')
    await upload([record], staging)
    expect((await controlPlane.client.getRecord({ id: record.row.id })).row).toMatchObject({
      organisationId: controlPlane.organisationId,
      environment: 'staging',
      gatewayId: staging.id,
    })
  })

  it('is taken once, however often it is sent', async () => {
    const record = callRecord()
    const segment = packSegment([record])
    const answers = await Promise.all(
      Array.from({ length: 4 }, async () => (await gateway.segment(segment, { records: 1 })).json()),
    )
    expect(answers.filter((each) => (each as { stored: boolean }).stored)).toHaveLength(1)
    const again = await gateway.segment(segment, { records: 1 })
    expect(await again.json()).toEqual({ stored: false, records: 1 })
    const found = await controlPlane.client.listRecords({ sinceMs: record.row.timeMs, limit: 1000 })
    expect(found.items.filter(({ id }) => id === record.row.id)).toHaveLength(1)
  })

  it('may hold records that another one brought already', async () => {
    const [first, second] = [callRecord(), callRecord()]
    await upload([first])
    await upload([first, second])
    const since = { sinceMs: Math.min(first.row.timeMs, second.row.timeMs), limit: 1000 }
    const ids = (await controlPlane.client.listRecords(since)).items.map(({ id }) => id)
    expect(ids.filter((id) => id === first.row.id || id === second.row.id).toSorted()).toEqual(
      [first.row.id, second.row.id].toSorted(),
    )
    expect((await controlPlane.client.getRecord({ id: first.row.id })).body).toEqual(first.body)
  })

  it('may hold characters that the database does not take', async () => {
    const record = callRecord({ modelRequested: 'a\u0000b', metadata: { feature: 'x\ud800y' } })
    await upload([record])
    const { row } = await controlPlane.client.getRecord({ id: record.row.id })
    expect(row).toMatchObject({ modelRequested: 'a\ufffdb', metadata: { feature: 'x\ufffdy' } })
  })

  it('reports what was lost', async () => {
    const sinceMs = Date.now()
    const lines = [callRecord(), gapRecord(10, 19), gapRecord(40, 40)]
    const response = await gateway.segment(packSegment(lines), { records: 3, incarnation: newId() })
    expect(await response.json()).toEqual({ stored: true, records: 1 })
    expect((await controlPlane.client.getOverview({ sinceMs })).gaps).toBe(11)
  })
})

describe('a segment that is not right', () => {
  const refused = async (response: Response) => {
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    return { status: response.status, ...error }
  }

  it('is refused when its bytes do not have its digest, and nothing of it is kept', async () => {
    const record = callRecord()
    const { bytes } = packSegment([record])
    const response = await gateway.segment({ bytes, digest: digestOf('other') }, { records: 1 })
    expect(await refused(response)).toMatchObject({ status: 400, code: 'invalid_request' })
    await expect(controlPlane.client.getRecord({ id: record.row.id })).rejects.toMatchObject({ status: 404 })
  })

  it('is refused whole for one bad line, which is named', async () => {
    const record = callRecord()
    const response = await gateway.segment(packSegment([record, '{"row":{}}']), { records: 2 })
    const answer = await refused(response)
    expect(answer).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(answer.message).toMatch(/^Line 2 /)
    await expect(controlPlane.client.getRecord({ id: record.row.id })).rejects.toMatchObject({ status: 404 })
  })

  it('is refused when it unpacks to far more than it has', async () => {
    const bytes = zstdCompressSync(Buffer.alloc(256 * 1024 * 1024))
    expect(bytes.length).toBeLessThan(20_000)
    const rssBefore = process.memoryUsage().rss
    const response = await gateway.segment({ bytes, digest: digestOf(bytes) }, { records: 1 })
    expect(await refused(response)).toMatchObject({ status: 413, code: 'request_too_large' })
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(200 * 1024 * 1024)
  })

  it('is refused when it has not as many lines as was said', async () => {
    const response = await gateway.segment(packSegment([callRecord()]), { records: 2 })
    expect(await refused(response)).toMatchObject({ status: 400, message: 'The segment has 1 lines, not 2.' })
  })

  it.each([
    ['a year ago', -365 * 86_400_000],
    ['in two days', 2 * 86_400_000],
  ])('is refused with a record of %s', async (_, offsetMs) => {
    const record = callRecord({ timeMs: Date.now() + offsetMs })
    const answer = await refused(await gateway.segment(packSegment([record]), { records: 1 }))
    expect(answer).toMatchObject({ status: 400 })
    expect(answer.message).toMatch(/^Line 1 of the segment is of 20.*too far from now/)
  })

  it('is refused from anybody but a gateway', async () => {
    const { bytes, digest } = packSegment([callRecord()])
    const query = new URLSearchParams({ incarnation, records: '1' })
    const response = await fetch(`${controlPlane.url}/v1/gateway/segments/${digest}?${query}`, {
      method: 'PUT',
      body: new Uint8Array(bytes),
      headers: { authorization: `Bearer ${controlPlane.rootToken}` },
    })
    expect(response.status).toBe(403)
  })
})

describe('the chain of an incarnation', () => {
  it('goes from segment to segment; what does not continue it is kept and flagged', async () => {
    const chain = newId()
    const segments = Array.from({ length: 4 }, (_, index) =>
      packSegment([callRecord({ sequence: index + 1 })]),
    )
    const [first, second, third, rival] = segments
    if (first === undefined || second === undefined || third === undefined || rival === undefined) return
    const send = (segment: typeof first, previous?: string) =>
      gateway.segment(segment, {
        records: 1,
        incarnation: chain,
        ...(previous === undefined ? {} : { previous }),
      })
    await send(first)
    await send(second, first.digest)
    await send(rival, first.digest)
    await send(third, second.digest)
    expect(await storedSegments(chain)).toEqual([
      { digest: first.digest, previous: null, fork: false },
      { digest: second.digest, previous: first.digest, fork: false },
      { digest: rival.digest, previous: first.digest, fork: true },
      { digest: third.digest, previous: second.digest, fork: false },
    ])
  })

  it('notices a second beginning and a predecessor that is not there', async () => {
    const chain = newId()
    const [first, second, third] = [1, 2, 3].map((sequence) => packSegment([callRecord({ sequence })]))
    if (first === undefined || second === undefined || third === undefined) return
    await gateway.segment(first, { records: 1, incarnation: chain })
    await gateway.segment(second, { records: 1, incarnation: chain })
    await gateway.segment(third, { records: 1, incarnation: chain, previous: digestOf('lost') })
    expect((await storedSegments(chain)).map(({ fork }) => fork)).toEqual([false, true, true])
  })
})

describe('followers', () => {
  const follow = async (query: string, via = controlPlane) => {
    const stopping = new AbortController()
    const rows: RecordRow[] = []
    const response = await fetch(`${via.url}/v1/records/follow${query}`, {
      headers: { authorization: `Bearer ${controlPlane.rootToken}` },
      signal: stopping.signal,
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const reading = readEvents(response, rows)
    const stop = async () => {
      stopping.abort()
      await reading
    }
    return { rows, stop }
  }

  it('get each new row that fits, here and at another control plane, soon after it came', async () => {
    const other = await startTestControlPlane(databaseUrl, { rootToken: controlPlane.rootToken })
    const streams = await Promise.all([follow('?effect=deny'), follow('', other)])
    const [denied, allowed] = [callRecord({ effect: 'deny', status: 403 }), callRecord()]
    const startMs = performance.now()
    await upload([denied, allowed])
    await eventually(() =>
      expect(streams[1].rows.map(({ id }) => id)).toEqual([denied.row.id, allowed.row.id]),
    )
    await eventually(() => expect(streams[0].rows.map(({ id }) => id)).toEqual([denied.row.id]))
    expect(performance.now() - startMs).toBeLessThan(1000)
    await Promise.all(streams.map((stream) => stream.stop()))
    await other.stop()
  })

  it('miss nothing of a burst, and see each row once', async () => {
    const stream = await follow('')
    const bursts = Array.from({ length: 5 }, () => Array.from({ length: 200 }, () => callRecord()))
    await Promise.all(bursts.map((records) => upload(records)))
    await eventually(() => expect(stream.rows.length).toBe(1000))
    const sent = bursts.flat().map(({ row }) => row.id)
    expect(new Set(stream.rows.map(({ id }) => id))).toEqual(new Set(sent))
    await stream.stop()
  })
})
