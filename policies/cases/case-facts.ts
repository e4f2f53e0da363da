import { type CompiledWorkspace, Facts } from '@signalbox/sdk/contract'
import { describeViolations, violationsOf } from '@signalbox/sdk/node'
import { type TObject, Type } from 'typebox'
import { didYouMean } from '../compile/near-name.ts'
import type { DocumentPath } from '../compile/source-document.ts'
import { baseFacts } from '../evaluation/base-facts.ts'
import type { LayerPath } from '../evaluation/layer-path.ts'
import { isPathOf, parsePath, putAt, valueAt } from './document-path.ts'

/** A case that cannot be run as it is written. */
export class CaseError extends Error {
  /** The member of the case, or of the file, that is at fault. */
  readonly path: DocumentPath

  constructor(message: string, path: DocumentPath = []) {
    super(message)
    this.path = path
  }
}

const candidatesMax = 64

/** Where the facts of a case come from. */
export interface FactsSource {
  readonly compiled: CompiledWorkspace
  readonly environment: string
  /** What names mean there. */
  readonly names: LayerPath
  /** The fixture's facts, or those written in the file. */
  readonly given: unknown
  readonly nowMs?: number
  readonly set: Readonly<Record<string, unknown>>
  /** Targets that the workspace can name. */
  readonly candidates: readonly string[]
}

function applySet(facts: Facts, set: Readonly<Record<string, unknown>>, compiled: CompiledWorkspace): void {
  for (const [path, value] of Object.entries(set)) {
    const keys = parsePath(path)
    if (keys === undefined || !isPathOf(Facts, keys)) {
      throw new CaseError(`"set" names ${path}, which is no path of the facts`, ['set', path])
    }
    const [first, second, property] = keys
    const isMetadata = first === 'request' && second === 'metadata' && property !== undefined
    if (isMetadata && !Object.hasOwn(compiled.metadata, property)) {
      const near = didYouMean(property, Object.keys(compiled.metadata))
      const message = `"set" names ${path}, but signalbox.yaml declares no metadata "${property}"${near}`
      throw new CaseError(message, ['set', path])
    }
    putAt(facts, keys, value)
  }
}

/**
 * Fills in what a host works out by itself and the case left out: targets of the name, sticky key,
 * candidates.
 */
function workOut(facts: Facts, source: FactsSource): void {
  const { model } = facts.request
  if (model.targets.length === 0) {
    const targets = source.names.targets(model.requested) ?? []
    if (!model.requested.includes('/') && targets.length > 0) model.alias = model.requested
    model.targets = [...targets]
  }
  const { subject } = facts
  subject.stickyKey ??= subject.userId ?? facts.session?.id ?? subject.keyId
  const known = new Set(facts.models.map(({ target }) => target))
  const missing = new Set([...model.targets, ...source.candidates].filter((target) => !known.has(target)))
  for (const target of missing) {
    if (facts.models.length >= candidatesMax) break
    facts.models.push({ target, health: { state: 'up', errorPpm: 0 }, lossless: true })
  }
}

function checkFacts(facts: unknown): void {
  const violations = describeViolations(violationsOf(Facts, facts))
  if (violations !== '') throw new CaseError(`the facts are not valid: ${violations}`)
}

/** Schemas of metadata by their declarations: a schema is compiled once, and cases are many. */
const metadataSchemas = new WeakMap<CompiledWorkspace['metadata'], TObject>()

function metadataSchema(metadata: CompiledWorkspace['metadata']): TObject {
  const known = metadataSchemas.get(metadata)
  if (known !== undefined) return known
  const properties = Object.entries(metadata).map(([name, schema]) => [
    name,
    Type.Optional(Type.Unsafe(schema)),
  ])
  const schema = Type.Object(Object.fromEntries(properties), { additionalProperties: false })
  metadataSchemas.set(metadata, schema)
  return schema
}

function checkMetadata(facts: Facts, compiled: CompiledWorkspace): string {
  return describeViolations(violationsOf(metadataSchema(compiled.metadata), facts.request.metadata))
}

/**
 * The facts of one case: defaults, then the fixture, then what the case sets, then what a host would work
 * out.
 * @throws CaseError where a path or a value is not one that a call can have.
 */
export function factsOfCase(source: FactsSource): Facts {
  const facts = baseFacts(Object(source.given))
  checkFacts(facts)
  if (source.nowMs !== undefined) facts.nowMs = source.nowMs
  facts.environment = { ...facts.environment, name: source.environment }
  // Targets belong to the name they were given with.
  const namesModel = Object.hasOwn(source.set, 'request.model.requested')
  const givesTargets = valueAt(source.given, ['request', 'model', 'targets']) !== undefined
  const { requested } = facts.request.model
  if (namesModel || !givesTargets) facts.request.model = { requested, targets: [], tier: 'unknown' }
  applySet(facts, source.set, source.compiled)
  checkFacts(facts)
  const metadata = checkMetadata(facts, source.compiled)
  if (metadata !== '') throw new CaseError(`no call can have this metadata: ${metadata}`)
  workOut(facts, source)
  return facts
}
