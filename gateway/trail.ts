import type { Evaluation } from '@signalbox/policies'
import type {
  Arm,
  Attempt,
  Facts,
  Operation,
  Refusal,
  RolloutPart,
  Selection,
  ShadowResult,
  Verdict,
} from '@signalbox/sdk/contract'
import type { Call, UsageCounts } from './call.ts'
import type { Admission } from './limits/limits.ts'
import type { AttemptHold } from './money/attempt-hold.ts'
import type { Billing } from './native-operation.ts'
import type { CallerPrompt } from './prompts/take-prompt.ts'
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
  /** The guardrail that it was made for; undefined where the caller's answer was asked for. */
  guardrail: string | undefined
  /** What else it was made for than the caller's answer. */
  purpose: Attempt['purpose']
  bytesIn: number
  /** Characters of answer that were metered, for an estimate where nothing is reported. */
  meteredChars: number
  /** What is paid for. */
  billing: Billing
  /** Tokens of output at most, by what was seen of it. */
  seenTokens: number
  /** Tokens of output that the upstream reported so far; 0 where it did not. */
  reportedOutputTokens: number
  /** What it keeps of budgets; undefined where none concerns it. */
  hold: AttemptHold | undefined
  /** The request went out, so that the upstream may charge for it. */
  sent: boolean
  /** The caller got this attempt's answer. */
  winner: boolean
  /** Why it was made; undefined for the first of a call. */
  cause: Attempt['cause']
  errorClass: Attempt['errorClass']
  /** The step of a pipeline that it was for. */
  step: string | undefined
  /** The fault that a drill put in place of the target. */
  drill: Attempt['drill']
}

/** What is left of a call when its record is made: the rest, with its body, is let go of with its answer. */
export type AskedCall = Pick<Call, 'model' | 'format' | 'stream'>
export const askedOf = ({ model, format, stream }: Call): AskedCall => ({ model, format, stream })

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
  /** Indexes of the workspaces that decide; undefined for all. */
  layers: readonly number[] | undefined
  /** Rollouts that it is part of. */
  rollouts: readonly RolloutPart[]
  /** What versions that look on would have said; made after the caller has his answer. */
  shadows: readonly ShadowResult[]
  keyId: string | undefined
  nodeId: string | undefined
  asked: AskedCall | undefined
  /** The prompt that the caller named. */
  prompt: CallerPrompt | undefined
  metadata: Readonly<Record<string, string | number | boolean>>
  undeclared: readonly string[]
  facts: Facts | undefined
  evaluation: Evaluation | undefined
  evaluatedMs: { readonly startMs: number; readonly endMs: number } | undefined
  selection: Selection | undefined
  /** What the call keeps of rate limits; undefined where none concerns it. */
  admission: Admission | undefined
  /** The limit that refused it. */
  refusedBy: string | undefined
  /** What the cache had to do with it. */
  cache: 'hit' | 'miss' | 'off'
  /** Where its answer came from; undefined where the cache has not answered. */
  cached:
    | {
        readonly recordId: string
        readonly target: string
        readonly shared: boolean
        readonly ageMs: number
        readonly savedNanoUsd: string | undefined
        /** Cosine of the two questions, where they are not the same. */
        readonly similarityPpm: number | undefined
      }
    | undefined
  readonly attempts: AttemptTrail[]
  /** What is still done when the caller has his answer, before the record is made. */
  later: (() => Promise<void>) | undefined
  /** What guardrails said. */
  readonly verdicts: Verdict[]
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
  /** A plain answer that was put together from a stream. */
  assembled: boolean
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
    layers: undefined,
    rollouts: [],
    shadows: [],
    keyId: undefined,
    nodeId: undefined,
    asked: undefined,
    prompt: undefined,
    metadata: {},
    undeclared: [],
    facts: undefined,
    evaluation: undefined,
    evaluatedMs: undefined,
    selection: undefined,
    admission: undefined,
    refusedBy: undefined,
    cache: 'off',
    cached: undefined,
    attempts: [],
    later: undefined,
    verdicts: [],
    dropped: [],
    undeclaredLosses: 0,
    status: 0,
    error: undefined,
    truncated: false,
    identity: false,
    assembled: false,
    bytesOut: 0,
  }
}

/** Whether a candidate had a part in the decision; undefined where no rollout could have had the call. */
export function armOf({ rollouts }: Pick<Trail, 'rollouts'>): Arm | undefined {
  if (rollouts.length === 0) return undefined
  return rollouts.some(({ arm }) => arm === 'candidate') ? 'candidate' : 'stable'
}

/** Whether an attempt was made for the caller's answer, and not for a guardrail or for the cache. */
const isServing = ({ guardrail, purpose }: AttemptTrail): boolean =>
  guardrail === undefined && purpose === undefined

/** The attempt whose answer the caller got, or else the last one at it. */
export function lastServing({ attempts }: Trail): AttemptTrail | undefined {
  const serving = attempts.filter(isServing)
  return serving.findLast(({ winner }) => winner) ?? serving.at(-1)
}

/** Attempts at an answer for the caller. */
export function servingAttempts({ attempts }: Trail): number {
  return attempts.reduce((count, attempt) => count + (isServing(attempt) ? 1 : 0), 0)
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
    guardrail: undefined,
    purpose: undefined,
    bytesIn: 0,
    meteredChars: 0,
    billing: 'tokens',
    seenTokens: 0,
    reportedOutputTokens: 0,
    hold: undefined,
    sent: false,
    winner: false,
    cause: undefined,
    errorClass: undefined,
    step: undefined,
    drill: undefined,
  }
  trail.attempts.push(attempt)
  return attempt
}
