import { type CompiledWorkspace, type DetectorId, detectorIds } from '@signalbox/sdk/contract'
import type { ReleasedVersion } from './snapshot.ts'

/** What policies read of a call's text. */
export interface WantedSignals {
  /** Detectors to run, in the order of the alphabet. */
  readonly detectors: readonly DetectorId[]
  readonly sensitivity: boolean
}

/** Detectors that the rank of sensitivity is made of. */
const ranking: readonly DetectorId[] = ['pii', 'secrets']
const nothing: WantedSignals = { detectors: [], sensitivity: false }
const known = new WeakMap<CompiledWorkspace, WantedSignals>()

function wantedBy(compiled: CompiledWorkspace): WantedSignals {
  const cached = known.get(compiled)
  if (cached !== undefined) return cached
  const { reads } = compiled
  const readsAny = (path: string): boolean =>
    reads.some((each) => each === path || each.startsWith(`${path}.`) || path.startsWith(`${each}.`))
  const readsAll = reads.includes('*')
  const sensitivity = readsAll || readsAny('data.sensitivity')
  const detectors = detectorIds.filter(
    (id) => readsAll || readsAny(`data.detectors.${id}`) || (sensitivity && ranking.includes(id)),
  )
  const wanted = detectors.length === 0 ? nothing : { detectors, sensitivity }
  known.set(compiled, wanted)
  return wanted
}

/** What the policies of some workspaces read together. */
export function wantedSignals(versions: readonly ReleasedVersion[]): WantedSignals {
  let all = nothing
  for (const { compiled } of versions) {
    const wanted = wantedBy(compiled)
    if (wanted === nothing || wanted === all) continue
    all =
      all === nothing
        ? wanted
        : {
            detectors: detectorIds.filter(
              (id) => all.detectors.includes(id) || wanted.detectors.includes(id),
            ),
            sensitivity: all.sensitivity || wanted.sensitivity,
          }
  }
  return all
}
