import type { CallRecord, CompiledWorkspace, Facts, Verification } from '@signalbox/sdk/contract'
import { digestOfJson } from '@signalbox/sdk/node'
import { columnsOf } from '../cases/model-columns.ts'
import type { CatalogueIndex } from '../catalogue/index-catalogue.ts'
import { pathsOverlap } from '../evaluation/cut-facts.ts'
import { LayerPath, namesOf } from '../evaluation/layer-path.ts'
import type { PolicyOutcome } from '../evaluation/outcomes.ts'
import type { Engine, Evaluation, EvaluationInput, ModelColumns, ParamValues, Program } from '../program.ts'
import { askedThen } from '../replay/switched-off.ts'

/** A version that decided a call, as far as it is still kept. */
export interface ExplainedVersion {
  readonly digest: string
  readonly number?: number
  readonly role?: 'stable' | 'candidate'
  readonly compiled: CompiledWorkspace
  /** Missing where only the compiled form is kept. */
  readonly script?: string
  /** Names from the root down to the owning node; empty for the root. */
  readonly nodePath: readonly string[]
}
/** What a recorded call is decided with again. */
export interface RecomputeOptions {
  readonly record: CallRecord
  /** Root first. */
  readonly versions: readonly ExplainedVersion[]
  readonly engine: Engine
  readonly catalogue: CatalogueIndex
  /** Hot values of the time, for records that do not hold them. */
  readonly params?: ParamValues
}
/** The same call, decided here and now. */
export interface Recomputed {
  readonly program: Program
  readonly input: EvaluationInput
  readonly evaluation: Evaluation
  readonly said: readonly PolicyOutcome[]
}

/** Whether the workspace of a node decides the calls of another one: it is the same or above it. */
export function isOnPath(nodePath: readonly string[], callerPath: readonly string[]): boolean {
  return nodePath.every((name, index) => callerPath[index] === name)
}

/** What names mean to the deciding workspaces. */
export function namesOfVersions(versions: readonly ExplainedVersion[], environment: string): LayerPath {
  const scopes = versions.map(({ compiled }) => namesOf(compiled, environment))
  return new LayerPath(
    scopes.map((_, index) => index),
    scopes,
  )
}

/** The nearest workspace with what all of them say of models: that which is nearer wins. */
function withAllOverrides(versions: readonly ExplainedVersion[]): CompiledWorkspace | undefined {
  const nearest = versions.at(-1)?.compiled
  if (nearest === undefined) return undefined
  return { ...nearest, catalogue: Object.assign({}, ...versions.map(({ compiled }) => compiled.catalogue)) }
}

/** Why the call cannot be decided again; undefined where it can. */
export function obstacleOf({
  record,
  versions,
}: Pick<RecomputeOptions, 'record' | 'versions'>): string | undefined {
  const { body } = record
  if (body.decision === undefined) return 'no policy was asked'
  if (body.facts === undefined) return 'the facts were not recorded'
  const missing = body.policies.find(
    ({ workspace }) => !versions.some(({ compiled }) => compiled.name === workspace),
  )
  if (missing !== undefined) return `the version of workspace "${missing.workspace}" is not here`
  if (versions.length === 0) return 'the version that decided is not here'
  const bare = versions.find(({ script }) => script === undefined)
  if (bare !== undefined) return `the script of workspace "${bare.compiled.name}" is not kept`
  const masked = body.masked ?? []
  const reads = versions.flatMap(({ compiled }) => compiled.reads)
  const hidden = masked.filter((path) => reads.some((read) => pathsOverlap(path, read)))
  return hidden.length === 0 ? undefined : `policies read facts that are masked: ${hidden.join(', ')}`
}

/** Finds the columns that deciding workspaces know of a target. */
export function columnsFor(
  versions: readonly ExplainedVersion[],
  environment: string,
  catalogue: CatalogueIndex,
): (target: string) => ModelColumns {
  const names = namesOfVersions(versions, environment)
  const compiled = withAllOverrides(versions)
  return (target) =>
    compiled === undefined ? names.modelColumns(target) : columnsOf(target, { compiled, names, catalogue })
}

function inputOf(options: RecomputeOptions, facts: Facts): EvaluationInput {
  const { record, versions, catalogue, params = {} } = options
  const columns = columnsFor(versions, record.row.environment, catalogue)
  const models = facts.models.map(({ target }) => columns(target))
  return { facts, params: record.body.params ?? params, models }
}

function compare(recorded: string, recomputed: string, options: RecomputeOptions): Verification {
  const digests = { recordedDigest: recorded, recomputedDigest: recomputed }
  if (recorded === recomputed) return { status: 'same', ...digests, why: null }
  const { body, row } = options.record
  const tampered = row.factsDigest !== undefined && digestOfJson(body.facts) !== row.factsDigest
  const why = tampered
    ? 'the facts are not the ones whose digest was recorded'
    : 'the same version decides differently here: another engine, catalogue or value of a param'
  return { status: 'different', ...digests, why }
}

/**
 * Decides a recorded call again in the sandbox and compares the digests of the decisions. `recomputed` is missing where
 * that cannot be; the verification then says why. Whoever gets a program disposes of it.
 */
export function recompute(options: RecomputeOptions): {
  readonly verification: Verification
  readonly recomputed?: Recomputed
} {
  const { row, body } = options.record
  const recordedDigest =
    row.decisionDigest ?? (body.decision === undefined ? null : digestOfJson(body.decision))
  const unchecked = (why: string) =>
    ({ verification: { status: 'unchecked', recordedDigest, recomputedDigest: null, why } }) as const
  const why = obstacleOf(options)
  if (why !== undefined || body.facts === undefined || recordedDigest === null) {
    return unchecked(why ?? 'no policy was asked')
  }
  let program: Program | undefined
  try {
    const loaded = options.versions.flatMap(({ script, ...rest }) =>
      script === undefined ? [] : [{ ...rest, script }],
    )
    program = askedThen(options.engine.load(loaded, { environment: row.environment }), body)
    const input = inputOf(options, body.facts)
    const evaluation = program.evaluate(input)
    const verification = compare(recordedDigest, evaluation.decisionDigest, options)
    return { verification, recomputed: { program, input, evaluation, said: program.inspect(input).outcomes } }
  } catch (error) {
    program?.dispose()
    return unchecked(`the version does not run here: ${error instanceof Error ? error.message : error}`)
  }
}
