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

/** What a model can do, as far as its sources say; `temperature` where it takes sampling parameters. */
export const modelCapabilities = ['tools', 'reasoning', 'structuredOutput', 'temperature'] as const
const Day = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'Day in UTC: `2026-10-16`.' })
const Modalities = Type.Array(Type.String({ maxLength: 32 }), { maxItems: 16 })

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
    capabilities: Type.Optional(
      Type.Array(Type.Enum([...modelCapabilities]), {
        description: 'All that are known; absent: not known.',
      }),
    ),
    inputs: Type.Optional(Modalities),
    outputs: Type.Optional(Modalities),
    free: Type.Optional(Type.Boolean({ description: 'Every price is zero.' })),
    openWeights: Type.Optional(Type.Boolean()),
    released: Type.Optional(Day),
    deprecated: Type.Optional(Type.Boolean()),
    retires: Type.Optional(Type.String({ ...Day, description: 'Day from which the vendor refuses it.' })),
    successor: Type.Optional(
      Type.String({ maxLength: 256, description: 'What the vendor says to use instead.' }),
    ),
  },
  closed,
)
export type CatalogueModel = Static<typeof CatalogueModel>
/** What holds for all models of one vendor, by its public terms for API customers. */
export const CatalogueVendor = Type.Object(
  {
    name: Type.String({ maxLength: 64 }),
    trainsOnData: Type.Optional(Type.Boolean({ description: 'By default, on what API calls send.' })),
    retentionDays: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Longest time that calls are kept by default.' }),
    ),
    source: Type.String({ maxLength: 512, description: 'Page that says so.' }),
  },
  closed,
)
export type CatalogueVendor = Static<typeof CatalogueVendor>
/** Everything static that is known of models; a blob pinned by each version. */
export const Catalogue = Type.Object(
  {
    schema: Type.Literal('catalogue/1'),
    source: Type.String(),
    models: Type.Array(CatalogueModel),
    vendors: Type.Optional(Type.Array(CatalogueVendor)),
  },
  closed,
)
export type Catalogue = Static<typeof Catalogue>
