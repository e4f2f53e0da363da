import { createScan, longerHold, type ReadyScan, type StreamHold, streamNeedOf } from '@signalbox/policies'
import {
  type CompiledGuardrail,
  type Decision,
  type DetectorId,
  detectorIds,
  type GuardrailReference,
  type GuardrailScan,
  Refusal,
  type StreamMode,
  type Verdict,
} from '@signalbox/sdk/contract'
import type { Snapshot } from '../snapshot.ts'

/** A guardrail of a version, with its scans made ready. */
export interface LoadedGuardrail {
  readonly compiled: CompiledGuardrail
  /** Index of its workspace in the program. */
  readonly layer: number
  readonly workspace: string
  /** Built-in detectors that it reads. */
  readonly detectors: readonly DetectorId[]
  /** Names that it reads and nobody can look for. */
  readonly missing: readonly string[]
  readonly local: ReadonlyMap<string, ReadyScan>
  readonly remote: ReadonlyMap<string, GuardrailScan>
}
/** A guardrail that a call has to pass, as its decision demands it. */
export interface Guard extends LoadedGuardrail {
  readonly id: string
  readonly level: Verdict['level']
  readonly onError: GuardrailReference['onError']
  /** How streams go out. */
  readonly stream: StreamMode
  readonly hold: StreamHold
  /** Left out of this call by its sampling. */
  readonly skipped: boolean
  /** The guardrails of its pipeline, in order. */
  readonly steps: readonly LoadedGuardrail[]
}

const ppm = 1_000_000
const noHold: StreamHold = { chars: 0, run: false }
const known = new WeakMap<CompiledGuardrail, LoadedGuardrail>()
const isDetector = (name: string): name is DetectorId => detectorIds.some((id) => id === name)

function load(compiled: CompiledGuardrail, layer: number, workspace: string): LoadedGuardrail {
  let loaded = known.get(compiled)
  if (loaded !== undefined && loaded.layer === layer) return loaded
  const scans = Object.entries(compiled.scan ?? {})
  const ready = scans.map(([name, scan]) => [name, scan, createScan(scan)] as const)
  const read: readonly string[] = compiled.detectors ?? detectorIds
  loaded = {
    compiled,
    layer,
    workspace,
    detectors: detectorIds.filter((id) => read.includes(id)),
    missing: read.filter((name) => !isDetector(name) && compiled.scan?.[name] === undefined),
    local: new Map(ready.flatMap(([name, , made]) => (made === undefined ? [] : [[name, made] as const]))),
    remote: new Map(
      ready.flatMap(([name, scan, made]) => (made === undefined ? [[name, scan] as const] : [])),
    ),
  }
  known.set(compiled, loaded)
  return loaded
}

/** A number from 0 to 999,999 that is drawn once for a call and a guardrail. */
function draw(seed: number, id: string): number {
  let hash = (seed ^ 0x811c9dc5) >>> 0
  for (let index = 0; index < id.length; index++)
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193) >>> 0
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0
  return (hash ^ (hash >>> 13)) % ppm
}

/** The weaker of what a demand and its guardrail say. */
function levelOf(
  { level = 'enforce' }: CompiledGuardrail,
  mode: GuardrailReference['mode'],
): Verdict['level'] {
  return mode === 'audit' && (level === 'enforce' || level === 'warn') ? 'audit' : level
}

function streamOf(
  guardrails: readonly LoadedGuardrail[],
  wanted: StreamMode | undefined,
): { readonly stream: StreamMode; readonly hold: StreamHold } {
  let hold = noHold
  let isWhole = guardrails.length > 1
  for (const { compiled } of guardrails) {
    const need = streamNeedOf(compiled)
    if ('whole' in need) isWhole = true
    else hold = longerHold(hold, need.hold)
  }
  // What the whole is needed for is never let out in parts, whatever was said.
  const stream =
    wanted === undefined || (wanted === 'window' && isWhole) ? (isWhole ? 'hold' : 'window') : wanted
  return { stream, hold }
}

/** Where guardrails are looked up for a call. */
export interface GuardScope {
  readonly snapshot: Snapshot
  /** Indexes of the workspaces on the key's path; undefined for all. */
  readonly layers: readonly number[] | undefined
  readonly seed: number
}

function guardOf(reference: GuardrailReference, found: LoadedGuardrail, scope: GuardScope): Guard {
  const { compiled, layer, workspace } = found
  const { guardrails } = scope.snapshot.versions[layer]?.compiled ?? { guardrails: [] }
  const steps = (compiled.pipeline ?? []).map((step) => {
    const meant = guardrails.find(({ id }) => id === step.guardrail)
    if (meant !== undefined) return load(meant, layer, workspace)
    throw new Refusal('policy_invalid_decision', { detail: `pipeline ${compiled.id}: no ${step.guardrail}` })
  })
  return {
    ...found,
    id: reference.id,
    level: levelOf(compiled, reference.mode),
    onError: reference.onError,
    ...streamOf(
      compiled.pipeline === undefined ? [found] : [found, ...steps],
      reference.stream ?? compiled.stream,
    ),
    skipped: compiled.samplePpm !== undefined && draw(scope.seed, reference.id) >= compiled.samplePpm,
    steps,
  }
}

/** The guardrails of an id in the workspaces of a call: where several have one, all are run. */
function guardsOfReference(
  reference: GuardrailReference,
  direction: 'input' | 'output',
  scope: GuardScope,
): Guard[] {
  const { versions } = scope.snapshot
  const layers = scope.layers ?? versions.map((_, index) => index)
  const guards = layers.flatMap((layer) => {
    const { compiled } = versions[layer] ?? {}
    const found = compiled?.guardrails.find(
      (each) => each.id === reference.id && each.direction === direction,
    )
    return compiled === undefined || found === undefined
      ? []
      : [guardOf(reference, load(found, layer, compiled.name), scope)]
  })
  if (guards.length > 0) return guards
  throw new Refusal('policy_invalid_decision', {
    message: `The guardrail "${reference.id}" is required and cannot run here.`,
    detail: `no active version has the guardrail ${reference.id}`,
  })
}

/** The guardrails that a decision demands, in its order; undefined where it demands none. */
export function guardsOf(
  { guardrails: { input, output } }: Decision,
  scope: GuardScope,
): { readonly input: readonly Guard[]; readonly output: readonly Guard[] } | undefined {
  if (input.length === 0 && output.length === 0) return undefined
  return {
    input: input.flatMap((reference) => guardsOfReference(reference, 'input', scope)),
    output: output.flatMap((reference) => guardsOfReference(reference, 'output', scope)),
  }
}
