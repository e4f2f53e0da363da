import type { Attributes } from '@opentelemetry/api'
import type {
  Attempt,
  CallRecord,
  Operation,
  RecordRow,
  Usage,
  UsageUnit,
  Verdict,
} from '@signalbox/sdk/contract'
import type { Static } from 'typebox'
import type { FinishedCall } from './telemetry.ts'

/*
 * The table of everything that a span of the gateway says, and the only place where it is said.
 *
 * `gen_ai.*` follows the OpenTelemetry semantic conventions for generative AI, by default those of version 1.41, the
 * last set that was released as a whole; `OTEL_SEMCONV_STABILITY_OPT_IN=gen_ai_latest_experimental` selects the newer
 * ones of open-telemetry/semantic-conventions-genai. `http.*`, `server.*` and `error.type` are the stable ones.
 * `signalbox.*` is ours: no convention has policies, decisions or money. Text of requests and answers is never here.
 *
 * The names stand as literals, not as constants: an object of more than a dozen computed members is a hash table to V8,
 * and its export then costs three times as much.
 */
export type ConventionVersion = '1.41' | 'latest'

/** The version that `OTEL_SEMCONV_STABILITY_OPT_IN` asks for. */
export function selectConventions(optIn: string): ConventionVersion {
  const wanted = optIn.split(',').map((each) => each.trim())
  return wanted.includes('gen_ai_latest_experimental') ? 'latest' : '1.41'
}

/** Where the names of a version are described; the newest ones have no address yet. */
export const schemaUrls: Readonly<Record<ConventionVersion, string | undefined>> = {
  '1.41': 'https://opentelemetry.io/schemas/1.41.0',
  latest: undefined,
}

/** `gen_ai.operation.name`. */
export const operationNames: Readonly<Record<Operation, string>> = {
  chat: 'chat',
  embeddings: 'embeddings',
  completion: 'text_completion',
  rerank: 'rerank',
  image: 'generate_content',
  audio: 'generate_content',
  moderation: 'moderation',
  countTokens: 'count_tokens',
  files: 'files',
  batches: 'batches',
  realtime: 'realtime',
  passthrough: 'passthrough',
}
/** `gen_ai.output.type` of the response format that was asked for. */
const outputTypes: Readonly<Record<string, string>> = { text: 'text', json: 'json', jsonSchema: 'json' }
/** Units that count as input: `gen_ai.usage.input_tokens` includes what a cache gave and took. */
const inputUnits: readonly UsageUnit[] = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h']
/** The one step of a call; a pipeline's steps have names of their own. */
const onlyStep = 'answer'
const namesMax = 64

type UsageCounts = Static<typeof Usage>

/** Tokens that went in, those from and to a cache included; undefined where none are known. */
export function inputTokensOf(usage: UsageCounts): number | undefined {
  let sum: number | undefined
  for (const unit of inputUnits) {
    const count = usage[unit]
    if (count !== undefined) sum = (sum ?? 0) + count
  }
  return sum
}

function putUsage(attributes: Attributes, usage: UsageCounts, version: ConventionVersion): void {
  const input = inputTokensOf(usage)
  if (input !== undefined) attributes['gen_ai.usage.input_tokens'] = input
  if (usage.output !== undefined) attributes['gen_ai.usage.output_tokens'] = usage.output
  if (usage.cacheRead !== undefined) attributes['gen_ai.usage.cache_read.input_tokens'] = usage.cacheRead
  if (usage.cacheWrite5m !== undefined || usage.cacheWrite1h !== undefined) {
    const written = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
    if (version === 'latest') attributes['gen_ai.usage.cache_write.input_tokens'] = written
    else attributes['gen_ai.usage.cache_creation.input_tokens'] = written
  }
  if (usage.reasoning !== undefined) attributes['gen_ai.usage.reasoning.output_tokens'] = usage.reasoning
}

function putDecision(attributes: Attributes, { row, body }: CallRecord): void {
  if (row.policy !== undefined) attributes['signalbox.policy.id'] = row.policy
  if (row.rule !== undefined) attributes['signalbox.policy.rule'] = row.rule
  const reasons = body.decision?.reasons
  if (reasons !== undefined && reasons.length > 0) {
    attributes['signalbox.policy.reason_codes'] = reasons.map((reason) => reason.code)
  }
}

function putMetadata(attributes: Attributes, metadata: RecordRow['metadata']): void {
  for (const name in metadata) {
    const value = metadata[name]
    if (value !== undefined) attributes[`signalbox.metadata.${name}`] = value
  }
}

/** SERVER span: the call as its caller saw it, and what was decided. */
export function serverAttributes(call: FinishedCall, version: ConventionVersion): Attributes {
  const { row, body } = call.record
  const attributes: Attributes = {
    'http.request.method': call.method,
    'http.route': call.httpRoute,
    'http.response.status_code': row.status,
    'gen_ai.operation.name': operationNames[row.operation],
    'signalbox.decision.id': row.id,
    'signalbox.environment': row.environment,
    'signalbox.dialect': row.dialect,
    'signalbox.model.requested': row.modelRequested,
    'signalbox.policy.effect': row.effect,
    'signalbox.attempts': row.attempts,
    'signalbox.usage.evidence': row.evidence,
    'signalbox.identity': row.identity,
  }
  putDecision(attributes, call.record)
  if (row.version !== undefined) attributes['signalbox.version'] = row.version
  if (row.arm !== undefined) attributes['signalbox.arm'] = row.arm
  if (row.releaseSequence !== undefined) attributes['signalbox.release.sequence'] = row.releaseSequence
  if (row.stateSequence !== undefined) attributes['signalbox.state.sequence'] = row.stateSequence
  if (row.keyId !== undefined) attributes['signalbox.key.id'] = row.keyId
  if (row.nodeId !== undefined) attributes['signalbox.node.id'] = row.nodeId
  if (row.target !== undefined) attributes['signalbox.target'] = row.target
  if (row.costNanoUsd !== undefined) attributes['signalbox.cost.nano_usd'] = Number(row.costNanoUsd)
  putUsage(attributes, row.usage, version)
  if (row.truncated) attributes['signalbox.truncated'] = true
  if (body.dropped.length > 0) attributes['signalbox.dropped'] = body.dropped.slice(0, namesMax)
  if (row.errorCode !== undefined) attributes['error.type'] = row.errorCode
  putMetadata(attributes, row.metadata)
  return attributes
}

/** INTERNAL span `policy.evaluate`: which policy said what, and what that took. */
export function policyAttributes(call: FinishedCall): Attributes {
  const { row, body } = call.record
  const policies = body.policies.length > namesMax ? body.policies.slice(0, namesMax) : body.policies
  const attributes: Attributes = {
    'signalbox.policy.effect': row.effect,
    'signalbox.policy.outcomes': policies.map(({ id, outcome }) => `${id}:${outcome}`),
    'signalbox.policy.evaluation_us': body.evaluationUs,
    'signalbox.policy.fuel': body.fuel,
  }
  putDecision(attributes, call.record)
  if (row.version !== undefined) attributes['signalbox.version'] = row.version
  if (row.effect === 'error') attributes['error.type'] = row.errorCode ?? row.effect
  return attributes
}

/** INTERNAL span `guardrail`: what one guardrail said, and of how much. Never what was found. */
export function guardrailAttributes(verdict: Verdict): Attributes {
  const { code, rule, error, attempt, stream } = verdict
  return {
    'signalbox.guardrail.id': verdict.guardrail,
    'signalbox.guardrail.direction': verdict.direction,
    'signalbox.guardrail.level': verdict.level,
    'signalbox.guardrail.verdict': verdict.verdict,
    'signalbox.guardrail.action': verdict.action,
    'signalbox.guardrail.hits': verdict.hits,
    'signalbox.guardrail.scanned_chars': verdict.scannedChars,
    'signalbox.guardrail.delivered_chars': verdict.deliveredChars,
    ...(code !== undefined && { 'signalbox.guardrail.code': code }),
    ...(rule !== undefined && { 'signalbox.guardrail.rule': rule }),
    ...(stream !== undefined && { 'signalbox.guardrail.stream': stream }),
    ...(attempt !== undefined && { 'signalbox.attempt': attempt }),
    ...(error !== undefined && { 'error.type': error }),
  }
}

type RequestParams = NonNullable<CallRecord['body']['facts']>['request']['params']

function putParams(attributes: Attributes, params: RequestParams): void {
  if (params.maxOutputTokens !== undefined) {
    attributes['gen_ai.request.max_tokens'] = params.maxOutputTokens
  }
  if (params.temperaturePpm !== undefined) {
    attributes['gen_ai.request.temperature'] = params.temperaturePpm / 1_000_000
  }
  if (params.choices !== undefined && params.choices !== 1) {
    attributes['gen_ai.request.choice.count'] = params.choices
  }
  const type = params.responseFormat === undefined ? undefined : outputTypes[params.responseFormat]
  if (type !== undefined) attributes['gen_ai.output.type'] = type
}

/** What is known of an attempt's upstream. */
export interface Upstream {
  /** `gen_ai.provider.name`. */
  readonly provider: string
  readonly address: string | undefined
  readonly port: number | undefined
}

/** CLIENT span: one attempt at an upstream. */
export function attemptAttributes(
  attempt: Attempt,
  record: CallRecord,
  upstream: Upstream,
  version: ConventionVersion,
): Attributes {
  const { row, body } = record
  const attributes: Attributes = {
    'gen_ai.operation.name': operationNames[row.operation],
    'gen_ai.provider.name': upstream.provider,
    'gen_ai.request.model': attempt.model,
    'gen_ai.request.stream': row.stream,
    'signalbox.step': onlyStep,
    'signalbox.attempt': attempt.index,
    'signalbox.winner': attempt.winner,
    'signalbox.target': attempt.target,
    'signalbox.outcome': attempt.outcome,
    'signalbox.usage.evidence': attempt.evidence,
  }
  if (upstream.address !== undefined) attributes['server.address'] = upstream.address
  if (upstream.port !== undefined) attributes['server.port'] = upstream.port
  if (body.facts !== undefined) putParams(attributes, body.facts.request.params)
  if (attempt.status !== undefined) attributes['http.response.status_code'] = attempt.status
  if (attempt.finish !== undefined) attributes['gen_ai.response.finish_reasons'] = [attempt.finish]
  if (attempt.firstByteMs !== undefined) {
    attributes['gen_ai.response.time_to_first_chunk'] = attempt.firstByteMs / 1000
  }
  if (attempt.usage !== undefined) putUsage(attributes, attempt.usage, version)
  if (attempt.costNanoUsd !== undefined) attributes['signalbox.cost.nano_usd'] = Number(attempt.costNanoUsd)
  if (attempt.upstreamRequestId !== undefined) {
    attributes['signalbox.upstream.request_id'] = attempt.upstreamRequestId
  }
  if (attempt.outcome !== 'ok') attributes['error.type'] = attempt.errorCode ?? attempt.outcome
  return attributes
}
