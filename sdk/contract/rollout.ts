import { type Static, Type } from 'typebox'
import { Digest, EnvironmentName, Id, NanoUsd, TimeMs } from './scalars.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Count = Type.Integer({ minimum: 0 })

/** Which side of a rollout decided a call. */
export const arms = ['stable', 'candidate'] as const
export type Arm = (typeof arms)[number]

/** What callers are told apart by. Where a call does not say it, the next one in this order stands in: user, key. */
export const bucketKinds = ['user', 'session', 'key'] as const
export type BucketKind = (typeof bucketKinds)[number]

export const guardMetrics = [
  'policyErrors',
  'upstreamErrors',
  'latency',
  'cost',
  'denies',
  'guardrails',
] as const
export type GuardMetric = (typeof guardMetrics)[number]

/** `rollback`: the candidate is taken back. `hold`: its share stays as it is, and somebody has to look. */
export const guardActions = ['rollback', 'hold'] as const

/** Bounds of what a candidate may do worse than stable in the same time. */
export const GuardRule = Type.Object(
  {
    marginPpm: Type.Integer({
      minimum: 0,
      maximum: 100_000_000,
      description:
        'Worse than stable by more than this, beyond doubt: of calls, for rates; of what stable takes, for `latency` and `cost`.',
    }),
    tripPpm: Type.Integer({
      minimum: 0,
      maximum: 100_000_000,
      description: 'Worse by this and beyond doubt worse at all: acts on few calls already.',
    }),
    action: Type.Enum([...guardActions]),
  },
  closed,
)
export type GuardRule = Static<typeof GuardRule>

/** Failures of the candidate's policies, counted in each gateway by itself. */
export const PolicyTripwire = Type.Object(
  {
    calls: Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'So many failed …' }),
    ppm: Type.Integer({ minimum: 0, maximum: 1_000_000, description: '… and so large a share …' }),
    windowMs: Type.Integer({
      minimum: 1000,
      maximum: 3_600_000,
      description: '… of its calls in this time.',
    }),
  },
  closed,
)
export type PolicyTripwire = Static<typeof PolicyTripwire>

const guardShape = {
  falseAlarmPpm: Type.Integer({
    minimum: 1,
    maximum: 500_000,
    description: 'How likely at most a candidate that is as good as stable is ever taken back or held.',
  }),
  callsMin: Type.Integer({
    minimum: 1,
    maximum: 10_000_000,
    description: 'Calls of each arm before a margin counts.',
  }),
  tripCallsMin: Type.Integer({
    minimum: 1,
    maximum: 10_000_000,
    description: 'Calls of each arm before a tripwire of the control plane counts.',
  }),
  policyErrors: orNull(PolicyTripwire),
  upstreamErrors: orNull(GuardRule),
  latency: orNull(GuardRule),
  cost: orNull(GuardRule),
  denies: orNull(GuardRule),
  guardrails: orNull(GuardRule),
} as const
/** What a candidate is watched by; null for what is not watched. */
export const Guards = Type.Object(guardShape, closed)
export type Guards = Static<typeof Guards>
/** What is left out is as in `defaultGuards`. */
export const GuardsChange = Type.Partial(Type.Object(guardShape, closed), {
  description: 'What differs from the default guards; null switches one off.',
})
export type GuardsChange = Static<typeof GuardsChange>

export const defaultGuards: Guards = {
  falseAlarmPpm: 10_000,
  callsMin: 300,
  tripCallsMin: 30,
  policyErrors: { calls: 3, ppm: 10_000, windowMs: 60_000 },
  upstreamErrors: { marginPpm: 20_000, tripPpm: 100_000, action: 'rollback' },
  latency: { marginPpm: 250_000, tripPpm: 2_000_000, action: 'rollback' },
  cost: { marginPpm: 150_000, tripPpm: 1_000_000, action: 'rollback' },
  denies: { marginPpm: 30_000, tripPpm: 200_000, action: 'hold' },
  guardrails: { marginPpm: 30_000, tripPpm: 200_000, action: 'hold' },
}

/** A share that a candidate is given, and what must have passed before the next one. */
export const RampStep = Type.Object(
  {
    ppm: Type.Integer({ minimum: 1, maximum: 1_000_000, description: '1,000,000 makes it the stable one.' }),
    minMs: Type.Integer({ minimum: 0, maximum: 2_592_000_000, description: 'At least so long.' }),
    minCalls: Type.Integer({
      minimum: 0,
      maximum: 1_000_000_000,
      description: 'At least so many calls of the candidate; fewer hold it here.',
    }),
  },
  closed,
)
export type RampStep = Static<typeof RampStep>
export const rampStepsMax = 16

/** What was seen of one arm of a rollout since its present share began. */
export const ArmFigures = Type.Object(
  {
    calls: Count,
    policyErrors: Count,
    upstreamErrors: Count,
    denies: Count,
    guardrails: Type.Integer({ minimum: 0, description: 'Calls that a guardrail blocked or refused.' }),
    pricedCalls: Type.Integer({ minimum: 0, description: 'Calls whose cost is known.' }),
    costNanoUsd: Type.Object({ total: NanoUsd }, closed),
    latencyMs: Type.Object(
      { p50: orNull(Type.Number()), p95: orNull(Type.Number()) },
      { ...closed, description: 'Of answered calls, to the first token or the whole answer.' },
    ),
  },
  closed,
)
export type ArmFigures = Static<typeof ArmFigures>

/** How one guard stands. Figures are ppm of calls for rates, ms for `latency`, nano-dollars per call for `cost`. */
export const GuardState = Type.Object(
  {
    metric: Type.Enum([...guardMetrics]),
    state: Type.Enum(['ok', 'waiting', 'breached'], { description: '`waiting`: too few calls to tell.' }),
    action: Type.Enum([...guardActions]),
    kind: orNull(Type.Enum(['tripwire', 'sequential'], { description: 'How it was breached.' })),
    stable: orNull(Type.Number()),
    candidate: orNull(Type.Number()),
    stableRange: orNull(
      Type.Array(Type.Number(), { minItems: 2, maxItems: 2, description: 'Where it lies, beyond doubt.' }),
    ),
    candidateRange: orNull(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 })),
  },
  closed,
)
export type GuardState = Static<typeof GuardState>

/** A candidate beside stable, in the same time. */
export const Comparison = Type.Object(
  {
    sinceMs: TimeMs,
    stable: ArmFigures,
    candidate: ArmFigures,
    guards: Type.Array(GuardState),
    verdict: Type.Enum(['steady', 'ramping', 'waiting', 'held', 'breached'], {
      description:
        '`steady`: no ramp; `ramping`: goes on when its time has come; `waiting`: too few calls; `held`: a guard of action `hold`, or a freeze.',
    }),
    reason: orNull(Type.String()),
    nextStepMs: orNull(Type.Integer({ minimum: 0, description: 'When the next share may begin.' })),
  },
  closed,
)
export type Comparison = Static<typeof Comparison>

/** Why a candidate was taken back, as it stood at that moment. */
export const Evidence = Type.Object(
  {
    metric: Type.Enum([...guardMetrics]),
    kind: Type.Enum(['tripwire', 'sequential']),
    by: Type.Enum(['gateway', 'control-plane']),
    gateway: orNull(Type.String()),
    message: Type.String({ maxLength: 1024 }),
    atMs: TimeMs,
    guard: orNull(GuardState),
    stable: orNull(ArmFigures),
    candidate: orNull(ArmFigures),
    window: orNull(
      Type.Object(
        { calls: Count, failed: Count, windowMs: Count },
        {
          ...closed,
          description: 'What the gateway counted, where it was one that stopped.',
        },
      ),
    ),
    guards: Guards,
    falseAlarmPpm: Type.Integer({ description: 'Of this test at this step.' }),
    records: Type.Array(Id, { maxItems: 16, description: 'Calls that show it.' }),
  },
  closed,
)
export type Evidence = Static<typeof Evidence>

/** What one call was part of. */
export const RolloutPart = Type.Object(
  { deployment: Id, workspace: Type.String({ maxLength: 63 }), arm: Type.Enum([...arms]), version: Digest },
  closed,
)
export type RolloutPart = Static<typeof RolloutPart>

/** What a version that only looks on would have said of a call. */
export const ShadowResult = Type.Object(
  {
    deployment: Id,
    version: Digest,
    same: Type.Boolean({ description: 'The same decision, byte for byte.' }),
    decisionDigest: Type.Optional(Digest),
    effect: Type.Enum(['allow', 'deny', 'error']),
    policy: Type.Optional(Type.String({ maxLength: 128 })),
    rule: Type.Optional(Type.String({ maxLength: 128 })),
    changed: Type.Array(Type.String({ maxLength: 64 }), {
      maxItems: 16,
      description: 'Members of the decision that differ.',
    }),
  },
  closed,
)
export type ShadowResult = Static<typeof ShadowResult>

/** What a record says of rollouts, shadows and freezes. */
export const rolloutShape = {
  rollouts: Type.Optional(
    Type.Array(RolloutPart, { maxItems: 16, description: 'Rollouts that the call was part of, root first.' }),
  ),
  shadows: Type.Optional(
    Type.Array(ShadowResult, { maxItems: 16, description: 'What versions that look on would have said.' }),
  ),
  switchedOff: Type.Optional(
    Type.Array(Type.String({ maxLength: 256 }), {
      maxItems: 64,
      description: '`workspace/policy` that a freeze kept from being asked.',
    }),
  ),
} as const

/** What is switched off in an environment. Signed, with the state. */
export const Freeze = Type.Object({
  reason: Type.String({ maxLength: 512 }),
  /** Nothing is deployed and no ramp goes on. Absent in a document from before: it was all that a freeze meant. */
  deployments: Type.Optional(Type.Boolean()),
  /** All calls are decided by stable versions. */
  candidates: Type.Optional(Type.Boolean()),
  /** Policies that are not asked. */
  policies: Type.Optional(
    Type.Array(Type.Object({ workspace: Type.String(), policy: Type.String() }), { maxItems: 64 }),
  ),
})
export type Freeze = Static<typeof Freeze>

/** What a gateway says when its tripwire has ended a candidate. */
export const Trip = Type.Object(
  {
    deployment: Id,
    environment: EnvironmentName,
    candidate: Digest,
    calls: Count,
    failed: Count,
    windowMs: Count,
    atMs: TimeMs,
    records: Type.Array(Id, { maxItems: 16 }),
    message: Type.String({ maxLength: 1024 }),
  },
  closed,
)
export type Trip = Static<typeof Trip>

/** The candidate of a release, beyond what the first release had. */
export const releasedCandidateShape = {
  rollout: Type.Optional(Id),
  by: Type.Optional(Type.Enum([...bucketKinds])),
  tripwire: Type.Optional(orNull(PolicyTripwire)),
} as const
