import { type Static, Type } from 'typebox'
import { DetectorSignals } from './detectors.ts'
import { Id, Name, NanoUsdInteger, Ppm, TargetName } from './scalars.ts'

/** As `facts/1` has it from the first day: without an end. */
const TimeMs = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970-01-01 UTC.' })
const short = (description: string, maxLength = 128) => Type.String({ maxLength, description })
const closed = { additionalProperties: false } as const
const count = (description: string) => Type.Integer({ minimum: 0, description })

export const operations = [
  'chat',
  'embeddings',
  'completion',
  'rerank',
  'image',
  'audio',
  'moderation',
  'countTokens',
  'files',
  'batches',
  'realtime',
  'passthrough',
] as const
export const modelTiers = ['small', 'mid', 'large', 'unknown'] as const
export const localities = ['cloud', 'on-prem'] as const

/** A fact of a target that its provider's headers give. */
export const RemainingPpm = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: "Share that is left of the provider's tightest rate limit, where it tells.",
})

/** Metadata values that a policy may read: scalars only. */
export const MetadataValue = Type.Union([Type.String({ maxLength: 256 }), Type.Number(), Type.Boolean()])

export const BudgetLevel = Type.Object(
  {
    nodeId: Id,
    scope: short('Path of the node: `team/search`.', 256),
    window: Type.Enum(['day', 'week', 'month', 'quarter', 'year', 'total']),
    limitNanoUsd: NanoUsdInteger,
    settledNanoUsd: NanoUsdInteger,
    reservedNanoUsd: NanoUsdInteger,
    remainingNanoUsd: NanoUsdInteger,
    usedPpm: Type.Integer({ minimum: 0 }),
    resetsAtMs: Type.Optional(TimeMs),
    mode: Type.Enum(['hard', 'soft', 'shadow']),
  },
  closed,
)

/**
 * One candidate target of the call: only the columns that change from call to call. Static ones (provider, locality,
 * prices, capabilities) are joined from the release's catalogue when a policy reads them.
 */
export const ModelFact = Type.Object(
  {
    target: TargetName,
    health: Type.Object(
      {
        state: Type.Enum(['up', 'degraded', 'down', 'unavailable']),
        errorPpm: Ppm,
        remainingPpm: Type.Optional(RemainingPpm),
        remainingRequests: Type.Optional(count("Requests left of the provider's limit, where it tells.")),
        remainingTokens: Type.Optional(count("Tokens left of the provider's limit, where it tells.")),
      },
      closed,
    ),
    lossless: Type.Boolean({ description: 'The target can carry everything this call asks for.' }),
  },
  closed,
)

/**
 * facts/1: everything that policies may know of a call. Fields may be added, never renamed, removed or given another
 * meaning. Every string and list has a maximum; what was cut to fit is named in `truncated`.
 */
export const Facts = Type.Object(
  {
    schema: Type.Literal('facts/1'),
    phase: Type.Enum(['route', 'input', 'output']),
    nowMs: TimeMs,
    seed: Type.Integer({
      minimum: 0,
      maximum: 4_294_967_295,
      description: 'Random number drawn by the host.',
    }),
    environment: Type.Object({ name: Name, region: short('Region of the gateway, or empty.') }, closed),
    request: Type.Object(
      {
        id: Id,
        operation: Type.Enum([...operations]),
        dialect: short('Wire format of the caller: `openai-chat`, `anthropic-messages`.', 32),
        route: short("The caller's own name for what it is doing: metadata member `route`, else empty."),
        stream: Type.Boolean(),
        model: Type.Object(
          {
            requested: short('The model as the caller named it.', 256),
            alias: Type.Optional(short('The alias that the name meant.')),
            targets: Type.Array(TargetName, {
              maxItems: 16,
              description: 'What the name resolves to, in order.',
            }),
            tier: Type.Enum([...modelTiers]),
          },
          closed,
        ),
        params: Type.Object(
          {
            maxOutputTokens: Type.Optional(Type.Integer({ minimum: 0 })),
            temperaturePpm: Type.Optional(Type.Integer({ minimum: 0 })),
            reasoningLevel: Type.Optional(short('Reasoning effort asked for.', 16)),
            responseFormat: Type.Optional(Type.Enum(['text', 'json', 'jsonSchema'])),
            choices: Type.Optional(Type.Integer({ minimum: 1, description: 'Answers asked for (`n`).' })),
          },
          closed,
        ),
        prompt: Type.Optional(
          Type.Object(
            {
              name: short(
                'Prompt of a workspace that the caller named; its messages stand in the call.',
                128,
              ),
              version: Type.Integer({ minimum: 1, description: 'Version that it is of: 12 for v12.' }),
            },
            closed,
          ),
        ),
        messages: Type.Object(
          {
            count: count('Messages of the conversation.'),
            chars: count('Characters of text in them.'),
            hasSystem: Type.Boolean(),
            hasImages: Type.Boolean(),
            lastRole: short('Role of the last message.', 32),
          },
          closed,
        ),
        tools: Type.Object(
          { count: count('Tools offered.'), names: Type.Array(short('Tool name.', 64), { maxItems: 64 }) },
          closed,
        ),
        estimate: Type.Object(
          {
            inputTokens: count('Estimated input tokens.'),
            outputTokens: count('Estimated output tokens.'),
            maxCostNanoUsd: Type.Optional(NanoUsdInteger),
          },
          closed,
        ),
        bytes: count('Size of the request body.'),
        metadata: Type.Record(short('Declared metadata property.', 64), MetadataValue, {
          description: 'Declared metadata as the caller sent it: claims, not truths.',
        }),
        client: Type.Optional(short('User agent of the caller.', 128)),
      },
      closed,
    ),
    subject: Type.Object(
      {
        organisationId: Id,
        keyId: Id,
        keyName: short('Label of the key.'),
        node: Type.Object(
          {
            id: Id,
            path: Type.Array(Name, { maxItems: 16, description: 'Names from the root down, key left out.' }),
          },
          closed,
        ),
        team: Type.Optional(Type.Object({ id: Id, name: Name }, closed)),
        userId: Type.Optional(short('End user, from the metadata or the dialect.', 256)),
        auth: Type.Enum(['key']),
        stickyKey: Type.Optional(
          short('What stays with one arm of a rollout: user, else session, else key.', 256),
        ),
      },
      closed,
    ),
    session: Type.Optional(Type.Object({ id: short('Session named by the caller.', 256) }, closed)),
    data: Type.Object(
      {
        sensitivity: Type.Optional(
          Type.Object(
            {
              rank: Type.Integer({ minimum: 0, maximum: 4 }),
              label: short('Label of the rank.', 32),
              source: Type.Enum(['claim', 'detector', 'default']),
            },
            closed,
          ),
        ),
        detectors: DetectorSignals,
        detectorErrors: Type.Array(short('A detector that failed.', 64), { maxItems: 32 }),
        scanned: Type.Optional(
          Type.Object(
            {
              chars: count('Characters that the detectors looked at.'),
              totalChars: count('Characters of text in the call.'),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
    budget: Type.Object(
      {
        levels: Type.Array(BudgetLevel, { maxItems: 32 }),
        tightest: Type.Optional(BudgetLevel),
        asOfMs: TimeMs,
        degraded: Type.Boolean(),
      },
      closed,
    ),
    models: Type.Array(ModelFact, { maxItems: 64 }),
    degraded: Type.Boolean({ description: 'The state is older than it should be.' }),
    truncated: Type.Array(short('Path that was cut to its maximum.'), { maxItems: 32 }),
  },
  { ...closed, description: 'What policies may know of a call.' },
)
export type Facts = Static<typeof Facts>
export type BudgetLevel = Static<typeof BudgetLevel>
export type ModelFact = Static<typeof ModelFact>
export type Operation = (typeof operations)[number]
export type Locality = (typeof localities)[number]
/** Facts stay at or under this size whatever the prompt's. */
export const factsBytesMax = 16_384
