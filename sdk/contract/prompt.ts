import { type Static, Type } from 'typebox'
import { Digest } from './scalars.ts'

/*
 * Prompts of a version. A template is data: text, places for variables, and parts that are shown or not. The host
 * renders it; nothing of it is code, and what a variable holds is never read as a part of it.
 */
const closed = { additionalProperties: false } as const

/** Characters of one text that a prompt takes; a variable's own `maxLength` may say less. */
export const promptTextCharactersMax = 262_144
/** Members of a list that a prompt takes. */
export const promptListMax = 256

const PromptScalar = Type.Union([
  Type.String({ maxLength: promptTextCharactersMax }),
  Type.Number(),
  Type.Boolean(),
])
export const PromptValue = Type.Union([
  ...PromptScalar.anyOf,
  Type.Array(PromptScalar, { maxItems: promptListMax }),
])
export type PromptValue = Static<typeof PromptValue>
/** Values for the variables of a prompt, by name. */
export const PromptVariables = Type.Record(Type.String({ maxLength: 64 }), PromptValue)
export type PromptVariables = Static<typeof PromptVariables>

export const promptRoles = ['system', 'user', 'assistant'] as const
export type PromptRole = (typeof promptRoles)[number]

/** A part of a template, in order. A section is followed by the parts that belong to it. */
export const PromptPart = Type.Union([
  Type.String({ description: 'Text as it is.' }),
  Type.Object(
    { variable: Type.String({ description: 'Name; `.` is the member of the list around it.' }) },
    closed,
  ),
  Type.Object(
    {
      section: Type.String({ description: 'Variable that says whether, or how often, it is shown.' }),
      inverted: Type.Optional(
        Type.Boolean({ description: 'Shown where the variable is false, empty or missing.' }),
      ),
      parts: Type.Integer({ minimum: 0, description: 'How many of the next parts belong to it.' }),
      file: Type.String({ description: 'Where it is written; a partial stands in a file of its own.' }),
      line: Type.Integer({ minimum: 1 }),
      column: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
])
export type PromptPart = Static<typeof PromptPart>

/** A message of a prompt. */
export const PromptMessage = Type.Object(
  { role: Type.Enum([...promptRoles]), parts: Type.Array(PromptPart, { maxItems: 8192 }) },
  closed,
)
export type PromptMessage = Static<typeof PromptMessage>

/** A prompt as a version holds it. */
export const CompiledPrompt = Type.Object(
  {
    name: Type.String(),
    file: Type.String(),
    /** Over its file and those of its partials. */
    digest: Digest,
    description: Type.Optional(Type.String()),
    /** JSON Schemas by name, those of its partials among them, with `required` and `default`. */
    variables: Type.Record(Type.String(), Type.Unknown()),
    model: Type.Optional(Type.String()),
    /** Prompts that it includes. */
    partials: Type.Optional(Type.Array(Type.String())),
    /** Missing in versions that were compiled before prompts were applied to calls. */
    messages: Type.Optional(Type.Array(PromptMessage, { maxItems: 64 })),
  },
  closed,
)
export type CompiledPrompt = Static<typeof CompiledPrompt>
