import type { Engine, LoadedProgram, Program } from '@signalbox/policies'
import {
  artefacts,
  Catalogue,
  CompiledWorkspace,
  GoldenVector,
  type ReleaseDocument,
  VersionManifest,
} from '@signalbox/sdk/contract'
import { describeViolations, fits, violationsOf } from '@signalbox/sdk/node'
import type { Static, TSchema } from 'typebox'
import type { CatalogueIndex, KeptPrompts, ReleasedVersion } from '../snapshot.ts'
import { type BlobSource, collectBlob } from './collect-blobs.ts'
import { Rejection } from './rejection.ts'
import type { Verified } from './verify-document.ts'

/** A release that is compiled and proved, ready for calls. */
export interface ActiveRelease extends Verified<ReleaseDocument> {
  /** Of all versions that are loaded. */
  readonly program: LoadedProgram
  /** All that are loaded: the stable versions, root first, then candidates and shadows. */
  readonly versions: readonly ReleasedVersion[]
  /** What else than its stable version a workspace has; in the order of the workspaces of the document. */
  readonly lanes: readonly Lane[]
  readonly catalogue: CatalogueIndex
  /** What the index is of. */
  readonly catalogueDocument: Catalogue
}

/** Indexes of versions of one workspace. */
export interface Lane {
  readonly stable: number
  readonly candidate: number | undefined
  readonly shadows: readonly number[]
}

/** What compiles and proves a release; the policy engine behind its door. */
export interface ReleaseEngine {
  readonly engine: Engine
  readonly indexCatalogue: (catalogue: Catalogue) => Omit<CatalogueIndex, 'digest'>
  /** Says which vectors the program does not give, empty where it gives all. Lets calls through in between. */
  readonly verifyVectors: (
    program: Program,
    vectors: readonly GoldenVector[],
    options: { readonly compiled: CompiledWorkspace; readonly catalogue: Catalogue },
  ) => Promise<readonly string[]>
}

type ReleasedFiles = ReleaseDocument['versions'][string]
interface LoadedVersion {
  readonly version: ReleasedVersion
  readonly script: string
  readonly vectors: readonly GoldenVector[]
}

function parseAs<T extends TSchema>(bytes: Buffer, schema: T, what: string): Static<T> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw new Rejection(`${what} is not JSON`, { cause })
  }
  if (fits(schema, value)) return value
  throw new Rejection(`${what} is not valid: ${describeViolations(violationsOf(schema, value))}`)
}

function parseVectors(bytes: Buffer, what: string): GoldenVector[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => parseAs(Buffer.from(line, 'utf8'), GoldenVector, what))
}

/** The manifest is the version: its bytes have the version's digest, and it names the artefacts of the release. */
function checkManifest(digest: string, files: ReleasedFiles, manifest: VersionManifest): void {
  if (files.manifest.digest !== digest) {
    throw new Rejection(`the manifest of ${files.name} is not that of version ${digest}`)
  }
  const named = new Map(manifest.blobs.map((blob) => [blob.path, blob.digest]))
  for (const part of ['workspace', 'script', 'vectors'] as const) {
    if (named.get(artefacts[part]) !== files[part].digest) {
      throw new Rejection(
        `${artefacts[part]} of ${files.name} v${files.number} is not the one of its version`,
      )
    }
  }
}

type ReleasedWorkspace = ReleaseDocument['workspaces'][number]

/** Every version of a release with its workspace: stable ones first, so that they stand where the workspaces do. */
function namedVersions({ workspaces }: ReleaseDocument) {
  const named = workspaces.map((workspace) => ({ workspace, digest: workspace.stable }))
  const add = (workspace: ReleasedWorkspace, digest: string): number => named.push({ workspace, digest }) - 1
  const lanes = workspaces.map((workspace, stable): Lane => {
    const { candidate, shadows } = workspace
    return {
      stable,
      candidate: candidate === null ? undefined : add(workspace, candidate.version),
      shadows: shadows.map((digest) => add(workspace, digest)),
    }
  })
  return { named, lanes }
}

async function loadVersion(
  release: ReleaseDocument,
  { workspace, digest }: { readonly workspace: ReleasedWorkspace; readonly digest: string },
  source: BlobSource,
): Promise<LoadedVersion> {
  const files = release.versions[digest]
  if (files === undefined) throw new Rejection(`the release does not hold the version ${digest}`)
  const what = `${files.name} v${files.number}`
  const load = (part: 'manifest' | 'workspace' | 'script' | 'vectors'): Promise<Buffer> =>
    collectBlob(files[part].digest, source)
  const manifest = parseAs(await load('manifest'), VersionManifest, `the manifest of ${what}`)
  checkManifest(digest, files, manifest)
  const compiled = parseAs(await load('workspace'), CompiledWorkspace, `the workspace of ${what}`)
  const script = (await load('script')).toString('utf8')
  const vectors = parseVectors(await load('vectors'), `a golden vector of ${what}`)
  const { id: nodeId, path: nodePath } = workspace.node
  const kept = await loadKept(workspace, source)
  return { version: { digest, number: files.number, compiled, nodePath, nodeId, kept }, script, vectors }
}

/** Prompts of versions that were deployed before; of these nothing else is used. */
async function loadKept(
  { name, kept = [] }: ReleaseDocument['workspaces'][number],
  source: BlobSource,
): Promise<KeptPrompts[]> {
  const loaded: KeptPrompts[] = []
  for (const { number, workspace } of kept) {
    const bytes = await collectBlob(workspace.digest, source)
    const { prompts } = parseAs(bytes, CompiledWorkspace, `the workspace of ${name} v${number}`)
    loaded.push({ number, prompts })
  }
  return loaded
}

async function compile(
  release: ReleaseDocument,
  loaded: readonly LoadedVersion[],
  engine: Engine,
): Promise<LoadedProgram> {
  try {
    return await engine.loadApart(
      loaded.map(({ version, script }) => ({
        digest: version.digest,
        script,
        compiled: version.compiled,
        nodePath: version.nodePath,
      })),
      { environment: release.environment },
    )
  } catch (cause) {
    throw new Rejection(`the release does not compile: ${(cause as Error).message}`, { cause })
  }
}

/** Replays the vectors of this environment; with another engine than the release's they have to be there. */
async function prove(
  release: ReleaseDocument,
  loaded: readonly LoadedVersion[],
  parts: ReleaseEngine & { program: LoadedProgram; catalogue: Catalogue },
): Promise<void> {
  let proved = 0
  for (const [index, { version, vectors }] of loaded.entries()) {
    const mine = vectors.filter((vector) => vector.environment === release.environment)
    const { compiled } = version
    const known = { compiled, catalogue: parts.catalogue }
    const failures = await parts.verifyVectors(parts.program.view([index]), mine, known)
    if (failures.length > 0) {
      throw new Rejection(
        `${failures.length} golden vectors of ${compiled.name} fail: ${failures.join('; ')}`,
      )
    }
    proved += mine.length
  }
  if (release.engine !== parts.engine.digest && proved === 0) {
    throw new Rejection(
      `the release is for the engine ${release.engine}, this is ${parts.engine.digest}, and no vector proves that they agree`,
    )
  }
}

/** A release seldom has another catalogue than the one before it, and reading one takes longer than all else. */
async function loadCatalogue(
  digest: string,
  source: BlobSource,
  before: ActiveRelease | undefined,
): Promise<Catalogue> {
  if (before?.catalogue.digest === digest) return before.catalogueDocument
  return parseAs(await collectBlob(digest, source), Catalogue, 'the catalogue')
}

/**
 * Loads what a verified release names, compiles it and replays its golden vectors. `before`: the release in use.
 * @throws Rejection where the release does not hold what it says; Error where a blob cannot be had.
 */
export async function activateRelease(
  verified: Verified<ReleaseDocument>,
  source: BlobSource,
  parts: ReleaseEngine,
  before: ActiveRelease | undefined,
): Promise<ActiveRelease> {
  const release = verified.document
  const catalogue = await loadCatalogue(release.catalogue, source, before)
  const { named, lanes } = namedVersions(release)
  const loaded: LoadedVersion[] = []
  for (const each of named) loaded.push(await loadVersion(release, each, source))
  const program = await compile(release, loaded, parts.engine)
  try {
    await prove(release, loaded, { ...parts, program, catalogue })
  } catch (error) {
    program.dispose()
    throw error
  }
  return {
    ...verified,
    program,
    versions: loaded.map(({ version }) => version),
    lanes,
    catalogue: { ...parts.indexCatalogue(catalogue), digest: release.catalogue },
    catalogueDocument: catalogue,
  }
}

/** Digests of all blobs that a release needs. */
export function blobsOfRelease(document: ReleaseDocument): string[] {
  const versions = Object.values(document.versions)
  const kept = document.workspaces.flatMap((workspace) => workspace.kept ?? [])
  return [
    document.catalogue,
    ...kept.map(({ workspace }) => workspace.digest),
    ...versions.flatMap(({ manifest, script, workspace, vectors }) =>
      [manifest, script, workspace, vectors].map((blob) => blob.digest),
    ),
  ]
}
