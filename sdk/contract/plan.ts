import { type Static, Type } from 'typebox'
import { NanoUsdInteger, TargetName } from './scalars.ts'

/** How the children of a strategy node are chosen. Only `ordered` has an engine so far; `check` refuses the others. */
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
/** Strategies this release can execute. */
export const executableStrategies: readonly Strategy[] = ['ordered']
/** A plan tree is at most this deep. */
export const planDepthMax = 8

/** Changes to the request's parameters; spliced into the caller's bytes on a same-dialect hop. */
export const Patch = Type.Object(
  {
    maxOutputTokens: Type.Optional(Type.Integer({ minimum: 1 })),
    temperaturePpm: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_000_000 })),
    reasoningLevel: Type.Optional(Type.Enum(['none', 'minimal', 'low', 'medium', 'high', 'max'])),
  },
  { additionalProperties: false },
)
export const Timeouts = Type.Object(
  {
    connectMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    firstTokenMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    idleMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 600_000 })),
    totalMs: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600_000 })),
  },
  { additionalProperties: false },
)
export const PromptReference = Type.Object(
  { name: Type.String({ maxLength: 128 }), digest: Type.Optional(Type.String({ maxLength: 71 })) },
  { additionalProperties: false },
)

export const TargetNode = Type.Object(
  {
    target: TargetName,
    patch: Type.Optional(Patch),
    prompt: Type.Optional(PromptReference),
    timeouts: Type.Optional(Timeouts),
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
