import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import type { Envelope, RootDocument } from '../contract/documents.ts'

/** A signing key of the control plane. */
export interface SigningKey {
  readonly keyId: string
  /** Raw public key, base64url. */
  readonly publicKey: string
  /** PKCS #8, base64url; encrypted at rest by the control plane. */
  readonly privateKey: string
}
export type SignerRole = Envelope['signatures'][number]['role']

/** Id of a public key (raw, base64url), as the root document names it. */
export function keyIdOf(publicKey: string): string {
  return hash('sha256', Buffer.from(publicKey, 'base64url'), 'hex').slice(0, 16)
}

/** Makes an Ed25519 key pair. */
export function createSigningKey(): SigningKey {
  const pair = generateKeyPairSync('ed25519')
  const publicKey = pair.publicKey.export({ format: 'jwk' }).x
  if (publicKey === undefined) throw new Error('The key pair has no public part.')
  const privateKey = pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url')
  return { keyId: keyIdOf(publicKey), publicKey, privateKey }
}

function privateKeyObject(key: SigningKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(key.privateKey, 'base64url'), format: 'der', type: 'pkcs8' })
}

function publicKeyObject(publicKey: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' })
}

/** Signs a text; base64url. */
export function signText(text: string, key: SigningKey): string {
  return sign(null, Buffer.from(text, 'utf8'), privateKeyObject(key)).toString('base64url')
}

/** Serialises a document once and signs those bytes. */
export function signDocument(document: object, role: SignerRole, keys: readonly SigningKey[]): Envelope {
  const payload = JSON.stringify(document)
  return {
    payload,
    signatures: keys.map((key) => ({ role, keyId: key.keyId, sig: signText(payload, key) })),
  }
}

/** How many different keys of a role in `root` have signed the envelope's payload. */
export function countSignatures(envelope: Envelope, role: SignerRole, root: RootDocument): number {
  const bytes = Buffer.from(envelope.payload, 'utf8')
  const allowed = new Set(root.roles[role]?.keyIds ?? [])
  const signers = new Set<string>()
  for (const signature of envelope.signatures) {
    const key = root.keys[signature.keyId]
    if (signature.role !== role || !allowed.has(signature.keyId) || key === undefined) continue
    if (keyIdOf(key.publicKey) !== signature.keyId) continue
    if (verify(null, bytes, publicKeyObject(key.publicKey), Buffer.from(signature.sig, 'base64url'))) {
      signers.add(signature.keyId)
    }
  }
  return signers.size
}

/**
 * Checks that enough keys of `role` signed the payload, and parses it.
 * @throws Error that says what was expected, where the threshold is not met or the payload is not JSON.
 */
export function openEnvelope(envelope: Envelope, role: SignerRole, root: RootDocument): unknown {
  const threshold = root.roles[role]?.threshold
  if (threshold === undefined) throw new Error(`the root document names no role "${role}"`)
  const count = countSignatures(envelope, role, root)
  if (count < threshold) {
    throw new Error(`needs ${threshold} valid signature(s) of role "${role}", has ${count}`)
  }
  return JSON.parse(envelope.payload)
}

/** `SIGNALBOX_TRUST_ROOT` ↔ the root document's envelope. */
export function encodeTrustRoot(envelope: Envelope): string {
  return Buffer.from(JSON.stringify(envelope), 'utf8').toString('base64url')
}

/** @throws Error where the text is not a trust root or is not signed by its own root keys. */
export function decodeTrustRoot(text: string): { envelope: Envelope; root: RootDocument } {
  let envelope: Envelope
  let root: RootDocument
  try {
    envelope = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Envelope
    root = JSON.parse(envelope.payload) as RootDocument
  } catch (cause) {
    throw new Error(
      'SIGNALBOX_TRUST_ROOT is not a trust root: expected what `signalbox gateways enroll` printed',
      {
        cause,
      },
    )
  }
  openEnvelope(envelope, 'root', root)
  return { envelope, root }
}
