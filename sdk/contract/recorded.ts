import { Type } from 'typebox'
import { Digest, NanoUsd } from './scalars.ts'

/* Parts of a record's body. */
const closed = { additionalProperties: false } as const

/** The prompt that a caller named. */
export const RecordedPrompt = Type.Object(
  { name: Type.String({ maxLength: 128 }), version: Type.Integer({ minimum: 1 }), digest: Digest },
  { ...closed, description: 'The prompt that the caller named; never its text.' },
)

/** What else an attempt was made for than the caller's answer or a guardrail. */
export const AttemptPurpose = Type.Enum(['cache'], {
  description: 'It embedded the question, to find answers to questions that mean the same.',
})

/** Where an answer of the cache came from. */
export const RecordedHit = Type.Object(
  {
    recordId: Type.String({ maxLength: 64, description: 'The call whose answer this is.' }),
    ageMs: Type.Integer({ minimum: 0 }),
    savedNanoUsd: Type.Optional(NanoUsd),
    similarityPpm: Type.Optional(
      Type.Integer({
        ...{ minimum: 0, maximum: 1_000_000 },
        description: 'Cosine of the two questions, of an answer that was found by its meaning.',
      }),
    ),
    shared: Type.Boolean({ description: 'It waited for a call like it that was under way.' }),
  },
  { ...closed, description: 'Where the answer came from, of a call that the cache answered.' },
)

const text = (maxLength: number) => Type.String({ maxLength })

/** What the caller was told, and in `detail` what only operators read. */
export const RecordedError = Type.Object(
  { code: text(64), message: text(512), detail: Type.Optional(text(2048)) },
  closed,
)
