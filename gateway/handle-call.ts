import type { IncomingMessage } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import { refusalHeaders, servedHeaders } from './answer-headers.ts'
import { estimateCount } from './count-tokens.ts'
import type { Dialect, RequestHead } from './dialect.ts'
import type { Incoming } from './incoming.ts'
import { logBug } from './log-bug.ts'
import type { GatewayParts } from './parts.ts'
import { readBody } from './read-body.ts'
import type { ResponseWriter } from './response-writer.ts'
import { serveCall } from './serve-call.ts'
import type { ReleasedVersion, Snapshot } from './snapshot.ts'
import { authenticate, type Caller } from './steps/authenticate.ts'
import { buildFacts, type FactsInput } from './steps/build-facts.ts'
import { allowed, decide } from './steps/decide.ts'
import { decode } from './steps/decode.ts'
import { readClaims } from './steps/metadata.ts'
import { readOptions } from './steps/read-options.ts'
import { resolveModel } from './steps/resolve-model.ts'
import { select } from './steps/select.ts'
import { modelAt, onlyOwned, ownerOf } from './stored-things.ts'
import { targetsOf } from './targets.ts'
import type { CallSpanIds } from './telemetry/telemetry.ts'
import { beginTrail, type Trail } from './trail.ts'

/**
 * One call, from first byte to last. Every stage returns, or ends the call by throwing a Refusal; every way out, an
 * abort included, settles and records exactly once. The key is looked at before the body, so that strangers cannot
 * make the gateway hold theirs.
 */
export async function handleCall(incoming: Incoming, parts: GatewayParts): Promise<void> {
  const { request, writer, dialect, route } = incoming
  const { headers } = request
  const startMs = parts.clock()
  const spans = parts.newSpanIds(headerText(headers.traceparent), headerText(headers.tracestate))
  const trail = beginTrail({ id: incoming.id, startMs, dialect: dialect.id, operation: route.operation })
  try {
    const snapshot = parts.snapshots.current()
    trail.snapshot = snapshot
    const caller = authenticate(headers, request.url ?? '', snapshot, startMs)
    const layers = layersOf(caller, snapshot)
    noteCaller(trail, caller, layers, writer)

    const options = readOptions(headers)
    const head = headOf(request, dialect)
    const raw = head.upload === undefined ? await readBody(request, parts.bodyBytesMax) : Buffer.alloc(0)
    const call = decode(raw, dialect, route, head)
    trail.call = call
    const claims = readClaims(call.summary.metadata, headers, layers)
    trail.metadata = claims.metadata
    trail.undeclared = claims.undeclared

    const owner = ownerOf(call, caller, snapshot, parts.storedIds)
    const table = targetsOf(snapshot, parts.providers)
    const model = resolveModel(modelAt(call, owner, snapshot), call.format, snapshot, table)
    const described = { call, caller, claims, model, sessionId: options.sessionId }
    const { facts, columns } = buildFacts(factsInput(described, trail, request, parts), snapshot, table)
    trail.facts = facts

    const decidedMs = parts.clock()
    const evaluation = decide(facts, columns, caller.place.layers, snapshot)
    trail.evaluation = evaluation
    trail.evaluatedMs = { startMs: decidedMs, endMs: parts.clock() }
    const { decision, plan } = allowed(evaluation)
    const selected = select(plan, facts.seed, table.find)
    trail.selection = selected.selection

    const { inputTokens } = facts.request.estimate
    const only = onlyOwned(selected, owner, call)
    const served = { call, decision, options, inputTokens, selected: only }
    if (!estimateCount(served, incoming, trail)) await serveCall(served, incoming, trail, parts)
  } catch (error) {
    refuse(toRefusal(error, trail, parts), incoming, trail)
  } finally {
    finish(incoming, trail, spans, parts)
  }
}

const headerText = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join()

function headOf(request: IncomingMessage, dialect: Dialect): RequestHead {
  const head = { method: request.method ?? 'POST', url: request.url ?? '', headers: request.headers }
  return dialect.streamsBody?.(head) === true ? { ...head, upload: request } : head
}

/** The workspaces that decide for a caller, root first. */
export function layersOf({ place }: Caller, { versions }: Snapshot): readonly ReleasedVersion[] {
  return place.layers === undefined ? versions : place.layers.flatMap((index) => versions[index] ?? [])
}

function noteCaller(
  trail: Trail,
  caller: Caller,
  layers: readonly ReleasedVersion[],
  writer: ResponseWriter,
): void {
  trail.version = layers.at(-1)
  trail.keyId = caller.key.id
  trail.nodeId = caller.key.node
  writer.header('x-signalbox-decision', trail.id)
}

/** What the facts of a call are made of. */
export function factsInput(
  described: Pick<FactsInput, 'call' | 'caller' | 'claims' | 'model' | 'sessionId'>,
  trail: Trail,
  { headers }: IncomingMessage,
  parts: GatewayParts,
): FactsInput {
  return {
    ...described,
    id: trail.id,
    nowMs: Math.floor(trail.startMs),
    seed: parts.random(),
    environment: { name: trail.snapshot?.release.environment ?? '', region: parts.identity.region },
    client: headers['user-agent'],
    degraded: parts.snapshots.degraded(),
  }
}

/** What was thrown, as the caller reads it. Anything that is no Refusal is a bug; its detail goes to the log alone. */
function toRefusal(error: unknown, trail: Trail, { log }: GatewayParts): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal', { detail: logBug(log, error, trail.id) })
}

/** Tells the caller why there is no answer, in the dialect's own words. */
function refuse(refusal: Refusal, { dialect, writer }: Incoming, trail: Trail): void {
  trail.error = refusal
  trail.status = writer.gone ? 499 : refusal.status
  const recordId = trail.keyId === undefined ? undefined : trail.id
  const body = JSON.stringify(dialect.encodeError(refusal, recordId))
  const headers = ['content-type', 'application/json', ...servedHeaders(trail), ...refusalHeaders(refusal)]
  writer.send(refusal.status, headers, body)
}

/** The one place where a call ends, whatever its way out: it is recorded from what its stages left on the trail. */
function finish(
  { request, route, writer }: Incoming,
  trail: Trail,
  spans: CallSpanIds,
  parts: GatewayParts,
): void {
  // A stranger is answered, not recorded: he could fill the journal.
  if (trail.keyId === undefined) return
  trail.endMs = parts.clock()
  trail.bytesOut = writer.bytesOut
  parts.ended.add({ trail, spans, httpRoute: route.path, method: request.method ?? 'POST' })
}
