import { costComment, costHeader, remainingHeader, servedHeaders } from './answer-headers.ts'
import { guardStream } from './guardrails/guard-stream.ts'
import { failureOfUnseen, relayGuarded, screenWhole, stopAnswer } from './guardrails/guarded-answer.ts'
import { remainingNanoUsd } from './money/budget-levels.ts'
import { cutRefusal, relayAssembled } from './relay/assembling-relay.ts'
import { openScreen } from './screen.ts'
import type { OpenAttempt } from './steps/attempt.ts'
import { isWhole, relayBytes } from './steps/relay-bytes.ts'
import { relayStream, type StreamEnd, type StreamRelayInput } from './steps/relay-stream.ts'
import { relayWhole, type WholeAnswer } from './steps/relay-whole.ts'
import { settleCall } from './steps/settle.ts'
import { noteForgotten, noteStored, ownPartOf } from './stored-answers.ts'
import { headerOf, passedHeaders, setHeader } from './upstream/answer-headers.ts'
import type { AttemptFailure } from './upstream/judge-failure.ts'
import { endAttempt, growing, noteExchange, type Way } from './way.ts'

const eventStream = 'text/event-stream; charset=utf-8'

/** Relays an attempt's answer to its end and settles it; gives the failure where nothing has reached the caller. */
export function relayAnswer(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  if (way.allowed.call.native?.answer === 'bytes') return bytes(open, way)
  return way.allowed.call.stream ? stream(open, way) : answer(open, way)
}

/** A plain answer that was asked for as a stream, because its hold grows. */
async function assembled(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  const { allowed, incoming, trail, parts } = way
  const { exchange, request, target } = open
  const { provider, connection } = target
  const { meter, result } = await relayAssembled({
    ...{ exchange, request, provider },
    credential: connection.credential,
    call: allowed.call,
    dialect: incoming.dialect,
    screen: openScreen,
    recordId: trail.id,
    nowMs: parts.clock(),
    mayGoOn: growing(open, way) ?? (() => true),
  })
  open.trail.seenTokens = meter.seenTokens
  open.trail.usage = meter.usage
  if ('refusal' in result) return result
  trail.assembled = true
  if (result.isCut) {
    trail.error = cutRefusal()
    trail.truncated = true
    incoming.writer.header('x-signalbox-cut', trail.error.code)
  }
  return screenAndSend(result, open, way)
}

/** What goes out of a whole answer, if anything. */
async function screenAndSend(
  whole: WholeAnswer,
  open: OpenAttempt,
  way: Way,
): Promise<AttemptFailure | undefined> {
  const screened = way.allowed.guards === undefined ? whole : await screenWhole(whole, open, way)
  if ('stop' in screened) return stopAnswer(screened, { open, way, settle: () => settleUnsent(open, way) })
  const isList = way.allowed.call.native?.listsStored === true
  sendWhole(isList ? { ...screened, body: await ownPartOf(screened.body, way) } : screened, open, way)
  noteForgotten(way.allowed.call, way.parts)
  return undefined
}

/** Settles an answer that came and goes no further. */
function settleUnsent(open: OpenAttempt, way: Way): void {
  noteExchange(open)
  open.trail.winner = true
  endAttempt(open.trail, { outcome: 'ok', refusal: undefined }, way)
}

/** A plain answer: relayed whole, then sent with its cost. */
async function answer(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  if (open.isAssembled) return await assembled(open, way)
  const { allowed, incoming, trail, parts } = way
  const { exchange, request, target } = open
  const relayed = await relayWhole({
    exchange,
    request,
    provider: target.provider,
    credential: target.connection.credential,
    call: allowed.call,
    dialect: incoming.dialect,
    screen: openScreen,
    recordId: trail.id,
    nowMs: parts.clock(),
  })
  if ('refusal' in relayed) return relayed
  return screenAndSend(relayed, open, way)
}

function sendWhole({ body, meter, dropped, changed }: WholeAnswer, open: OpenAttempt, way: Way): void {
  noteStored(meter.storedIds, open.target, way)
  way.allowed.batch?.answered(meter.storedIds)
  const { incoming, trail, parts } = way
  const attempt = open.trail
  noteExchange(open)
  attempt.winner = true
  way.onCommit?.()
  attempt.usage = meter.usage
  attempt.meteredChars = meter.chars
  attempt.seenTokens = meter.seenTokens
  attempt.finish = meter.finish
  const isCut = trail.assembled && trail.truncated
  endAttempt(attempt, { outcome: isCut ? 'cut' : 'ok', refusal: isCut ? trail.error : undefined }, way)
  trail.dropped.push(...dropped)
  const isIdentity = open.request.identity && !trail.assembled
  const isOwn = attempt.prompt === undefined && trail.prompt === undefined
  trail.identity = isIdentity && isOwn && changed !== true
  trail.status = open.exchange.status
  trail.firstTokenMs = parts.clock()
  const passed = isIdentity ? headersOf(open, way) : []
  if (headerOf(passed, 'content-type') === undefined) passed.push('content-type', 'application/json')
  const cost = costHeader(settleCall(trail).costNanoUsd)
  if (open.request.estimate !== undefined) passed.push('x-signalbox-estimated', 'true')
  const { budgets } = way.allowed
  if (budgets.length > 0) cost.push(...remainingHeader(remainingNanoUsd(budgets, parts.money)))
  incoming.writer.send(trail.status, [...passed, ...servedHeaders(trail), ...cost], body)
}

/** The upstream's headers as the caller gets them; what they name belongs to his node. */
function headersOf(open: OpenAttempt, way: Way): string[] {
  const mapped = way.allowed.call.native?.mapHeaders?.(open.exchange.headers)
  if (mapped === undefined) return passedHeaders(open.exchange.headers)
  noteStored(mapped.storedIds, open.target, way)
  return passedHeaders(mapped.headers)
}

/** Any bytes: JSON whole, with its cost, and all else as it comes. */
async function bytes(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  const { allowed, incoming, trail, parts } = way
  const { exchange, target } = open
  if ((await exchange.head) !== undefined || isWhole(exchange)) return answer(open, way)
  const unseen = failureOfUnseen(way)
  if (unseen !== undefined) return unseen
  return relayBytes({
    exchange,
    provider: target.provider,
    dialect: incoming.dialect,
    writer: incoming.writer,
    recordId: trail.id,
    begin: () => {
      noteExchange(open)
      open.trail.winner = true
      way.onCommit?.()
      trail.identity = open.request.identity
      trail.status = exchange.status
      trail.firstTokenMs = parts.clock()
      incoming.writer.begin(exchange.status, [...headersOf(open, way), ...servedHeaders(trail)])
    },
    settle: (end) => {
      settleStream(end, open, way)
      if (end.refusal === undefined) noteForgotten(allowed.call, parts)
    },
  })
}

/** A streamed answer: begun with the first event, settled after the last. */
function stream(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  const { allowed, incoming, trail, parts } = way
  const { exchange, request, target } = open
  const guarded = guardStream(open, way)
  const input: StreamRelayInput = {
    exchange,
    request,
    provider: target.provider,
    credential: target.connection.credential,
    call: allowed.call,
    dialect: incoming.dialect,
    writer: incoming.writer,
    screen: openScreen,
    recordId: trail.id,
    nowMs: parts.clock(),
    mayGoOn: growing(open, way),
    begin: (meter) => {
      noteStored(meter.storedIds, open.target, way)
      beginStream(open, way)
      if (guarded?.rewrites === true) trail.identity = false
    },
    settle: (end) => settleStream(end, open, way),
  }
  if (guarded === undefined) return relayStream(input)
  return relayGuarded(input, guarded, { open, way, settle: () => settleUnsent(open, way) })
}

function beginStream(open: OpenAttempt, way: Way): void {
  const { allowed, incoming, trail, parts } = way
  const { exchange, request } = open
  noteExchange(open)
  open.trail.winner = true
  way.onCommit?.()
  const { asArray = false } = allowed.call
  trail.dropped.push(...request.responseDropped)
  const isOwn = open.trail.prompt === undefined && trail.prompt === undefined
  trail.identity = request.identity && !asArray && isOwn
  trail.status = 200
  trail.firstTokenMs = parts.clock()
  const headers = request.identity ? passedHeaders(exchange.headers) : []
  if (asArray) setHeader(headers, 'content-type', 'application/json')
  else if (headerOf(headers, 'content-type')?.includes('event-stream') !== true) {
    setHeader(headers, 'content-type', eventStream)
  }
  if (headerOf(headers, 'cache-control') === undefined) headers.push('cache-control', 'no-cache')
  headers.push('x-accel-buffering', 'no')
  incoming.writer.begin(200, [...headers, ...servedHeaders(trail)])
}

function settleStream(end: StreamEnd, open: OpenAttempt, way: Way): string {
  const { allowed, trail } = way
  const attempt = open.trail
  noteExchange(open)
  noteStored(end.meter.storedIds, open.target, way)
  attempt.usage = end.meter.usage
  attempt.meteredChars = end.meter.chars
  attempt.seenTokens = end.meter.seenTokens
  attempt.finish = end.meter.finish
  endAttempt(attempt, end, way)
  trail.dropped.push(...end.lost)
  trail.undeclaredLosses = end.lost.length
  trail.error = end.refusal
  trail.truncated = end.refusal !== undefined && end.refusal.code !== 'client_closed'
  // JSON has no comments.
  return allowed.options.costTrailer && allowed.call.asArray !== true
    ? costComment(settleCall(trail).costNanoUsd)
    : ''
}
