import { costComment, costHeader, servedHeaders } from '../answer-headers.ts'
import type { Incoming } from '../incoming.ts'
import type { GatewayParts } from '../parts.ts'
import type { Provider } from '../provider.ts'
import { serveCall } from '../serve-call.ts'
import { settleCall } from '../steps/settle.ts'
import { lastServing, type Trail } from '../trail.ts'
import type { AllowedCall } from '../way.ts'
import { AnswerTap } from './answer-tap.ts'
import { cacheKey, isCacheable } from './cache-key.ts'
import { type CacheWish, cacheWish } from './cache-wish.ts'
import type { CachedAnswer } from './cached-answer.ts'
import { convertAnswer, readerOf } from './convert-answer.ts'

/** A call waits at most this long for another that is like it. */
const coalesceMsMax = 30_000
/** How answers end that said all they had to say: the providers' own words. */
const wholeFinishes: ReadonlySet<string> = new Set([
  ...['stop', 'end_turn', 'stop_sequence', 'tool_calls', 'tool_use', 'function_call'],
  ...['STOP', 'completed', 'COMPLETE', 'TOOL_CALL', 'STOP_SEQUENCE'],
])

interface CacheVisit {
  readonly allowed: AllowedCall
  readonly incoming: Incoming
  readonly trail: Trail
  readonly parts: GatewayParts
  readonly wish: CacheWish
  readonly key: string
  readonly reader: Provider | undefined
}

/**
 * Serves a call from the cache where policies and caller want that and an answer is there, else upstream; what comes
 * from there is kept. Of calls alike that run at the same time one goes upstream.
 */
export function serveCached(
  allowed: AllowedCall,
  incoming: Incoming,
  trail: Trail,
  parts: GatewayParts,
): Promise<void> {
  const wish = cacheWish(allowed.decision.cache, allowed.options.cache)
  if (wish === undefined || trail.snapshot === undefined || !isCacheable(allowed.call)) {
    return serveCall(allowed, incoming, trail, parts)
  }
  const reader = readerOf(allowed.call, parts.providers)
  const key = cacheKey(allowed, {
    snapshot: trail.snapshot,
    nodeId: trail.nodeId ?? '',
    headers: incoming.request.headers,
    versionDigest: trail.version?.digest,
    isConvertible: reader !== undefined,
  })
  if (key === undefined) return serveCall(allowed, incoming, trail, parts)
  return visit({ allowed, incoming, trail, parts, wish, key, reader })
}

async function visit(cache: CacheVisit): Promise<void> {
  const { wish, key, trail, parts, incoming } = cache
  const { answers } = parts
  if (wish.reads) {
    if (await give(cache, false)) return
    const running = answers.running.get(key)
    if (running !== undefined) {
      await waitFor(running, cache)
      if (incoming.writer.gone || (await give(cache, true))) return
    }
  }
  trail.cache = 'miss'
  answers.counts.misses++
  await (wish.writes ? serveAndKeep(cache) : serveUpstream(cache))
}

const serveUpstream = ({ allowed, incoming, trail, parts }: CacheVisit): Promise<void> =>
  serveCall(allowed, incoming, trail, parts)

/** Waits for a call that is under way, as long as somebody wants the answer and has the time. */
async function waitFor(
  running: Promise<void>,
  { incoming, allowed, trail, parts }: CacheVisit,
): Promise<void> {
  const { writer } = incoming
  const { timeoutMs = coalesceMsMax } = allowed.options
  const stop = Promise.withResolvers<void>()
  const leftMs = trail.startMs + timeoutMs - parts.clock()
  const timer = setTimeout(stop.resolve, Math.min(coalesceMsMax, leftMs))
  writer.onStop = stop.resolve
  await Promise.race([running, stop.promise])
  clearTimeout(timer)
  writer.onStop = undefined
}

/** Goes upstream for all calls like it, and keeps the answer if it is whole. */
async function serveAndKeep(cache: CacheVisit): Promise<void> {
  const { key, incoming, parts } = cache
  const { running } = parts.answers
  const done = Promise.withResolvers<void>()
  const isFirst = !running.has(key)
  if (isFirst) running.set(key, done.promise)
  const tap = new AnswerTap()
  incoming.writer.tap = tap
  try {
    await serveUpstream(cache)
    keep(tap, cache)
  } finally {
    incoming.writer.tap = undefined
    if (isFirst) running.delete(key)
    done.resolve()
  }
}

/** Only whole answers are kept: none that failed, was cut, reached a limit, or is too large. */
function keep(tap: AnswerTap, { allowed, trail, parts, wish, key, incoming }: CacheVisit): void {
  const { call } = allowed
  const attempt = lastServing(trail)
  const { body, contentType } = tap
  if (tap.status !== 200 || body === undefined || contentType === undefined || attempt === undefined) return
  if (trail.error !== undefined || trail.truncated || incoming.writer.gone) return
  if (!attempt.winner || attempt.outcome !== 'ok') return
  if (attempt.finish === undefined ? call.native === undefined : !wholeFinishes.has(attempt.finish)) return
  const nowMs = parts.clock()
  parts.answers.keep(key, {
    form: call.stream ? 'events' : 'whole',
    streamOptions: streamOptionsOf(allowed),
    contentType,
    identity: trail.identity,
    target: attempt.target.shownName,
    recordId: trail.id,
    storedMs: nowMs,
    expiresMs: nowMs + wish.ttlMs,
    costNanoUsd: settleCall(trail).costNanoUsd?.toString(),
    usage: attempt.usage ?? {},
    dropped: trail.dropped,
    body,
  })
}

const streamOptionsOf = ({ call }: AllowedCall): string =>
  call.stream ? JSON.stringify(call.json.stream_options ?? null) : ''

/** Gives the answer that is kept; false where there is none. What it passes here is what the caller gets. */
async function give(cache: CacheVisit, isShared: boolean): Promise<boolean> {
  const { allowed, trail, parts, wish, key } = cache
  const found = parts.answers.find(key, wish.ttlMs)
  const answer = found instanceof Promise ? await found : found
  if (answer === undefined) return false
  const wanted = allowed.call.stream ? 'events' : 'whole'
  const isSame = answer.form === wanted && answer.streamOptions === streamOptionsOf(allowed)
  const given = isSame ? { ...answer, dropped: [] } : converted(answer, cache)
  if (given === undefined) return false
  noteHit(answer, isShared, cache)
  trail.identity = isSame && answer.identity
  trail.dropped.push(...answer.dropped, ...given.dropped)
  send(given, cache)
  return true
}

function converted(answer: CachedAnswer, { allowed, incoming, reader, parts }: CacheVisit) {
  if (reader === undefined) return undefined
  try {
    const { dialect } = incoming
    return convertAnswer(answer, { call: allowed.call, dialect, reader, nowMs: parts.clock() })
  } catch {
    // What cannot be read in this form is asked for anew.
    return undefined
  }
}

function noteHit(answer: CachedAnswer, isShared: boolean, { trail, parts }: CacheVisit): void {
  const { counts } = parts.answers
  counts.hits++
  if (isShared) counts.coalesced++
  const { costNanoUsd, recordId, storedMs, target } = answer
  if (costNanoUsd !== undefined) counts.savedNanoUsd += BigInt(costNanoUsd)
  const nowMs = parts.clock()
  trail.cache = 'hit'
  trail.cached = {
    ...{ recordId, target, shared: isShared, ageMs: Math.max(0, Math.floor(nowMs - storedMs)) },
    savedNanoUsd: costNanoUsd,
  }
  trail.status = 200
  trail.firstTokenMs = nowMs
}

function send(
  { body, contentType }: { readonly body: Buffer; readonly contentType: string },
  { allowed, incoming: { writer }, trail }: CacheVisit,
): void {
  const ageS = Math.floor((trail.cached?.ageMs ?? 0) / 1000)
  const headers = ['content-type', contentType, ...servedHeaders(trail), 'age', String(ageS)]
  if (!allowed.call.stream) {
    writer.send(200, [...headers, ...costHeader(0n)], body)
    return
  }
  writer.begin(200, [...headers, 'cache-control', 'no-cache', 'x-accel-buffering', 'no'])
  writer.write(body)
  if (allowed.options.costTrailer && allowed.call.asArray !== true) writer.write(costComment(0n))
  writer.end()
}
