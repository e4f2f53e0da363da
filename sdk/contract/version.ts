import { type Static, Type } from 'typebox'
import { policyKinds } from './decision.ts'
import { DrillPlan } from './drill.ts'
import { CompiledGuardrail } from './guardrail.ts'
import { PlanNode } from './plan.ts'
import { ParamDeclaration, PolicyMatch } from './policy.ts'
import { CompiledPrompt } from './prompt.ts'
import { Digest, Name, TargetName } from './scalars.ts'
import { CatalogueOverride, Connection } from './workspace.ts'

const closed = { additionalProperties: false } as const

/** One file or artefact of a version, by content. */
export const BlobReference = Type.Object(
  {
    path: Type.String({ maxLength: 512, description: '`source/…` as pushed, `compiled/…` as built.' }),
    digest: Digest,
    bytes: Type.Integer({ minimum: 0 }),
  },
  closed,
)
export type BlobReference = Static<typeof BlobReference>

/**
 * What a version is: its digest is the SHA-256 of the canonical JSON (RFC 8785) of this document. Author, commit and
 * time are not in it, so the same sources always give the same version.
 */
export const VersionManifest = Type.Object(
  {
    schema: Type.Literal('version/1'),
    name: Name,
    engine: Type.Object(
      {
        sandbox: Digest,
        facts: Type.Literal('facts/1'),
        decision: Type.Literal('decision/1'),
        compiler: Type.String({ maxLength: 32 }),
      },
      closed,
    ),
    catalogue: Digest,
    blobs: Type.Array(BlobReference, { maxItems: 4096 }),
  },
  closed,
)
export type VersionManifest = Static<typeof VersionManifest>

export const CompiledPolicy = Type.Object(
  {
    id: Type.String(),
    kind: Type.Enum([...policyKinds]),
    file: Type.String({ description: 'Source file, relative to the workspace.' }),
    match: Type.Optional(PolicyMatch),
    params: Type.Record(Type.String(), ParamDeclaration),
    rules: Type.Array(
      Type.Object(
        {
          id: Type.String(),
          line: Type.Integer({ minimum: 1 }),
          column: Type.Integer({ minimum: 1 }),
          /** Conditions in the order of the policy's trace string. */
          conditions: Type.Array(
            Type.Object(
              {
                text: Type.String({ description: 'As the author wrote it.' }),
                reads: Type.Array(Type.String()),
                lifted: Type.Boolean(),
                expression: Type.Optional(
                  Type.Unknown({ description: 'The condition as data (JSON form), where it is lifted.' }),
                ),
              },
              closed,
            ),
          ),
          reads: Type.Optional(
            Type.Array(Type.String(), { description: 'Facts that its condition and its effects read.' }),
          ),
        },
        closed,
      ),
    ),
    reads: Type.Array(Type.String({ description: 'Paths of facts that are read; `*` for all.' })),
  },
  closed,
)
export type CompiledPolicy = Static<typeof CompiledPolicy>

/** `compiled/workspace.json`: what a gateway and the console need to know of a version besides the script. */
export const CompiledWorkspace = Type.Object(
  {
    schema: Type.Literal('compiled/1'),
    name: Name,
    node: Type.String({ description: 'Path of the owning node; empty for the root.' }),
    connections: Type.Record(Name, Connection),
    models: Type.Record(Name, Type.Array(TargetName)),
    metadata: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
    catalogue: Type.Record(TargetName, CatalogueOverride),
    safeRoute: Type.Optional(Type.String()),
    environments: Type.Record(
      Name,
      Type.Object(
        {
          connections: Type.Record(Name, Type.Partial(Connection)),
          models: Type.Record(Name, Type.Array(TargetName)),
          params: Type.Record(Type.String(), Type.Unknown()),
          /** Routes that are drilled by schedule; absent where none is declared. */
          drills: Type.Optional(Type.Record(Type.String(), DrillPlan)),
        },
        closed,
      ),
    ),
    policies: Type.Array(CompiledPolicy),
    guardrails: Type.Array(CompiledGuardrail),
    prompts: Type.Array(CompiledPrompt),
    /** Union of what all policies read; the gateway hands the sandbox these paths only. */
    reads: Type.Array(Type.String()),
    /** Every target that an alias or a policy can name: candidates beside the one that was asked for. */
    targets: Type.Array(TargetName, { maxItems: 64 }),
    /** Where a failing route goes, by policy id, resolved. */
    safeRoutes: Type.Record(Type.String(), PlanNode),
  },
  closed,
)
export type CompiledWorkspace = Static<typeof CompiledWorkspace>

/** Paths of the artefacts that the compiler adds to a version. */
export const artefacts = {
  workspace: 'compiled/workspace.json',
  script: 'compiled/policies.js',
  sourceMap: 'compiled/policies.js.map',
  vectors: 'compiled/vectors.ndjson',
} as const

/** One line of `compiled/vectors.ndjson`: facts and the canonical digest of the decision they must give. */
export const GoldenVector = Type.Object(
  { name: Type.String(), environment: Name, facts: Type.Unknown(), decisionDigest: Digest },
  closed,
)
export type GoldenVector = Static<typeof GoldenVector>

/** An error prevents a version, a warning is probably a slip, a note says what follows from what is written. */
export const severities = ['error', 'warning', 'note'] as const
export type Severity = (typeof severities)[number]
/** A problem found in a workspace. Lines and columns count from 1. */
export const Problem = Type.Object(
  {
    severity: Type.Enum([...severities]),
    code: Type.String({ maxLength: 64 }),
    file: Type.String({ maxLength: 512 }),
    line: Type.Integer({ minimum: 1 }),
    column: Type.Integer({ minimum: 1 }),
    message: Type.String({ maxLength: 4096 }),
    text: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'What stands there, from that column to the end of its line.',
      }),
    ),
    link: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'Section of the documentation, relative to the repository.',
      }),
    ),
  },
  closed,
)
export type Problem = Static<typeof Problem>
