import { Type } from 'typebox'
import { Catalogue } from '../catalogue.ts'
import { defineOperation } from '../operation.ts'
import { Digest, EnvironmentName, Name, TimeMs } from '../scalars.ts'
import { CompiledWorkspace, Problem } from '../version.ts'
import { VersionChanges } from '../version-changes.ts'
import { Deployment, VersionReference } from './deployments.ts'
import { pushOrigin, versionParent } from './push-origin.ts'

const closed = { additionalProperties: false } as const
const ByVersion = Type.Object({ version: VersionReference }, closed)

export const Version = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'Number: `v12` is 12.' }),
    digest: Digest,
    workspace: Name,
    createdMs: TimeMs,
    policies: Type.Integer({ minimum: 0 }),
    guardrails: Type.Integer({ minimum: 0 }),
    prompts: Type.Integer({ minimum: 0 }),
    push: Type.Object(
      {
        by: Type.String(),
        source: Type.String({ description: 'Folder, repository or console the push came from.' }),
        commit: Type.Union([Type.String(), Type.Null()]),
        author: Type.Union([Type.String(), Type.Null()]),
        message: Type.Union([Type.String(), Type.Null()]),
        ciRun: Type.Union([Type.String(), Type.Null()]),
        createdMs: TimeMs,
      },
      closed,
    ),
    ...versionParent,
    inGit: Type.Boolean({ description: 'Some push of it named a clean commit.' }),
    environments: Type.Array(EnvironmentName, { description: 'Where it is the stable version now.' }),
  },
  closed,
)
export const CaseResult = Type.Object(
  {
    file: Type.String(),
    name: Type.String(),
    passed: Type.Boolean(),
    line: Type.Integer({ minimum: 1 }),
    column: Type.Integer({ minimum: 1 }),
    message: Type.Optional(Type.String()),
    todo: Type.Optional(Type.Boolean({ description: 'Not run: its author has yet to write it.' })),
  },
  closed,
)
/** Conditions of a policy, and whether a case that asked about it saw them true and false. */
export const PolicyCoverage = Type.Object(
  {
    policy: Type.String(),
    file: Type.String(),
    conditions: Type.Array(
      Type.Object(
        {
          rule: Type.String(),
          text: Type.String(),
          line: Type.Integer({ minimum: 1 }),
          column: Type.Integer({ minimum: 1 }),
          seenTrue: Type.Boolean(),
          seenFalse: Type.Boolean(),
        },
        closed,
      ),
    ),
  },
  closed,
)
/** Sources of a workspace with their closure: at most 4 MiB. */
export const pushBytesMax = 4 * 1024 * 1024

export const versionOperations = {
  pushVersion: defineOperation({
    id: 'pushVersion',
    method: 'POST',
    path: '/v1/versions',
    role: ['owner', 'admin', 'developer'],
    scope: 'anywhere',
    summary:
      'Builds a version from sources: schema, types, compile, cases. The same sources give the same version.',
    body: Type.Object(
      {
        files: Type.Array(
          Type.Object(
            {
              path: Type.String({ minLength: 1, maxLength: 512 }),
              text: Type.String({ maxLength: pushBytesMax }),
            },
            closed,
          ),
          { minItems: 1, maxItems: 4096 },
        ),
        digest: Type.Optional(Digest),
        environment: Type.Optional(EnvironmentName),
        revision: Type.Optional(
          Type.Integer({ minimum: 0, description: 'Of the deployment there, when the push was begun.' }),
        ),
        ...pushOrigin,
      },
      closed,
    ),
    reply: Type.Object(
      {
        ...Version.properties,
        created: Type.Boolean({ description: 'False where the version existed already.' }),
        cases: Type.Object({ passed: Type.Integer(), failed: Type.Integer() }, closed),
        problems: Type.Array(Problem),
        deployment: Type.Union([Deployment, Type.Null()]),
      },
      closed,
    ),
    status: 201,
    errors: ['check_failed', 'invalid_request', 'request_too_large', 'forbidden'],
    bodyBytesMax: 2 * pushBytesMax,
  }),
  tryFiles: defineOperation({
    id: 'tryFiles',
    method: 'POST',
    path: '/v1/versions/try',
    role: ['owner', 'admin', 'developer'],
    scope: 'anywhere',
    summary: 'Builds sources as a push does and hands back what the engine loads. Nothing is stored.',
    body: Type.Object(
      {
        version: Type.Optional(VersionReference),
        files: Type.Array(
          Type.Object(
            {
              path: Type.String({ minLength: 1, maxLength: 512 }),
              text: Type.Union([Type.String({ maxLength: pushBytesMax }), Type.Null()], {
                description: 'Null takes a file of the version away.',
              }),
            },
            closed,
          ),
          { maxItems: 4096, description: 'Laid over the sources of the version, if one is named.' },
        ),
        complete: Type.Boolean({ description: 'Check types and run cases too, which takes longer.' }),
      },
      closed,
    ),
    reply: Type.Object(
      {
        problems: Type.Array(Problem),
        build: Type.Union(
          [
            Type.Object(
              {
                digest: Digest,
                engine: Type.String({ description: 'Digest of the engine that it is for.' }),
                catalogue: Digest,
                compiled: CompiledWorkspace,
                script: Type.String({
                  description: 'All policies with their runtime, as the engine loads them.',
                }),
              },
              closed,
            ),
            Type.Null(),
          ],
          { description: 'Null where a problem is an error.' },
        ),
        cases: Type.Union(
          [
            Type.Object({ results: Type.Array(CaseResult), coverage: Type.Array(PolicyCoverage) }, closed),
            Type.Null(),
          ],
          { description: 'Null where none were run.' },
        ),
      },
      closed,
    ),
    errors: ['not_found', 'invalid_request', 'request_too_large', 'not_ready'],
    bodyBytesMax: 2 * pushBytesMax,
  }),
  getCatalogue: defineOperation({
    id: 'getCatalogue',
    method: 'GET',
    path: '/v1/catalogue',
    role: 'member',
    scope: 'anywhere',
    summary: 'What is known of models; the catalogue that versions are built with now.',
    reply: Catalogue,
    errors: [],
  }),
  listVersions: defineOperation({
    id: 'listVersions',
    method: 'GET',
    path: '/v1/versions',
    role: 'member',
    summary: 'Lists versions, newest first.',
    query: Type.Object(
      { workspace: Type.Optional(Name), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })) },
      closed,
    ),
    reply: Type.Object({ items: Type.Array(Version) }, closed),
    errors: [],
  }),
  getVersion: defineOperation({
    id: 'getVersion',
    method: 'GET',
    path: '/v1/versions/:version',
    role: 'member',
    summary: 'One version: its objects and files.',
    params: ByVersion,
    reply: Type.Object(
      {
        ...Version.properties,
        compiled: CompiledWorkspace,
        files: Type.Array(
          Type.Object({ path: Type.String(), bytes: Type.Integer(), digest: Digest }, closed),
        ),
        cases: Type.Array(CaseResult),
        problems: Type.Array(Problem),
      },
      closed,
    ),
    errors: ['not_found'],
  }),
  compareVersions: defineOperation({
    id: 'compareVersions',
    method: 'GET',
    path: '/v1/versions/:version/changes',
    role: 'member',
    summary:
      'What a version means differently from another one of its workspace, and where it is less strict.',
    params: ByVersion,
    query: Type.Object({ from: VersionReference }, closed),
    reply: VersionChanges,
    errors: ['not_found', 'invalid_request', 'check_failed', 'not_ready'],
  }),
  getVersionFile: defineOperation({
    id: 'getVersionFile',
    method: 'GET',
    path: '/v1/versions/:version/file',
    role: 'member',
    summary: 'The text of one source file of a version.',
    params: ByVersion,
    query: Type.Object({ path: Type.String({ minLength: 1, maxLength: 512 }) }, closed),
    reply: Type.Object({ path: Type.String(), text: Type.String() }, closed),
    errors: ['not_found'],
  }),
} as const
