import { Type } from 'typebox'
import { defineOperation } from '../operation.ts'
import { PromptVariables, promptRoles } from '../prompt.ts'
import { Digest } from '../scalars.ts'

const closed = { additionalProperties: false } as const

/** Trying prompts out. */
export const promptOperations = {
  renderPrompt: defineOperation({
    id: 'renderPrompt',
    method: 'POST',
    path: '/v1/versions/:version/prompts/:prompt/render',
    role: 'member',
    summary:
      'The messages of a prompt with values for its variables, as a gateway would put them into a call.',
    params: Type.Object(
      {
        version: Type.String({
          minLength: 1,
          maxLength: 128,
          description: '`v12`, or 8 digits of a digest.',
        }),
        prompt: Type.String({ minLength: 1, maxLength: 128, description: 'Name of the prompt.' }),
      },
      closed,
    ),
    body: Type.Object({ variables: PromptVariables }, closed),
    reply: Type.Object(
      {
        version: Type.Integer({ minimum: 1 }),
        digest: Digest,
        messages: Type.Array(Type.Object({ role: Type.Enum([...promptRoles]), text: Type.String() }, closed)),
      },
      closed,
    ),
    errors: ['not_found', 'invalid_request', 'request_too_large'],
  }),
} as const
