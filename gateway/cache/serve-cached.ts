import { costComment, costHeader, servedHeaders } from '../answer-headers.ts'
import { decline } from '../guardrails/decline.ts'
import type { Stop } from '../guardrails/verdict-log.ts'
import type { Incoming } from '../incoming.ts'
import type { GatewayParts } from '../parts.ts'
import type { Provider } from '../provider.ts'
import { serveCall } from '../serve-call.ts'
import { settleCall } from '../steps/settle.ts'
import type { Trail } from '../trail.ts'
import { isUnrecorded } from '../unrecorded.ts'
import type { AllowedCall } from '../way.ts'
import { AnswerTap } from './answer-tap.ts'
import { cacheKey, isCacheable, type KeyContext } from './cache-key.ts'
import type { CacheVisit } from './cache-visit.ts'
import { cacheWish } from './cache-wish.ts'
import type { CachedAnswer } from './cached-answer.ts'
import { type ConvertedAnswer, convertAnswer, readerOf } from './convert-answer.ts'
import { keepAnswer, streamOptionsOf } from './keep-cached.ts'
import { lastQuestion } from './last-question.ts'
import { embedderOf, SimilarAnswers } from './similar-answers.ts'

/** A call waits at most this long for another that is like it. */
const coalesceMsMax = 30_000
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
  // Where nothing of a call may be kept, its answer is not kept either.
  if (isUnrecorded(trail)) return serveCall(allowed, incoming, trail, parts)
  const reader = readerOf(allowed.call, parts.providers)
  if (!isSharable(allowed, reader)) return serveCall(allowed, incoming, trail, parts)
  const context = {
    snapshot: trail.snapshot,
    nodeId: trail.nodeId ?? '',
    headers: incoming.request.headers,
    versionDigest: trail.version?.digest,
    isConvertible: reader !== undefined,
  }
  const key = cacheKey(allowed, context)
  if (key === undefined) return serveCall(allowed, incoming, trail, parts)
  const similar = similarTo(allowed, context, { trail, parts })
  return visit({ allowed, incoming, trail, parts, wish, key, reader, similar })
}

/** Answers to questions that mean the same, where the policies want them and the call ends with a question. */
function similarTo(
  allowed: AllowedCall,
  context: KeyContext,
  { trail, parts }: Pick<CacheVisit, 'trail' | 'parts'>,
): SimilarAnswers | undefined {
  const wish = allowed.decision.semanticCache
  const question = wish && lastQuestion(allowed.call)
  if (wish === undefined || question === undefined) return undefined
  const { text, rest } = question
  const scope = cacheKey({ ...allowed, call: { ...allowed.call, json: rest } }, context)
  const asking = { snapshot: context.snapshot, trail, parts }
  const target = embedderOf(wish, asking)
  if (scope === undefined || target === undefined) return undefined
  const { timeoutMs = Number.POSITIVE_INFINITY } = allowed.options
  return new SimilarAnswers({ text, scope, wish, deadlineMs: trail.startMs + timeoutMs }, target, asking)
}

/**
 * Whether an answer under guardrails means the same to another call: not where something was taken out of this one
 * that is put back into its answer, nor where what is kept could not be shown to the guardrails of the next.
 */
function isSharable({ guards }: AllowedCall, reader: Provider | undefined): boolean {
  if (guards === undefined) return true
  return guards.placeholders.isEmpty && (guards.output.length === 0 || reader !== undefined)
}

async function visit(cache: CacheVisit): Promise<void> {
  const { wish, key, trail, parts, incoming } = cache
  const { answers } = parts
  if (wish.reads) {
    if (await give(cache, { isShared: false })) return
    const running = answers.running.get(key)
    if (running !== undefined) {
      await waitFor(running, cache)
      if (incoming.writer.gone || (await give(cache, { isShared: true }))) return
    }
    if (await giveSimilar(cache)) return
  }
  trail.cache = 'miss'
  answers.counts.misses++
  await (wish.writes ? serveAndKeep(cache) : serveUpstream(cache))
}

/** Gives an answer to another question that means the same; false where there is none. */
async function giveSimilar(cache: CacheVisit): Promise<boolean> {
  const { similar, incoming } = cache
  for (const { key, similarityPpm } of (await similar?.find()) ?? []) {
    if (incoming.writer.gone || (await give({ ...cache, key }, { isShared: false, similarityPpm })))
      return true
    similar?.forget(key)
  }
  return false
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
  let expiresMs: number | undefined
  incoming.writer.tap = tap
  try {
    await serveUpstream(cache)
    expiresMs = keepAnswer(tap, cache)
  } finally {
    incoming.writer.tap = undefined
    if (isFirst) running.delete(key)
    done.resolve()
  }
  if (expiresMs !== undefined) await cache.similar?.keep(key, expiresMs)
}

/** How an answer was found: it was waited for, or its question is another one. */
interface HitKind {
  readonly isShared: boolean
  readonly similarityPpm?: number
}

/** Gives the answer that is kept; false where there is none. What it passes here is what the caller gets. */
async function give(cache: CacheVisit, how: HitKind): Promise<boolean> {
  const { allowed, trail, parts, wish, key } = cache
  const found = parts.answers.find(key, wish.ttlMs)
  const answer = found instanceof Promise ? await found : found
  if (answer === undefined) return false
  const given = formOf(answer, cache)
  if (given === undefined) return false
  const isSame = given.body === answer.body
  const screened = await screenedHit(answer, given, cache)
  if (screened === undefined) return false
  noteHit(answer, how, cache)
  if ('stop' in screened) {
    decline(screened.stop, allowed, cache)
    return true
  }
  trail.identity = isSame && answer.identity && !screened.changed
  trail.dropped.push(...answer.dropped, ...given.dropped)
  send(screened, cache)
  return true
}

type ScreenedHit =
  | { readonly body: Buffer; readonly contentType: string; readonly changed: boolean }
  | { readonly stop: Stop }

/**
 * Shows an answer that is kept to the output guardrails of this call, whose metadata may be others; one that streams
 * as a whole. Undefined where it cannot be read.
 */
async function screenedHit(
  answer: CachedAnswer,
  given: ConvertedAnswer,
  cache: CacheVisit,
): Promise<ScreenedHit | undefined> {
  const { allowed } = cache
  const { body, contentType } = given
  const { guards, call } = allowed
  if (guards === undefined || guards.output.length === 0) return { body, contentType, changed: false }
  const plain = { ...cache, allowed: { ...allowed, call: { ...call, stream: false } } }
  const whole = call.stream ? formOf(answer, plain) : given
  if (whole === undefined) return undefined
  const { body: seen, changed, stop } = await guards.screenAnswer(whole.body, answer.target)
  if (stop !== undefined) return { stop }
  if (!changed || !call.stream) return { body: changed ? seen : body, contentType, changed }
  const edited = converted({ ...answer, form: 'whole', body: seen }, cache)
  return edited === undefined ? undefined : { body: edited.body, contentType, changed }
}

/** An answer in the form that a call wants: as it is kept, as it was made for a call before, or made now. */
function formOf(answer: CachedAnswer, cache: CacheVisit): ConvertedAnswer | undefined {
  const { allowed, key, parts } = cache
  const { memory } = parts.answers
  const form = allowed.call.stream ? 'events' : 'whole'
  const streamOptions = streamOptionsOf(allowed)
  if (answer.form === form && answer.streamOptions === streamOptions) {
    return { body: answer.body, contentType: answer.contentType, dropped: [] }
  }
  const name = `${form} ${streamOptions}`
  const known = memory.form(key, answer, name)
  if (known !== undefined) return known
  const made = converted(answer, cache)
  if (made !== undefined) memory.keepForm(key, answer, name, made)
  return made
}

function converted(
  answer: CachedAnswer,
  { allowed, incoming, reader, parts }: CacheVisit,
): ConvertedAnswer | undefined {
  if (reader === undefined) return undefined
  try {
    const { dialect } = incoming
    return convertAnswer(answer, { call: allowed.call, dialect, reader, nowMs: parts.clock() })
  } catch {
    // What cannot be read in this form is asked for anew.
    return undefined
  }
}

function noteHit(
  answer: CachedAnswer,
  { isShared, similarityPpm }: HitKind,
  { trail, parts }: CacheVisit,
): void {
  const { counts } = parts.answers
  counts.hits++
  if (isShared) counts.coalesced++
  if (similarityPpm !== undefined) counts.similar++
  const { costNanoUsd, recordId, storedMs, target } = answer
  if (costNanoUsd !== undefined) counts.savedNanoUsd += BigInt(costNanoUsd)
  const nowMs = parts.clock()
  trail.cache = 'hit'
  trail.cached = {
    ...{ recordId, target, shared: isShared, ageMs: Math.max(0, Math.floor(nowMs - storedMs)) },
    savedNanoUsd: costNanoUsd,
    similarityPpm,
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
  // Only the question may have cost something.
  const { costNanoUsd = 0n } = settleCall(trail)
  if (!allowed.call.stream) {
    writer.send(200, [...headers, ...costHeader(costNanoUsd)], body)
    return
  }
  const wantsCost = allowed.options.costTrailer && allowed.call.asArray !== true
  const whole = wantsCost ? Buffer.concat([body, Buffer.from(costComment(costNanoUsd))]) : body
  // All of its events are here: in one piece they are one write to the socket, and not one for each part of a chunk.
  writer.send(200, [...headers, 'cache-control', 'no-cache', 'x-accel-buffering', 'no'], whole)
}
