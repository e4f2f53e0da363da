import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { type Caps, type Decision, Refusal, type TargetNode } from '@signalbox/sdk/contract'
import { type SpeedLimit, speedLimitOf } from '../attempts/stream-speed.ts'
import type { BatchOpening } from '../batches/batch-opening.ts'
import type { Call } from '../call.ts'
import { type Account, holdAttempt, isUnlimited } from '../hold-attempt.ts'
import { type AttemptHold, freePass, type Permit } from '../money/attempt-hold.ts'
import type { Money } from '../money/money.ts'
import type { UpstreamRequest } from '../provider.ts'
import { baseUrlOf, type Target } from '../targets.ts'
import type { AttemptTrail } from '../trail.ts'
import { answerHere } from '../upstream/answer-here.ts'
import type { Exchange, ExchangeLimits } from '../upstream/exchange.ts'
import { limitedUpload } from '../upstream/limited-upload.ts'
import type { Dispatch, Upstream } from '../upstream/upstream.ts'
import { spliceJson } from '../wire/json-splice.ts'

/** Time and size limits of an attempt; plans and callers may set shorter or longer times. */
export const attemptDefaults = {
  connectMs: 10_000,
  /** Until the first event of a stream. A plain answer comes when it is whole, so only `plainMs` holds for it. */
  firstTokenMs: 120_000,
  idleMs: 120_000,
  streamMs: 3_600_000,
  plainMs: 600_000,
  clientIdleMs: 120_000,
  /** In a drill nobody waits longer than this for a target that is known not to answer. */
  drillMs: 1000,
  plainBytesMax: 64 * 1024 * 1024,
  streamBytesMax: 512 * 1024 * 1024,
  waitingBytesMax: 256 * 1024,
} as const
export type AttemptDefaults = { readonly [name in keyof typeof attemptDefaults]: number }

/** An attempt that is under way. */
export interface OpenAttempt {
  readonly exchange: Exchange
  readonly request: UpstreamRequest
  readonly target: Target
  readonly trail: AttemptTrail
  /** A plain call that is asked for as a stream, and put together. */
  readonly isAssembled: boolean
  /** How fast a stream must begin; undefined where the plan does not say. */
  readonly speed: SpeedLimit | undefined
}
export interface AttemptInput {
  readonly call: Call
  readonly target: Target
  readonly node: TargetNode
  readonly caps: Caps
  readonly fidelity: Decision['fidelity']
  readonly headers: IncomingHttpHeaders
  readonly trail: AttemptTrail
  readonly account: Account
  /** Whether somebody still waits for an answer, after a wait for money. */
  readonly isWanted: () => boolean
  /** Clock time by which the caller wants an end; infinity where he does not say. */
  readonly deadlineMs: number
  /** What is sent to log in: the connection's credential, or a token that stands for it. */
  readonly credential: string | undefined
  /** The job that the call begins. */
  readonly batch?: BatchOpening | undefined
  /** What answers in the target's place, in a drill. */
  readonly injected?: Dispatch | undefined
}
export interface AttemptTools {
  readonly upstream: Upstream
  readonly money: Money
  readonly simulate: Dispatch
  readonly clock: () => number
  readonly defaults: AttemptDefaults
}

/** What a client says to the vendor itself; travels where both speak the same format. */
const forwarded = ['anthropic-version', 'anthropic-beta', 'openai-beta'] as const
const nothing: Readonly<Record<string, string>> = {}
/** Where a simulated connection would be; nothing is ever sent there. */
export const simulatedBaseUrl = 'http://simulated.invalid'

function forwardedHeaders(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  let found: Record<string, string> | undefined
  for (const name of forwarded) {
    const value = headers[name]
    if (typeof value !== 'string') continue
    found ??= {}
    found[name] = value
  }
  return found ?? nothing
}

function limitsOf(
  { call, node, trail, deadlineMs, injected }: AttemptInput,
  defaults: AttemptDefaults,
): ExchangeLimits {
  const own = node.timeouts
  const isLong = call.stream || call.native?.answer === 'bytes'
  const drillMs = injected === undefined ? Number.POSITIVE_INFINITY : defaults.drillMs
  // A plain answer that trickles is ended by its total time alone.
  const totalMs = Math.min(own?.totalMs ?? (isLong ? defaults.streamMs : defaults.plainMs), 2 * drillMs)
  return {
    connectMs: own?.connectMs ?? defaults.connectMs,
    firstTokenMs: Math.min(
      own?.firstTokenMs ?? (call.stream ? defaults.firstTokenMs : Math.min(totalMs, defaults.plainMs)),
      drillMs,
    ),
    idleMs: Math.min(own?.idleMs ?? defaults.idleMs, drillMs),
    deadlineMs: Math.min(trail.startMs + totalMs, deadlineMs),
    clientIdleMs: defaults.clientIdleMs,
    bytesMax: isLong ? defaults.streamBytesMax : defaults.plainBytesMax,
    waitingBytesMax: defaults.waitingBytesMax,
  }
}

/** The body on its way through, with its own limit. */
function uploadOf({ native }: Call, connection: string, simulated: boolean): Readable | undefined {
  if (native?.upload === undefined) return undefined
  if (simulated)
    throw new Refusal('unsupported_feature', { message: `${connection} is simulated and keeps nothing.` })
  return limitedUpload(native.upload)
}

/** Who answers instead of the network; undefined where the network does. */
function dispatchOf({ estimate }: UpstreamRequest, simulate: Dispatch | undefined): Dispatch | undefined {
  return estimate === undefined ? simulate : answerHere(estimate)
}

/** Clock time of the attempt is what a signature is dated with. */
function credentialHeaders(
  { target, credential, trail }: AttemptInput,
  { method, path, headers, body }: UpstreamRequest,
  baseUrl: string,
): Readonly<Record<string, string>> {
  const { provider, connection } = target
  if (provider.signs !== true) return provider.authenticate(credential)
  const url = new URL(baseUrl.replace(/\/+$/, '') + path)
  return provider.authenticate(credential, {
    ...{ method, url, headers, body, nowMs: trail.startMs },
    region: connection.region,
  })
}

function encode({ call, target, node, fidelity, headers }: AttemptInput, caps: Caps): UpstreamRequest {
  const { provider, connection } = target
  return provider.encodeRequest(call, {
    model: target.model,
    caps,
    headers: provider.format === call.format ? forwardedHeaders(headers) : nothing,
    ...(connection.apiVersion !== undefined && { apiVersion: connection.apiVersion }),
    ...(fidelity !== undefined && { fidelity }),
    ...(node.patch !== undefined && { patch: node.patch }),
    ...(target.outputTokensMax !== undefined && { outputTokensMax: target.outputTokensMax }),
  })
}

function dispatch(
  request: UpstreamRequest,
  permit: Permit,
  input: AttemptInput,
  tools: AttemptTools,
): OpenAttempt {
  const { call, target, trail } = input
  const { connection } = target
  const simulated = connection.status === 'simulated'
  const baseUrl = addressOf(target)
  const exchange = tools.upstream.open({
    request,
    baseUrl,
    credentials: simulated ? nothing : credentialHeaders(input, request, baseUrl),
    limits: limitsOf(input, tools.defaults),
    ca: connection.ca,
    upload: uploadOf(call, connection.name, simulated),
    dispatch: input.injected ?? dispatchOf(request, simulated ? tools.simulate : undefined),
    permit,
  })
  const speed = speedLimitOf(input.node.timeouts)
  return { exchange, request, target, trail, isAssembled: isAssembled(input), speed }
}

/** @throws Refusal where the connection has none. */
function addressOf({ connection, provider }: Target): string {
  const simulated = connection.status === 'simulated'
  const baseUrl = baseUrlOf(connection, provider) ?? (simulated ? simulatedBaseUrl : undefined)
  if (baseUrl !== undefined) return baseUrl
  throw new Refusal('upstream_unavailable', {
    detail: `connection ${connection.name} has no base URL, or no region for one`,
  })
}

/** Reading and deleting what is kept. */
const unbilledMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'DELETE'])

/** What no provider bills: counting, what is answered here, reading and deleting. */
function isFreeOfCharge({ counts, native }: Call, { method, estimate }: UpstreamRequest): boolean {
  return (
    counts === true || native?.billing === 'free' || estimate !== undefined || unbilledMethods.has(method)
  )
}

/**
 * Sends the call to one target: encodes it for the provider, keeps what it may cost, adds the credential, and goes out
 * through the admission point. Waits only where the leases in hand do not cover it.
 * @throws Refusal where the call cannot be said in the provider's format or paid for, before anything is sent.
 */
export function openAttempt(input: AttemptInput, tools: AttemptTools): OpenAttempt | Promise<OpenAttempt> {
  const { call, target } = input
  if (call.counts === true && target.provider.format !== call.format) {
    throw new Refusal('unsupported_feature', {
      message: 'The chosen model cannot count tokens in this format.',
    })
  }
  addressOf(target)
  const request = encode(input, input.caps)
  // In a drill nobody is sent anything, so nothing is kept for it.
  if (input.batch !== undefined && input.injected === undefined) {
    return dispatchJob(request, input.batch, input, tools)
  }
  if (isUnlimited(input.account) || isFreeOfCharge(call, request))
    return dispatch(request, freePass, input, tools)
  const hold = holdAttempt(input, request, tools.money)
  if (!(hold instanceof Promise)) return dispatchHeld(request, hold, input, tools)
  return hold.then((held) => dispatchHeld(request, held, input, tools))
}

/** What a job may cost is kept at the control plane, for as long as it takes. */
async function dispatchJob(
  request: UpstreamRequest,
  batch: BatchOpening,
  input: AttemptInput,
  tools: AttemptTools,
): Promise<OpenAttempt> {
  const sent = await batch.open({ ...input, request })
  try {
    if (!input.isWanted()) throw new Refusal('client_closed')
    return dispatch(sent, freePass, input, tools)
  } catch (error) {
    batch.close({ sent: false, status: 0 })
    throw error
  }
}

/** A hold that grows must see what comes. */
function isAssembled({ call, trail: { hold } }: AttemptInput): boolean {
  return !call.stream && hold?.state.kind === 'growing'
}

/** The same call, asked for as a stream. */
function streamed(call: Call): Call {
  return {
    ...call,
    stream: true,
    raw: spliceJson(call.raw, [{ path: ['stream'], value: 'true' }]),
    json: { ...call.json, stream: true },
  }
}

/** With a hold for less than was asked for the request says so: its limit is lowered to what there is. */
function dispatchHeld(
  request: UpstreamRequest,
  hold: AttemptHold,
  input: AttemptInput,
  tools: AttemptTools,
): OpenAttempt {
  const { caps, trail } = input
  try {
    if (!input.isWanted()) throw new Refusal('client_closed')
    const { clampTo } = hold.state
    const maxOutputTokens = Math.min(clampTo ?? 0, caps.maxOutputTokens ?? Number.MAX_SAFE_INTEGER)
    trail.hold = hold
    const call = isAssembled(input) ? streamed(input.call) : input.call
    const isSame = clampTo === undefined && call === input.call
    const sent = isSame
      ? request
      : encode({ ...input, call }, clampTo === undefined ? caps : { ...caps, maxOutputTokens })
    return dispatch(sent, hold, input, tools)
  } catch (error) {
    hold.close(tools.clock())
    throw error
  }
}
