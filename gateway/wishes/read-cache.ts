import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'

/** What a caller wants of the cache. */
export interface CacheAsked {
  readonly mode: 'off' | 'refresh' | 'use'
  readonly ttlMs?: number
}

/** Answers are kept for a week at most. */
export const cacheSecondsMax = 604_800

/** Headers about the cache that are granted; whoever lists what is ignored leaves them out. */
export const cacheHeaders: ReadonlySet<string> = new Set([
  ...['cf-aig-cache-ttl', 'cf-aig-skip-cache', 'helicone-cache-enabled', 'x-portkey-cache-force-refresh'],
  ...['x-openrouter-cache', 'x-openrouter-cache-ttl', 'x-openrouter-cache-clear'],
])

function isTrue(name: string, value: string | string[] | undefined): boolean | undefined {
  if (value === undefined) return undefined
  const text = String(value).trim().toLowerCase()
  if (text === 'true' || text === 'false') return text === 'true'
  throw new Refusal('invalid_request', {
    message: `The header ${name} must be "true" or "false".`,
    param: name,
  })
}

function ttlOf(name: string, text: string | undefined): Pick<CacheAsked, 'ttlMs'> {
  if (text === undefined) return {}
  if (!/^\d{1,9}$/.test(text)) {
    throw new Refusal('invalid_request', {
      message: `The header ${name} must be whole seconds.`,
      param: name,
    })
  }
  return { ttlMs: Math.min(Number(text), cacheSecondsMax) * 1000 }
}

const textOf = (value: string | string[] | undefined): string | undefined =>
  value === undefined ? undefined : String(value).trim()

/** Cloudflare: `cf-aig-skip-cache`, `cf-aig-cache-ttl`. */
function ofCloudflare(headers: IncomingHttpHeaders): CacheAsked | undefined {
  if (isTrue('cf-aig-skip-cache', headers['cf-aig-skip-cache']) === true) return { mode: 'off' }
  const ttl = ttlOf('cf-aig-cache-ttl', textOf(headers['cf-aig-cache-ttl']))
  if (ttl.ttlMs === undefined) return undefined
  return ttl.ttlMs === 0 ? { mode: 'off' } : { mode: 'use', ...ttl }
}

/** Helicone: `Helicone-Cache-Enabled`, and how long by `Cache-Control: max-age`. */
function ofHelicone(headers: IncomingHttpHeaders): CacheAsked | undefined {
  const wanted = isTrue('helicone-cache-enabled', headers['helicone-cache-enabled'])
  if (wanted === undefined) return undefined
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/.exec(headers['cache-control'] ?? '')?.[1]
  return wanted ? { mode: 'use', ...ttlOf('cache-control', seconds) } : { mode: 'off' }
}

/** OpenRouter: `X-OpenRouter-Cache`, `-TTL`, and `-Clear` for a new answer. */
function ofOpenRouter(headers: IncomingHttpHeaders): CacheAsked | undefined {
  const wanted = isTrue('x-openrouter-cache', headers['x-openrouter-cache'])
  if (isTrue('x-openrouter-cache-clear', headers['x-openrouter-cache-clear']) === true)
    return { mode: 'refresh' }
  if (wanted === undefined) return undefined
  const ttl = ttlOf('x-openrouter-cache-ttl', textOf(headers['x-openrouter-cache-ttl']))
  return wanted ? { mode: 'use', ...ttl } : { mode: 'off' }
}

/**
 * What a caller says of the cache in the words of another gateway; undefined where he says nothing.
 * @throws Refusal `invalid_request` for a value that is not of its documented form.
 */
export function readCacheHeaders(headers: IncomingHttpHeaders): CacheAsked | undefined {
  const isRefresh = isTrue('x-portkey-cache-force-refresh', headers['x-portkey-cache-force-refresh']) === true
  if (isRefresh) return { mode: 'refresh' }
  return ofCloudflare(headers) ?? ofHelicone(headers) ?? ofOpenRouter(headers)
}
