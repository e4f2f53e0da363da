import type {
  Attributes,
  HrTime,
  Link,
  SpanContext,
  SpanKind,
  SpanStatus,
  TraceState,
} from '@opentelemetry/api'
import type { Resource } from '@opentelemetry/resources'
import type { Attempt, Verdict } from '@signalbox/sdk/contract'
import {
  attemptAttributes,
  type ConventionVersion,
  guardrailAttributes,
  operationNames,
  policyAttributes,
  serverAttributes,
  type Upstream,
} from './attributes.ts'
import { newSpanId } from './span-ids.ts'
import type { FinishedCall, ParentSpan } from './telemetry.ts'

// As `@opentelemetry/api` numbers them; its enums are not loaded on this path.
const kindInternal: SpanKind = 0
const kindServer: SpanKind = 1
const kindClient: SpanKind = 2
const statusUnset: SpanStatus = { code: 0 }
const statusError = 2
const sampled = 1
const noLinks: Link[] = []
const noEvents: never[] = []
const noTime: HrTime = [0, 0]

/** The program that spans come from, and the part of it that made them. */
export interface SpanOrigin {
  readonly resource: Resource
  readonly scope: { readonly name: string; readonly version?: string; readonly schemaUrl?: string }
}

/** A span as exporters read it: made whole, after the fact, so that nothing of OpenTelemetry runs during a call. */
export class EndedSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly startTime: HrTime
  readonly endTime: HrTime
  readonly attributes: Attributes
  readonly status: SpanStatus
  readonly links: Link[]
  readonly parentSpanContext?: SpanContext
  readonly resource: Resource
  readonly instrumentationScope: SpanOrigin['scope']
  readonly duration: HrTime = noTime
  readonly ended = true
  readonly events: never[] = noEvents
  readonly droppedAttributesCount = 0
  readonly droppedEventsCount = 0
  readonly droppedLinksCount = 0
  readonly #context: SpanContext

  constructor(span: {
    readonly name: string
    readonly kind: SpanKind
    readonly context: SpanContext
    readonly parent: SpanContext | undefined
    readonly startMs: number
    readonly endMs: number
    readonly attributes: Attributes
    readonly status: SpanStatus
    readonly links: Link[]
    readonly origin: SpanOrigin
  }) {
    this.name = span.name
    this.kind = span.kind
    this.#context = span.context
    if (span.parent !== undefined) this.parentSpanContext = span.parent
    this.startTime = hrTimeOf(span.startMs)
    this.endTime = hrTimeOf(Math.max(span.startMs, span.endMs))
    this.attributes = span.attributes
    this.status = span.status
    this.links = span.links
    this.resource = span.origin.resource
    this.instrumentationScope = span.origin.scope
  }

  spanContext(): SpanContext {
    return this.#context
  }
}

function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}

/** What spans need to know that is not in the call. */
export interface SpanSurroundings {
  readonly origin: SpanOrigin
  readonly conventions: ConventionVersion
  readonly upstreamOf: (attempt: Attempt) => Upstream
  readonly parseTraceState: (text: string) => TraceState
}

function remoteContextOf(parent: ParentSpan, around: SpanSurroundings): SpanContext {
  const { traceId, spanId, traceState } = parent
  return {
    traceId,
    spanId,
    traceFlags: parent.sampled ? sampled : 0,
    isRemote: true,
    ...(traceState !== undefined && { traceState: around.parseTraceState(traceState) }),
  }
}

function serverSpan(call: FinishedCall, context: SpanContext, around: SpanSurroundings): EndedSpan {
  const remote = call.parent === undefined ? undefined : remoteContextOf(call.parent, around)
  const continued = call.parent?.sampled === true
  const { errorCode, status } = call.record.row
  return new EndedSpan({
    name: `${call.method} ${call.httpRoute}`,
    kind: kindServer,
    context,
    parent: continued ? remote : undefined,
    startMs: call.startMs,
    endMs: call.endMs,
    attributes: serverAttributes(call, around.conventions),
    status: status >= 500 ? { code: statusError, message: errorCode ?? '' } : statusUnset,
    links: remote !== undefined && !continued ? [{ context: remote }] : noLinks,
    origin: around.origin,
  })
}

function attemptSpan(
  attempt: Attempt,
  call: FinishedCall,
  contexts: { readonly context: SpanContext; readonly parent: SpanContext },
  around: SpanSurroundings,
): EndedSpan {
  const { record } = call
  return new EndedSpan({
    ...contexts,
    name: `${operationNames[record.row.operation]} ${attempt.model}`,
    kind: kindClient,
    // Attempts are recorded in whole milliseconds.
    startMs: Math.max(attempt.startMs, call.startMs),
    endMs: Math.min(attempt.startMs + attempt.durationMs, call.endMs),
    attributes: attemptAttributes(attempt, record, around.upstreamOf(attempt), around.conventions),
    status: attempt.outcome === 'ok' ? statusUnset : { code: statusError, message: attempt.outcome },
    links: noLinks,
    origin: around.origin,
  })
}

function guardrailSpan(
  verdict: Verdict,
  contexts: { readonly context: SpanContext; readonly parent: SpanContext },
  around: SpanSurroundings,
): EndedSpan {
  return new EndedSpan({
    ...contexts,
    name: 'guardrail',
    kind: kindInternal,
    startMs: verdict.startMs,
    endMs: verdict.startMs + verdict.durationMs,
    attributes: guardrailAttributes(verdict),
    status: verdict.verdict === 'error' ? { code: statusError, message: verdict.error ?? '' } : statusUnset,
    links: noLinks,
    origin: around.origin,
  })
}

/**
 * The spans of a call: for the request, the policies, each guardrail and each attempt. The caller's trace is continued
 * where it is sampled and linked where it is not.
 */
export function spansOf(call: FinishedCall, around: SpanSurroundings): EndedSpan[] {
  const { traceId, spanId, record, parent } = call
  const traceState =
    parent?.sampled === true && parent.traceState !== undefined
      ? { traceState: around.parseTraceState(parent.traceState) }
      : {}
  const context: SpanContext = { traceId, spanId, traceFlags: sampled, ...traceState }
  const below = (): SpanContext => ({ traceId, spanId: newSpanId(), traceFlags: sampled, ...traceState })
  const spans = [serverSpan(call, context, around)]
  if (call.policy !== undefined) {
    spans.push(
      new EndedSpan({
        name: 'policy.evaluate',
        kind: kindInternal,
        context: below(),
        parent: context,
        startMs: call.policy.startMs,
        endMs: call.policy.endMs,
        attributes: policyAttributes(call),
        status: record.row.effect === 'error' ? { code: statusError } : statusUnset,
        links: noLinks,
        origin: around.origin,
      }),
    )
  }
  for (const verdict of record.body.verdicts) {
    spans.push(guardrailSpan(verdict, { context: below(), parent: context }, around))
  }
  for (const attempt of record.body.attempts) {
    spans.push(attemptSpan(attempt, call, { context: below(), parent: context }, around))
  }
  return spans
}
