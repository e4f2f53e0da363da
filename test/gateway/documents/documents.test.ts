import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { seal } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Documents } from '../../../gateway/documents/documents.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeControlPlane } from '../../support/fake-control-plane.ts'
import {
  compiledWorkspace,
  environment,
  keyRow,
  organisationId,
  releaseDocument,
  rotateReleaseKey,
  stateDocument,
} from '../../support/signed-documents.ts'
import { closeAll, createFolder, engineDigest, openDocuments } from './running-documents.ts'

const hash = 'ab'.repeat(32)
let controlPlane: FakeControlPlane

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
async function collectGarbage(): Promise<void> {
  await wait(5)
  gc()
}

beforeEach(async () => {
  controlPlane = await new FakeControlPlane().start()
})
afterEach(async () => {
  await closeAll()
  await controlPlane.stop()
})

function offerFirst(): void {
  controlPlane.offer(releaseDocument(controlPlane.blobs, {}, { engine: engineDigest }))
  controlPlane.offer(stateDocument(controlPlane.blobs, {}, { keys: [keyRow(hash)] }))
}

async function untilReady(documents: Documents): Promise<void> {
  await eventually(() => expect(documents.missing()).toEqual([]))
}

describe('documents of a gateway', () => {
  it('are fetched at the first start, taken into use and acknowledged with the states of the connections', async () => {
    offerFirst()
    const { documents } = await openDocuments(controlPlane, { variables: { OPENAI_API_KEY: 'x' } })
    expect(() => documents.current()).toThrow('no valid configuration')
    documents.connect('http://127.0.0.1:1')
    await untilReady(documents)
    expect(documents.current().findKey(hash)).toEqual(keyRow(hash))
    expect(documents.current().findKey('cd'.repeat(32))).toBeUndefined()
    await eventually(() => {
      const active = controlPlane.acks.filter((ack) => ack.result === 'active').map((ack) => ack.kind)
      expect(new Set(active)).toEqual(new Set(['root', 'release', 'state']))
    })
    expect(controlPlane.acks.at(-1)?.connections).toMatchObject({
      openai: 'available',
      anthropic: 'unavailable',
    })
    expect(controlPlane.hellos[0]).toMatchObject({ url: 'http://127.0.0.1:1', software: 'test' })
  })

  it('change when the control plane says so, within a moment', async () => {
    offerFirst()
    const { documents } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    const before = documents.current()
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2 }, { keys: [] }))
    await eventually(() => expect(documents.current().state.sequence).toBe(2), 1000)
    expect(documents.current().program).toBe(before.program)
    expect(before.state.sequence).toBe(1)
  })

  it('fetch only the blobs that are missing', async () => {
    offerFirst()
    const { documents } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    const blobs = () => controlPlane.requests.filter((line) => line.includes('/blobs/')).length
    const before = blobs()
    controlPlane.offer(
      stateDocument(controlPlane.blobs, { sequence: 2 }, { keys: [keyRow(hash), keyRow('cd'.repeat(32))] }),
    )
    await eventually(() => expect(documents.current().state.sequence).toBe(2))
    expect(blobs()).toBe(before + 1)
  })

  it('refuse a revoked key from the first moment, even where the rest of the state cannot be had', async () => {
    offerFirst()
    const { documents } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    const next = stateDocument(
      controlPlane.blobs,
      { sequence: 2, revoked: [hash] },
      { keys: [keyRow('ef'.repeat(32))] },
    )
    controlPlane.blobs.delete(next.keys.shards[0]?.digest ?? '')
    controlPlane.offer(next)
    await eventually(() => expect(documents.current().findKey(hash)).toBe('revoked'))
    expect(documents.current().state.sequence).toBe(1)
    await eventually(() =>
      expect(controlPlane.acks.at(-1)).toMatchObject({ kind: 'state', sequence: 2, result: 'rejected' }),
    )
  })

  it('follow a newer root that the pinned one signed, and then only its keys', async () => {
    offerFirst()
    const { documents } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    const rotated = rotateReleaseKey(controlPlane.authority)
    controlPlane.offerText('root', JSON.stringify(rotated.rootEnvelope), 2)
    await eventually(() => expect(documents.status().sequences.root).toBe(2))
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2 }))
    await eventually(() =>
      expect(controlPlane.acks.at(-1)).toMatchObject({ kind: 'state', result: 'rejected' }),
    )
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 3 }), [rotated.releaseKey])
    await eventually(() => expect(documents.current().state.sequence).toBe(3))
  })

  it('bring sealed credentials that only this gateway can open, which stay sealed on its disk', async () => {
    const connections = { main: { provider: 'anthropic', credential: 'secret:main' } }
    const parts = { engine: engineDigest, compiled: compiledWorkspace({ connections }) }
    controlPlane.offer(releaseDocument(controlPlane.blobs, {}, parts))
    controlPlane.offer(stateDocument(controlPlane.blobs))
    const folder = createFolder()
    const { documents, key } = await openDocuments(controlPlane, { folder })
    documents.connect()
    await untilReady(documents)
    expect(documents.current().connections.get('main')).toMatchObject({ missing: 'secret:main' })
    const box = await seal(key.publicKey, JSON.stringify({ main: 'top secret' }))
    const head = { type: 'credentials/1', organisationId, environment, sequence: 1, recipient: key.publicKey }
    controlPlane.offerText('credentials', JSON.stringify({ ...head, ...box }), 1)
    await eventually(() => expect(documents.current().connections.get('main')?.credential).toBe('top secret'))
    await eventually(() => expect(controlPlane.acks.at(-1)?.connections).toMatchObject({ main: 'available' }))
    expect(readFileSync(join(folder, 'documents', 'credentials.json'), 'utf8')).not.toContain('top secret')
    const again = await openDocuments(controlPlane, { folder })
    expect(again.documents.current().connections.get('main')?.credential).toBe('top secret')
  })

  it('read a credential file again when it changes', async () => {
    const path = join(createFolder(), 'key')
    writeFileSync(path, 'first')
    const connections = { main: { provider: 'anthropic', credential: `file:${path}` } }
    const parts = { engine: engineDigest, compiled: compiledWorkspace({ connections }) }
    controlPlane.offer(releaseDocument(controlPlane.blobs, {}, parts))
    controlPlane.offer(stateDocument(controlPlane.blobs))
    const { documents } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    const before = documents.current()
    expect(before.connections.get('main')?.credential).toBe('first')
    writeFileSync(path, 'second')
    await eventually(() => expect(documents.current().connections.get('main')?.credential).toBe('second'))
    expect(before.connections.get('main')?.credential).toBe('first')
  })

  it('come from long polls where no event stream gets through', async () => {
    controlPlane.eventsStatus = 405
    offerFirst()
    const { documents } = await openDocuments(controlPlane, { times: { pollsForMs: 5000 } })
    documents.connect()
    await untilReady(documents)
    await eventually(() => expect(controlPlane.requests).toContain('GET /v1/gateway/events'))
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2 }))
    await eventually(() => expect(documents.current().state.sequence).toBe(2), 1000)
    expect(controlPlane.requests.filter((line) => line.endsWith('/events')).length).toBeLessThan(3)
  })

  it('come from plain polls where long polls are not held either', async () => {
    controlPlane.eventsStatus = 405
    controlPlane.holdsPolls = false
    offerFirst()
    const { documents } = await openDocuments(controlPlane, { times: { pollsForMs: 5000 } })
    documents.connect()
    await untilReady(documents)
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2 }))
    await eventually(() => expect(documents.current().state.sequence).toBe(2), 1000)
  })

  it('give a program back when no call can hold it any more, and not before', async () => {
    offerFirst()
    const { documents, engine } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    const calls = [documents.current()]
    const parts = { engine: engineDigest, compiled: compiledWorkspace({ name: 'other' }) }
    controlPlane.offer(releaseDocument(controlPlane.blobs, { sequence: 2 }, parts))
    await eventually(() => expect(documents.current().release.sequence).toBe(2))
    await collectGarbage()
    expect(engine.disposed).toBe(0)
    expect(calls[0]?.release.sequence).toBe(1)
    calls.length = 0
    await eventually(async () => {
      await collectGarbage()
      expect(engine.disposed).toBe(1)
    })
  })
})

describe('with the control plane away, a gateway', () => {
  it('serves on, and takes what is new when it is back', async () => {
    offerFirst()
    const { documents } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    await controlPlane.stop()
    await eventually(() => expect(documents.status().connected).toBe(false))
    expect(documents.current().findKey(hash)).toEqual(keyRow(hash))
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2 }))
    await controlPlane.start()
    await eventually(() => expect(documents.current().state.sequence).toBe(2))
  })

  it('starts again from its disk, and acknowledges what it runs when the control plane is back', async () => {
    offerFirst()
    const folder = createFolder()
    const first = await openDocuments(controlPlane, { folder })
    first.documents.connect()
    await untilReady(first.documents)
    await first.documents.close()
    await controlPlane.stop()
    const second = await openDocuments(controlPlane, { folder })
    expect(second.documents.missing()).toEqual([])
    expect(second.documents.current().findKey(hash)).toEqual(keyRow(hash))
    second.documents.connect()
    controlPlane.acks.length = 0
    await controlPlane.start()
    await eventually(() => {
      const active = controlPlane.acks.filter((ack) => ack.result === 'active').map((ack) => ack.kind)
      expect(new Set(active)).toEqual(new Set(['root', 'release', 'state']))
    })
  })

  it('is degraded after a minute, and not ready once the state is older than it may be', async () => {
    offerFirst()
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2, stateAgeMsMax: 3_600_000 }))
    const { documents, clock } = await openDocuments(controlPlane)
    documents.connect()
    await untilReady(documents)
    await controlPlane.stop()
    await eventually(() => expect(documents.status().connected).toBe(false))
    expect(documents.degraded()).toBe(false)
    clock.offsetMs = 61_000
    expect(documents.degraded()).toBe(true)
    expect(documents.missing()).toEqual([])
    clock.offsetMs = 3_601_000
    expect(documents.missing()).toEqual(['fresh state'])
    expect(() => documents.current()).toThrow(expect.objectContaining({ code: 'not_ready', status: 503 }))
    await controlPlane.start()
    await untilReady(documents)
    expect(documents.degraded()).toBe(false)
  })

  it('counts the age of its state over a restart, and never refuses where no age is set', async () => {
    offerFirst()
    const folder = createFolder()
    const first = await openDocuments(controlPlane, { folder })
    first.documents.connect()
    await untilReady(first.documents)
    await first.documents.close()
    await controlPlane.stop()
    first.clock.offsetMs = 2 * 86_400_000
    const aged = await openDocuments(controlPlane, { folder, clock: first.clock })
    expect(aged.documents.missing()).toEqual(['fresh state'])
    await controlPlane.start()
    controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 2, stateAgeMsMax: 0, expiresMs: 2e14 }))
    controlPlane.offer(
      releaseDocument(controlPlane.blobs, { sequence: 2, expiresMs: 2e14 }, { engine: engineDigest }),
    )
    aged.documents.connect()
    await untilReady(aged.documents)
    first.clock.offsetMs = 400 * 86_400_000
    expect(aged.documents.missing()).toEqual([])
  })
})
