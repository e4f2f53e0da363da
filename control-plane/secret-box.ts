import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'

/** Encrypts what the control plane must be able to read again: credentials and signing keys. */
export interface SecretBox {
  /** `context` says what the secret is for; the box opens only with the same one. */
  encrypt(text: string, context: string): string
  /** @throws SecretBoxError where no key fits or the text was changed. */
  decrypt(box: string, context: string): string
}

/** The stored secret cannot be read with the keys at hand. Its message names no secret. */
export class SecretBoxError extends Error {}

const nonceBytes = 12
const tagBytes = 16

interface BoxKey {
  readonly id: string
  readonly key: Uint8Array
}

/** Shortest text taken for SIGNALBOX_SECRET_KEY. */
export const secretKeyLengthMin = 32

function deriveKey(text: string): BoxKey {
  const key = new Uint8Array(hkdfSync('sha256', text, '', 'signalbox/secret-box/1', 32))
  return { id: hash('sha256', key, 'hex').slice(0, 8), key }
}

/**
 * AES-256-GCM with a random nonce. `keys` are texts, the first encrypts, all decrypt: so a key is changed by putting
 * the new one first, with a comma between them. A box reads `v1.<key id>.<nonce, ciphertext and tag, base64url>`.
 */
export function createSecretBox(secretKey: string): SecretBox {
  const keys = secretKey.split(',').map((text) => deriveKey(text.trim()))
  const [first] = keys
  if (first === undefined) throw new SecretBoxError('SIGNALBOX_SECRET_KEY is empty')
  return {
    encrypt(text, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', first.key, nonce)
      cipher.setAAD(Buffer.from(context, 'utf8'))
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `v1.${first.id}.${sealed.toString('base64url')}`
    },
    decrypt(box, context) {
      const [form, keyId, sealed] = box.split('.')
      const key = keys.find((each) => each.id === keyId)
      if (form !== 'v1' || sealed === undefined)
        throw new SecretBoxError('the stored secret has no known form')
      if (key === undefined) {
        throw new SecretBoxError(
          `the stored secret needs a SIGNALBOX_SECRET_KEY that is not there (id ${keyId})`,
        )
      }
      return open(Buffer.from(sealed, 'base64url'), key, context)
    },
  }
}

function open(bytes: Buffer, key: BoxKey, context: string): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(0, nonceBytes))
    decipher.setAAD(Buffer.from(context, 'utf8'))
    decipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
    const text = decipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch (cause) {
    throw new SecretBoxError('the stored secret was changed or belongs elsewhere', { cause })
  }
}
