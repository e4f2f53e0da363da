import { type Static, Type } from 'typebox'
import { Decision, policyKinds } from './decision.ts'
import { localities, operations } from './facts.ts'
import { Caps, Patch, PlanNode, Retries, Timeouts } from './plan.ts'
import { PromptValue } from './prompt.ts'
import { Ppm } from './scalars.ts'

/*
 * The JSON form of policies. The same data stands in the intermediate form for what authors write in TypeScript.
 * Operators and effects: docs in policies/README.md.
 */
const closed = { additionalProperties: false } as const
const RuleId = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$', description: 'Stable id of the rule.' })
export const OnError = Type.Enum(['deny', 'continue', 'safeRoute'])
export type OnError = Static<typeof OnError>

/**
 * An expression. Literals stand for themselves; `{fact}` reads a path and needs `or` where the fact is optional;
 * `{param}` reads a hot value; `{item}` is the member at hand of a list that `some` or `every` walks; the others are
 * operators over expressions.
 */
export type Expression =
  | string
  | number
  | boolean
  | null
  | Expression[]
  | { fact: string; or?: string | number | boolean | null }
  | { param: string }
  | { all: Expression[] }
  | { any: Expression[] }
  | { not: Expression }
  | { eq: [Expression, Expression] }
  | { ne: [Expression, Expression] }
  | { lt: [Expression, Expression] }
  | { lte: [Expression, Expression] }
  | { gt: [Expression, Expression] }
  | { gte: [Expression, Expression] }
  | { in: [Expression, Expression] }
  | { has: string }
  | { startsWith: [Expression, Expression] }
  | { endsWith: [Expression, Expression] }
  | { contains: [Expression, Expression] }
  | { some: [Expression, Expression] }
  | { every: [Expression, Expression] }
  | { item: true }
  | { bucket: { rollout: string; ppm: Expression } }

/** Which candidate models an `only` keeps; every given column must match. */
export const ModelFilter = Type.Object(
  {
    locality: Type.Optional(Type.Enum([...localities])),
    connection: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 64 })])),
    provider: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 64 })])),
    target: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 64 })])),
    region: Type.Optional(Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 64 })])),
    minRemainingPpm: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "Share of the provider's rate limits that is left; one that does not tell is kept.",
      }),
    ),
  },
  { ...closed, description: 'Columns of a candidate model; all given ones must match.' },
)
export type ModelFilter = Static<typeof ModelFilter>

const Code = Type.String({
  pattern: '^[A-Za-z][A-Za-z0-9_]{0,63}$',
  description: 'a code: a letter, then letters, digits or "_"',
})
const DenyEffect = Type.Object(
  {
    deny: Type.Object(
      {
        code: Code,
        http: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
        message: Type.Optional(Type.String({ maxLength: 512 })),
        audience: Type.Optional(Type.Enum(['caller', 'operator'])),
      },
      closed,
    ),
  },
  closed,
)
const OnlyEffect = Type.Object(
  { only: Type.Object({ where: ModelFilter, code: Type.Optional(Code) }, closed) },
  closed,
)
const RequireGuardEffect = Type.Object(
  {
    requireGuard: Type.Object(
      {
        id: Type.String({ maxLength: 128 }),
        direction: Type.Enum(['input', 'output']),
        onError: Type.Optional(Type.Enum(['block', 'pass'])),
        mode: Type.Optional(Type.Enum(['enforce', 'audit'], { description: '`enforce` if left out.' })),
        stream: Type.Optional(
          Type.Enum(['hold', 'window', 'post'], { description: "In place of the guardrail's own." }),
        ),
      },
      closed,
    ),
  },
  closed,
)
const CapEffect = Type.Object({ cap: Caps }, closed)
/** A prompt with values for its variables; in JSON form a value may come from a fact. */
const PromptUse = Type.Object(
  {
    name: Type.String({ maxLength: 128 }),
    variables: Type.Optional(
      Type.Record(
        Type.String({ maxLength: 64 }),
        Type.Union([
          ...PromptValue.anyOf,
          Type.Object(
            {
              fact: Type.String(),
              or: Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
            },
            closed,
          ),
        ]),
      ),
    ),
  },
  { ...closed, description: 'A prompt, with values for its variables.' },
)
export type PromptUse = Static<typeof PromptUse>
const { onErrorClass, cache, semanticCache, fidelity, obligations } = Decision.properties
/** What a choice can say beside its plan: members of `use`, and of an effect that is a `plan`. */
export const ChoiceMembers = Type.Object({
  variant: Type.Optional(
    Type.Object(
      {
        rollout: Type.String({ maxLength: 128 }),
        name: Type.String({ maxLength: 64 }),
        propensityPpm: Type.Optional(Ppm),
      },
      closed,
    ),
  ),
  annotate: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }))),
  caps: Type.Optional(Caps),
  cache,
  semanticCache,
  fidelity,
  mirror: Type.Optional(
    Type.String({ maxLength: 256, description: 'Alias or target that gets a copy of the call.' }),
  ),
  onErrorClass,
  obligations: Type.Optional(obligations),
})
export type ChoiceMembers = Static<typeof ChoiceMembers>
const UseEffect = Type.Object(
  {
    use: Type.Object(
      {
        model: Type.Union([
          Type.String({ maxLength: 256, description: 'Alias or target.' }),
          Type.Object({ fact: Type.String(), or: Type.String() }, closed),
        ]),
        fallback: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 16 })),
        patch: Type.Optional(Patch),
        prompt: Type.Optional(Type.Union([Type.String({ maxLength: 128 }), PromptUse])),
        timeouts: Type.Optional(Timeouts),
        retries: Type.Optional(Retries),
        ...ChoiceMembers.properties,
      },
      closed,
    ),
  },
  closed,
)
const PlanEffect = Type.Object({ plan: PlanNode, ...ChoiceMembers.properties }, closed)
const ContinueEffect = Type.Object({ continue: Type.Literal(true) }, closed)

export const Effect = Type.Union([
  DenyEffect,
  OnlyEffect,
  RequireGuardEffect,
  CapEffect,
  UseEffect,
  PlanEffect,
  ContinueEffect,
])
export const PolicyMatch = Type.Object(
  {
    operation: Type.Optional(Type.Enum([...operations])),
    route: Type.Optional(
      Type.String({ maxLength: 128, description: 'Glob over `request.route`: `docs/*`.' }),
    ),
    node: Type.Optional(Type.String({ maxLength: 256, description: 'Path of a node: this and all below.' })),
  },
  closed,
)
export const ParamDeclaration = Type.Union([
  Type.Object(
    {
      type: Type.Literal('int'),
      default: Type.Integer(),
      min: Type.Optional(Type.Integer()),
      max: Type.Optional(Type.Integer()),
    },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal('ppm'),
      default: Ppm,
      min: Type.Optional(Ppm),
      max: Type.Optional(Ppm),
    },
    { ...closed, description: 'Parts per million, 0 to 1,000,000.' },
  ),
  Type.Object({ type: Type.Literal('bool'), default: Type.Boolean() }, closed),
  Type.Object(
    {
      type: Type.Literal('string'),
      default: Type.String({ maxLength: 256 }),
      enum: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 })),
    },
    closed,
  ),
  Type.Object(
    {
      type: Type.Literal('stringList'),
      default: Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 }),
      enum: Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 64 })),
      maxItems: Type.Optional(Type.Integer({ minimum: 0, maximum: 64 })),
    },
    closed,
  ),
])
/** Findings of `check` that are meant, each with the reason; errors cannot be allowed. */
export const Allowances = Type.Array(
  Type.Object(
    {
      code: Type.String({ maxLength: 64, description: 'Code of the finding.' }),
      reason: Type.String({ minLength: 1, maxLength: 512 }),
    },
    closed,
  ),
  { maxItems: 32, description: 'Findings of `check` that are meant here.' },
)
export const PolicyFile = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    kind: Type.Enum([...policyKinds]),
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,127}$', description: 'Stable id of the policy.' }),
    description: Type.Optional(Type.String({ maxLength: 1024 })),
    match: Type.Optional(PolicyMatch),
    onError: Type.Optional(OnError),
    safeRoute: Type.Optional(Type.String({ maxLength: 256 })),
    allow: Type.Optional(Allowances),
    params: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z][A-Za-z0-9_]{0,63}$' }), ParamDeclaration),
    ),
    rules: Type.Array(
      Type.Object(
        {
          id: RuleId,
          when: Type.Optional(Type.Unknown({ description: 'Expression; always true if left out.' })),
          then: Type.Union([Effect, Type.Array(Effect, { minItems: 1, maxItems: 8 })]),
          onError: Type.Optional(OnError),
          allow: Type.Optional(Allowances),
        },
        closed,
      ),
      { minItems: 1, maxItems: 256 },
    ),
  },
  { ...closed, description: 'A policy in JSON form.' },
)
export type PolicyFile = Static<typeof PolicyFile>
export type Effect = Static<typeof Effect>
export type PolicyMatch = Static<typeof PolicyMatch>
export type ParamDeclaration = Static<typeof ParamDeclaration>
