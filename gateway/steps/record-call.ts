import { decisiveRule } from '@signalbox/policies'
import {
  type Attempt,
  type CallRecord,
  errorTable,
  type RecordBody,
  type RecordRow,
} from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import type { UsageCounts } from '../call.ts'
import { recordedFactsOf, withRecordedFacts } from '../recorded-facts.ts'
import { type AttemptTrail, armOf, lastServing, servingAttempts, type Trail } from '../trail.ts'
import { isUnrecorded, withoutContent } from '../unrecorded.ts'

/** Where a record comes from. */
export interface RecordOrigin {
  readonly gatewayId: string
  readonly incarnation: string
  readonly sequence: number
  readonly traceId: string
  readonly spanId: string
}
export interface Totals {
  readonly usage: UsageCounts
  readonly evidence: Attempt['evidence']
  readonly costNanoUsd: bigint | undefined
}

const pathsMax = 256
const detailLengthMax = 2048
const messageLengthMax = 512

const cut = (text: string, lengthMax: number): string =>
  text.length > lengthMax ? text.slice(0, lengthMax).toWellFormed() : text.toWellFormed()
/** Milliseconds with three places: microseconds, as far as the clock says anything. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000

/**
 * While a record is made, what is not known is undefined, and its JSON leaves it out. Members are never left out by
 * spreading: objects of one shape are made and written several times as fast.
 */
type Draft<T> = { [Name in keyof Required<T>]: undefined extends T[Name] ? T[Name] : T[Name] | undefined }

const textOrNone = (value: bigint | undefined): string | undefined =>
  value === undefined ? undefined : String(value)

function attemptOf(attempt: AttemptTrail): Attempt {
  const { target, startMs, firstByteMs, status, errorCode, finish } = attempt
  const draft: Draft<Attempt> = {
    index: attempt.index,
    target: cut(target.shownName, 256),
    provider: target.provider.id,
    model: cut(target.model, 256),
    startMs: Math.floor(startMs),
    durationMs: round(attempt.endMs - startMs),
    firstByteMs: firstByteMs > 0 ? round(firstByteMs - startMs) : undefined,
    status: status > 0 ? status : undefined,
    outcome: attempt.outcome,
    errorCode: errorCode === undefined ? undefined : cut(errorCode, 64),
    upstreamRequestId: attempt.upstreamRequestId,
    usage: attempt.usage,
    evidence: attempt.evidence,
    costNanoUsd: textOrNone(attempt.costNanoUsd),
    finish: finish === undefined ? undefined : cut(finish, 64),
    prompt:
      attempt.prompt === undefined ? undefined : { name: attempt.prompt.name, digest: attempt.prompt.digest },
    hold: attempt.hold?.record(),
    guardrail: attempt.guardrail,
    purpose: attempt.purpose,
    bytesIn: attempt.bytesIn,
    winner: attempt.winner,
    cause: attempt.cause,
    errorClass: attempt.errorClass,
    step: attempt.step,
    drill: attempt.drill,
  }
  return draft as Attempt
}

/** Params of the workspaces that were asked, as they were read: with them a decision can be computed again. */
function paramsOf({ snapshot, evaluation }: Trail): RecordBody['params'] {
  if (snapshot === undefined || evaluation === undefined) return undefined
  let found: NonNullable<RecordBody['params']> | undefined
  for (const workspace in snapshot.params) {
    const values = snapshot.params[workspace]
    if (values === undefined || Object.keys(values).length === 0) continue
    if (!evaluation.policies.some((each) => each.workspace === workspace)) continue
    found ??= {}
    found[workspace] = { ...values }
  }
  return found
}

function effectOf({ evaluation }: Trail): RecordRow['effect'] {
  if (evaluation === undefined) return 'none'
  return evaluation.failure === undefined ? evaluation.decision.effect : 'error'
}

function rowOf(trail: Trail, totals: Totals, origin: RecordOrigin, facts: string | undefined): RecordRow {
  const { snapshot, asked, evaluation, version, error, startMs, firstTokenMs } = trail
  const decisive = evaluation === undefined ? undefined : decisiveRule(evaluation)
  const last = lastServing(trail)
  const targetName = trail.cached?.target ?? last?.target.shownName
  const draft: Draft<RecordRow> = {
    id: trail.id,
    organisationId: snapshot?.release.organisationId ?? '',
    environment: snapshot?.release.environment ?? '',
    gatewayId: origin.gatewayId,
    incarnation: origin.incarnation,
    sequence: origin.sequence,
    timeMs: Math.floor(startMs),
    durationMs: round(trail.endMs - startMs),
    firstTokenMs: firstTokenMs > 0 ? round(firstTokenMs - startMs) : undefined,
    keyId: trail.keyId,
    nodeId: trail.nodeId,
    operation: trail.operation,
    dialect: trail.dialect,
    stream: asked?.stream ?? false,
    modelRequested: cut(asked?.model ?? '', 256),
    target: targetName === undefined ? undefined : cut(targetName, 256),
    provider: last?.target.provider.id,
    policy: decisive?.policy,
    rule: decisive?.rule,
    effect: effectOf(trail),
    status: trail.status,
    errorCode: error === undefined ? undefined : cut(error.publicCode, 64),
    truncated: trail.truncated,
    attempts: servingAttempts(trail),
    usage: totals.usage,
    evidence: totals.evidence,
    costNanoUsd: textOrNone(totals.costNanoUsd),
    metadata: trail.metadata as RecordRow['metadata'],
    traceId: origin.traceId,
    spanId: origin.spanId,
    // Facts are built in canonical order, so their plain JSON is what the digest is over.
    factsDigest: facts === undefined ? undefined : digestOf(facts),
    decisionDigest: evaluation?.decisionDigest,
    versionDigest: version?.digest,
    version: version?.number,
    arm: armOf(trail),
    releaseSequence: snapshot?.release.sequence,
    stateSequence: snapshot?.state.sequence,
    cache: trail.cache,
    savedNanoUsd: trail.cached?.savedNanoUsd,
    identity: trail.identity,
    assembled: trail.assembled,
    direct: undefined,
  }
  return draft as RecordRow
}

function errorOf(error: NonNullable<Trail['error']>): RecordBody['error'] {
  return {
    code: cut(error.publicCode, 64),
    // Of a provider's own words nothing is kept: they may repeat the prompt.
    message:
      error.code === 'upstream_error'
        ? errorTable.upstream_error.message
        : cut(error.message, messageLengthMax),
    ...(error.detail !== undefined && { detail: cut(error.detail, detailLengthMax) }),
  }
}

/** Calls that are decided alike share the objects that say so; their JSON is made once. */
const knownTexts = new WeakMap<object, string>()

function sharedText(value: object): string {
  let text = knownTexts.get(value)
  if (text === undefined) {
    text = JSON.stringify(value)
    knownTexts.set(value, text)
  }
  return text
}

/** What limits said of a call; undefined where they said nothing. */
function limitsOf({ admission, refusedBy }: Trail): RecordBody['limits'] {
  const wouldRefuse = admission?.wouldRefuse.slice(0, 64) ?? []
  if (refusedBy !== undefined) return { refusedBy }
  return wouldRefuse.length === 0 ? undefined : { wouldRefuse }
}

function cachedOf({ cached }: Trail): RecordBody['cached'] {
  if (cached === undefined) return undefined
  const { recordId, ageMs, shared, savedNanoUsd, similarityPpm } = cached
  return {
    ...{ recordId, ageMs, shared },
    ...(savedNanoUsd !== undefined && { savedNanoUsd }),
    ...(similarityPpm !== undefined && { similarityPpm }),
  }
}

/** Everything of a body but what has a text of its own: facts, decision and policies. */
function bodyOf(trail: Trail): Draft<RecordBody> {
  const { evaluation, error } = trail
  let received = 0
  for (const attempt of trail.attempts) received += attempt.bytesIn
  return {
    factsClass: 'full',
    masked: undefined,
    prompt: trail.prompt,
    facts: undefined,
    params: paramsOf(trail),
    decision: undefined,
    policies: undefined,
    fuel: evaluation?.fuel ?? 0,
    evaluationUs: evaluation?.evaluationUs ?? 0,
    rollouts: trail.rollouts.length === 0 ? undefined : [...trail.rollouts],
    shadows: trail.shadows.length === 0 ? undefined : [...trail.shadows],
    switchedOff: trail.snapshot?.switchedOff?.map(({ workspace, policy }) => `${workspace}/${policy}`),
    selection: trail.selection,
    attempts: trail.attempts.map(attemptOf),
    verdicts: trail.verdicts,
    limits: limitsOf(trail),
    cached: cachedOf(trail),
    batch: undefined,
    dropped: trail.dropped.slice(0, pathsMax).map((path) => cut(path, 256)),
    undeclaredMetadata: [...trail.undeclared],
    error: error === undefined ? undefined : errorOf(error),
    text: { received, delivered: trail.bytesOut },
  }
}

/** The record of a call that is over, and its JSON. */
export function makeRecord(
  trail: Trail,
  totals: Totals,
  origin: RecordOrigin,
): { readonly record: CallRecord; readonly text: string } {
  const { evaluation } = trail
  const facts = trail.facts === undefined ? undefined : JSON.stringify(trail.facts)
  const row = rowOf(trail, totals, origin, facts)
  const body = bodyOf(trail)
  if (isUnrecorded(trail)) {
    const record = withoutContent({ row, body: body as RecordBody }, trail)
    return { record, text: JSON.stringify(record) }
  }
  const may = recordedFactsOf(trail)
  if (may !== undefined) {
    const { decision, policies = [] } = evaluation ?? {}
    const whole = { ...body, facts: trail.facts, decision, policies } as RecordBody
    const record = withRecordedFacts({ row, body: whole }, may)
    return { record, text: JSON.stringify(record) }
  }
  const policies = evaluation === undefined ? '[]' : sharedText(evaluation.policies)
  const decision = evaluation === undefined ? '' : `"decision":${sharedText(evaluation.decision)},`
  // The text of the facts was needed for their digest; it is not made a second time.
  const known = `${facts === undefined ? '' : `"facts":${facts},`}${decision}"policies":${policies}`
  const text = `{"row":${JSON.stringify(row)},"body":{${known},${JSON.stringify(body).slice(1)}}`
  body.facts = trail.facts
  body.decision = evaluation?.decision
  body.policies = evaluation?.policies ?? []
  return { record: { row, body: body as RecordBody }, text }
}
