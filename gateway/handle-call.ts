import type { IncomingMessage } from 'node:http'
import { type PlanNode, Refusal } from '@signalbox/sdk/contract'
import { refusalHeaders, servedHeaders } from './answer-headers.ts'
import { BatchOpening } from './batches/batch-opening.ts'
import type { Call } from './call.ts'
import { callerAddress } from './caller-address.ts'
import type { Dialect, RequestHead } from './dialect.ts'
import { serveGuarded } from './guardrails/serve-guarded.ts'
import type { Incoming } from './incoming.ts'
import { checkAddress, checkMetadata, checkModel, checkOperation } from './key-scope.ts'
import { admitCall, endAdmission } from './limits/admit-call.ts'
import { logBug } from './log-bug.ts'
import { budgetFacts } from './money/budget-levels.ts'
import { budgetsOf } from './money/call-budgets.ts'
import type { GatewayParts } from './parts.ts'
import { type CallerPrompt, type RawCall, takePrompt } from './prompts/take-prompt.ts'
import { readBody } from './read-body.ts'
import type { ResponseWriter } from './response-writer.ts'
import { lookOn } from './rollouts/look-on.ts'
import { noteDecided, takeArms } from './rollouts/take-arms.ts'
import type { ReleasedVersion, Snapshot } from './snapshot.ts'
import { authenticate, type Caller } from './steps/authenticate.ts'
import { buildFacts, type FactsInput } from './steps/build-facts.ts'
import { allowed, decide } from './steps/decide.ts'
import { decode } from './steps/decode.ts'
import { type Claims, readClaims } from './steps/metadata.ts'
import { type CallOptions, readOptions } from './steps/read-options.ts'
import { type ResolvedModel, resolveModel } from './steps/resolve-model.ts'
import { type Selected, select } from './steps/select.ts'
import { modelAt, onlyOwned, ownerOf } from './stored-things.ts'
import { type TargetTable, targetsOf } from './targets.ts'
import type { CallSpanIds } from './telemetry/telemetry.ts'
import { askedOf, beginTrail, type Trail } from './trail.ts'
import type { AllowedCall } from './way.ts'
import { decisionFor, grantWishes, ignoredWishes, withModels } from './wishes/grant-wishes.ts'
import { readNamed, takeWishes } from './wishes/read-wishes.ts'
import type { Wishes } from './wishes/wishes.ts'

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
    const received = await receive(incoming, trail, parts)
    const { served, decided, guarded } = decideCall(received, incoming, trail, parts)
    const admitted = admitCall(decided, trail, writer, parts.limits)
    if (admitted !== undefined) await admitted
    await serveGuarded({ served, scope: guarded }, incoming, trail, parts)
  } catch (error) {
    refuse(toRefusal(error, trail, parts), incoming, trail)
  } finally {
    if (trail.later !== undefined) await trail.later()
    finish(incoming, trail, spans, parts)
  }
}

/** A call that was read, of a caller who may make it. */
interface ReceivedCall {
  /** With stable versions alone. */
  readonly base: Snapshot
  readonly snapshot: Snapshot
  readonly caller: Caller
  readonly options: CallOptions
  readonly call: Call
  readonly prompt: CallerPrompt | undefined
  readonly wishes: Wishes | undefined
  readonly claims: Claims
}

/** Who asks, and what: authenticates, reads and decodes, within the scopes of the key. */
async function receive(incoming: Incoming, trail: Trail, parts: GatewayParts): Promise<ReceivedCall> {
  const { request, writer, dialect, route } = incoming
  const { headers } = request
  const base = parts.snapshots.current()
  trail.snapshot = base
  const caller = authenticate(headers, request.url ?? '', base, trail.startMs)
  noteCaller(trail, caller, layersOf(caller, base), writer)
  checkAddress(caller.key, callerAddress(request, parts))
  const options = readOptions(headers)
  const head = headOf(request, dialect)
  const raw = head.upload === undefined ? await readBody(request, parts.bodyBytesMax) : Buffer.alloc(0)
  const read = (bytes: Buffer): Call =>
    readNamed(bytes, dialect.format, (each) => decode(each, dialect, route, head))
  const asked = { raw, headers, head, dialect, read }
  const stable = readCall(asked, layersOf(caller, base), { trail, random: parts.random })
  const named = (stable.call.stored ?? []).map(({ id }) => id)
  if (named.length > 0) await parts.storedIds.learn(named, { again: true })
  checkOperation(caller.key, stable.call.operation)
  const { userId } = stable.call.summary
  const drawn = { userId, sessionId: options.sessionId ?? stable.wishes?.sessionId }
  const snapshot = takeArms(base, caller, drawn, { trail, parts })
  const layers = layersOf(caller, snapshot)
  trail.version = layers.at(-1)
  // Who draws the candidate gets its prompts too; whose call it is does not depend on them.
  const isOther = stable.prompt !== undefined && snapshot !== base
  const { call, prompt, wishes } = isOther ? readCall(asked, layers, { trail, random: parts.random }) : stable
  const claims = readClaims(call.summary.metadata, headers, layers)
  trail.metadata = claims.metadata
  trail.undeclared = claims.undeclared
  checkMetadata(caller.key, claims)
  return { base, snapshot, caller, options, call, prompt, wishes, claims }
}

/** A call with its prompt before its own words, and without the wishes that are not for the provider. */
function readCall(
  request: RawCall,
  layers: readonly ReleasedVersion[],
  { trail, random }: { readonly trail: Trail; readonly random: GatewayParts['random'] },
) {
  const { call: whole, prompt } = takePrompt(request, layers)
  const { call, wishes } = takeWishes(whole, request.headers, request.read, random)
  trail.prompt = prompt
  trail.asked = askedOf(call)
  return { call, prompt, wishes }
}

/** What policies say of it, and which targets that comes to. */
function decideCall(received: ReceivedCall, { request }: Incoming, trail: Trail, parts: GatewayParts) {
  const { base, snapshot, caller, options, call, prompt, wishes, claims } = received
  const owner = ownerOf(call, caller, snapshot, parts.storedIds)
  const table = targetsOf(snapshot, parts.providers)
  const resolve = (name: string): ResolvedModel => resolveModel(name, call.format, snapshot, table)
  const model = withModels(resolve(modelAt(call, owner, snapshot)), wishes, resolve)
  checkModel(caller.key, model)
  const budgets = budgetsOf(snapshot, caller.key)
  const budget = budgets.length === 0 ? undefined : budgetFacts(budgets, snapshot, parts.money)
  const sessionId = options.sessionId ?? wishes?.sessionId
  const described = { call, caller, claims, model, prompt, sessionId, budget }
  const { facts, columns } = buildFacts(factsInput(described, trail, request, parts), snapshot, table)
  trail.facts = facts

  const decidedMs = parts.clock()
  const { layers } = caller.place
  const evaluation = decide(facts, columns, layers, snapshot)
  trail.evaluation = evaluation
  trail.evaluatedMs = { startMs: decidedMs, endMs: parts.clock() }
  noteDecided(base, trail, parts)
  const { decision, plan } = allowed(evaluation)
  const scope = { call, facts, caps: decision.caps, nowMs: decidedMs, ...sights(table, parts) }
  const again = (other: PlanNode): Selected =>
    onlyOwned(grantWishes(select(other, scope), wishes, scope), owner, call)
  const selected = again(plan)
  trail.selection = selected.selection
  const ignored = [...(call.lost ?? []), ...ignoredWishes(wishes, model.targets, selected, resolve)]
  const wanted = decisionFor(decision, wishes)
  const { inputTokens } = facts.request.estimate
  const batch = openingOf({ ...received, sessionId, budgets }, request, trail, parts)
  return {
    served: { call, decision: wanted, options, inputTokens, selected, budgets, again, ignored, batch },
    decided: { call, caller, facts, selected, snapshot },
    guarded: { snapshot, layers, seed: facts.seed },
  }
}

/** The job that a call begins: each of its lines is decided as a call of this caller's. */
function openingOf(
  begun: Pick<ReceivedCall, 'call' | 'caller' | 'snapshot'> &
    Pick<AllowedCall, 'budgets'> & { sessionId: string | undefined },
  request: IncomingMessage,
  trail: Trail,
  parts: GatewayParts,
): BatchOpening | undefined {
  const { call, caller, snapshot, sessionId, budgets } = begun
  const { batches: keeper } = parts
  if (call.native?.job === undefined || keeper === undefined) return undefined
  return new BatchOpening({
    ...{ keeper, caller, snapshot, sessionId, budgets, parts },
    ...{ callId: trail.id, kind: call.native.job.kind, headers: request.headers },
    layers: layersOf(caller, snapshot),
    describe: (line) => factsInput({ ...line, prompt: undefined }, trail, request, parts),
  })
}

/** What selections see of the targets. */
const sights = (table: TargetTable, { health: board }: GatewayParts) => ({ table, board, find: table.find })

const headerText = (value: string | string[] | undefined): string | undefined =>
  typeof value === 'string' ? value : value?.join()

function headOf(request: IncomingMessage, dialect: Dialect): RequestHead {
  const { method = 'POST', url = '', headers } = request
  const head = { method, url, headers, origin: originOf(request) }
  return dialect.streamsBody?.(head) === true ? { ...head, upload: request } : head
}

/** A proxy that ended the caller's TLS says so; nobody but the caller himself reads it. */
function originOf({ headers, socket }: IncomingMessage): string {
  const isSecure =
    'encrypted' in socket || headerText(headers['x-forwarded-proto'])?.split(',')[0] === 'https'
  return `${isSecure ? 'https' : 'http'}://${headers.host ?? ''}`
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
  trail.layers = caller.place.layers
  trail.keyId = caller.key.id
  trail.nodeId = caller.key.node
  writer.header('x-signalbox-decision', trail.id)
}

/** What the facts of a call are made of. */
export function factsInput(
  described: Pick<FactsInput, 'call' | 'caller' | 'claims' | 'model' | 'prompt' | 'sessionId' | 'budget'>,
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
    health: parts.health,
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
  endAdmission(trail)
  // A stranger is answered, not recorded: he could fill the journal.
  if (trail.keyId === undefined) return
  trail.endMs = parts.clock()
  trail.bytesOut = writer.bytesOut
  const ended = { trail, spans, httpRoute: route.path, method: request.method ?? 'POST' }
  // His answer leaves at the end of this turn, and does not wait for what others would have said.
  const isSeen = trail.snapshot?.shadows !== undefined
  parts.ended.add(isSeen ? { ...ended, lookOn: lookingOn(trail, parts) } : ended)
}

function lookingOn(trail: Trail, parts: GatewayParts): () => void {
  return () => {
    trail.shadows = lookOn(trail, parts)
  }
}
