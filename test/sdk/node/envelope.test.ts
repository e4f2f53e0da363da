import type { RootDocument } from '@signalbox/sdk/contract'
import {
  createSigningKey,
  decodeTrustRoot,
  encodeTrustRoot,
  openEnvelope,
  signDocument,
} from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'

const [rootKey, releaseKey, second, stranger] = [1, 2, 3, 4].map(createSigningKey)
if (rootKey === undefined || releaseKey === undefined || second === undefined || stranger === undefined) {
  throw new Error('no keys')
}
const entry = (key: typeof rootKey) =>
  [key.keyId, { algorithm: 'ed25519' as const, publicKey: key.publicKey }] as const
const rootOf = (threshold: number): RootDocument => ({
  type: 'root/1',
  organisationId: 'o',
  sequence: 1,
  keys: Object.fromEntries([entry(rootKey), entry(releaseKey), entry(second)]),
  roles: {
    root: { threshold: 1, keyIds: [rootKey.keyId] },
    release: { threshold, keyIds: [releaseKey.keyId, second.keyId] },
    author: { threshold: 1, keyIds: [] },
  },
})

describe('envelopes', () => {
  it('open with a signature of the role', () => {
    expect(openEnvelope(signDocument({ a: 1 }, 'release', [releaseKey]), 'release', rootOf(1))).toEqual({
      a: 1,
    })
  })

  it('stay shut for a stranger, another role, a changed payload and a changed signature', () => {
    const good = signDocument({ a: 1 }, 'release', [releaseKey])
    const bad = [
      signDocument({ a: 1 }, 'release', [stranger]),
      signDocument({ a: 1 }, 'release', [rootKey]),
      signDocument({ a: 1 }, 'root', [releaseKey]),
      { ...good, payload: '{"a":2}' },
      {
        ...good,
        signatures: good.signatures.map((each) => ({ ...each, sig: each.sig.replace(/^./, 'A_') })),
      },
    ]
    for (const envelope of bad)
      expect(() => openEnvelope(envelope, 'release', rootOf(1))).toThrow('valid signature')
  })

  it('count different keys against the threshold, not signatures', () => {
    expect(() =>
      openEnvelope(signDocument({}, 'release', [releaseKey, releaseKey]), 'release', rootOf(2)),
    ).toThrow('has 1')
    expect(openEnvelope(signDocument({}, 'release', [releaseKey, second]), 'release', rootOf(2))).toEqual({})
  })

  it('refuse a root key whose id is not its own', () => {
    const root = rootOf(1)
    const forged = {
      ...root,
      keys: {
        ...root.keys,
        [releaseKey.keyId]: { algorithm: 'ed25519' as const, publicKey: stranger.publicKey },
      },
    }
    const envelope = signDocument({}, 'release', [{ ...stranger, keyId: releaseKey.keyId }])
    expect(() => openEnvelope(envelope, 'release', forged)).toThrow('valid signature')
  })
})

describe('trust roots', () => {
  it('go there and back', () => {
    const text = encodeTrustRoot(signDocument(rootOf(1), 'root', [rootKey]))
    expect(decodeTrustRoot(text).root).toEqual(rootOf(1))
  })

  it('are refused when they are something else or not signed by themselves', () => {
    expect(() => decodeTrustRoot('hello')).toThrow('SIGNALBOX_TRUST_ROOT')
    expect(() => decodeTrustRoot(encodeTrustRoot(signDocument(rootOf(1), 'root', [stranger])))).toThrow(
      'valid signature',
    )
  })
})
