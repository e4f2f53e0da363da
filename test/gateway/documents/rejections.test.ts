import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReleaseDocument, StateDocument } from '@signalbox/sdk/contract'
import { createSigningKey, signDocument } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { FakeControlPlane } from '../../support/fake-control-plane.ts'
import {
  environment,
  keyRow,
  type ReleaseParts,
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

const hash = 'ab'.repeat(32)
const others = '01990000-0000-7000-8000-0000000000ff'
let controlPlane: FakeControlPlane
let gateway: RunningDocuments

const release = (change: Partial<ReleaseDocument> = {}, parts: ReleaseParts = {}): ReleaseDocument =>
  releaseDocument(controlPlane.blobs, { sequence: 8, ...change }, { engine: engineDigest, ...parts })
const state = (change: Partial<StateDocument> = {}): StateDocument =>
  stateDocument(controlPlane.blobs, { sequence: 8, ...change }, { keys: [keyRow('cd'.repeat(32))] })

beforeEach(async () => {
  controlPlane = await new FakeControlPlane().start()
  controlPlane.offer(release({ sequence: 7 }))
  controlPlane.offer(stateDocument(controlPlane.blobs, { sequence: 7 }, { keys: [keyRow(hash)] }))
  gateway = await openDocuments(controlPlane)
  gateway.documents.connect()
  await eventually(() => expect(gateway.documents.missing()).toEqual([]))
})
afterEach(async () => {
  await closeAll()
  await controlPlane.stop()
})

/** The last good documents stay in use, and the control plane is told why. */
async function expectRejected(
  kind: 'release' | 'state' | 'root',
  sequence: number,
  reason: RegExp,
): Promise<void> {
  await eventually(() => {
    const ack = controlPlane.acks.find((each) => each.kind === kind && each.result === 'rejected')
    expect(ack).toMatchObject({ sequence, error: expect.stringMatching(reason) })
  })
  const { documents } = gateway
  expect(documents.current().release.sequence).toBe(7)
  expect(documents.current().state.sequence).toBe(7)
  expect(documents.current().findKey(hash)).toEqual(keyRow(hash))
  expect(documents.missing()).toEqual([])
  expect(documents.status().rejections).toBeGreaterThan(0)
}

const wrongDocuments: Readonly<Record<string, { offer: () => void; reason: RegExp; sequence?: number }>> = {
  'signed by a stranger': {
    offer: () => controlPlane.offer(state(), [createSigningKey()]),
    reason: /needs 1 valid signature/,
  },
  'signed by a key of another role': {
    offer: () => controlPlane.offer(state(), [controlPlane.authority.rootKey]),
    reason: /needs 1 valid signature/,
  },
  'whose signature names another role': {
    offer: () => {
      const envelope = signDocument(state(), 'author', [controlPlane.authority.releaseKey])
      controlPlane.offerText('state', JSON.stringify(envelope), 8)
    },
    reason: /role "release"/,
  },
  'changed after it was signed': {
    offer: () => {
      const envelope = controlPlane.offer(state({ sequence: 6 }))
      const payload = envelope.payload.replace('"sequence":6', '"sequence":8')
      controlPlane.offerText('state', JSON.stringify({ ...envelope, payload }), 8)
    },
    reason: /needs 1 valid signature/,
  },
  'of a lower sequence': {
    offer: () => controlPlane.offer(state({ sequence: 6 })),
    reason: /sequence 6 is lower than the active 7/,
    sequence: 6,
  },
  'of a lower sequence that rolls back something else': {
    offer: () => controlPlane.offer(state({ sequence: 6, rollbackOf: 9 })),
    reason: /sequence 6 is lower/,
    sequence: 6,
  },
  'past its expiry': {
    offer: () => controlPlane.offer(state({ expiresMs: Date.now() - 1 })),
    reason: /expired at 20/,
  },
  'of another organisation': {
    offer: () => controlPlane.offer(state({ organisationId: others })),
    reason: /organisation 01990000/,
  },
  'of another environment': {
    offer: () => controlPlane.offer(state({ environment: 'production' })),
    reason: /environment "production"/,
  },
  'that is a release under the name of a state': {
    offer: () => {
      const envelope = signDocument(release(), 'release', [controlPlane.authority.releaseKey])
      controlPlane.offerText('state', JSON.stringify(envelope), 8)
    },
    reason: /not valid/,
  },
  'whose shards do not have the root it names': {
    offer: () => {
      const next = state()
      controlPlane.offer({ ...next, keys: { ...next.keys, root: next.tree } } as StateDocument)
    },
    reason: /do not have the root/,
  },
  'whose shard holds fewer keys than it names': {
    offer: () => {
      const next = state()
      const shards = next.keys.shards.map((shard) => ({ ...shard, count: 2 }))
      controlPlane.offer({ ...next, keys: { ...next.keys, shards, count: 2 } } as StateDocument)
    },
    reason: /does not hold 2 keys/,
  },
}

describe('a state is rejected with the reason, and the last good one stays,', () => {
  for (const [what, { offer, reason, sequence }] of Object.entries(wrongDocuments)) {
    it(`where it is ${what}`, async () => {
      offer()
      await expectRejected('state', sequence ?? 8, reason)
    })
  }

  it('where it is not JSON', async () => {
    controlPlane.offerText('state', '{"payload":', 8)
    await expectRejected('state', 1, /not JSON/)
  })

  it('where its payload is not JSON', async () => {
    const { authority } = controlPlane
    const envelope = signDocument({}, 'release', [authority.releaseKey])
    controlPlane.offerText('state', JSON.stringify({ ...envelope, payload: '{' }), 8)
    await expectRejected('state', 1, /valid signature|not JSON/)
  })

  it('where a blob is not what its digest says, and is taken when the blob is right', async () => {
    const next = state()
    const digest = next.keys.shards[0]?.digest ?? ''
    const right = controlPlane.blobs.get(digest) ?? new Uint8Array()
    controlPlane.blobs.set(digest, Buffer.from('something else'))
    controlPlane.offer(next)
    await expectRejected('state', 8, /came as sha256:/)
    controlPlane.blobs.set(digest, right)
    await eventually(() => expect(gateway.documents.current().state.sequence).toBe(8))
  })

  it('but a lower sequence that says it rolls back the active one is taken', async () => {
    controlPlane.offer(state({ sequence: 6, rollbackOf: 7 }))
    await eventually(() => expect(gateway.documents.current().state.sequence).toBe(6))
  })
})

describe('a release is rejected with the reason, and the last good one stays,', () => {
  const wrongReleases: Readonly<Record<string, { offer: () => ReleaseDocument; reason: RegExp }>> = {
    'does not compile': {
      offer: () => release({}, { script: 'broken' }),
      reason: /does not compile: policies\.js:1:1/,
    },
    'fails a golden vector': {
      offer: () => {
        const vector = { name: 'free tier', environment, facts: 'other', decisionDigest: engineDigest }
        return release({}, { vectors: [vector] })
      },
      reason: /1 golden vectors of acme fail: free tier/,
    },
    'is for another engine and no vector proves it': {
      offer: () => release({}, { engine: `sha256:${'0'.repeat(64)}` }),
      reason: /no vector proves/,
    },
    'names a script that its version does not hold': {
      offer: () => {
        const next = release()
        const script = controlPlane.blobs.add('another script')
        const versions = Object.entries(next.versions).map(([digest, each]) => [digest, { ...each, script }])
        return { ...next, versions: Object.fromEntries(versions) } as ReleaseDocument
      },
      reason: /compiled\/policies\.js of acme v1 is not the one/,
    },
    'names a version that it does not hold': {
      offer: () => ({ ...release(), versions: {} }),
      reason: /does not hold the version/,
    },
    'names a blob that is nowhere': {
      offer: () => release({ catalogue: `sha256:${'1'.repeat(64)}` }),
      reason: /does not have the blob sha256:1111/,
    },
  }
  for (const [what, { offer, reason }] of Object.entries(wrongReleases)) {
    it(`where it ${what}`, async () => {
      controlPlane.offer(offer())
      await expectRejected('release', 8, reason)
    })
  }

  it('but one for another engine is taken where its vectors hold', async () => {
    const vector = { name: 'same', environment, facts: 'allow', decisionDigest: engineDigest }
    controlPlane.offer(release({}, { engine: `sha256:${'0'.repeat(64)}`, vectors: [vector] }))
    await eventually(() => expect(gateway.documents.current().release.sequence).toBe(8))
  })
})

describe('a root', () => {
  it('that the pinned root did not sign is rejected', async () => {
    const rotated = rotateReleaseKey(controlPlane.authority, [createSigningKey()])
    controlPlane.offerText('root', JSON.stringify(rotated.rootEnvelope), 2)
    await expectRejected('root', 2, /role "root"/)
  })
})

describe('documents on the disk', () => {
  async function restart(tamper: (folder: string) => void): Promise<RunningDocuments> {
    const folder = createFolder()
    const first = await openDocuments(controlPlane, { folder })
    first.documents.connect()
    await eventually(() => expect(first.documents.missing()).toEqual([]))
    await first.documents.close()
    await controlPlane.stop()
    tamper(folder)
    return await openDocuments(controlPlane, { folder })
  }
  const rewrite = (path: string, change: (text: string) => string): void =>
    writeFileSync(path, change(readFileSync(path, 'utf8')))

  it('are refused where the signed bytes were changed', async () => {
    const { documents } = await restart((folder) =>
      rewrite(join(folder, 'documents/state.json'), (text) =>
        text.replace('"freeze\\":null', '"freeze\\": null'),
      ),
    )
    expect(documents.missing()).toEqual(['state'])
    expect(() => documents.current()).toThrow(expect.objectContaining({ code: 'not_ready' }))
  })

  it('are refused where a blob was changed, and had again from the control plane', async () => {
    const { documents } = await restart((folder) => {
      for (const group of readdirSync(join(folder, 'blobs'))) {
        for (const name of readdirSync(join(folder, 'blobs', group))) {
          appendFileSync(join(folder, 'blobs', group, name), ' ')
        }
      }
    })
    expect(documents.missing()).toEqual(['release', 'state'])
    documents.connect()
    await controlPlane.start()
    await eventually(() => expect(documents.missing()).toEqual([]))
  })

  it('are refused where they are cut short', async () => {
    const { documents } = await restart((folder) =>
      rewrite(join(folder, 'documents/release.json'), (text) => text.slice(0, 100)),
    )
    expect(documents.missing()).toEqual(['release'])
  })

  it('are left alone where the token turned out to be of another environment', async () => {
    const { documents } = await restart(() => {})
    expect(documents.missing()).toEqual([])
    controlPlane.environment = 'production'
    await controlPlane.start()
    documents.connect()
    await eventually(() => expect(documents.missing()).toEqual(['release', 'state']))
  })

  it('do not grow without end: blobs that nothing names any more are removed', async () => {
    const folder = createFolder()
    const { documents } = await openDocuments(controlPlane, { folder })
    documents.connect()
    await eventually(() => expect(documents.missing()).toEqual([]))
    for (let sequence = 8; sequence < 12; sequence++) {
      const keys = [keyRow(`${sequence.toString(16).repeat(64)}`.slice(0, 64))]
      controlPlane.offer(stateDocument(controlPlane.blobs, { sequence }, { keys }))
      await eventually(() => expect(documents.current().state.sequence).toBe(sequence))
    }
    const count = () =>
      readdirSync(join(folder, 'blobs')).flatMap((group) => readdirSync(join(folder, 'blobs', group))).length
    await eventually(() => expect(count()).toBe(7))
  })
})
