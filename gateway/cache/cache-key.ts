import type { IncomingHttpHeaders } from 'node:http'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import type { Call } from '../call.ts'
import type { Snapshot } from '../snapshot.ts'
import type { PlannedTarget } from '../steps/select.ts'
import type { AllowedCall } from '../way.ts'

/** What a key is made of beside the call. */
export interface KeyContext {
  readonly snapshot: Snapshot
  /** Answers are kept for one node: what a team was told is not told to another. */
  readonly nodeId: string
  readonly headers: IncomingHttpHeaders
  /** The version that decided: it counts where texts of it stand in request or answer. */
  readonly versionDigest: string | undefined
  /** Whether answers of this call can be given in the other form, plain or streamed. */
  readonly isConvertible: boolean
}

/** Operations whose answers say the same when they are said again. */
const operations: ReadonlySet<string> = new Set(['chat', 'embeddings', 'completion', 'moderation'])
/** A longer request is not looked up: its digest would take the time of other calls. */
const requestBytesMax = 4_194_304
/** Numbers beyond what a parsed request has exactly: two requests could look like one. */
const longNumber = /[:,[\s-]\d{16,}/
/** Headers that a provider of the same format gets. */
const forwarded = ['anthropic-version', 'anthropic-beta', 'openai-beta'] as const
const always = ['stream', 'stream_options']
/** Members that say who asks and not what: they do not change the answer. */
const unsaid: Readonly<Record<string, readonly string[]>> = {
  'openai-chat': [...always, 'user', 'metadata', 'safety_identifier'],
  'anthropic-messages': [...always, 'metadata'],
}

/** Whether the provider keeps something of the call, or the call goes on from something that is kept. */
function isStored({ stored, json, format, operation }: Call): boolean {
  if (stored !== undefined && stored.length > 0) return true
  if (json.background === true) return true
  const isResponses = format === 'openai-responses' && operation === 'chat'
  return isResponses ? json.store !== false : json.store === true
}

/** Whether a call can be answered from the cache, and its answer be kept. */
export function isCacheable(call: Call): boolean {
  if (!operations.has(call.operation) || call.counts === true) return false
  const isBytes =
    call.native !== undefined && (call.native.answer === 'bytes' || call.native.upload !== undefined)
  if (isBytes || isStored(call) || call.raw.length > requestBytesMax) return false
  return !longNumber.test(call.raw.toString('latin1'))
}

function bodyOf({ json, format }: Call): Record<string, unknown> {
  const left = unsaid[format] ?? always
  return Object.fromEntries(Object.entries(json).filter(([name]) => !left.includes(name)))
}

function planOf(order: readonly PlannedTarget[]): unknown[] {
  return order.map(({ target, node }) => [target.connection.name, target.model, target.shownName, node])
}

/**
 * The digest of everything that makes an answer: whose it is, the request but for who asks and in which form, the
 * targets with their changes and prompts, the decision's limits and guardrails. Undefined where it cannot be told.
 */
export function cacheKey({ call, decision, selected }: AllowedCall, context: KeyContext): string | undefined {
  const { snapshot, nodeId, headers, versionDigest, isConvertible } = context
  const { caps, fidelity, guardrails } = decision
  const isText = selected.order.some(({ node }) => node.prompt !== undefined)
  const isGuarded = guardrails.input.length + guardrails.output.length > 0
  const form = isConvertible ? null : [call.stream, call.asArray === true, call.json.stream_options ?? null]
  const { organisationId, environment } = snapshot.release
  try {
    return digestOf(
      canonicalJson([
        ...[organisationId, environment, nodeId],
        ...[call.operation, call.dialect, call.apiVersion ?? null, form],
        ...[call.model, bodyOf(call), forwarded.map((name) => headers[name] ?? null)],
        ...[planOf(selected.order), caps, fidelity ?? null, guardrails],
        isText || isGuarded ? (versionDigest ?? null) : null,
      ]),
    )
  } catch {
    return undefined
  }
}
