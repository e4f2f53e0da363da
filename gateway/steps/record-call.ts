import {
  type Attempt,
  type CallRecord,
  errorTable,
  type PolicyResult,
  type RecordBody,
  type RecordRow,
} from '@signalbox/sdk/contract'
import { digestOf } from '@signalbox/sdk/node'
import type { UsageCounts } from '../call.ts'
import type { AttemptTrail, Trail } from '../trail.ts'

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

function attemptOf(attempt: AttemptTrail): Attempt {
  return {
    index: attempt.index,
    target: cut(attempt.target.shownName, 256),
    provider: attempt.target.provider.id,
    model: cut(attempt.target.model, 256),
    startMs: Math.floor(attempt.startMs),
    durationMs: round(attempt.endMs - attempt.startMs),
    ...(attempt.firstByteMs > 0 && { firstByteMs: round(attempt.firstByteMs - attempt.startMs) }),
    ...(attempt.status > 0 && { status: attempt.status }),
    outcome: attempt.outcome,
    ...(attempt.errorCode !== undefined && { errorCode: cut(attempt.errorCode, 64) }),
    ...(attempt.upstreamRequestId !== undefined && { upstreamRequestId: attempt.upstreamRequestId }),
    ...(attempt.usage !== undefined && { usage: attempt.usage }),
    evidence: attempt.evidence,
    ...(attempt.costNanoUsd !== undefined && { costNanoUsd: String(attempt.costNanoUsd) }),
    ...(attempt.finish !== undefined && { finish: cut(attempt.finish, 64) }),
    bytesIn: attempt.bytesIn,
    winner: attempt.winner,
  }
}

/** The policy that had the last word: the first that denied, else the route that chose. */
function decisivePolicy(policies: readonly PolicyResult[]): PolicyResult | undefined {
  return (
    policies.find((each) => each.outcome === 'denied' || each.outcome === 'failed') ??
    policies.find((each) => each.outcome === 'chosen')
  )
}

function effectOf({ evaluation }: Trail): RecordRow['effect'] {
  if (evaluation === undefined) return 'none'
  return evaluation.failure === undefined ? evaluation.decision.effect : 'error'
}

function rowOf(trail: Trail, totals: Totals, origin: RecordOrigin): RecordRow {
  const { snapshot, call, evaluation, version, facts, error } = trail
  const policy = evaluation === undefined ? undefined : decisivePolicy(evaluation.policies)
  const last = trail.attempts.at(-1)
  return {
    id: trail.id,
    organisationId: snapshot?.release.organisationId ?? '',
    environment: snapshot?.release.environment ?? '',
    gatewayId: origin.gatewayId,
    incarnation: origin.incarnation,
    sequence: origin.sequence,
    timeMs: Math.floor(trail.startMs),
    durationMs: round(trail.endMs - trail.startMs),
    ...(trail.firstTokenMs > 0 && { firstTokenMs: round(trail.firstTokenMs - trail.startMs) }),
    ...(trail.keyId !== undefined && { keyId: trail.keyId }),
    ...(trail.nodeId !== undefined && { nodeId: trail.nodeId }),
    operation: trail.operation,
    dialect: trail.dialect,
    stream: call?.stream ?? false,
    modelRequested: cut(call?.model ?? '', 256),
    ...(last !== undefined && { target: cut(last.target.shownName, 256), provider: last.target.provider.id }),
    ...(policy !== undefined && { policy: policy.id }),
    ...(policy !== undefined && policy.rule !== null && { rule: policy.rule }),
    effect: effectOf(trail),
    status: trail.status,
    ...(error !== undefined && { errorCode: cut(error.publicCode, 64) }),
    truncated: trail.truncated,
    attempts: trail.attempts.length,
    usage: totals.usage,
    evidence: totals.evidence,
    ...(totals.costNanoUsd !== undefined && { costNanoUsd: String(totals.costNanoUsd) }),
    metadata: trail.metadata as RecordRow['metadata'],
    traceId: origin.traceId,
    spanId: origin.spanId,
    // Facts are built in canonical order, so their plain JSON is what the digest is over.
    ...(facts !== undefined && { factsDigest: digestOf(JSON.stringify(facts)) }),
    ...(evaluation !== undefined && { decisionDigest: evaluation.decisionDigest }),
    ...(version !== undefined && { versionDigest: version.digest, version: version.number }),
    ...(snapshot !== undefined && {
      releaseSequence: snapshot.release.sequence,
      stateSequence: snapshot.state.sequence,
    }),
    cache: 'off',
    identity: trail.identity,
    assembled: false,
  }
}

function bodyOf(trail: Trail): RecordBody {
  const { facts, evaluation, selection, error } = trail
  let received = 0
  for (const attempt of trail.attempts) received += attempt.bytesIn
  return {
    factsClass: 'full',
    ...(facts !== undefined && { facts }),
    ...(evaluation !== undefined && { decision: evaluation.decision }),
    policies: evaluation?.policies ?? [],
    fuel: evaluation?.fuel ?? 0,
    evaluationUs: evaluation?.evaluationUs ?? 0,
    ...(selection !== undefined && { selection }),
    attempts: trail.attempts.map(attemptOf),
    verdicts: [],
    dropped: trail.dropped.slice(0, pathsMax).map((path) => cut(path, 256)),
    undeclaredMetadata: [...trail.undeclared],
    ...(error !== undefined && {
      error: {
        code: cut(error.publicCode, 64),
        // Of a provider's own words nothing is kept: they may repeat the prompt.
        message:
          error.code === 'upstream_error'
            ? errorTable.upstream_error.message
            : cut(error.message, messageLengthMax),
        ...(error.detail !== undefined && { detail: cut(error.detail, detailLengthMax) }),
      },
    }),
    text: { received, delivered: trail.bytesOut },
  }
}

/** The record of a call that is over. */
export function makeRecord(trail: Trail, totals: Totals, origin: RecordOrigin): CallRecord {
  return { row: rowOf(trail, totals, origin), body: bodyOf(trail) }
}
