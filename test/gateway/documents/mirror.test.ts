import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Envelope } from '@signalbox/sdk/contract'
import { createSigningKey, type SigningKey, signDocument } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Mirror } from '../../../gateway/documents/mirror.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeControlPlane } from '../../support/fake-control-plane.ts'
import {
  environment,
  keyRow,
  organisationId,
  releaseDocument,
  rotateReleaseKey,
  stateDocument,
} from '../../support/signed-documents.ts'
import {
  closeAll,
  createFolder,
  engineDigest,
  openDocuments,
  type RunningDocuments,
} from './running-documents.ts'

let controlPlane: FakeControlPlane
let folder: string
beforeEach(async () => {
  controlPlane = await new FakeControlPlane().start()
  folder = createFolder()
  lay('mirror.json', JSON.stringify({ organisationId, environment }))
})
afterEach(async () => {
  await closeAll()
  await controlPlane.stop()
})

function lay(name: string, content: string | Uint8Array): void {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}
function layBlobs(): void {
  for (const [digest, bytes] of controlPlane.blobs) {
    const hex = digest.slice('sha256:'.length)
    lay(`blobs/${hex.slice(0, 2)}/${hex}`, bytes)
  }
}
const release = (sequence: number, change: object = {}) =>
  releaseDocument(controlPlane.blobs, { sequence, ...change }, { engine: engineDigest })
const state = (sequence: number, change: object = {}) =>
  stateDocument(controlPlane.blobs, { sequence, ...change })

function layDocument(kind: 'release' | 'state', document: object, keys?: readonly SigningKey[]): Envelope {
  const envelope = signDocument(document, 'release', keys ?? [controlPlane.authority.releaseKey])
  lay(`${kind}.json`, JSON.stringify(envelope))
  layBlobs()
  return envelope
}

/** A gateway that cannot reach its control plane. */
async function openAlone(): Promise<RunningDocuments> {
  await controlPlane.stop()
  const running = await openDocuments(controlPlane, { mirror: new Mirror(folder) })
  running.documents.connect()
  return running
}

describe('with the control plane away, a gateway with a mirror', () => {
  it('starts from it, though it was never anywhere else, and follows what is laid down later', async () => {
    layDocument('release', release(3))
    layDocument('state', state(5))
    const { documents } = await openAlone()
    await eventually(() => expect(documents.missing()).toEqual([]))
    expect(documents.current().release.sequence).toBe(3)
    layDocument('state', state(6))
    await eventually(() => expect(documents.current().state.sequence).toBe(6))
    expect(documents.status().rejections).toBe(0)
  })

  it('follows roots one by one, and then only the newest keys', async () => {
    const second = rotateReleaseKey(controlPlane.authority)
    const third = rotateReleaseKey(second)
    lay('root-2.json', JSON.stringify(second.rootEnvelope))
    lay('root-3.json', JSON.stringify(third.rootEnvelope))
    layDocument('release', release(3), [third.releaseKey])
    layDocument('state', state(5), [third.releaseKey])
    const { documents } = await openAlone()
    await eventually(() => expect(documents.missing()).toEqual([]))
    expect(documents.status().sequences.root).toBe(3)
  })

  it('counts the age of a state from when it was made', async () => {
    layDocument('release', release(3))
    layDocument('state', state(5, { createdMs: Date.now() - 3_600_000 }))
    const { documents } = await openAlone()
    await eventually(() => expect(documents.missing()).toEqual([]))
    expect(documents.status().stateAgeMs).toBeGreaterThan(3_590_000)
    expect(documents.degraded()).toBe(true)
  })

  it('has nothing to do with one of another organisation', async () => {
    lay('mirror.json', JSON.stringify({ organisationId: crypto.randomUUID(), environment }))
    layDocument('release', release(3))
    const { documents } = await openAlone()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(documents.missing()).not.toEqual([])
  })
})

const tampered = (envelope: Envelope): void =>
  lay(
    'state.json',
    JSON.stringify({ ...envelope, payload: envelope.payload.replace('"revoked":[]', '"revoked":["x"]') }),
  )
const wrong: Readonly<Record<string, () => void>> = {
  tampered: () => tampered(layDocument('state', state(8))),
  truncated: () => lay('state.json', JSON.stringify(layDocument('state', state(8))).slice(0, -40)),
  'of a lower sequence': () => void layDocument('state', state(4)),
  expired: () => void layDocument('state', state(8, { expiresMs: Date.now() - 1 })),
  'signed in another role': () => {
    lay('state.json', JSON.stringify(signDocument(state(8), 'author', [controlPlane.authority.releaseKey])))
    layBlobs()
  },
  "signed by another role's key": () => void layDocument('state', state(8), [controlPlane.authority.rootKey]),
  'signed by a stranger': () => void layDocument('state', state(8), [createSigningKey()]),
  'of another environment': () => void layDocument('state', state(8, { environment: 'elsewhere' })),
  'with a blob that is another': () => {
    const keys = [keyRow('cd'.repeat(32))]
    const document = stateDocument(controlPlane.blobs, { sequence: 8 }, { keys })
    layDocument('state', document)
    const hex = document.keys.shards[0]?.digest.slice('sha256:'.length) ?? ''
    lay(`blobs/${hex.slice(0, 2)}/${hex}`, 'something else')
  },
}

describe('what a mirror holds is refused, and the last good one stays, where it is', () => {
  it.each(Object.entries(wrong))('%s', async (what, offer) => {
    layDocument('release', release(3))
    layDocument('state', state(5))
    const { documents } = await openAlone()
    await eventually(() => expect(documents.missing()).toEqual([]))
    offer()
    // An older one is what a mirror that lags behind has: it is passed over.
    if (what === 'of a lower sequence') await new Promise((resolve) => setTimeout(resolve, 120))
    else await eventually(() => expect(documents.status().rejections).toBeGreaterThan(0))
    expect(documents.current().state.sequence).toBe(5)
    expect(documents.missing()).toEqual([])
    layDocument('state', state(9))
    await eventually(() => expect(documents.current().state.sequence).toBe(9))
  })
})

it('a gateway that has missed roots is given them one by one', async () => {
  const second = rotateReleaseKey(controlPlane.authority)
  const third = rotateReleaseKey({ ...second, rootKey: createSigningKey() }, [second.rootKey])
  controlPlane.roots.set(2, JSON.stringify(second.rootEnvelope))
  controlPlane.offer(release(3), [third.releaseKey])
  controlPlane.offer(state(5), [third.releaseKey])
  const envelope = signDocument(third.root, 'root', [second.rootKey, third.rootKey])
  controlPlane.offerText('root', JSON.stringify(envelope), 3)
  const { documents } = await openDocuments(controlPlane)
  documents.connect()
  await eventually(() => expect(documents.missing()).toEqual([]))
  expect(documents.status().sequences.root).toBe(3)
})
