import type { IncomingHttpHeaders } from 'node:http'

/**
 * Headers of an upstream that end here: of the connection (RFC 9110 §7.6.1), of a body that is framed anew, cookies,
 * what an origin says about itself to browsers, and ids and codes that have a name of ours.
 */
const blocked = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'content-encoding',
  'date',
  'set-cookie',
  'set-cookie2',
  'alt-svc',
  'strict-transport-security',
  'x-request-id',
])
/** Account-wide rate limits are the operator's, CORS is the gateway's own affair, `x-signalbox-` is ours. */
const blockedPrefixes = [
  'x-ratelimit-',
  'ratelimit',
  'anthropic-ratelimit-',
  'anthropic-priority-',
  'anthropic-fast-',
  'access-control-',
  'x-signalbox-',
]
const valueLengthMax = 4096

function passes(name: string, listed: readonly string[]): boolean {
  if (blocked.has(name) || listed.includes(name)) return false
  for (const prefix of blockedPrefixes) if (name.startsWith(prefix)) return false
  return true
}

/** The headers of an answer that the caller gets too, as a flat list of names and values. */
export function passedHeaders(headers: IncomingHttpHeaders): string[] {
  const connection = headers.connection
  const listed =
    connection === undefined || connection === 'close' || connection === 'keep-alive'
      ? []
      : connection.split(',').map((name) => name.trim().toLowerCase())
  const passed: string[] = []
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || !passes(name, listed)) continue
    if (typeof value === 'string') {
      if (value.length <= valueLengthMax) passed.push(name, value)
    } else {
      for (const each of value) if (each.length <= valueLengthMax) passed.push(name, each)
    }
  }
  return passed
}

/** Sets a header of a flat list, in place of one that is there. */
export function setHeader(headers: string[], name: string, value: string): void {
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at] !== name) continue
    headers[at + 1] = value
    return
  }
  headers.push(name, value)
}

/** The value of a header in a flat list. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return headers[at + 1]
  return undefined
}

/** The id that the upstream gave the request, under any of the usual names. */
export function upstreamRequestId(headers: IncomingHttpHeaders): string | undefined {
  const value = headers['x-request-id'] ?? headers['request-id'] ?? headers['x-goog-request-id']
  const text = Array.isArray(value) ? value[0] : value
  return text !== undefined && /^[\x21-\x7e]{1,256}$/.test(text) ? text : undefined
}

/** Seconds to wait, from `retry-after-ms` or `retry-after` as a number or a date. */
export function retryAfterOf(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const ms = Number(headers['retry-after-ms'])
  if (headers['retry-after-ms'] !== undefined && Number.isFinite(ms) && ms >= 0) return Math.ceil(ms / 1000)
  const text = headers['retry-after']
  if (text === undefined) return undefined
  const seconds = Number(text)
  if (Number.isFinite(seconds)) return seconds >= 0 ? Math.ceil(seconds) : undefined
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - nowMs) / 1000))
}
