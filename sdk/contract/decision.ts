import { type Static, Type } from 'typebox'
import { Caps, PlanNode } from './plan.ts'
import { NanoUsdInteger, Ppm, TargetName } from './scalars.ts'

const closed = { additionalProperties: false } as const
const short = (description: string, maxLength = 128) => Type.String({ maxLength, description })

export const Reason = Type.Object(
  {
    code: Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$', description: 'Code of the reason.' }),
    policy: short('Policy id.'),
    rule: short('Rule id, or empty.'),
    workspace: short('Workspace of the policy.'),
    http: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
    audience: Type.Enum(['caller', 'operator']),
    message: Type.Optional(short('For people.', 512)),
  },
  closed,
)
export const GuardrailReference = Type.Object(
  {
    id: short('Guardrail id.'),
    mode: Type.Enum(['enforce', 'audit']),
    onError: Type.Enum(['block', 'pass']),
    stream: Type.Optional(Type.Enum(['hold', 'window', 'post'])),
  },
  closed,
)
/** How answers are found to questions that mean the same, where the cache has a part in the call. */
export const SemanticCache = Type.Object(
  {
    model: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'Alias or target that embeds questions.',
    }),
    thresholdPpm: Type.Integer({
      minimum: 500_000,
      maximum: 1_000_000,
      description: 'Cosine from which on two questions mean the same, in parts per million.',
    }),
  },
  { ...closed, description: 'Answers to questions that mean the same may be given.' },
)
export type SemanticCache = Static<typeof SemanticCache>
export const errorClasses = [
  'rateLimit',
  'overload',
  'contextWindow',
  'contentPolicy',
  'guardrailVerdict',
  'invalidOutput',
  'timeout',
  'unavailable',
] as const

/**
 * decision/1: everything the policies say of a call. Fields may be added, never renamed, removed or given another
 * meaning. `effect: allow` always has a `plan`.
 */
export const Decision = Type.Object(
  {
    schema: Type.Literal('decision/1'),
    effect: Type.Enum(['allow', 'deny']),
    reasons: Type.Array(Reason, { maxItems: 64 }),
    plan: Type.Optional(PlanNode),
    mirror: Type.Optional(TargetName),
    onErrorClass: Type.Optional(
      Type.Partial(
        Type.Object(
          Object.fromEntries(errorClasses.map((name) => [name, PlanNode])) as Record<
            (typeof errorClasses)[number],
            typeof PlanNode
          >,
        ),
        closed,
      ),
    ),
    caps: Caps,
    guardrails: Type.Object(
      {
        input: Type.Array(GuardrailReference, { maxItems: 32 }),
        output: Type.Array(GuardrailReference, { maxItems: 32 }),
      },
      closed,
    ),
    cache: Type.Optional(Type.Enum(['off', 'read', 'readWrite'])),
    semanticCache: Type.Optional(SemanticCache),
    fidelity: Type.Optional(Type.Enum(['strict', 'warn', 'lossy'])),
    budget: Type.Optional(Type.Object({ reserveNanoUsd: Type.Optional(NanoUsdInteger) }, closed)),
    variant: Type.Optional(
      Type.Object(
        {
          rollout: short('Rollout id.'),
          name: short('Arm of the rollout.'),
          propensityPpm: Type.Optional(Ppm),
        },
        closed,
      ),
    ),
    obligations: Type.Array(
      Type.Object(
        {
          type: Type.Enum(['logLevel', 'header', 'notify', 'tag']),
          args: Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 })),
        },
        closed,
      ),
      { maxItems: 16 },
    ),
    annotations: Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 })),
  },
  { ...closed, description: 'What the policies say of a call.' },
)
export type Decision = Static<typeof Decision>
export type Reason = Static<typeof Reason>
export type GuardrailReference = Static<typeof GuardrailReference>

export const policyKinds = ['constraint', 'route'] as const
export type PolicyKind = (typeof policyKinds)[number]
/**
 * What became of one policy:
 * `denied`, `narrowed` (constraints), `chosen`, `continued` (routes), `noEffect` (no rule matched),
 * `notApplicable` (its `match` does not hold), `notReached` (a route after the one that chose), `failed`.
 */
export const policyOutcomes = [
  'denied',
  'narrowed',
  'chosen',
  'continued',
  'noEffect',
  'notApplicable',
  'notReached',
  'failed',
] as const
export const PolicyResult = Type.Object(
  {
    id: short('Policy id.'),
    kind: Type.Enum([...policyKinds]),
    workspace: short('Workspace of the policy.'),
    rule: Type.Union([short('The rule that matched; the first one for a constraint.'), Type.Null()]),
    outcome: Type.Enum([...policyOutcomes]),
    error: Type.Optional(
      Type.Object(
        { kind: short('timeout, memory, exception, invalid', 32), message: short('Text.', 512) },
        closed,
      ),
    ),
    trace: Type.String({
      maxLength: 4096,
      description:
        'One character per condition in compile order: `-` not evaluated, `0` false, `1` true, `!` threw.',
    }),
  },
  closed,
)
export type PolicyResult = Static<typeof PolicyResult>
