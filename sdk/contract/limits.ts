import { type Static, Type } from 'typebox'
import { MetadataValue } from './facts.ts'
import { BudgetOwner } from './money.ts'
import { Id } from './scalars.ts'

const closed = { additionalProperties: false } as const

/** What a limit counts: calls, tokens of input and output, or calls that are under way at the same time. */
export const limitUnits = ['requests', 'tokens', 'concurrency'] as const
export type LimitUnit = (typeof limitUnits)[number]
/** A window begins with the first use of it. Concurrency has none. */
export const limitWindows = ['minute', 'hour', 'day'] as const
export type LimitWindow = (typeof limitWindows)[number]
export const limitWindowMs: Readonly<Record<LimitWindow, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
}
/** `hard` refuses what is too much, `shadow` only counts what it would have refused. */
export const limitModes = ['hard', 'shadow'] as const
export type LimitMode = (typeof limitModes)[number]

/** The largest number a limit can have. */
export const limitMax = 1_000_000_000_000

/** The members of a limit that its holder, its makers and gateways see alike. */
export const limitShape = {
  unit: Type.Enum([...limitUnits]),
  window: Type.Optional(Type.Enum([...limitWindows], { description: 'Left out for `concurrency` alone.' })),
  limit: Type.Integer({ minimum: 0, maximum: limitMax, description: 'So many; 0 lets nothing pass.' }),
  mode: Type.Enum([...limitModes]),
  model: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description:
        'Only calls of this model: the name as asked, the alias, or the target that is tried first.',
    }),
  ),
  metadata: Type.Optional(
    Type.Object(
      {
        name: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }),
        value: MetadataValue,
      },
      { ...closed, description: 'Only calls whose declared metadata has this value.' },
    ),
  ),
  per: Type.Optional(
    Type.String({
      pattern: '^(key|user|model|metadata\\.[A-Za-z_][A-Za-z0-9_]{0,63})$',
      description:
        'Counts each key, user, model or value of a metadata property by itself: `key`, `metadata.feature`.',
    }),
  ),
}

/** A limit as gateways see it. Part of the state document. */
export const StateLimit = Type.Object({ id: Id, owner: BudgetOwner, ...limitShape }, closed)
export type StateLimit = Static<typeof StateLimit>
