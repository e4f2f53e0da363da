import { hash, randomBytes } from 'node:crypto'
import { keyPattern, type SecretKind, secretKinds, tokenPattern } from '../contract/keys.ts'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const secretLength = 24
const checksumLength = 6

/** Base62 digits without bias: bytes at or above 248 are thrown away. */
function randomBase62(length: number, random: (size: number) => Uint8Array): string {
  let text = ''
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < 248 && text.length < length) text += alphabet.charAt(byte % 62)
    }
  }
  return text
}

function checksumOf(body: string): string {
  const bytes = hash('sha256', body, 'buffer')
  let text = ''
  for (let index = 0; index < checksumLength; index++) text += alphabet.charAt((bytes[index] ?? 0) % 62)
  return text
}

/** Makes a secret of a kind; a key also carries the first letter of its environment. */
export function createSecret(
  kind: SecretKind,
  options: { environment?: string; random?: (size: number) => Uint8Array } = {},
): string {
  const letter = kind === 'key' ? (options.environment ?? 'd').charAt(0).replace(/[^a-z]/, 'x') : ''
  const body = `${secretKinds[kind]}${letter}${randomBase62(secretLength, options.random ?? randomBytes)}`
  return `${body}_${checksumOf(body)}`
}

/** Whether a text has the form of a secret and its checksum agrees. Says nothing about whether it is known. */
export function isWellFormedSecret(text: string): boolean {
  if (!keyPattern.test(text) && !tokenPattern.test(text)) return false
  const at = text.lastIndexOf('_')
  return checksumOf(text.slice(0, at)) === text.slice(at + 1)
}

/** What is stored of a secret: SHA-256, hex. A secret has 142 bits of entropy, so a plain hash is enough. */
export function hashSecret(text: string): string {
  return hash('sha256', text, 'hex')
}
