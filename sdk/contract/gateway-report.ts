import { type Static, Type } from 'typebox'
import { NanoUsd, TimeMs } from './scalars.ts'

const closed = { additionalProperties: false } as const
const Count = Type.Integer({ minimum: 0 })

/** What a gateway says of itself now and then, for `signalbox status`. Counts are since its start. */
export const GatewayReport = Type.Object(
  {
    /** Redis or Valkey: `none` where it has no address of one. */
    sharedStore: Type.Enum(['connected', 'away', 'none']),
    cache: Type.Object(
      {
        hits: Count,
        misses: Count,
        /** What the answers from the cache would have cost. */
        savedNanoUsd: NanoUsd,
        bytes: Type.Integer({ minimum: 0, description: 'In memory.' }),
      },
      closed,
    ),
    limits: Type.Object({ refused: Count, wouldRefuse: Count }, closed),
    timeMs: TimeMs,
  },
  closed,
)
export type GatewayReport = Static<typeof GatewayReport>
