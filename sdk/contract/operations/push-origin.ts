import { Type } from 'typebox'
import { Digest } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const Signature = Type.Object(
  { keyId: Type.String({ maxLength: 64 }), sig: Type.String({ maxLength: 128 }) },
  closed,
)

/** What a version says of where it comes from. */
export const versionParent = {
  parent: Type.Union([Digest, Type.Null()], {
    description: 'The version that an edit outside Git started from.',
  }),
} as const

/** What a push says of where it comes from. */
export const pushOrigin = {
  source: Type.Optional(Type.String({ maxLength: 512 })),
  commit: Type.Optional(Type.String({ maxLength: 64 })),
  author: Type.Optional(Type.String({ maxLength: 256 })),
  message: Type.Optional(Type.String({ maxLength: 1024 })),
  ciRun: Type.Optional(
    Type.String({ maxLength: 512, description: 'Where the job that pushes can be looked at.' }),
  ),
  parent: Type.Optional(
    Type.String({
      maxLength: 80,
      description: 'The version that an edit outside Git started from: its number or digest.',
    }),
  ),
  signatures: Type.Optional(
    Type.Array(Signature, { maxItems: 16, description: 'What authors say of the version.' }),
  ),
} as const
