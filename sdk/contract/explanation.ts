import { type Static, Type } from 'typebox'
import { Decision, PolicyResult, Reason } from './decision.ts'
import { Verdict } from './guardrail-verdict.ts'
import { Caps } from './plan.ts'
import { Affinity, Attempt, RecordRow, TargetSight } from './record.ts'
import { RecordedError } from './recorded.ts'
import { Digest, Id, TimeMs } from './scalars.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const text = (description: string) => Type.String({ description })

/** Stands where the value of a fact is not known any more. */
export const maskedValue = '‹masked›'

/** One condition of a rule, with what it was in this call. */
export const ExplainedCondition = Type.Object(
  {
    text: text('As the author wrote it.'),
    shown: text('With the values of this call: `request.estimate.outputTokens 5,012 > 4,000`.'),
    outcome: Type.Enum(['true', 'false', 'notEvaluated', 'threw', 'unknown']),
    values: Type.Record(Type.String(), Type.Unknown(), { description: 'Facts it read, by path.' }),
    masked: Type.Array(Type.String(), { description: 'Of these, the ones that are masked, or were cut.' }),
  },
  closed,
)
export const ExplainedRule = Type.Object(
  {
    id: Type.String(),
    line: Type.Integer(),
    outcome: Type.Enum(['matched', 'notMatched', 'failed', 'notAsked', 'unknown']),
    conditions: Type.Array(ExplainedCondition),
    effects: Type.Array(text('What it said, for people; empty where it did not match.')),
  },
  closed,
)
/** A candidate that a constraint took away. */
export const RemovedCandidate = Type.Object(
  {
    target: Type.String(),
    workspace: Type.String(),
    policy: Type.String(),
    rule: Type.String(),
    code: Type.String(),
    why: text('The column that does not fit: `locality cloud, not on-prem`.'),
  },
  closed,
)
export const Narrowing = Type.Object(
  { before: Type.Integer(), after: Type.Integer(), removed: Type.Array(RemovedCandidate) },
  closed,
)
export const ExplainedPolicy = Type.Object(
  {
    ...PolicyResult.properties,
    file: orNull(Type.String()),
    rules: Type.Array(ExplainedRule),
    narrowing: orNull(Narrowing),
    guardrails: Type.Array(text('Guardrails it demands: `input no-secrets, else block`.')),
    caps: Caps,
  },
  closed,
)
export const ExplainedLayer = Type.Object(
  {
    workspace: Type.String(),
    node: text('Path of the owning node; empty for the root.'),
    version: orNull(Type.Integer()),
    digest: orNull(Digest),
    constraints: Type.Array(text('Ids, in the order of asking.')),
    routes: Type.Array(text('Ids, in the order of asking.')),
  },
  closed,
)
export const ExplainedHeader = Type.Object(
  {
    timeMs: TimeMs,
    environment: Type.String(),
    effect: Type.Enum(['allow', 'deny', 'error', 'none']),
    version: orNull(Type.Integer()),
    versionDigest: orNull(Digest),
    role: orNull(Type.Enum(['stable', 'candidate'])),
    params: orNull(Type.Integer({ description: 'Revision of the state that held the params.' })),
    release: orNull(Type.Integer()),
    gateway: Type.Object({ id: Id, name: orNull(Type.String()) }, closed),
    durationMs: Type.Number(),
    evaluationUs: Type.Number(),
    fuel: Type.Integer(),
    factsBytes: orNull(Type.Integer()),
  },
  closed,
)
/** Whether the same version gives the same decision for the same facts, here and now. */
export const Verification = Type.Object(
  {
    status: Type.Enum(['same', 'different', 'unchecked']),
    recordedDigest: orNull(Digest),
    recomputedDigest: orNull(Digest),
    why: orNull(text('Why it was not checked, or what differs.')),
  },
  closed,
)
export const ExplainedSelection = Type.Object(
  {
    strategy: Type.String(),
    seed: Type.Integer(),
    order: Type.Array(Type.String()),
    skipped: Type.Array(Type.Object({ target: Type.String(), reason: Type.String() }, closed)),
    health: Type.Record(Type.String(), Type.String(), { description: 'Of the targets, at the time.' }),
    sights: Type.Optional(Type.Array(TargetSight, { description: 'What the strategies went by.' })),
    affinity: Type.Optional(Affinity),
    wished: Type.Optional(Type.Array(Type.String(), { description: 'What of it the caller wanted.' })),
  },
  closed,
)
/** Another decision that one condition stands between. */
export const WouldChange = Type.Object(
  {
    workspace: Type.String(),
    policy: Type.String(),
    rule: Type.String(),
    condition: Type.Integer({ minimum: 0, description: 'Its index in the rule.' }),
    was: Type.Boolean(),
    shown: text('The smallest change that flips it: `request.metadata.tier = "paid"`.'),
    set: Type.Array(
      Type.Object(
        {
          fact: Type.Optional(Type.String()),
          param: Type.Optional(Type.String()),
          from: Type.Unknown(),
          to: Type.Unknown(),
        },
        closed,
      ),
      { description: 'What was changed; a fact without `to` was taken away.' },
    ),
    outcome: Type.Object(
      {
        effect: Type.Enum(['allow', 'deny', 'error']),
        policy: orNull(Type.String()),
        rule: orNull(Type.String()),
        target: orNull(Type.String()),
        code: orNull(Type.String()),
        text: Type.String(),
      },
      closed,
    ),
  },
  closed,
)
export const WouldChangeIf = Type.Object(
  {
    changes: Type.Array(WouldChange),
    withoutEffect: Type.Integer({ description: 'Conditions whose flip leaves the decision as it is.' }),
    untried: Type.Integer({ description: 'Evaluated conditions that no single change was found for.' }),
    why: orNull(text('Why nothing, or not all, was tried.')),
  },
  closed,
)
/** Why a call was decided as it was. */
export const Explanation = Type.Object(
  {
    id: Id,
    row: RecordRow,
    outcome: text('What became of the call, in a line.'),
    header: ExplainedHeader,
    notDecided: orNull(text('Why the call ended before any policy was asked.')),
    verification: Verification,
    layers: Type.Array(ExplainedLayer, { description: 'Root first.' }),
    decision: orNull(Decision),
    policies: Type.Array(ExplainedPolicy),
    candidates: orNull(Narrowing),
    selection: orNull(ExplainedSelection),
    attempts: Type.Array(Attempt),
    verdicts: Type.Array(Verdict, { description: 'What guardrails said, and what was done.' }),
    error: orNull(RecordedError),
    cut: Type.Array(text('Path of a fact that was cut to its maximum.')),
    masked: Type.Array(text('Path of a fact that was taken out after the decision.')),
    reasons: Type.Array(Reason),
    wouldChangeIf: WouldChangeIf,
    summary: Type.Array(text('Lines for people, at most 80 characters where words allow it.')),
    traceUrl: orNull(Type.String()),
  },
  closed,
)
export type ExplainedCondition = Static<typeof ExplainedCondition>
export type ExplainedRule = Static<typeof ExplainedRule>
export type RemovedCandidate = Static<typeof RemovedCandidate>
export type Narrowing = Static<typeof Narrowing>
export type ExplainedPolicy = Static<typeof ExplainedPolicy>
export type ExplainedLayer = Static<typeof ExplainedLayer>
export type ExplainedSelection = Static<typeof ExplainedSelection>
export type Verification = Static<typeof Verification>
export type WouldChange = Static<typeof WouldChange>
export type WouldChangeIf = Static<typeof WouldChangeIf>
export type Explanation = Static<typeof Explanation>
