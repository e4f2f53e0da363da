import { createPrivateKey, createPublicKey } from 'node:crypto'
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'

/** What the gateway's key opens: HPKE base mode (RFC 9180), X25519 + HKDF-SHA256 + AES-256-GCM. */
export interface SealedBox {
  /** HPKE `enc`, base64url. */
  readonly encapsulated: string
  /** HPKE ciphertext, base64url. */
  readonly sealed: string
}
/** An X25519 key pair; both parts raw, base64url. */
export interface SealKeyPair {
  readonly publicKey: string
  readonly privateKey: string
}

/** Keeps a box that was sealed for something else from being opened here. */
const info = bytesOf(Buffer.from('signalbox credentials/1', 'utf8'))
const keyBytes = 32

/** A copy with a buffer of its own, as WebCrypto's types ask for. */
function bytesOf(data: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(data.byteLength)
  new Uint8Array(copy).set(data)
  return copy
}

function createSuite(): CipherSuite {
  return new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  })
}

function rawKey(text: string, what: string): ArrayBuffer {
  const raw = Buffer.from(text, 'base64url')
  if (raw.byteLength !== keyBytes) throw new Error(`${what} is not an X25519 key (32 bytes, base64url)`)
  return bytesOf(raw)
}

/** Makes the key pair of a recipient. */
export async function createSealKeyPair(): Promise<SealKeyPair> {
  const suite = createSuite()
  const pair = await suite.kem.generateKeyPair()
  const publicKey = Buffer.from(await suite.kem.serializePublicKey(pair.publicKey)).toString('base64url')
  const privateKey = Buffer.from(await suite.kem.serializePrivateKey(pair.privateKey)).toString('base64url')
  return { publicKey, privateKey }
}

/**
 * The public key that belongs to a private one.
 * @throws Error where the text is not a key; never with the key in it.
 */
export function sealPublicKeyOf(privateKey: string): string {
  // The library derives no public key from a raw private one; Node does, by way of the PKCS #8 form (RFC 8410).
  const raw = Buffer.from(rawKey(privateKey, 'the private key'))
  const der = Buffer.concat([Buffer.from('302e020100300506032b656e04220420', 'hex'), raw])
  const jwk = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  })
  if (jwk.x === undefined) throw new Error('the private key has no public part')
  return jwk.x
}

/**
 * Seals a text (UTF-8) to a recipient's public key.
 * @throws Error where the key is not an X25519 key.
 */
export async function seal(publicKey: string, plaintext: string): Promise<SealedBox> {
  const suite = createSuite()
  const recipientPublicKey = await suite.kem.deserializePublicKey(rawKey(publicKey, 'the public key'))
  const sender = await suite.createSenderContext({ recipientPublicKey, info })
  const sealed = await sender.seal(bytesOf(Buffer.from(plaintext, 'utf8')))
  return {
    encapsulated: Buffer.from(sender.enc).toString('base64url'),
    sealed: Buffer.from(sealed).toString('base64url'),
  }
}

/**
 * Opens what was sealed to the key.
 * @throws Error where it was sealed to another key or changed on the way.
 */
export async function open(privateKey: string, box: SealedBox): Promise<string> {
  const suite = createSuite()
  const recipientKey = await suite.kem.deserializePrivateKey(rawKey(privateKey, 'the private key'))
  try {
    const recipient = await suite.createRecipientContext({
      recipientKey,
      enc: bytesOf(Buffer.from(box.encapsulated, 'base64url')),
      info,
    })
    const plaintext = await recipient.open(bytesOf(Buffer.from(box.sealed, 'base64url')))
    return Buffer.from(plaintext).toString('utf8')
  } catch (cause) {
    throw new Error('the sealed credentials cannot be opened with this key', { cause })
  }
}
