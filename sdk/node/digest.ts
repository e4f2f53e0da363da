import { hash } from 'node:crypto'
import { canonicalJson } from './canonical-json.ts'

export { canonicalJson }

/** `sha256:` and 64 hex digits over bytes, or over the UTF-8 of a text. */
export function digestOf(data: string | Uint8Array): string {
  return `sha256:${hash('sha256', data, 'hex')}`
}

/** Digest of a value's canonical JSON. */
export function digestOfJson(value: unknown): string {
  return digestOf(canonicalJson(value))
}
