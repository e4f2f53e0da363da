import { Type } from 'typebox'

/** Ids are UUIDv7: unique, ordered by time. */
export const Id = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'Unique id (UUIDv7), ordered by time.',
})
export const Digest = Type.String({
  pattern: '^sha256:[0-9a-f]{64}$',
  description: 'Content digest: `sha256:` and 64 hex digits.',
})
/** Counts the changes of an object: a change names the one it was made on, and is refused where another came before. */
export const Revision = Type.Integer({ minimum: 1, description: 'The revision that the change was made on.' })
/** The last millisecond of the year 9999: what comes after it no date is written with. */
const timeMsMax = 253_402_300_799_999
/** Milliseconds since 1970-01-01 UTC. */
export const TimeMs = Type.Integer({
  minimum: 0,
  maximum: timeMsMax,
  description: 'Milliseconds since 1970-01-01 UTC.',
})
/** Money outside facts and decisions: nano-dollars (1e-9 USD) as a decimal string. */
export const NanoUsd = Type.String({
  pattern: '^-?[0-9]{1,30}$',
  description: 'Nano-dollars (1e-9 USD) as a decimal string.',
})
/** Money inside facts and decisions: a safe integer that saturates at 2^53-1. */
export const NanoUsdInteger = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Nano-dollars (1e-9 USD), saturating at 2^53-1.',
})
export const Ppm = Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'Parts per million.' })
export const Name = Type.String({
  pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
  description: 'Name: lower-case letters, digits, `.`, `_`, `-`; at most 63.',
})
/** `connection/model`, split at the first slash. */
export const TargetName = Type.String({
  pattern: '^[^/\\s]+/\\S+$',
  maxLength: 256,
  description: 'Target: `connection/model`.',
})
export const EnvironmentName = Name
/** Usage unit → count. Missing is unknown, zero is zero. */
export const usageUnits = [
  'input',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'output',
  'reasoning',
  'imageIn',
  'audioIn',
  'audioOut',
  'searches',
  'requests',
] as const
export type UsageUnit = (typeof usageUnits)[number]
export const Usage = Type.Partial(
  Type.Object(
    Object.fromEntries(usageUnits.map((unit) => [unit, Type.Integer({ minimum: 0 })])) as Record<
      UsageUnit,
      ReturnType<typeof Type.Integer>
    >,
  ),
  {
    additionalProperties: false,
    description:
      'Counts by unit. `input` excludes cache reads and writes; `output` includes reasoning, `reasoning` is its share.',
  },
)
