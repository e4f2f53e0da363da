import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import { asObject } from '../wire/json-value.ts'
import { cacheHeaders } from './read-cache.ts'

/** What headers of other gateways say of a call. */
export interface HeaderWishes {
  readonly metadata: Readonly<Record<string, unknown>>
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  /** The one provider that is wanted. */
  readonly provider: string | undefined
  /** A config as it came: JSON, or an id. */
  readonly config: string | undefined
  readonly ignored: readonly string[]
}

const prefixes = ['x-portkey-', 'helicone-', 'cf-aig-']
const propertyPrefix = 'helicone-property-'
const metadataHeaders = ['x-portkey-metadata', 'cf-aig-metadata']
/** Headers that say who asks, or ask for nothing: nobody misses them. */
const silent = new Set([
  ...['x-portkey-api-key', 'x-portkey-trace-id', 'x-portkey-span-id', 'x-portkey-parent-span-id'],
  ...['x-portkey-span-name', 'helicone-auth', 'helicone-request-id', 'helicone-session-name'],
  ...['helicone-session-path', 'cf-aig-authorization', 'cf-aig-collect-log'],
  ...cacheHeaders,
])
const userIdLengthMax = 256

/** Whether any header of a call is one of these. Most calls have none. */
function hasAny(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) for (const prefix of prefixes) if (name.startsWith(prefix)) return true
  return false
}

function metadataIn(name: string, text: string): Readonly<Record<string, unknown>> {
  try {
    const value = asObject(JSON.parse(text))
    if (value !== undefined) return value
  } catch {
    // It is refused below, like every value that is no object.
  }
  throw new Refusal('metadata_invalid', { message: `The header ${name} must be a JSON object.`, param: name })
}

/** `_user` and the like are Portkey's own names. */
function withoutMarks(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name.replace(/^_/, ''), value]))
}

/** Reads them; undefined where a call has none. @throws Refusal `metadata_invalid` for metadata that is no object. */
export function readHeaders(headers: IncomingHttpHeaders): HeaderWishes | undefined {
  if (!hasAny(headers)) return undefined
  const metadata: Record<string, unknown> = {}
  const ignored: string[] = []
  let [userId, sessionId, provider, config]: (string | undefined)[] = []
  for (const [name, value] of Object.entries(headers)) {
    const text = String(value)
    if (!prefixes.some((prefix) => name.startsWith(prefix)) || silent.has(name)) continue
    if (metadataHeaders.includes(name)) Object.assign(metadata, withoutMarks(metadataIn(name, text)))
    else if (name.startsWith(propertyPrefix)) metadata[name.slice(propertyPrefix.length)] = text
    else if (name === 'helicone-user-id') userId = text.slice(0, userIdLengthMax)
    else if (name === 'helicone-session-id') sessionId = text.slice(0, userIdLengthMax)
    else if (name === 'x-portkey-provider') provider = text.replace(/^@/, '')
    else if (name === 'x-portkey-config') config = text
    else ignored.push(name)
  }
  return { metadata, userId, sessionId, provider, config, ignored }
}
