import { type Static, Type } from 'typebox'
import { drillFaults, GoldenPrompt, goldenPromptsMax } from './drill.ts'
import { localities } from './facts.ts'
import { limitMax, limitModes } from './limits.ts'
import { budgetModes, FiscalStart, TimeZone } from './money.ts'
import { Name, TargetName } from './scalars.ts'

const closed = { additionalProperties: false } as const

/** Where a credential comes from. `env:` and `file:` are read by the gateway, `secret:` is sealed to it. */
export const CredentialReference = Type.String({
  pattern: '^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|secret:[a-z0-9][a-z0-9._-]*)$',
  maxLength: 512,
  description: 'Credential: `env:NAME`, `file:PATH` or `secret:NAME`.',
})
export const Connection = Type.Object(
  {
    provider: Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'Provider adapter: `openai`, `anthropic`, …',
    }),
    baseUrl: Type.Optional(
      Type.String({
        pattern: '^https?://',
        maxLength: 2048,
        description:
          "As the vendor's own SDK means it: with `/v1` for OpenAI formats, without for Anthropic.",
      }),
    ),
    credential: Type.Optional(CredentialReference),
    pool: Type.Optional(
      Type.Array(CredentialReference, {
        minItems: 1,
        maxItems: 15,
        uniqueItems: true,
        description:
          'More keys of the same account or others: healthy ones take turns, one that is refused (401, 402, 403) or ' +
          'rate limited (429) is left out for a time and the call goes on with the next.',
      }),
    ),
    apiVersion: Type.Optional(
      Type.String({
        pattern: '^[0-9a-z.-]+$',
        maxLength: 64,
        description: 'Of provider `azure-openai`: `2024-10-21`. Left out: its v1 API.',
      }),
    ),
    ca: Type.Optional(
      Type.String({
        pattern: '^file:.+',
        maxLength: 512,
        description:
          "Certificates of the server's own authority, `file:PATH` (PEM), read by the gateway; they stand in place of the common ones.",
      }),
    ),
    locality: Type.Optional(Type.Enum([...localities])),
    region: Type.Optional(Type.String({ maxLength: 64 })),
    project: Type.Optional(
      Type.String({
        pattern: '^[a-z][a-z0-9.:-]{0,127}$',
        description: 'Google Cloud project of provider `vertex`, with `region` as its location (`global`).',
      }),
    ),
    formats: Type.Optional(
      Type.Array(Type.Enum(['openai-chat', 'openai-responses']), {
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        description:
          "Formats that the server speaks: a caller's own where it is among them, else the first. Of providers " +
          '`openai` (both) and `openai-compatible` (`openai-chat`).',
      }),
    ),
  },
  closed,
)
export type Connection = Static<typeof Connection>

export const CatalogueOverride = Type.Object(
  {
    input: Type.Optional(Type.Number({ minimum: 0, description: 'USD per million units.' })),
    output: Type.Optional(Type.Number({ minimum: 0 })),
    cacheRead: Type.Optional(Type.Number({ minimum: 0 })),
    cacheWrite5m: Type.Optional(Type.Number({ minimum: 0 })),
    cacheWrite1h: Type.Optional(Type.Number({ minimum: 0 })),
    searches: Type.Optional(Type.Number({ minimum: 0, description: 'USD per million searches of the web.' })),
    contextTokens: Type.Optional(Type.Integer({ minimum: 1 })),
    outputTokensMax: Type.Optional(Type.Integer({ minimum: 1 })),
    visibleOutput: Type.Optional(Type.Boolean()),
    abortStopsBilling: Type.Optional(Type.Boolean()),
  },
  closed,
)

/** A span of time, as people write it. */
const DeclaredTime = (description: string) =>
  Type.String({
    pattern: '^[1-9][0-9]{0,5}[mhdw]$',
    description: `${description}: \`90m\`, \`24h\`, \`7d\`.`,
  })
/** When a route is drilled, and what its fallbacks have to answer. */
const DrillDeclaration = Type.Object(
  {
    every: DeclaredTime('How often'),
    targets: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 16,
        description: 'How many targets the route has; 2 if left out.',
      }),
    ),
    faults: Type.Optional(
      Type.Array(Type.Enum([...drillFaults]), {
        minItems: 1,
        uniqueItems: true,
        description: 'All if left out.',
      }),
    ),
    golden: Type.Optional(Type.Array(GoldenPrompt, { maxItems: goldenPromptsMax })),
    maxCost: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,6}(?:\\.[0-9]{1,9})? USD$',
        description: 'No call of a run is begun once this is spent; `0.10 USD` if left out.',
      }),
    ),
    alertAfter: Type.Optional(DeclaredTime('An alert is raised where no run has held wholly for so long')),
  },
  closed,
)
export type DrillDeclaration = Static<typeof DrillDeclaration>

const Environment = Type.Object(
  {
    connections: Type.Optional(Type.Record(Name, Type.Partial(Connection))),
    models: Type.Optional(Type.Record(Name, Type.Array(TargetName, { minItems: 1, maxItems: 16 }))),
    params: Type.Optional(Type.Record(Type.String({ maxLength: 128 }), Type.Unknown())),
    coverage: Type.Optional(Type.Integer({ minimum: 0, maximum: 100 })),
    drills: Type.Optional(
      Type.Record(Type.String({ minLength: 1, maxLength: 256 }), DrillDeclaration, {
        maxProperties: 64,
        description: 'Routes that are drilled by schedule, by alias or target.',
      }),
    ),
    approvals: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 0, maximum: 10 }),
          Type.Object(
            {
              count: Type.Integer({ minimum: 1, maximum: 10 }),
              role: Type.Optional(Type.Enum(['owner', 'admin', 'security'])),
            },
            closed,
          ),
        ],
        {
          description: 'People beside the one who asks that must agree to a deployment; the role they need.',
        },
      ),
    ),
  },
  closed,
)
/** An amount of money or tokens, as people write it. */
const DeclaredAmount = Type.String({
  pattern: '^(?:[0-9]{1,9}(?:\\.[0-9]{1,9})? USD|[0-9]{1,17} tokens)$',
  description: 'An amount with its unit: `500 USD`, `2.50 USD`, `2000000 tokens`.',
})
/** Budgets of a team: one for each window that is named; the other members hold for all of them. */
const BudgetDeclaration = Type.Object(
  {
    daily: Type.Optional(DeclaredAmount),
    weekly: Type.Optional(DeclaredAmount),
    monthly: Type.Optional(DeclaredAmount),
    quarterly: Type.Optional(DeclaredAmount),
    yearly: Type.Optional(DeclaredAmount),
    total: Type.Optional(DeclaredAmount),
    mode: Type.Optional(Type.Enum([...budgetModes])),
    alerts: Type.Optional(
      Type.Array(Type.Integer({ minimum: 1, maximum: 1000, description: 'Percent of the limit.' }), {
        maxItems: 16,
      }),
    ),
    timeZone: Type.Optional(TimeZone),
    fiscalStart: Type.Optional(FiscalStart),
  },
  closed,
)
export type BudgetDeclaration = Static<typeof BudgetDeclaration>
const TeamDeclaration = Type.Object(
  {
    budget: Type.Optional(BudgetDeclaration),
    limits: Type.Optional(
      Type.Object(
        {
          rpm: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limitMax, description: 'Requests per minute.' }),
          ),
          rph: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limitMax, description: 'Requests per hour.' }),
          ),
          rpd: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limitMax, description: 'Requests per day.' }),
          ),
          tpm: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limitMax, description: 'Tokens per minute.' }),
          ),
          tph: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limitMax, description: 'Tokens per hour.' }),
          ),
          tpd: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, description: 'Tokens per day.' })),
          concurrency: Type.Optional(
            Type.Integer({ minimum: 1, maximum: limitMax, description: 'Calls at the same time.' }),
          ),
          mode: Type.Optional(
            Type.Enum([...limitModes], { description: 'Of all of them; `hard` if left out.' }),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
)

/** A package whose policy code a workspace may import, at one exact version. */
export const PackName = Type.String({
  pattern:
    '^(@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*@[0-9]+\\.[0-9]+\\.[0-9]+(-[0-9A-Za-z.-]+)?(\\+[0-9A-Za-z.-]+)?$',
  maxLength: 160,
  description: 'Name of a package and its exact version: `acme-pack@1.2.3`.',
})

/** `signalbox.yaml`. */
export const WorkspaceFile = Type.Object(
  {
    $schema: Type.Optional(Type.String({ description: 'Schema of this file, for editors.' })),
    name: Name,
    node: Type.Optional(
      Type.String({ maxLength: 256, description: 'Owning node, as a path; the root if left out.' }),
    ),
    connections: Type.Optional(Type.Record(Name, Connection)),
    models: Type.Optional(Type.Record(Name, Type.Array(TargetName, { minItems: 1, maxItems: 16 }))),
    metadata: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$' }),
        Type.Record(Type.String(), Type.Unknown()),
      ),
    ),
    catalogue: Type.Optional(Type.Record(TargetName, CatalogueOverride)),
    safeRoute: Type.Optional(
      Type.String({ maxLength: 256, description: 'Alias or target for a failing route.' }),
    ),
    packs: Type.Optional(
      Type.Array(PackName, { maxItems: 32, description: 'Packages of policy code, each `name@version`.' }),
    ),
    teams: Type.Optional(Type.Record(Name, TeamDeclaration)),
    environments: Type.Optional(Type.Record(Name, Environment)),
  },
  { ...closed, description: 'signalbox.yaml' },
)
export type WorkspaceFile = Static<typeof WorkspaceFile>

/** Provider adapters of the gateway, by name: one file each in its folder `providers`. */
export const providers = [
  'anthropic',
  'azure-openai',
  'bedrock',
  'cohere',
  'gemini',
  'openai',
  'openai-compatible',
  'vertex',
] as const

/**
 * Connections that exist without being declared, one per native provider. A workspace that declares the same name
 * replaces them. In `development` they answer from the simulated provider while their credential is missing.
 */
export const nativeConnections: Readonly<Record<string, Connection>> = {
  openai: { provider: 'openai', credential: 'env:OPENAI_API_KEY' },
  anthropic: { provider: 'anthropic', credential: 'env:ANTHROPIC_API_KEY' },
  google: { provider: 'gemini', credential: 'env:GEMINI_API_KEY' },
}
