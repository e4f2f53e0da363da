import type { ReplayLibrary } from '@signalbox/policies'
import {
  artefacts,
  Catalogue,
  type ReleaseContext,
  type ReleaseDocument,
  type StateDocument,
  type VersionBuild,
} from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import type { Queryable } from './db/connect.ts'
import { loadBlob } from './stores/blobs.ts'
import { loadDocument, payloadOf } from './stores/documents.ts'
import { findVersionByDigest, type VersionRow } from './stores/versions.ts'

type Released = ReleaseDocument['workspaces'][number]

/** What calls of a release and a state were decided with; undefined where the release is not kept. */
export async function loadReleaseContext(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
  sequences: { readonly release: number; readonly state: number | undefined },
): Promise<ReleaseContext | undefined> {
  const stored = await loadDocument(q, { ...where, kind: 'release' }, sequences.release)
  if (stored === undefined) return undefined
  const release = payloadOf(stored) as ReleaseDocument
  const ofState =
    sequences.state === undefined
      ? undefined
      : await loadDocument(q, { ...where, kind: 'state' }, sequences.state)
  const state = ofState === undefined ? undefined : (payloadOf(ofState) as StateDocument)
  const { sequence, engine, catalogue, workspaces } = release
  return {
    ...{ sequence, engine, catalogue },
    workspaces: workspaces.map(({ name, node, stable, candidate }: Released) => ({
      ...{ name, stable },
      nodePath: [...node.path],
      candidate: candidate?.version ?? null,
    })),
    params: state?.params ?? {},
  }
}

/** What the engine loads of a version. */
export async function loadBuild(q: Queryable, version: VersionRow): Promise<VersionBuild> {
  const { organisationId, digest, number, compiled, manifest } = version
  const script = manifest.blobs.find(({ path }) => path === artefacts.script)
  const bytes = script === undefined ? undefined : await loadBlob(q, organisationId, script.digest)
  return {
    ...{ version: number, digest, compiled },
    engine: manifest.engine.sandbox,
    catalogue: manifest.catalogue,
    script: bytes === undefined ? null : Buffer.from(bytes).toString('utf8'),
  }
}

/** A catalogue that a release or a version was made with; undefined where it is not kept. */
export async function loadStoredCatalogue(
  q: Queryable,
  organisationId: string,
  digest: string,
): Promise<Catalogue | undefined> {
  const bytes = await loadBlob(q, organisationId, digest)
  if (bytes === undefined) return undefined
  let catalogue: unknown
  try {
    catalogue = JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
  return fits(Catalogue, catalogue) ? catalogue : undefined
}

/** Releases, versions and catalogues of an organisation, for deciding its recorded calls again. */
export function databaseLibrary(q: Queryable, organisationId: string): ReplayLibrary {
  return {
    release: ({ environment, sequence, state }) =>
      loadReleaseContext(q, { organisationId, environment }, { release: sequence, state }),
    async build(digest) {
      const version = await findVersionByDigest(q, organisationId, digest)
      return version === undefined ? undefined : await loadBuild(q, version)
    },
    catalogue: (digest) => loadStoredCatalogue(q, organisationId, digest),
  }
}
