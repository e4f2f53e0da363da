import type { Evaluation } from '@signalbox/policies'
import type { Attempt, Facts, Operation, Refusal, Selection } from '@signalbox/sdk/contract'
import type { Call, UsageCounts } from './call.ts'
import type { Billing } from './native-operation.ts'
import type { ReleasedVersion, Snapshot } from './snapshot.ts'
import type { Target } from './targets.ts'

/** One attempt as it goes; the record's `attempts` are made from it. Times are clock times in ms. */
export interface AttemptTrail {
  readonly index: number
  readonly target: Target
  readonly startMs: number
  endMs: number
  firstByteMs: number
  status: number
  outcome: Attempt['outcome']
  errorCode: string | undefined
  upstreamRequestId: string | undefined
  /** As reported; undefined where nothing was. */
  usage: UsageCounts | undefined
  evidence: Attempt['evidence']
  costNanoUsd: bigint | undefined
  finish: string | undefined
  /** The prompt that was put before the conversation, and how much longer the request is by it. */
  prompt: { readonly name: string; readonly digest: string; readonly bytes: number } | undefined
  bytesIn: number
  /** Characters of answer that were metered, for an estimate where nothing is reported. */
  meteredChars: number
  /** What is paid for. */
  billing: Billing
  /** The request went out, so that the upstream may charge for it. */
  sent: boolean
  /** The caller got this attempt's answer. */
  winner: boolean
}

/** What a call leaves behind on its way. Each stage writes its own part; the record is made from it at the end. */
export interface Trail {
  /** Of the record; callers know it as `x-signalbox-decision`. */
  readonly id: string
  readonly startMs: number
  readonly dialect: string
  readonly operation: Operation
  endMs: number
  /** When the first piece of an answer went to the caller; 0 before. */
  firstTokenMs: number
  snapshot: Snapshot | undefined
  /** The version nearest to the key: the one that callers are told. */
  version: ReleasedVersion | undefined
  keyId: string | undefined
  nodeId: string | undefined
  call: Call | undefined
  metadata: Readonly<Record<string, string | number | boolean>>
  undeclared: readonly string[]
  facts: Facts | undefined
  evaluation: Evaluation | undefined
  evaluatedMs: { readonly startMs: number; readonly endMs: number } | undefined
  selection: Selection | undefined
  readonly attempts: AttemptTrail[]
  /** Paths that could not be carried. */
  readonly dropped: string[]
  /** Of those, how many were lost although nobody had said so before the answer began. */
  undeclaredLosses: number
  /** HTTP status that the caller saw. */
  status: number
  error: Refusal | undefined
  /** The upstream ended before its answer did. */
  truncated: boolean
  identity: boolean
  bytesOut: number
}

/** A trail with nothing on it yet. */
export function beginTrail(start: {
  id: string
  startMs: number
  dialect: string
  operation: Operation
}): Trail {
  return {
    ...start,
    endMs: start.startMs,
    firstTokenMs: 0,
    snapshot: undefined,
    version: undefined,
    keyId: undefined,
    nodeId: undefined,
    call: undefined,
    metadata: {},
    undeclared: [],
    facts: undefined,
    evaluation: undefined,
    evaluatedMs: undefined,
    selection: undefined,
    attempts: [],
    dropped: [],
    undeclaredLosses: 0,
    status: 0,
    error: undefined,
    truncated: false,
    identity: false,
    bytesOut: 0,
  }
}

/** Starts the trail of an attempt and puts it on the call's. */
export function beginAttempt(trail: Trail, target: Target, startMs: number): AttemptTrail {
  const attempt: AttemptTrail = {
    index: trail.attempts.length,
    target,
    startMs,
    endMs: startMs,
    firstByteMs: 0,
    status: 0,
    outcome: 'unavailable',
    errorCode: undefined,
    upstreamRequestId: undefined,
    usage: undefined,
    evidence: 'none',
    costNanoUsd: undefined,
    finish: undefined,
    prompt: undefined,
    bytesIn: 0,
    meteredChars: 0,
    billing: 'tokens',
    sent: false,
    winner: false,
  }
  trail.attempts.push(attempt)
  return attempt
}
