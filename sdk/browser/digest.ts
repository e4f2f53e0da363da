import { canonicalJson } from '../node/canonical-json.ts'
import { sha256Hex } from './sha256.ts'

/** `sha256:` and 64 hex digits over bytes, or over the UTF-8 of a text. */
export function digestOf(data: string | Uint8Array): string {
  return `sha256:${sha256Hex(typeof data === 'string' ? new TextEncoder().encode(data) : data)}`
}

/** Digest of a value's canonical JSON. */
export function digestOfJson(value: unknown): string {
  return digestOf(canonicalJson(value))
}
