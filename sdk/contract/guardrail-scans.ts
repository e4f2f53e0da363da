import { type Static, type TSchema, Type } from 'typebox'
import { Ppm } from './scalars.ts'

/*
 * Scans that a guardrail declares itself, beside the built-in detectors: data, run by the host. Each gives findings
 * under the name that the guardrail calls it by.
 */
const closed = { additionalProperties: false } as const
const words = (description: string, maxItems = 1024) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { minItems: 1, maxItems, description })
const count = (maximum: number) => Type.Optional(Type.Integer({ minimum: 0, maximum }))
const charsMax = 16_777_216
const listed = {
  allow: Type.Optional(
    words('Names that may be there, with `*` for any characters; all others are found.', 256),
  ),
  deny: Type.Optional(words('Names that are found, with `*` for any characters.', 256)),
}

/** Longest match of a pattern that says nothing of it, in UTF-16 units. */
export const regexCharsMax = 256
/** Characters of the terms of one scan, all together. */
export const termsCharsMax = 65_536

/** Patterns in RE2 syntax: no look-around, no references, linear time. The kind of a finding is its pattern's name. */
const Regex = Type.Object(
  {
    patterns: Type.Record(
      Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }),
      Type.String({ minLength: 1, maxLength: 1024 }),
      { minProperties: 1, maxProperties: 64, description: 'Patterns by name, in RE2 syntax.' },
    ),
    ignoreCase: Type.Optional(Type.Boolean()),
    charsMax: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 4096,
        description: `Characters of the longest match that counts, ${regexCharsMax} if left out; a stream is held back by as many.`,
      }),
    ),
  },
  closed,
)
const Terms = Type.Object(
  {
    any: words('Terms that are found, without regard to case.'),
    wholeWords: Type.Optional(Type.Boolean({ description: 'Only as whole words; yes if left out.' })),
  },
  closed,
)
const JsonSchema = Type.Object(
  {
    schema: Type.Union([Type.Boolean(), Type.Record(Type.String(), Type.Unknown())], {
      description: 'JSON Schema 2020-12 without references to other documents.',
    }),
    repair: Type.Optional(
      Type.Boolean({
        description:
          'Takes the JSON out of a fence or prose around it, closes what was left open, before it fails.',
      }),
    ),
  },
  closed,
)
const Length = Type.Object(
  {
    charsMin: count(charsMax),
    charsMax: count(charsMax),
    wordsMin: count(charsMax),
    wordsMax: count(charsMax),
    linesMax: count(charsMax),
    sentencesMax: count(charsMax),
  },
  { ...closed, minProperties: 1 },
)
const Urls = Type.Object(
  {
    ...listed,
    schemes: Type.Optional(words('Schemes that are found as URLs; http and https if left out.', 16)),
  },
  closed,
)
const Permission = Type.Object({ ...listed }, { ...closed, minProperties: 1 })
const connection = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,63}$',
  description: 'Name of a connection in signalbox.yaml.',
})
const Judge = Type.Object(
  {
    model: Type.String({ maxLength: 256, description: 'Alias or target that judges.' }),
    criteria: Type.String({
      minLength: 1,
      maxLength: 4096,
      description: 'What is not wanted, in words; the judge says how surely the text is that.',
    }),
    thresholdPpm: Type.Optional(Ppm),
  },
  closed,
)
const Moderation = Type.Object(
  {
    connection,
    model: Type.Optional(Type.String({ maxLength: 128, description: 'omni-moderation-latest if left out.' })),
    thresholds: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Ppm, {
        description: 'Categories that are found from this score on; without it those that OpenAI flags.',
      }),
    ),
  },
  closed,
)
const Webhook = Type.Object(
  {
    connection,
    path: Type.String({ pattern: '^/[!-~]{0,511}$', description: "Path below the connection's base URL." }),
  },
  closed,
)

/** What each kind of scan is told, by its name. */
export const guardrailScanKinds = {
  regex: Regex,
  terms: Terms,
  jsonSchema: JsonSchema,
  length: Length,
  urls: Urls,
  models: Permission,
  tools: Permission,
  judge: Judge,
  moderation: Moderation,
  webhook: Webhook,
} as const satisfies Record<string, TSchema>
export type GuardrailScanKind = keyof typeof guardrailScanKinds
export const guardrailScanNames = Object.keys(guardrailScanKinds) as GuardrailScanKind[]
export type GuardrailScanOptions<Kind extends GuardrailScanKind> = Static<(typeof guardrailScanKinds)[Kind]>

/** One scan: its kind, and what that is told: `{ "terms": { "any": ["Project Falcon"] } }`. */
export const GuardrailScan = Type.Partial(Type.Object({ ...guardrailScanKinds }, closed), {
  ...closed,
  minProperties: 1,
  maxProperties: 1,
})
export type GuardrailScan = Static<typeof GuardrailScan>
/** Scans by the name under which their findings stand. */
export const GuardrailScans = Type.Record(
  Type.String({ pattern: '^[A-Za-z][A-Za-z0-9_-]{0,63}$' }),
  GuardrailScan,
  { minProperties: 1, maxProperties: 16, description: 'Scans of its own, by the name of their findings.' },
)
export type GuardrailScans = Static<typeof GuardrailScans>

/** Parts of a conversation, by who wrote them and what they are. */
export const textParts = [
  'system',
  'user',
  'assistant',
  'toolCall',
  'toolResult',
  'tools',
  'reasoning',
  'other',
] as const
export type TextPart = (typeof textParts)[number]
/** Parts that an answer has. */
export const outputParts: readonly TextPart[] = ['assistant', 'toolCall', 'reasoning']

/** How much a guardrail may do: `shadow` after the call, `audit` notes, `warn` tells the caller, `enforce` acts. */
export const guardrailLevels = ['shadow', 'audit', 'warn', 'enforce'] as const
/** When a stream goes out: after its end, held back by a bounded number of characters, or at once. */
export const streamModes = ['post', 'window', 'hold'] as const
export type StreamMode = (typeof streamModes)[number]

/** One guardrail of a pipeline, and what follows from its verdict. */
export const GuardrailStep = Type.Object(
  {
    guardrail: Type.String({ maxLength: 128, description: 'Id of a guardrail of the same direction.' }),
    onPass: Type.Optional(
      Type.Enum(['next', 'allow'], { description: '`allow` ends the pipeline; `next` if left out.' }),
    ),
    onFail: Type.Optional(
      Type.Enum(['act', 'next', 'allow'], {
        description: '`act` does what the guardrail says, and goes on after a redaction; `act` if left out.',
      }),
    ),
    onError: Type.Optional(
      Type.Enum(['block', 'next', 'allow'], {
        description: '`block` makes it an error; `block` if left out.',
      }),
    ),
  },
  closed,
)
export type GuardrailStep = Static<typeof GuardrailStep>

/** Members of a guardrail that say how it is run. */
export const guardrailRunning = {
  level: Type.Optional(
    Type.Enum([...guardrailLevels], { description: 'How much it may do; `enforce` if left out.' }),
  ),
  parts: Type.Optional(
    Type.Array(Type.Enum([...textParts]), {
      minItems: 1,
      maxItems: textParts.length,
      uniqueItems: true,
      description: 'Parts of the conversation that it checks; all if left out.',
    }),
  ),
  stream: Type.Optional(
    Type.Enum([...streamModes], {
      description:
        'How answers that come in pieces are checked; as far as it can be in a window if left out.',
    }),
  ),
  samplePpm: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1_000_000,
      description: 'Share of the calls that it checks, in ppm.',
    }),
  ),
  timeoutMs: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 60_000,
      description: 'Time for scans that ask others; 5,000 if left out.',
    }),
  ),
  scan: Type.Optional(GuardrailScans),
  pipeline: Type.Optional(
    Type.Array(GuardrailStep, {
      minItems: 1,
      maxItems: 16,
      description: 'Guardrails in order, in place of rules.',
    }),
  ),
} as const
