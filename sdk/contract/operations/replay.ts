import { type Static, Type } from 'typebox'
import { Catalogue } from '../catalogue.ts'
import { defineOperation } from '../operation.ts'
import { RecordBody, RecordRow } from '../record.ts'
import { Digest, EnvironmentName, Name } from '../scalars.ts'
import { CompiledWorkspace } from '../version.ts'
import { recordFilter, recordSpan } from './records.ts'

const closed = { additionalProperties: false } as const
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])

/** One line of an export; `body` is null where it is no longer kept. */
export const ExportedRecord = Type.Object({ row: RecordRow, body: orNull(RecordBody) }, closed)
export type ExportedRecord = Static<typeof ExportedRecord>

/** The last line of a page of an export. */
export const ExportEnd = Type.Object(
  { end: Type.Object({ nextCursor: orNull(Type.String()) }, closed) },
  { ...closed, description: 'Stands after the records of a page; without a cursor it was the last page.' },
)
export type ExportEnd = Static<typeof ExportEnd>

/** A page of an export ends early where it is larger than this. */
export const exportPageBytesMax = 16 * 1024 * 1024

/** What calls were decided with: the workspaces of a release, and the hot values of a state. */
export const ReleaseContext = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1 }),
    engine: Digest,
    catalogue: Digest,
    workspaces: Type.Array(
      Type.Object(
        {
          name: Name,
          nodePath: Type.Array(Name, { description: 'Names from the root down; empty for the root.' }),
          stable: Digest,
          candidate: orNull(Digest),
        },
        closed,
      ),
      { description: 'Root first.' },
    ),
    params: Type.Record(Name, Type.Record(Type.String(), Type.Unknown()), {
      description: 'Hot values of the state by workspace; empty where none was asked for.',
    }),
  },
  closed,
)
export type ReleaseContext = Static<typeof ReleaseContext>

/** What the engine loads of a version. */
export const VersionBuild = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    digest: Digest,
    engine: Type.String({ description: 'Digest of the engine that it is for.' }),
    catalogue: Digest,
    compiled: CompiledWorkspace,
    script: orNull(Type.String({ description: 'Null where only the compiled form is kept.' })),
  },
  closed,
)
export type VersionBuild = Static<typeof VersionBuild>

export const replayOperations = {
  exportRecords: defineOperation({
    id: 'exportRecords',
    method: 'GET',
    path: '/v1/records/export',
    role: ['owner', 'admin', 'security', 'developer'],
    scope: 'reach',
    readsRecords: true,
    summary:
      'Whole records as NDJSON, oldest first, a page at a time; the last line of a page has the cursor.',
    query: Type.Object({ ...recordFilter, ...recordSpan }, closed),
    reply: Type.Unknown(),
    replyForm: 'bytes',
    errors: ['invalid_request', 'not_found'],
  }),
  getRelease: defineOperation({
    id: 'getRelease',
    method: 'GET',
    path: '/v1/releases/context',
    role: 'member',
    scope: 'anywhere',
    summary: 'The workspaces and versions of a release, with the params of a state.',
    query: Type.Object(
      {
        environment: EnvironmentName,
        sequence: Type.Integer({ minimum: 1 }),
        state: Type.Optional(Type.Integer({ minimum: 1 })),
      },
      closed,
    ),
    reply: ReleaseContext,
    errors: ['not_found'],
  }),
  getBuild: defineOperation({
    id: 'getBuild',
    method: 'GET',
    path: '/v1/versions/:version/build',
    role: 'member',
    scope: 'anywhere',
    summary: 'What the engine loads of a version, as it was built.',
    params: Type.Object({ version: Type.String({ minLength: 1, maxLength: 80 }) }, closed),
    reply: VersionBuild,
    errors: ['not_found'],
  }),
  getCatalogueOf: defineOperation({
    id: 'getCatalogueOf',
    method: 'GET',
    path: '/v1/catalogues/:digest',
    role: 'member',
    scope: 'anywhere',
    summary: 'The catalogue that a release or a version was made with.',
    params: Type.Object({ digest: Digest }, closed),
    reply: Catalogue,
    errors: ['not_found'],
  }),
} as const
