import { type Static, Type } from 'typebox'
import { Digest, Name, NanoUsd } from './scalars.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

/** A version by its number and its digest. */
export const NumberedVersion = Type.Object({ version: Type.Integer(), digest: Digest }, closed)

export const changedThings = [
  'workspace',
  'policy',
  'rule',
  'guardrail',
  'prompt',
  'param',
  'alias',
  'connection',
  'metadata',
  'price',
  'engine',
] as const

/** What one version means and the other does not: not which lines of text differ. */
export const VersionChanges = Type.Object(
  {
    workspace: Name,
    before: NumberedVersion,
    after: NumberedVersion,
    rebuilt: Type.Array(Type.Integer(), {
      maxItems: 2,
      description: 'Versions whose sources give another digest now: the compiler changed since.',
    }),
    changes: Type.Array(
      Type.Object(
        {
          thing: Type.Enum([...changedThings]),
          name: Type.String({ description: '`pick`, `pick/polish`, `smart in production`.' }),
          change: Type.Enum(['added', 'removed', 'changed', 'moved']),
          details: Type.Array(Type.String()),
          file: Type.Optional(Type.String()),
          line: Type.Optional(Type.Integer({ minimum: 1 })),
        },
        closed,
      ),
    ),
    weakened: Type.Array(
      Type.Object(
        {
          what: Type.String(),
          why: Type.String(),
          file: Type.String(),
          line: Type.Integer({ minimum: 1 }),
        },
        { ...closed, description: 'What was forbidden or looked at, and would not be any more.' },
      ),
    ),
    costs: Type.Array(
      Type.Object(
        {
          what: Type.String({ description: '`pick/polish`, `alias smart`.' }),
          environment: Type.String({ description: 'Empty where it is the same in all.' }),
          inputTokens: Type.Integer({ minimum: 0 }),
          before: orNull(NanoUsd),
          after: orNull(NanoUsd),
        },
        { ...closed, description: 'The most that a call can cost, where that changes; null: not known.' },
      ),
    ),
    files: Type.Array(
      Type.Object({ path: Type.String(), change: Type.Enum(['added', 'removed', 'changed']) }, closed),
      { description: 'Source files whose text differs.' },
    ),
  },
  closed,
)
export type VersionChanges = Static<typeof VersionChanges>
