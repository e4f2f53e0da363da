import type { Caps, PriceRow, TargetNode } from '@signalbox/sdk/contract'
import { digestOfJson } from '@signalbox/sdk/node'
import type { Call } from './call.ts'
import { admit } from './money/admit.ts'
import type { AttemptHold } from './money/attempt-hold.ts'
import type { CallBudgets } from './money/call-budgets.ts'
import type { Money } from './money/money.ts'
import { boundOf, type RequestBound } from './money/request-bound.ts'
import { type RequestTraits, traitsOf } from './money/request-traits.ts'
import type { UpstreamRequest } from './provider.ts'
import type { Target } from './targets.ts'
import type { AttemptTrail } from './trail.ts'
import { asCount } from './wire/json-value.ts'
import { limitOutput } from './wire/output-limit.ts'

/** An attempt that is to be held. */
export interface HeldInput {
  readonly call: Call
  readonly target: Target
  readonly node: TargetNode
  readonly caps: Caps
  readonly account: Account
  readonly trail: AttemptTrail
}

/** Who pays for a call. */
export interface Account {
  readonly callId: string
  readonly budgets: CallBudgets
  /** What the decision's ceiling leaves for this attempt, in nano-dollars; undefined where it has none. */
  readonly capLeft: bigint | undefined
  /** Its answer is read whole before any of it goes on, so that it cannot be cut in time. */
  readonly isReadWhole?: boolean
}

/** Nobody limits what the call costs, so nothing is worked out. */
export function isUnlimited({ budgets, capLeft }: Account): boolean {
  return budgets.length === 0 && capLeft === undefined
}

/** The limit as it was asked for. Where two members say it, nobody knows which one a provider takes. */
function askedTokens({ json, summary }: Call): number | undefined {
  const asked = summary.maxOutputTokens
  const other = asCount(json.max_tokens)
  return asked === undefined || other === undefined ? asked : Math.max(asked, other)
}

/** A call's traits where it is sent: Google's tools search as often as they like, whatever limit the caller has. */
function traitsAt(traits: RequestTraits, target: Target): RequestTraits {
  if (traits.serverTools === undefined || target.provider.format !== 'gemini') return traits
  return { ...traits, serverTools: { usesMax: undefined } }
}

function boundFor(
  { call, target, node, caps }: HeldInput,
  request: UpstreamRequest,
  own: RequestTraits,
): RequestBound | undefined {
  // Only its answer tells what such an operation costs.
  if (call.native?.billing === 'reported') return undefined
  const traits = traitsAt(own, target)
  const asked = limitOutput(askedTokens(call), {
    caps,
    ...(node.patch !== undefined && { patch: node.patch }),
  })
  return boundOf({
    // Only in the caller's own bytes do the pictures have the length that was counted.
    traits: request.identity ? traits : { ...traits, imageBytes: 0 },
    bodyBytes: request.body.length,
    prices: target.prices,
    contextTokens: target.contextTokens,
    // An answer is part of the model's context, whatever else limits it.
    outputTokens:
      call.native?.billing === 'input' ? 0 : (asked ?? target.outputTokensMax ?? target.contextTokens),
    choices: call.summary.choices ?? 1,
    vendor: target.row?.provider,
  })
}

const priceDigests = new WeakMap<readonly PriceRow[], string>()

/** Names the prices that a hold was reckoned with; worked out once for each model. */
function priceDigestOf(prices: readonly PriceRow[] | undefined): string | undefined {
  if (prices === undefined) return undefined
  let digest = priceDigests.get(prices)
  if (digest === undefined) {
    digest = digestOfJson(prices)
    priceDigests.set(prices, digest)
  }
  return digest
}

/** Everything that the target writes in answer to this call can be seen. */
function isVisibleTo(
  { isHidden, serverTools }: RequestTraits,
  target: Target,
  patchedLevel: string | undefined,
): boolean {
  const isPatched = patchedLevel !== undefined && patchedLevel !== 'none'
  return target.visibleOutput === true && !isHidden && !isPatched && serverTools === undefined
}

/** Formats that ask for a stream in their body; their plain answers can be asked for as streams. */
const streamedByBody: ReadonlySet<string> = new Set(['openai-chat', 'openai-responses', 'anthropic-messages'])

/** A plain answer can be put together from its stream without loss of what was asked for. */
function canAssemble({ json, format }: Call): boolean {
  if (!streamedByBody.has(format)) return false
  if (json.logprobs === true || json.audio !== undefined) return false
  // What a provider keeps of a streamed answer is the same; an answer in the background is no stream.
  return format !== 'openai-responses' || json.background !== true
}

/**
 * Keeps what an attempt may cost.
 * @throws Refusal where that cannot be had.
 */
export function holdAttempt(
  input: HeldInput,
  request: UpstreamRequest,
  money: Money,
): AttemptHold | Promise<AttemptHold> {
  const { call, target, node, account, trail } = input
  const traits = traitsOf(call)
  const isVisible = isVisibleTo(traits, target, node.patch?.reasoningLevel)
  // Only an answer that runs through the relay chain is seen as it comes, and can be cut.
  const isRelayed = call.native === undefined && call.operation !== 'realtime' && account.isReadWhole !== true
  const stopsBilling = target.abortStopsBilling === true
  return admit(money, {
    budgets: account.budgets,
    owner: { callId: account.callId, attempt: trail.index },
    bound: boundFor(input, request, traits),
    canGrow:
      isRelayed &&
      isVisible &&
      stopsBilling &&
      (call.stream || canAssemble(call)) &&
      (call.summary.choices ?? 1) === 1,
    isStream: call.stream,
    isVisible,
    stopsBilling,
    capLeft: account.capLeft,
    priceDigest: priceDigestOf(target.prices),
    targetName: target.shownName,
  })
}
