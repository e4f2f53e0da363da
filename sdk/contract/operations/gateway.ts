import { Type } from 'typebox'
import { CredentialDocument, documentKinds, Envelope } from '../documents.ts'
import { GatewayReport } from '../gateway-report.ts'
import { defineOperation } from '../operation.ts'
import { segmentBytesMax } from '../record.ts'
import { Trip } from '../rollout.ts'
import { Digest, EnvironmentName, Id, Name } from '../scalars.ts'

const closed = { additionalProperties: false } as const

/** The SHA-256 of a provider's id, base64url: the id itself stays at the gateway. */
const StoredKey = Type.String({ pattern: '^[A-Za-z0-9_-]{43}$' })
const storedThing = { key: StoredKey, nodeId: Id, connection: Name } as const

/** What a gateway and the control plane say to each other. Documents carry their own signatures. */
export const gatewayOperations = {
  gatewayHello: defineOperation({
    id: 'gatewayHello',
    method: 'POST',
    path: '/v1/gateway/hello',
    role: 'gateway',
    summary: 'A gateway starts: its new incarnation and the key that secrets are sealed to.',
    body: Type.Object(
      {
        incarnation: Id,
        publicKey: Type.String({ maxLength: 64, description: 'X25519, raw, base64url.' }),
        software: Type.String({ maxLength: 64 }),
        url: Type.Optional(Type.String({ maxLength: 512, description: 'Where callers reach it.' })),
        engine: Type.Optional(Digest),
      },
      closed,
    ),
    reply: Type.Object(
      { gatewayId: Id, organisationId: Id, environment: EnvironmentName, serverTimeMs: Type.Integer() },
      closed,
    ),
    errors: ['key_invalid', 'key_revoked'],
  }),
  gatewayDocument: defineOperation({
    id: 'gatewayDocument',
    method: 'GET',
    path: '/v1/gateway/documents/:kind',
    role: 'gateway',
    summary:
      'The newest document of a kind. `If-None-Match` with its ETag and `Prefer: wait=25` wait for a newer one (304).',
    params: Type.Object({ kind: Type.Enum([...documentKinds]) }, closed),
    query: Type.Object(
      {
        sequence: Type.Optional(
          Type.Integer({
            minimum: 1,
            description: 'Of a root: this one, for who must follow them one by one.',
          }),
        ),
      },
      closed,
    ),
    reply: Type.Union([Envelope, CredentialDocument]),
    errors: ['not_found'],
  }),
  gatewayEvents: defineOperation({
    id: 'gatewayEvents',
    method: 'GET',
    path: '/v1/gateway/events',
    role: 'gateway',
    summary: 'Says that a document changed: kind and sequence. Missing one is harmless.',
    reply: Type.Object({ kind: Type.Enum([...documentKinds]), sequence: Type.Integer() }, closed),
    replyForm: 'events',
    errors: [],
  }),
  gatewayBlob: defineOperation({
    id: 'gatewayBlob',
    method: 'GET',
    path: '/v1/gateway/blobs/:digest',
    role: 'gateway',
    summary: 'A blob by its digest; immutable.',
    params: Type.Object({ digest: Digest }, closed),
    reply: Type.Unknown(),
    replyForm: 'bytes',
    errors: ['not_found'],
  }),
  gatewayReport: defineOperation({
    id: 'gatewayReport',
    method: 'POST',
    path: '/v1/gateway/report',
    role: 'gateway',
    summary: 'What a gateway says of itself: whether its shared store is there, what its cache saved.',
    body: Type.Object({ incarnation: Id, report: GatewayReport }, closed),
    reply: Type.Object({}, closed),
    errors: [],
  }),
  gatewayAck: defineOperation({
    id: 'gatewayAck',
    method: 'POST',
    path: '/v1/gateway/acks',
    role: 'gateway',
    summary: 'A document was taken into use, or rejected with the reason.',
    body: Type.Object(
      {
        incarnation: Id,
        kind: Type.Enum([...documentKinds]),
        sequence: Type.Integer({ minimum: 1 }),
        result: Type.Enum(['active', 'rejected']),
        error: Type.Optional(Type.String({ maxLength: 2048 })),
        connections: Type.Optional(
          Type.Record(Name, Type.Enum(['available', 'simulated', 'unavailable']), {
            description: 'What the connections of the active release can do here.',
          }),
        ),
      },
      closed,
    ),
    reply: Type.Object({ ok: Type.Literal(true) }, closed),
    errors: [],
  }),
  gatewayTrip: defineOperation({
    id: 'gatewayTrip',
    method: 'POST',
    path: '/v1/gateway/trips',
    role: 'gateway',
    summary: 'The tripwire of this gateway has ended a candidate: its policies failed. Idempotent.',
    body: Type.Object({ incarnation: Id, trip: Trip }, closed),
    reply: Type.Object(
      { rolledBack: Type.Boolean({ description: 'False where the candidate was gone already.' }) },
      closed,
    ),
    errors: ['invalid_request'],
  }),
  gatewayNoteStored: defineOperation({
    id: 'gatewayNoteStored',
    method: 'POST',
    path: '/v1/gateway/stored',
    role: 'gateway',
    summary:
      'What providers keep and whose it is, and what is no longer kept. The first owner of a thing stays it.',
    body: Type.Object(
      {
        things: Type.Array(Type.Object({ ...storedThing, lasts: Type.Boolean() }, closed), { maxItems: 500 }),
        forgotten: Type.Array(StoredKey, { maxItems: 500 }),
      },
      closed,
    ),
    reply: Type.Object({}, closed),
    errors: [],
  }),
  gatewayFindStored: defineOperation({
    id: 'gatewayFindStored',
    method: 'POST',
    path: '/v1/gateway/stored/find',
    role: 'gateway',
    summary: 'The owners of things that providers keep, made through any gateway of the environment.',
    body: Type.Object({ keys: Type.Array(StoredKey, { maxItems: 500 }) }, closed),
    reply: Type.Object({ things: Type.Array(Type.Object(storedThing, closed)) }, closed),
    errors: [],
  }),
  gatewaySegment: defineOperation({
    id: 'gatewaySegment',
    method: 'PUT',
    path: '/v1/gateway/segments/:digest',
    role: 'gateway',
    summary: 'Uploads a segment of records (NDJSON, zstd), named by the SHA-256 of its bytes. Idempotent.',
    params: Type.Object({ digest: Digest }, closed),
    query: Type.Object(
      {
        incarnation: Id,
        previous: Type.Optional(Digest),
        records: Type.Integer({ minimum: 0, maximum: 1000 }),
      },
      closed,
    ),
    body: 'bytes',
    bodyBytesMax: segmentBytesMax,
    reply: Type.Object({ stored: Type.Boolean(), records: Type.Integer() }, closed),
    errors: ['invalid_request', 'request_too_large'],
  }),
} as const
