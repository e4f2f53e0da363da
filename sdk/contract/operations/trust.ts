import { type Static, Type } from 'typebox'
import { Envelope, RootDocument } from '../documents.ts'
import { defineOperation } from '../operation.ts'
import { EnvironmentName } from '../scalars.ts'

const closed = { additionalProperties: false } as const
const PublicKey = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'Ed25519, raw, base64url; its private part stays with whoever made it.',
})
const Threshold = Type.Integer({ minimum: 1, maximum: 16 })
const KeyId = Type.String({ pattern: '^[0-9a-f]{16}$' })

/** Whose signatures count. */
export const Trust = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1 }),
    root: RootDocument,
    envelope: Envelope,
    held: Type.Array(KeyId, { description: 'Keys whose private parts the control plane has.' }),
    trustRoot: Type.String({ description: 'For `SIGNALBOX_TRUST_ROOT` of a new gateway.' }),
  },
  closed,
)
export type Trust = Static<typeof Trust>

const changed = Type.Object(
  {
    published: Type.Boolean({ description: 'False where signatures of root keys are missing.' }),
    envelope: Envelope,
    missing: Type.Object(
      { before: Type.Integer({ minimum: 0 }), after: Type.Integer({ minimum: 0 }) },
      { ...closed, description: 'Signatures of root keys that the old and the new document still want.' },
    ),
    pending: Type.Optional(Type.Array(Type.String())),
  },
  closed,
)
const refusals = ['invalid_request', 'conflict'] as const

export const trustOperations = {
  getTrust: defineOperation({
    id: 'getTrust',
    method: 'GET',
    path: '/v1/trust',
    role: 'member',
    summary: 'The root document: whose signatures count, and how many of them.',
    reply: Trust,
    errors: [],
  }),
  changeTrust: defineOperation({
    id: 'changeTrust',
    method: 'POST',
    path: '/v1/trust',
    role: ['owner', 'security'],
    summary: 'Makes the next root document: other keys, thresholds, and where authors must sign.',
    body: Type.Object(
      {
        sequence: Type.Optional(
          Type.Integer({ minimum: 1, description: 'Of the root that the change was made on.' }),
        ),
        rotate: Type.Optional(
          Type.Array(Type.Enum(['root', 'release']), {
            maxItems: 2,
            uniqueItems: true,
            description: 'Roles whose keys the control plane replaces by new ones of its own.',
          }),
        ),
        add: Type.Optional(
          Type.Array(Type.Object({ role: Type.Enum(['root', 'author']), publicKey: PublicKey }, closed), {
            maxItems: 16,
          }),
        ),
        remove: Type.Optional(Type.Array(KeyId, { maxItems: 16 })),
        thresholds: Type.Optional(
          Type.Partial(Type.Object({ root: Threshold, release: Threshold, author: Threshold }, closed)),
        ),
        authorsIn: Type.Optional(
          Type.Array(EnvironmentName, {
            maxItems: 64,
            uniqueItems: true,
            description:
              'Environments whose gateways run only what enough authors have signed; replaces the list.',
          }),
        ),
      },
      closed,
    ),
    reply: changed,
    errors: refusals,
  }),
  publishTrust: defineOperation({
    id: 'publishTrust',
    method: 'PUT',
    path: '/v1/trust/root',
    role: ['owner', 'security'],
    summary: 'Publishes a root document that holders of root keys have signed elsewhere.',
    body: Type.Object({ envelope: Envelope }, closed),
    reply: changed,
    errors: refusals,
  }),
} as const
