import { type Decision, Refusal } from '@signalbox/sdk/contract'
import { costComment, costHeader, servedHeaders } from './answer-headers.ts'
import { applyPrompt } from './apply-prompt.ts'
import type { Call } from './call.ts'
import type { Incoming } from './incoming.ts'
import type { Meter } from './meter.ts'
import type { GatewayParts } from './parts.ts'
import { openScreen } from './screen.ts'
import { type OpenAttempt, openAttempt } from './steps/attempt.ts'
import type { CallOptions } from './steps/read-options.ts'
import { relayStream, type StreamEnd } from './steps/relay-stream.ts'
import { relayWhole, type WholeAnswer } from './steps/relay-whole.ts'
import { type PlannedTarget, refusalOfEmpty, type Selected } from './steps/select.ts'
import { settleAttempt, settleCall } from './steps/settle.ts'
import { speaking } from './targets.ts'
import { type AttemptTrail, beginAttempt, type Trail } from './trail.ts'
import { headerOf, passedHeaders, setHeader, upstreamRequestId } from './upstream/answer-headers.ts'
import type { AttemptFailure } from './upstream/judge-failure.ts'

/** A call that may be served, and where. */
export interface AllowedCall {
  readonly call: Call
  readonly decision: Decision
  readonly options: CallOptions
  /** Estimate, for attempts that report no usage. */
  readonly inputTokens: number
  readonly selected: Selected
}
/** A call on its way out, with what its stages need. */
interface Way {
  readonly allowed: AllowedCall
  readonly incoming: Incoming
  readonly trail: Trail
  readonly parts: GatewayParts
  /** Clock time by which the caller wants an end. */
  readonly deadlineMs: number
}

/** More attempts than this only spend the caller's time. */
const attemptsMax = 16
const eventStream = 'text/event-stream; charset=utf-8'

/**
 * Tries the selected targets in order until one answers, and relays its answer. The next one is tried only while
 * nothing has reached the caller.
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
  for (const planned of allowed.selected.order.slice(0, attemptsMax)) {
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
  const target = speaking(planned.target, allowed.call.format)
  const prompted = applyPrompt(allowed.call, planned.node.prompt, {
    versions: trail.snapshot?.versions ?? [],
    dialect: incoming.dialect,
  })
  const attempt = beginAttempt(trail, target, parts.clock())
  attempt.prompt = prompted.prompt
  let open: OpenAttempt
  try {
    open = openAttempt(
      {
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
    const failure = { outcome: 'invalid', refusal: error, fallback: true, answer: undefined } as const
    endAttempt(attempt, failure, way)
    return failure
  }
  const { exchange } = open
  trail.dropped.splice(0, trail.dropped.length, ...prompted.dropped, ...open.request.dropped)
  incoming.writer.onStop = () => exchange.abort('nobody waits for it any more')
  let failure: AttemptFailure | undefined
  try {
    failure = await (allowed.call.stream ? stream(open, way) : answer(open, way))
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

/** What the exchange says of itself, on the attempt's trail. */
function noteExchange({ exchange, trail }: OpenAttempt): void {
  trail.status = exchange.status
  trail.firstByteMs = exchange.firstByteMs
  trail.bytesIn = exchange.bytesIn
  trail.sent = exchange.sent
  trail.upstreamRequestId = upstreamRequestId(exchange.headers)
}

/** What the provider keeps of the answer belongs to the caller's node from now on. */
function noteStored({ storedIds }: Meter, { target }: OpenAttempt, { trail, parts }: Way): void {
  if (trail.nodeId === undefined) return
  const owner = { nodeId: trail.nodeId, connection: target.connection.name }
  for (const id of storedIds) parts.storedIds.note(id, owner)
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
  sendWhole(relayed, open, way)
  return undefined
}

function sendWhole({ body, meter, dropped }: WholeAnswer, open: OpenAttempt, way: Way): void {
  noteStored(meter, open, way)
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
  incoming.writer.send(trail.status, [...passed, ...servedHeaders(trail), ...cost], body)
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
      noteStored(meter, open, way)
      beginStream(open, way)
    },
    settle: (end) => settleStream(end, open, way),
  })
}

function beginStream(open: OpenAttempt, { incoming, trail, parts }: Way): void {
  const { exchange, request } = open
  noteExchange(open)
  open.trail.winner = true
  trail.dropped.push(...request.responseDropped)
  trail.identity = request.identity && open.trail.prompt === undefined
  trail.status = 200
  trail.firstTokenMs = parts.clock()
  const headers = request.identity ? passedHeaders(exchange.headers) : []
  if (headerOf(headers, 'content-type')?.includes('event-stream') !== true) {
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
  noteStored(end.meter, open, way)
  attempt.usage = end.meter.usage
  attempt.meteredChars = end.meter.chars
  attempt.finish = end.meter.finish
  endAttempt(attempt, end, way)
  trail.dropped.push(...end.lost)
  trail.undeclaredLosses = end.lost.length
  trail.error = end.refusal
  trail.truncated = end.refusal !== undefined && end.refusal.code !== 'client_closed'
  return allowed.options.costTrailer ? costComment(settleCall(trail).costNanoUsd) : ''
}

/** The last failure: a provider's own error as it came where the caller speaks its format, else a Refusal. */
function passOn(failure: AttemptFailure, { allowed, incoming, trail }: Way): void {
  const attempt = trail.attempts.at(-1)
  const sameFormat = attempt?.target.provider.format === allowed.call.format
  if (failure.answer === undefined || !sameFormat) throw failure.refusal
  const { status, headers, body } = failure.answer
  trail.error = failure.refusal
  trail.status = status
  trail.identity = true
  const passed = passedHeaders(headers)
  if (headerOf(passed, 'content-type')?.includes('json') !== true) {
    setHeader(passed, 'content-type', 'application/json')
  }
  incoming.writer.send(status, [...passed, ...servedHeaders(trail)], body)
}
