import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { type Caps, type Decision, Refusal, type TargetNode } from '@signalbox/sdk/contract'
import type { Call } from '../call.ts'
import type { UpstreamRequest } from '../provider.ts'
import type { Target } from '../targets.ts'
import type { AttemptTrail } from '../trail.ts'
import { answerHere } from '../upstream/answer-here.ts'
import type { Exchange, ExchangeLimits } from '../upstream/exchange.ts'
import { limitedUpload } from '../upstream/limited-upload.ts'
import type { Dispatch, Upstream } from '../upstream/upstream.ts'

/** Time and size limits of an attempt; plans and callers may set shorter or longer times. */
export const attemptDefaults = {
  connectMs: 10_000,
  /** Until the first event of a stream. A plain answer comes when it is whole, so only `plainMs` holds for it. */
  firstTokenMs: 120_000,
  idleMs: 120_000,
  streamMs: 3_600_000,
  plainMs: 600_000,
  clientIdleMs: 120_000,
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
}
export interface AttemptInput {
  readonly call: Call
  readonly target: Target
  readonly node: TargetNode
  readonly caps: Caps
  readonly fidelity: Decision['fidelity']
  readonly headers: IncomingHttpHeaders
  readonly trail: AttemptTrail
  /** Clock time by which the caller wants an end; infinity where he does not say. */
  readonly deadlineMs: number
  /** What is sent to log in: the connection's credential, or a token that stands for it. */
  readonly credential: string | undefined
}
export interface AttemptTools {
  readonly upstream: Upstream
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
  { call, node, trail, deadlineMs }: AttemptInput,
  defaults: AttemptDefaults,
): ExchangeLimits {
  const own = node.timeouts
  const isLong = call.stream || call.native?.answer === 'bytes'
  const totalMs = own?.totalMs ?? (isLong ? defaults.streamMs : defaults.plainMs)
  return {
    connectMs: own?.connectMs ?? defaults.connectMs,
    firstTokenMs:
      own?.firstTokenMs ?? (call.stream ? defaults.firstTokenMs : Math.min(totalMs, defaults.plainMs)),
    idleMs: own?.idleMs ?? defaults.idleMs,
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

/**
 * Sends the call to one target: encodes it for the provider, adds the credential, and goes out through the admission
 * point.
 * @throws Refusal where the call cannot be said in the provider's format, before anything is sent.
 */
export function openAttempt(input: AttemptInput, tools: AttemptTools): OpenAttempt {
  const { call, target, node, trail } = input
  const { connection, provider } = target
  if (call.counts === true && provider.format !== call.format) {
    throw new Refusal('unsupported_feature', {
      message: 'The chosen model cannot count tokens in this format.',
    })
  }
  const simulated = connection.status === 'simulated'
  const known = connection.baseUrl ?? provider.baseUrl ?? provider.baseUrlOf?.(connection)
  const baseUrl = known ?? (simulated ? simulatedBaseUrl : undefined)
  if (baseUrl === undefined) {
    throw new Refusal('upstream_unavailable', { detail: `connection ${connection.name} has no base URL` })
  }
  const request = provider.encodeRequest(call, {
    model: target.model,
    caps: input.caps,
    headers: provider.format === call.format ? forwardedHeaders(input.headers) : nothing,
    ...(input.fidelity !== undefined && { fidelity: input.fidelity }),
    ...(node.patch !== undefined && { patch: node.patch }),
    ...(target.outputTokensMax !== undefined && { outputTokensMax: target.outputTokensMax }),
  })
  const exchange = tools.upstream.open({
    request,
    baseUrl,
    credentials: simulated ? nothing : provider.authenticate(input.credential),
    limits: limitsOf(input, tools.defaults),
    upload: uploadOf(call, connection.name, simulated),
    dispatch: dispatchOf(request, simulated ? tools.simulate : undefined),
  })
  return { exchange, request, target, trail }
}
