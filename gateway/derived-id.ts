import { createHash } from 'node:crypto'

/**
 * The id that a text has for ever: a UUID (RFC 9562, version 8) of its SHA-256. With a time (epoch milliseconds) ids
 * are in the order of their times.
 */
export function derivedId(text: string, atMs?: number): string {
  const hash = createHash('sha256').update(text).digest('hex')
  const time = atMs === undefined ? '' : Math.max(0, atMs).toString(16).padStart(12, '0').slice(-12)
  const hex = time + hash
  const variant = '89ab'[Number.parseInt(hex.charAt(16), 16) % 4]
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
