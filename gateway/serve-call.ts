import { Refusal } from '@signalbox/sdk/contract'
import { costComment, costHeader, servedHeaders } from './answer-headers.ts'
import { applyPrompt } from './apply-prompt.ts'
import type { Incoming } from './incoming.ts'
import type { GatewayParts } from './parts.ts'
import { passOn } from './pass-on.ts'
import { openScreen } from './screen.ts'
import { type OpenAttempt, openAttempt } from './steps/attempt.ts'
import { isWhole, relayBytes } from './steps/relay-bytes.ts'
import { relayStream, type StreamEnd } from './steps/relay-stream.ts'
import { relayWhole, type WholeAnswer } from './steps/relay-whole.ts'
import { type PlannedTarget, refusalOfEmpty } from './steps/select.ts'
import { settleAttempt, settleCall } from './steps/settle.ts'
import { noteForgotten, noteStored, ownPartOf } from './stored-answers.ts'
import { serving, type Target } from './targets.ts'
import { type AttemptTrail, beginAttempt, type Trail } from './trail.ts'
import { headerOf, passedHeaders, setHeader, upstreamRequestId } from './upstream/answer-headers.ts'
import type { AttemptFailure } from './upstream/judge-failure.ts'
import type { AllowedCall, Way } from './way.ts'

/** More attempts than this only spend the caller's time. */
const attemptsMax = 16
const eventStream = 'text/event-stream; charset=utf-8'

/**
 * Tries the selected targets in order until one answers, and relays its answer. The next one is tried only while
 * nothing has reached the caller, and once alone where the body is passed on while it comes.
 * @throws Refusal where none answers and no provider's own error can be passed on.
 */
export async function serveCall(
  allowed: AllowedCall,
  incoming: Incoming,
  trail: Trail,
  parts: GatewayParts,
): Promise<void> {
  const { timeoutMs } = allowed.options
  const deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : trail.startMs + timeoutMs
  const way: Way = { allowed, incoming, trail, parts, deadlineMs }
  let failure: AttemptFailure | undefined
  const triesMax = allowed.call.native?.upload === undefined ? attemptsMax : 1
  for (const planned of allowed.selected.order.slice(0, triesMax)) {
    checkWanted(way)
    failure = await tryTarget(planned, way)
    if (failure === undefined) return
    if (!failure.fallback) break
  }
  checkWanted(way)
  if (failure === undefined) throw refusalOfEmpty(allowed.selected)
  passOn(failure, way)
}

/** Whether anybody still waits for an answer. */
function checkWanted({ incoming, deadlineMs, parts }: Way): void {
  const { cancelled, gone } = incoming.writer
  if (cancelled !== undefined) throw cancelled
  if (gone) throw new Refusal('client_closed')
  if (parts.clock() >= deadlineMs) {
    throw new Refusal('upstream_timeout', { message: 'No answer came in the time that the caller gave.' })
  }
}

async function tryTarget(planned: PlannedTarget, way: Way): Promise<AttemptFailure | undefined> {
  const { allowed, incoming, trail, parts } = way
  const target = serving(planned.target, allowed.call)
  const prompted = applyPrompt(allowed.call, planned.node.prompt, {
    versions: trail.snapshot?.versions ?? [],
    dialect: incoming.dialect,
  })
  const attempt = beginAttempt(trail, target, parts.clock())
  attempt.prompt = prompted.prompt
  attempt.billing = allowed.call.native?.billing ?? 'tokens'
  let open: OpenAttempt
  try {
    open = openAttempt(
      {
        credential: await credentialOf(target, parts),
        call: prompted.call,
        target,
        node: planned.node,
        caps: allowed.decision.caps,
        fidelity: allowed.decision.fidelity,
        headers: incoming.request.headers,
        trail: attempt,
        deadlineMs: way.deadlineMs,
      },
      {
        upstream: parts.upstream,
        simulate: parts.simulate,
        clock: parts.clock,
        defaults: parts.attemptDefaults,
      },
    )
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    // The call cannot be said to this target; another one may take it as it is.
    const outcome = error.code === 'upstream_unavailable' ? 'unavailable' : 'invalid'
    const failure = { outcome, refusal: error, fallback: true, answer: undefined } as const
    endAttempt(attempt, failure, way)
    return failure
  }
  const { exchange } = open
  trail.dropped.splice(0, trail.dropped.length, ...prompted.dropped, ...open.request.dropped)
  incoming.writer.onStop = () => exchange.abort('nobody waits for it any more')
  let failure: AttemptFailure | undefined
  try {
    failure = await exchanged(open, way)
  } finally {
    incoming.writer.onStop = undefined
    // It is over already, unless an error of ours left it open.
    exchange.abort('the attempt is over')
  }
  if (failure !== undefined) {
    noteExchange(open)
    endAttempt(attempt, failure, way)
  }
  return failure
}

/** The connection's credential, or the access token that it stands for. */
async function credentialOf(
  { provider, connection }: Target,
  parts: GatewayParts,
): Promise<string | undefined> {
  if (provider.tokenRequest === undefined) return connection.credential
  return parts.accessTokens.credentialFor(provider, connection.credential)
}

function exchanged(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  if (way.allowed.call.native?.answer === 'bytes') return bytes(open, way)
  return way.allowed.call.stream ? stream(open, way) : answer(open, way)
}

/** What the exchange says of itself, on the attempt's trail. */
function noteExchange({ exchange, trail }: OpenAttempt): void {
  trail.status = exchange.status
  trail.firstByteMs = exchange.firstByteMs
  trail.bytesIn = exchange.bytesIn
  trail.sent = exchange.sent
  trail.upstreamRequestId = upstreamRequestId(exchange.headers)
}

/** Closes an attempt, well or not, and settles it. */
function endAttempt(
  attempt: AttemptTrail,
  end: { readonly outcome: AttemptTrail['outcome']; readonly refusal: Refusal | undefined },
  { allowed, parts }: Way,
): void {
  attempt.endMs = parts.clock()
  attempt.outcome = end.outcome
  attempt.errorCode = end.refusal?.code
  settleAttempt(attempt, allowed.inputTokens)
}

/** A plain answer: relayed whole, then sent with its cost. */
async function answer(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  const { allowed, incoming, parts } = way
  const { exchange, request, target } = open
  const relayed = await relayWhole({
    exchange,
    request,
    provider: target.provider,
    credential: target.connection.credential,
    call: allowed.call,
    dialect: incoming.dialect,
    screen: openScreen,
    nowMs: parts.clock(),
  })
  if ('refusal' in relayed) return relayed
  sendWhole({ ...relayed, body: ownPartOf(relayed.body, way) }, open, way)
  noteForgotten(allowed.call, parts)
  return undefined
}

function sendWhole({ body, meter, dropped }: WholeAnswer, open: OpenAttempt, way: Way): void {
  noteStored(meter.storedIds, open.target, way)
  const { incoming, trail, parts } = way
  const attempt = open.trail
  noteExchange(open)
  attempt.winner = true
  attempt.usage = meter.usage
  attempt.meteredChars = meter.chars
  attempt.finish = meter.finish
  endAttempt(attempt, { outcome: 'ok', refusal: undefined }, way)
  trail.dropped.push(...dropped)
  trail.identity = open.request.identity && attempt.prompt === undefined
  trail.status = open.exchange.status
  trail.firstTokenMs = parts.clock()
  const passed = open.request.identity ? passedHeaders(open.exchange.headers) : []
  if (headerOf(passed, 'content-type') === undefined) passed.push('content-type', 'application/json')
  const cost = costHeader(settleCall(trail).costNanoUsd)
  if (open.request.estimate !== undefined) passed.push('x-signalbox-estimated', 'true')
  incoming.writer.send(trail.status, [...passed, ...servedHeaders(trail), ...cost], body)
}

/** Any bytes: JSON whole, with its cost, and all else as it comes. */
async function bytes(open: OpenAttempt, way: Way): Promise<AttemptFailure | undefined> {
  const { allowed, incoming, trail, parts } = way
  const { exchange, target } = open
  if ((await exchange.head) !== undefined || isWhole(exchange)) return answer(open, way)
  return relayBytes({
    exchange,
    provider: target.provider,
    dialect: incoming.dialect,
    writer: incoming.writer,
    recordId: trail.id,
    begin: () => {
      noteExchange(open)
      open.trail.winner = true
      trail.identity = open.request.identity
      trail.status = exchange.status
      trail.firstTokenMs = parts.clock()
      incoming.writer.begin(exchange.status, [...passedHeaders(exchange.headers), ...servedHeaders(trail)])
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
  return relayStream({
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
    begin: (meter) => {
      noteStored(meter.storedIds, open.target, way)
      beginStream(open, way)
    },
    settle: (end) => settleStream(end, open, way),
  })
}

function beginStream(open: OpenAttempt, { allowed, incoming, trail, parts }: Way): void {
  const { exchange, request } = open
  noteExchange(open)
  open.trail.winner = true
  const { asArray = false } = allowed.call
  trail.dropped.push(...request.responseDropped)
  trail.identity = request.identity && !asArray && open.trail.prompt === undefined
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
