import { type Static, Type } from 'typebox'
import { NanoUsd } from './scalars.ts'

const closed = { additionalProperties: false } as const

/**
 * Faults that a drill puts in the place of a target's answer: an error by its status, a connection that is refused,
 * nothing at all, only signs of life, an answer that breaks off at once, one that makes no sense.
 */
export const drillFaults = ['429', '500', '529', 'refused', 'stall', 'slow', 'cut', 'malformed'] as const
export type DrillFault = (typeof drillFaults)[number]
/** A drill as `x-signalbox-drill` says it: `500`, or `500; targets=2` for the first two targets of the selection. */
export interface Drill {
  readonly fault: DrillFault
  /** How many targets fail, from the first on. */
  readonly targets: number
}

const texts = (description: string) =>
  Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems: 16, description }),
  )
/** A call with a known good answer, which a fallback has to give too. */
export const GoldenPrompt = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    messages: Type.Array(
      Type.Object(
        {
          role: Type.Enum(['system', 'user', 'assistant']),
          content: Type.String({ maxLength: 8192 }),
        },
        closed,
      ),
      { minItems: 1, maxItems: 16 },
    ),
    outputTokensMax: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 4096, description: '64 where left out.' }),
    ),
    expect: Type.Object(
      {
        contains: texts('Texts that stand in the answer, in any case.'),
        excludes: texts('Texts that do not.'),
        matches: Type.Optional(
          Type.String({ maxLength: 512, description: 'RE2 that the answer matches somewhere.' }),
        ),
        json: Type.Optional(Type.Literal(true, { description: 'The answer is JSON.' })),
        charsMax: Type.Optional(Type.Integer({ minimum: 1 })),
      },
      { ...closed, minProperties: 1 },
    ),
  },
  closed,
)
export type GoldenPrompt = Static<typeof GoldenPrompt>
export const goldenPromptsMax = 16
const dayMs = 86_400_000

/** How a route is drilled by schedule. */
export const DrillPlan = Type.Object(
  {
    everyMs: Type.Integer({ minimum: 60_000, maximum: 30 * dayMs, description: 'How often.' }),
    targets: Type.Integer({ minimum: 1, maximum: 16, description: 'How many targets the route has.' }),
    faults: Type.Array(Type.Enum([...drillFaults]), { minItems: 1, uniqueItems: true }),
    golden: Type.Array(GoldenPrompt, { maxItems: goldenPromptsMax }),
    costNanoUsdMax: Type.String({
      pattern: '^[0-9]{1,18}$',
      description: 'No call of a run is begun once this is spent.',
    }),
    unprovenMs: Type.Integer({
      minimum: 60_000,
      maximum: 365 * dayMs,
      description: 'An alert is raised where no run has held wholly for so long.',
    }),
  },
  closed,
)
export type DrillPlan = Static<typeof DrillPlan>
/** What holds where a plan says nothing else. */
export const drillPlanDefaults = {
  targets: 2,
  faults: [...drillFaults],
  golden: [],
  costNanoUsdMax: '100000000',
  unprovenMs: 7 * dayMs,
} satisfies Omit<DrillPlan, 'everyMs'>

/** One synthetic call with a fault in place of its first targets. */
export const DrillResult = Type.Object(
  {
    fault: Type.Enum([...drillFaults]),
    stream: Type.Boolean(),
    targets: Type.Integer({ minimum: 1, maximum: 16, description: 'How many targets failed.' }),
    outcome: Type.Enum(['held', 'fell', 'wrong', 'unproven'], {
      description:
        '`held`: another target answered. `fell`: the caller got an error. `wrong`: it answered, and not what was expected. `unproven`: nothing was there to fail.',
    }),
    golden: Type.Optional(Type.String({ maxLength: 64, description: 'The golden prompt that was asked.' })),
    unmet: Type.Optional(
      Type.Array(Type.String({ maxLength: 320 }), {
        maxItems: 40,
        description: 'What was expected and is not so.',
      }),
    ),
    target: Type.Union([Type.String({ maxLength: 256 }), Type.Null()], {
      description: 'Who answered, or was tried last.',
    }),
    status: Type.Integer({ minimum: 0, maximum: 599 }),
    ms: Type.Integer({ minimum: 0 }),
    decision: Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
      description: "Id of the call's record; null where the gateway made none.",
    }),
  },
  closed,
)
export type DrillResult = Static<typeof DrillResult>

/** What the drills of a route came to. */
export const ScoreCard = Type.Object(
  {
    model: Type.String({ minLength: 1, maxLength: 256 }),
    held: Type.Integer({ minimum: 0 }),
    of: Type.Integer({
      minimum: 0,
      description: 'How many were wanted; those that were not made count as not held.',
    }),
    costNanoUsd: NanoUsd,
    results: Type.Array(DrillResult, { maxItems: 512 }),
    stopped: Type.Optional(Type.Literal('cost', { description: 'It would have cost more than it may.' })),
  },
  closed,
)
export type ScoreCard = Static<typeof ScoreCard>
