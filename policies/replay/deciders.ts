import type { CallRecord, Catalogue, ReleaseContext, VersionBuild } from '@signalbox/sdk/contract'
import { type CatalogueIndex, indexCatalogue } from '../catalogue/index-catalogue.ts'
import { loadCatalogue } from '../catalogue/load-catalogue.ts'
import { type ExplainedVersion, isOnPath } from '../explain/recompute.ts'
import type { ParamValues } from '../program.ts'
import { Shelf } from './shelf.ts'

/** Where releases, versions and catalogues of the past are read from. What is not kept any more is undefined. */
export interface ReplayLibrary {
  release(wanted: ReleaseReference): Promise<ReleaseContext | undefined>
  build(digest: string): Promise<VersionBuild | undefined>
  catalogue(digest: string): Promise<Catalogue | undefined>
}
export interface ReleaseReference {
  readonly environment: string
  readonly sequence: number
  /** Sequence of the state whose params are wanted. */
  readonly state?: number
}
/** All that a recorded call was decided with. The same object for calls that were decided with the same. */
export interface Deciders {
  /** Names this object among those of its reader. */
  readonly key: string
  /** Root first; empty where none is kept. */
  readonly versions: readonly ExplainedVersion[]
  readonly catalogue: CatalogueIndex
  /** Hot values of the time, for records that do not hold them. */
  readonly params: ParamValues
  /** Digest of the engine; undefined where nothing tells. */
  readonly engine: string | undefined
}
type ReleasedWorkspace = ReleaseContext['workspaces'][number]

/** Things that are kept at hand; what is left out is read again. */
const kept = { releases: 64, builds: 32, catalogues: 4, deciders: 128 } as const

/** Whether a workspace decided a call: it is on the path of the key, or policies of it stand in the record. */
function decided({ body }: CallRecord, { name, nodePath }: ReleasedWorkspace): boolean {
  const path = body.facts?.subject.node.path
  return path === undefined
    ? body.policies.some(({ workspace }) => workspace === name)
    : isOnPath(nodePath, path)
}

function explainedVersion(build: VersionBuild, released: ReleasedWorkspace | undefined): ExplainedVersion {
  const { digest, version, compiled, script } = build
  const ownPath = compiled.node.split('/').filter((name) => name !== '')
  const role = released?.stable === digest ? 'stable' : 'candidate'
  return {
    ...{ digest, compiled, number: version },
    nodePath: released?.nodePath ?? ownPath,
    ...(released !== undefined && { role }),
    ...(script !== null && { script }),
  }
}

/** Finds what recorded calls were decided with, and keeps it at hand for the next one. */
export class DeciderReader {
  readonly #library: ReplayLibrary
  readonly #releases = new Shelf<ReleaseContext | undefined>(kept.releases)
  readonly #builds = new Shelf<VersionBuild | undefined>(kept.builds)
  readonly #catalogues = new Shelf<CatalogueIndex>(kept.catalogues)
  readonly #deciders = new Shelf<Deciders>(kept.deciders)

  constructor(library: ReplayLibrary) {
    this.#library = library
  }

  build(digest: string): Promise<VersionBuild | undefined> {
    return this.#builds.get(digest, () => this.#library.build(digest))
  }

  /** The catalogue of a digest; the one of this program where that is not kept. */
  catalogue(digest: string | undefined): Promise<CatalogueIndex> {
    return this.#catalogues.get(digest ?? '', async () => {
      const here = loadCatalogue()
      const isHere = digest === undefined || digest === here.digest
      const catalogue = isHere ? here.catalogue : await this.#library.catalogue(digest)
      return indexCatalogue(catalogue ?? here.catalogue)
    })
  }

  #release(reference: ReleaseReference): Promise<ReleaseContext | undefined> {
    const { environment, sequence, state = '' } = reference
    return this.#releases.get(`${environment} ${sequence} ${state}`, () => this.#library.release(reference))
  }

  /** What decided a call. Never fails for what is not kept: versions are missing then. */
  of(record: CallRecord): Promise<Deciders> {
    const { environment, releaseSequence, stateSequence, versionDigest } = record.row
    const { rollouts = [] } = record.body
    const path =
      record.body.facts?.subject.node.path ?? record.body.policies.map(({ workspace }) => workspace)
    // Where the record holds the params of its time, the state is of no interest.
    const state = record.body.params === undefined ? stateSequence : undefined
    const key = JSON.stringify([environment, releaseSequence, state, versionDigest, path, rollouts])
    return this.#deciders.get(key, () => this.#read(key, record, state))
  }

  async #read(key: string, record: CallRecord, state: number | undefined): Promise<Deciders> {
    const { environment, releaseSequence, versionDigest } = record.row
    const at = { environment, ...(state !== undefined && { state }) }
    const release =
      releaseSequence === undefined ? undefined : await this.#release({ ...at, sequence: releaseSequence })
    const own = versionDigest === undefined ? undefined : await this.build(versionDigest)
    const versions: ExplainedVersion[] = []
    for (const workspace of release?.workspaces.filter((each) => decided(record, each)) ?? []) {
      // The record's own version wins: it may have been the candidate.
      const isOwn = own?.compiled.name === workspace.name
      const part = record.body.rollouts?.find((each) => each.workspace === workspace.name)
      const build = isOwn ? own : await this.build(part?.version ?? workspace.stable)
      if (build !== undefined) versions.push(explainedVersion(build, workspace))
    }
    if (own !== undefined && !versions.some(({ digest }) => digest === own.digest)) {
      versions.push(explainedVersion(own, undefined))
    }
    return {
      ...{ key, versions },
      catalogue: await this.catalogue(release?.catalogue ?? own?.catalogue),
      params: (release?.params ?? {}) as ParamValues,
      engine: release?.engine ?? own?.engine,
    }
  }
}
