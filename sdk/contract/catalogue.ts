import { type Static, Type } from 'typebox'
import { modelTiers } from './facts.ts'
import { type UsageUnit, usageUnits } from './scalars.ts'

const closed = { additionalProperties: false } as const
/** Pico-dollars (1e-12 USD) per unit. */
const PicoUsd = Type.Integer({ minimum: 0, description: 'Pico-dollars (1e-12 USD) per unit.' })

/** Prices of one tier: the last row whose condition holds for the whole call is the one that counts. */
export const PriceRow = Type.Object(
  {
    inputOver: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Holds where input with cache units exceeds this many tokens.',
      }),
    ),
    units: Type.Partial(
      Type.Object(
        Object.fromEntries(usageUnits.map((unit) => [unit, PicoUsd])) as Record<UsageUnit, typeof PicoUsd>,
        closed,
      ),
    ),
  },
  closed,
)
export type PriceRow = Static<typeof PriceRow>

export const CatalogueModel = Type.Object(
  {
    provider: Type.String({ maxLength: 64, description: 'Vendor: `openai`, `anthropic`, …' }),
    id: Type.String({ maxLength: 256, description: 'Model id as the vendor spells it.' }),
    spellings: Type.Array(Type.String({ maxLength: 256 }), { description: 'Other names of the same model.' }),
    name: Type.Optional(Type.String({ maxLength: 256 })),
    prices: Type.Optional(Type.Array(PriceRow, { maxItems: 8, description: 'Absent: price unknown.' })),
    contextTokens: Type.Optional(Type.Integer({ minimum: 1 })),
    outputTokensMax: Type.Optional(Type.Integer({ minimum: 1 })),
    tier: Type.Optional(Type.Enum([...modelTiers])),
    visibleOutput: Type.Optional(Type.Boolean()),
    abortStopsBilling: Type.Optional(Type.Boolean()),
  },
  closed,
)
export type CatalogueModel = Static<typeof CatalogueModel>
/** Everything static that is known of models; a blob pinned by each version. */
export const Catalogue = Type.Object(
  { schema: Type.Literal('catalogue/1'), source: Type.String(), models: Type.Array(CatalogueModel) },
  closed,
)
export type Catalogue = Static<typeof Catalogue>
