import { type Static, type TSchema, Type } from 'typebox'
import { PromptVariables } from './prompt.ts'
import { NanoUsdInteger, TargetName } from './scalars.ts'

/** How the children of a strategy node are chosen. */
export const strategies = [
  'ordered',
  'weighted',
  'lowestCost',
  'lowestLatency',
  'leastBusy',
  'sticky',
  'hedged',
] as const
export type Strategy = (typeof strategies)[number]
/** What a plan, or a choice beside its plan, can ask of the gateway. */
export const planFeatures = [
  ...strategies,
  ...(['pipeline', 'mirror', 'onErrorClass', 'cache', 'fidelity', 'obligations'] as const),
] as const
export type PlanFeature = (typeof planFeatures)[number]
/** What the gateway of this release can carry out; `check` refuses the others. The one list there is of it. */
export const executableFeatures: readonly PlanFeature[] = [
  ...strategies,
  'pipeline',
  'onErrorClass',
  'cache',
  'fidelity',
]

const MinRemainingPpm = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description:
      "Parts with less than this share left of their provider's rate limits come last; where the provider does not " +
      'tell, enough is left.',
  }),
)
const quotaOnly = Type.Object({ minRemainingPpm: MinRemainingPpm }, { additionalProperties: false })
const TolerancePpm = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: 'Parts that are worse than the best by at most this share count as equally good.',
  }),
)
/** What `with` of a strategy can say. Weights stand in the order of the parts. */
export const strategyOptions = {
  ordered: quotaOnly,
  weighted: Type.Object(
    {
      weights: Type.Array(Type.Integer({ minimum: 0, maximum: 1_000_000 }), { minItems: 1, maxItems: 64 }),
      by: Type.Optional(
        Type.Enum(['call', 'stickyKey'], { description: 'Drawn anew for each call, or once for a caller.' }),
      ),
      minRemainingPpm: MinRemainingPpm,
    },
    { additionalProperties: false },
  ),
  lowestCost: Type.Object(
    { tolerancePpm: TolerancePpm, minRemainingPpm: MinRemainingPpm },
    { additionalProperties: false },
  ),
  lowestLatency: Type.Object(
    { tolerancePpm: TolerancePpm, minRemainingPpm: MinRemainingPpm },
    { additionalProperties: false },
  ),
  leastBusy: quotaOnly,
  sticky: Type.Object(
    {
      by: Type.Optional(
        Type.Enum(['stickyKey', 'session', 'user', 'prompt'], {
          description: 'What stays with one part; `prompt`: the same start of a prompt, for its cache.',
        }),
      ),
      minRemainingPpm: MinRemainingPpm,
    },
    { additionalProperties: false },
  ),
  hedged: Type.Object(
    {
      afterMs: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 600_000, description: 'When the next part starts too.' }),
      ),
      extraCostNanoUsd: Type.Optional(NanoUsdInteger),
      minRemainingPpm: MinRemainingPpm,
    },
    { additionalProperties: false },
  ),
} as const satisfies Record<Strategy, TSchema>

/** What is known of a step of a pipeline when the next one is considered, and of which kind it is. */
export const stepSignals = {
  finish: 'string',
  chars: 'number',
  inputTokens: 'number',
  outputTokens: 'number',
  confidencePpm: 'number',
  costNanoUsd: 'number',
  durationMs: 'number',
} as const
export type StepSignal = keyof typeof stepSignals
/** A plan tree is at most this deep. */
export const planDepthMax = 8

/** Changes to the request's parameters; spliced into the caller's bytes on a same-dialect hop. */
export const Patch = Type.Object(
  {
    maxOutputTokens: Type.Optional(Type.Integer({ minimum: 1 })),
    temperaturePpm: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_000_000 })),
    reasoningLevel: Type.Optional(Type.Enum(['none', 'minimal', 'low', 'medium', 'high', 'max'])),
    promptCache: Type.Optional(
      Type.Enum(['5m', '1h'], {
        description:
          "Marks tools, system text and conversation for the provider's own prompt cache, for so long. Of Anthropic's " +
          'Messages; others need no marks.',
      }),
    ),
  },
  { additionalProperties: false },
)
export const Timeouts = Type.Object(
  {
    connectMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    firstTokenMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    idleMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    totalMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
    minBytesPerS: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description:
          'A stream that begins slower than this, in bytes per second, is given up for the next target.',
      }),
    ),
    speedWindowMs: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 60_000, description: 'How long that speed is measured.' }),
    ),
  },
  { additionalProperties: false },
)
/** How often a target is tried again before the next one is. */
export const Retries = Type.Integer({ minimum: 0, maximum: 5 })
export const PromptReference = Type.Object(
  {
    name: Type.String({ maxLength: 128 }),
    digest: Type.Optional(Type.String({ maxLength: 71 })),
    variables: Type.Optional(PromptVariables),
  },
  { additionalProperties: false },
)

export const TargetNode = Type.Object(
  {
    target: TargetName,
    patch: Type.Optional(Patch),
    prompt: Type.Optional(PromptReference),
    timeouts: Type.Optional(Timeouts),
    retries: Type.Optional(Retries),
  },
  { additionalProperties: false },
)
const PlanNodeReference = Type.Unsafe<PlanNode>({ $ref: 'PlanNode' })
const StrategyNode = Type.Object(
  {
    strategy: Type.Enum([...strategies]),
    of: Type.Array(PlanNodeReference, { minItems: 1, maxItems: 64 }),
    with: Type.Optional(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown())),
  },
  { additionalProperties: false },
)
type Operand = string | number | boolean
type Comparison = [{ signal: string }, Operand]
/** When a step runs: data, since the gateway asks it after the step before, without the policy. */
export type SignalCondition =
  | { all: SignalCondition[] }
  | { any: SignalCondition[] }
  | { not: SignalCondition }
  | { eq: Comparison }
  | { ne: Comparison }
  | { lt: Comparison }
  | { lte: Comparison }
  | { gt: Comparison }
  | { gte: Comparison }

const PipelineNode = Type.Object(
  {
    pipeline: Type.Array(
      Type.Object(
        {
          id: Type.String({ minLength: 1, maxLength: 64 }),
          node: PlanNodeReference,
          onlyIf: Type.Optional(Type.Unknown()),
          onFailure: Type.Enum(['nextTarget', 'returnPrevious', 'fail']),
        },
        { additionalProperties: false },
      ),
      { minItems: 1, maxItems: 8 },
    ),
  },
  { additionalProperties: false },
)
/** The schema behind every `{ "$ref": "PlanNode" }`; validators and OpenAPI documents have to know it by that name. */
export const PlanNodeDefinition = Type.Union([TargetNode, StrategyNode, PipelineNode], {
  $id: 'PlanNode',
  description: 'A target, a strategy over nodes, or a pipeline of steps; depth at most 8.',
})
/** The tree a route decides. */
export const PlanNode = PlanNodeReference
export type PromptReference = Static<typeof PromptReference>
export type Patch = Static<typeof Patch>
export type Timeouts = Static<typeof Timeouts>
export type TargetNode = Static<typeof TargetNode>
export interface StrategyNode {
  strategy: Strategy
  of: PlanNode[]
  with?: Record<string, unknown>
}
export interface PipelineStep {
  id: string
  node: PlanNode
  onlyIf?: unknown
  onFailure: 'nextTarget' | 'returnPrevious' | 'fail'
}
export interface PipelineNode {
  pipeline: PipelineStep[]
}
export type PlanNode = TargetNode | StrategyNode | PipelineNode

/** Limits that narrow what a call may use; the smallest of all layers holds. */
export const Caps = Type.Object(
  {
    maxOutputTokens: Type.Optional(Type.Integer({ minimum: 1 })),
    costNanoUsd: Type.Optional(NanoUsdInteger),
  },
  { additionalProperties: false },
)
export type Caps = Static<typeof Caps>
