import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { JournalThread } from '../../../gateway/journal/journal-thread.ts'
import { callRecord } from '../../support/call-records.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeControlPlane } from '../../support/fake-control-plane.ts'
import {
  arrived,
  closeAll,
  closeJournal,
  covered,
  createFolder,
  openJournal,
  recordCalls,
  upTo,
} from './running-journal.ts'

let controlPlane: FakeControlPlane
beforeEach(async () => {
  controlPlane = await new FakeControlPlane().start()
})
afterEach(async () => {
  await closeAll()
  await controlPlane.stop()
})

describe('the journal', () => {
  it('brings a record to the control plane well within a second, as it was', async () => {
    const journal = openJournal(controlPlane, {
      times: { flushAfterMs: 20, sealAfterMs: 200, backoffBaseMs: 250, backoffMaxMs: 15_000 },
    })
    recordCalls(journal, 1)
    await eventually(() => expect(controlPlane.segments).toHaveLength(1))
    expect(controlPlane.segments[0]).toMatchObject({ records: 1, previous: null })
    expect(controlPlane.segments[0]?.lines[0]).toEqual(callRecord({ sequence: 1 }))
    recordCalls(journal, 1)
    await eventually(() => expect(controlPlane.segments).toHaveLength(2), 1000)
  })

  it('sends segments of at most 1,000 records, each naming the one before', async () => {
    const journal = openJournal(controlPlane)
    recordCalls(journal, 2500)
    await eventually(() => expect(arrived(controlPlane).records).toHaveLength(2500))
    expect(arrived(controlPlane).records).toEqual(upTo(2500))
    const { segments } = controlPlane
    expect(Math.max(...segments.map((segment) => segment.lines.length))).toBeLessThanOrEqual(1000)
    for (const [index, segment] of segments.entries()) {
      expect(segment.previous).toBe(segments[index - 1]?.digest ?? null)
    }
    await eventually(() => expect(journal.status()).toMatchObject({ uploadedRecords: 2500, segments: 0 }))
  })

  it('keeps records while the control plane is away and sends each once when it is back', async () => {
    await controlPlane.stop()
    const journal = openJournal(controlPlane)
    recordCalls(journal, 1500)
    await eventually(() => expect(journal.status().uploadFailures).toBeGreaterThan(0))
    recordCalls(journal, 700)
    await controlPlane.start()
    await eventually(() => expect(arrived(controlPlane).records).toEqual(upTo(2200)))
    expect(arrived(controlPlane).gaps).toEqual([])
  })

  it('gives up the oldest records where they outgrow their space, and says which', async () => {
    await controlPlane.stop()
    const journal = openJournal(controlPlane, { bytesMax: 1024 * 1024 })
    for (let round = 0; round < 60; round++) {
      recordCalls(journal, 200)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await eventually(() => expect(journal.status().lostRecords).toBeGreaterThan(0))
    expect(journal.status().bytes).toBeLessThan(1.3 * 1024 * 1024)
    await controlPlane.start()
    recordCalls(journal, 1)
    await eventually(() => {
      const { records, gaps } = arrived(controlPlane)
      expect(covered({ records, gaps })).toEqual(upTo(12_001))
      expect(records.length).toBe(12_001 - journal.status().lostRecords)
    })
    const { gaps } = arrived(controlPlane)
    expect(new Set(gaps.map((gap) => gap.reason))).toEqual(new Set(['overflow']))
  })

  it('says which records are lost where they come faster than they can be packed', async () => {
    const journal = openJournal(controlPlane, { bytesMax: 4 * 1024 * 1024 })
    recordCalls(journal, 1000)
    expect(journal.status().lostRecords).toBeGreaterThan(0)
    await eventually(() => expect(covered(arrived(controlPlane))).toEqual(upTo(1000)))
    expect(arrived(controlPlane).gaps[0]).toMatchObject({ to: 1000, reason: 'overflow' })
  })

  it('leaves what it could not send in time to the next start, under its own incarnation', async () => {
    const folder = createFolder()
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()]
    await controlPlane.stop()
    const before = openJournal(controlPlane, { folder, incarnation: first })
    recordCalls(before, 1200)
    await closeJournal(before, 100)
    await controlPlane.start()
    const after = openJournal(controlPlane, { folder, incarnation: second })
    recordCalls(after, 3)
    await eventually(() => {
      expect(arrived(controlPlane, first).records).toEqual(upTo(1200))
      expect(arrived(controlPlane, second).records).toEqual(upTo(3))
    })
    expect(arrived(controlPlane).gaps).toEqual([])
    await eventually(() => expect(readdirSync(folder)).toEqual([second]))
  })

  it('sends everything before it closes, and leaves nothing behind', async () => {
    const folder = createFolder()
    const journal = openJournal(controlPlane, { folder })
    recordCalls(journal, 1700)
    await closeJournal(journal, 5000)
    expect(arrived(controlPlane).records).toEqual(upTo(1700))
    expect(readdirSync(folder)).toEqual([])
  })

  it('takes refused records out of their segment, and sends the rest', async () => {
    const journal = openJournal(controlPlane)
    controlPlane.segmentStatus = 503
    recordCalls(journal, 2)
    journal.record(journal.nextSequence(), undefined)
    const sequence = journal.nextSequence()
    journal.record(sequence, JSON.stringify({ row: { sequence } }))
    recordCalls(journal, 2)
    await eventually(() => expect(journal.status().segments).toBe(1))
    controlPlane.segmentStatus = 400
    await eventually(() => expect(journal.status().lostRecords).toBe(2))
    controlPlane.segmentStatus = 200
    await eventually(() => expect(arrived(controlPlane).records).toEqual([1, 2, 5, 6]))
    expect(covered(arrived(controlPlane))).toEqual(upTo(6))
  })

  it('goes on in a new file where writing to one fails', async () => {
    const folder = createFolder()
    const incarnation = crypto.randomUUID()
    mkdirSync(join(folder, incarnation, 'raw-1.ndjson'), { recursive: true })
    const journal = openJournal(controlPlane, { folder, incarnation })
    recordCalls(journal, 10)
    await eventually(() => expect(arrived(controlPlane).records).toEqual(upTo(10)))
  })

  it('starts its thread again where it dies, and goes on from the disk', async () => {
    const incarnation = crypto.randomUUID()
    const folder = join(createFolder(), 'journal')
    writeFileSync(folder, 'a file where the folder should be')
    const text = `${JSON.stringify(callRecord({ sequence: 1 }))}\n`
    const thread = new JournalThread({
      settings: {
        folder,
        incarnation,
        url: controlPlane.url,
        token: controlPlane.token,
        path: '/v1/gateway/segments/:digest',
        segmentRecordsMax: 1000,
        outboxBytesMax: 1_000_000,
        sealAfterMs: 20,
        backoffBaseMs: 10,
        backoffMaxMs: 50,
      },
      log: pino({ level: 'silent' }),
      written: () => [{ file: 1, end: text.length }],
      onProgress: () => {},
    })
    await eventually(() => expect(thread.restarts).toBeGreaterThan(0))
    rmSync(folder)
    mkdirSync(join(folder, incarnation), { recursive: true })
    writeFileSync(join(folder, incarnation, 'raw-1.ndjson'), text)
    await eventually(() => expect(arrived(controlPlane, incarnation).records).toEqual([1]))
    await thread.close(1000)
  })
})

describe('after kill -9', () => {
  it('the next start sends what was written and names what was not', async () => {
    const folder = createFolder()
    const incarnation = crypto.randomUUID()
    await controlPlane.stop()
    const script = fileURLToPath(new URL('./record-until-killed.ts', import.meta.url))
    const child = spawn(process.execPath, [script, folder, incarnation, controlPlane.url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let printed = ''
    child.stdout.on('data', (data: Buffer) => {
      printed += data.toString('utf8')
      if (printed.length > 20) child.kill('SIGKILL')
    })
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
    expect(signal).toBe('SIGKILL')
    const taken = Number(printed.trim().split('\n').at(-1))
    await controlPlane.start()
    openJournal(controlPlane, { folder })
    await eventually(() => expect(readdirSync(folder)).toHaveLength(1))
    const { records, gaps } = arrived(controlPlane, incarnation)
    const all = covered({ records, gaps })
    expect(all).toEqual(upTo(all.length))
    expect(all.length).toBeGreaterThanOrEqual(taken)
    expect(records.length).toBeGreaterThan(0)
    const missing = { incarnation, from: records.length + 1, to: all.length, reason: 'crash' }
    expect(gaps).toEqual(records.length === all.length ? [] : [missing])
  })
})
