import { hash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** `sha256:` and 64 hex digits over bytes, or over the UTF-8 of a text. */
export function digestOf(data: string | Uint8Array): string {
  return `sha256:${hash('sha256', data, 'hex')}`
}

/** Canonical JSON (RFC 8785): the same value gives the same text. Throws on NaN, infinities and lone surrogates. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('The value has no JSON form.')
  return text
}

/** Digest of a value's canonical JSON. */
export function digestOfJson(value: unknown): string {
  return digestOf(canonicalJson(value))
}
