import { type Static, Type } from 'typebox'
import { MetadataValue } from './facts.ts'
import { TimeMs, Usage } from './scalars.ts'

const closed = { additionalProperties: false } as const
const short = (maxLength: number, description?: string) =>
  Type.String({ maxLength, ...(description !== undefined && { description }) })

/** A call that a client made past the gateway while that was away. Told to the gateway once it is back. */
export const DirectCall = Type.Object(
  {
    id: Type.String({
      pattern: '^[\\w-]{8,64}$',
      description: 'Made by the client; the same call is taken once.',
    }),
    timeMs: TimeMs,
    durationMs: Type.Number({ minimum: 0, maximum: 86_400_000 }),
    provider: short(64, 'Name that the key was given under: `openai`.'),
    model: short(256, 'Model that was asked, as the provider names it.'),
    requested: short(256, 'Model as the program named it.'),
    stream: Type.Boolean(),
    status: Type.Integer({
      minimum: 0,
      maximum: 599,
      description: '0 where the provider was not reached either.',
    }),
    reason: Type.Enum(['unreachable', 'notReady']),
    usage: Type.Optional(Usage),
    metadata: Type.Optional(Type.Record(short(64), MetadataValue, { maxProperties: 64 })),
  },
  closed,
)
export type DirectCall = Static<typeof DirectCall>

/** Calls of one report. */
export const directCallsMax = 100
/** `POST /v1/direct` of a gateway. */
export const DirectReport = Type.Object(
  { calls: Type.Array(DirectCall, { minItems: 1, maxItems: directCallsMax }) },
  closed,
)
export type DirectReport = Static<typeof DirectReport>
