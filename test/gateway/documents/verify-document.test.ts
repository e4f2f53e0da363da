import { createSigningKey, signDocument } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import { checkOrder, verifyRoot, verifyState } from '../../../gateway/documents/verify-document.ts'
import {
  Blobs,
  createAuthority,
  environment,
  organisationId,
  rotateReleaseKey,
  stateDocument,
} from '../../support/signed-documents.ts'

const numbered = (sequence: number, digest = 'a', rollbackOf: number | null = null) => ({
  document: { sequence, rollbackOf },
  digest,
})

describe('the order of documents', () => {
  it('lets a higher sequence follow, and the first one', () => {
    expect(checkOrder(numbered(2), numbered(1))).toBe('next')
    expect(checkOrder(numbered(5), numbered(1))).toBe('next')
    expect(checkOrder(numbered(1), undefined)).toBe('next')
  })

  it('knows the document in use when it comes again', () => {
    expect(checkOrder(numbered(2), numbered(2))).toBe('same')
  })

  it('refuses other content under the same sequence', () => {
    expect(() => checkOrder(numbered(2, 'b'), numbered(2, 'a'))).toThrow('already has the sequence 2')
  })

  it('refuses to go back, but where the document says that it rolls back the very one in use', () => {
    expect(() => checkOrder(numbered(1), numbered(3))).toThrow('lower than the active 3')
    expect(() => checkOrder(numbered(1, 'a', 2), numbered(3))).toThrow('lower than the active 3')
    expect(checkOrder(numbered(1, 'a', 3), numbered(3))).toBe('next')
  })
})

describe('signatures', () => {
  const authority = createAuthority()
  const expectation = { organisationId, environment, root: authority.root }

  it('of one key count once, whatever the threshold', () => {
    const roles = { ...authority.root.roles, release: { threshold: 2, keyIds: [authority.releaseKey.keyId] } }
    const { releaseKey } = authority
    const envelope = signDocument(stateDocument(new Blobs()), 'release', [releaseKey, releaseKey])
    const strict = { ...expectation, root: { ...authority.root, roles } }
    expect(() => verifyState(JSON.stringify(envelope), strict)).toThrow('needs 2 valid')
    expect(verifyState(JSON.stringify(envelope), expectation).document.sequence).toBe(1)
  })

  it('are over the received bytes: the same JSON written another way does not pass', () => {
    const envelope = signDocument(stateDocument(new Blobs()), 'release', [authority.releaseKey])
    const payload = JSON.stringify(JSON.parse(envelope.payload), null, 1)
    const rewritten = JSON.stringify({ ...envelope, payload })
    expect(() => verifyState(rewritten, expectation)).toThrow('needs 1 valid')
  })

  it('of a new root must be the old root keys’ and its own', () => {
    const rotated = rotateReleaseKey(authority)
    expect(verifyRoot(JSON.stringify(rotated.rootEnvelope), authority.root).document.sequence).toBe(2)
    const stranger = createSigningKey()
    const foreign = rotateReleaseKey({ ...authority, rootKey: stranger }, [authority.rootKey])
    expect(() => verifyRoot(JSON.stringify(foreign.rootEnvelope), authority.root)).toThrow('role "root"')
  })
})
