import { artefacts, type ReleaseDocument, type ReleasedWorkspace } from '@signalbox/sdk/contract'
import { type AuthorSignature, canonicalJson } from '@signalbox/sdk/node'
import type { Queryable } from '../db/connect.ts'
import { loadAuthorSignatures } from '../stores/author-signatures.ts'
import { listStableDigests, loadCurrentDeployments, type NumberedDeployment } from '../stores/deployments.ts'
import { loadTree } from '../stores/documents.ts'
import { findVersionByDigest, type VersionRow } from '../stores/versions.ts'
import type { DocumentContent } from './write-document.ts'

export type ReleaseContent = DocumentContent<ReleaseDocument>
/** A caller can name prompts of this many versions beside the deployed one. */
const keptVersionsMax = 10
/** As the schema of a release has it. */
const authorsMax = 16
type ReleasedVersion = ReleaseDocument['versions'][string]

/** Names below the root; none for the root itself. */
function pathNames(path: string): string[] {
  return path === '' ? [] : path.split('/')
}

function describeVersion(row: VersionRow, authors: readonly AuthorSignature[] = []): ReleasedVersion {
  const artefact = (path: string): ReleasedVersion['script'] => {
    const blob = row.manifest.blobs.find((each) => each.path === path)
    if (blob === undefined) throw new Error(`version ${row.digest} has no ${path}`)
    return { digest: blob.digest, bytes: blob.bytes }
  }
  return {
    number: row.number,
    name: row.workspace,
    manifest: { digest: row.digest, bytes: Buffer.byteLength(canonicalJson(row.manifest)) },
    script: artefact(artefacts.script),
    workspace: artefact(artefacts.workspace),
    vectors: artefact(artefacts.vectors),
    ...(authors.length > 0 && { authors: authors.slice(0, authorsMax) }),
  }
}

function describeWorkspace(
  row: NumberedDeployment,
  owner: VersionRow,
  paths: ReadonlyMap<string, string>,
): ReleasedWorkspace {
  const path = owner.compiled.node
  const id = paths.get(path)
  if (id === undefined)
    throw new Error(`the owning node "${path}" of workspace ${row.workspace} is not there`)
  const { candidate } = row
  return {
    name: row.workspace,
    node: { id, path: pathNames(path) },
    deploymentId: row.id,
    stable: row.stableDigest,
    candidate:
      candidate === null
        ? null
        : {
            version: candidate.digest,
            ppm: candidate.ppm,
            teams: [...candidate.teams],
            salt: candidate.salt,
            rollout: candidate.rollout,
            by: candidate.by,
            tripwire: candidate.guards.policyErrors,
          },
    shadows: [...row.shadows],
    ...(row.shadowPpm !== null && { shadowPpm: row.shadowPpm }),
  }
}

/** Root first; beside each other by name. */
function byDepth(a: ReleasedWorkspace, b: ReleasedWorkspace): number {
  return a.node.path.length - b.node.path.length || (a.name < b.name ? -1 : 1)
}

/** What the `release` of an environment says now, or undefined where nothing has been deployed there. */
export async function buildRelease(
  q: Queryable,
  where: { organisationId: string; environment: string },
): Promise<ReleaseContent | undefined> {
  const { organisationId } = where
  const rows = await loadCurrentDeployments(q, organisationId, where.environment)
  if (rows.length === 0) return undefined
  const { paths } = await loadTree(q, organisationId)
  const digests = new Set(
    rows.flatMap((row) => [
      row.stableDigest,
      ...(row.candidate === null ? [] : [row.candidate.digest]),
      ...row.shadows,
    ]),
  )
  const versions = new Map<string, VersionRow>()
  for (const digest of digests) {
    const version = await findVersionByDigest(q, organisationId, digest)
    if (version === undefined) throw new Error(`the deployed version ${digest} is not there`)
    versions.set(digest, version)
  }
  const signed = await loadAuthorSignatures(q, organisationId, [...digests])
  const released = rows.flatMap((row) => {
    const stable = versions.get(row.stableDigest)
    return stable === undefined ? [] : [{ stable, workspace: describeWorkspace(row, stable, paths) }]
  })
  for (const { stable, workspace } of released) {
    const kept = await keptBefore(q, where, stable)
    if (kept.length > 0) workspace.kept = kept
  }
  released.sort((a, b) => byDepth(a.workspace, b.workspace))
  const [root] = released
  if (root === undefined) return undefined
  return {
    engine: root.stable.manifest.engine.sandbox,
    catalogue: root.stable.manifest.catalogue,
    workspaces: released.map((each) => each.workspace),
    versions: Object.fromEntries(
      [...versions].map(([digest, row]) => [digest, describeVersion(row, signed.get(digest))]),
    ),
  }
}

/** Versions whose prompts stay: those that were stable in the environment last before this one, and have any. */
async function keptBefore(
  q: Queryable,
  where: { readonly organisationId: string; readonly environment: string },
  stable: VersionRow,
): Promise<NonNullable<ReleasedWorkspace['kept']>> {
  const { workspace } = stable
  const digests = await listStableDigests(q, { ...where, workspace, limit: keptVersionsMax + 1 })
  const kept: NonNullable<ReleasedWorkspace['kept']> = []
  for (const digest of digests) {
    if (digest === stable.digest || kept.length === keptVersionsMax) continue
    const version = await findVersionByDigest(q, where.organisationId, digest)
    if (version === undefined || version.compiled.prompts.length === 0) continue
    kept.push({ number: version.number, version: digest, workspace: describeVersion(version).workspace })
  }
  return kept
}

/** Digests of the blobs that a gateway fetches for a release. */
export function blobsOfRelease(release: ReleaseDocument): string[] {
  const versions = Object.values(release.versions).flatMap((version) => [
    version.manifest.digest,
    version.script.digest,
    version.workspace.digest,
    version.vectors.digest,
  ])
  const kept = release.workspaces.flatMap((workspace) => workspace.kept ?? [])
  return [release.catalogue, ...kept.map((each) => each.workspace.digest), ...versions]
}
