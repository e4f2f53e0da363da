import { buildVersion, loadCatalogue } from '@signalbox/policies'
import { artefacts, type ReleaseDocument } from '@signalbox/sdk/contract'
import { type Blobs, environment, organisationId } from './signed-documents.ts'

/** Compiles a workspace as the control plane does and makes a release of it; all blobs are added to `blobs`. */
export async function buildRelease(
  blobs: Blobs,
  files: Readonly<Record<string, string>>,
  change: Partial<ReleaseDocument> = {},
): Promise<ReleaseDocument> {
  const catalogue = loadCatalogue()
  const { version, problems } = await buildVersion(new Map(Object.entries(files)), {
    catalogue,
    typeCheck: false,
  })
  if (version === null) throw new Error(JSON.stringify(problems))
  for (const [digest, bytes] of version.blobs) blobs.set(digest, bytes)
  blobs.add(catalogue.text)
  const blob = (path: string) => {
    const { digest, bytes } = version.manifest.blobs.find((each) => each.path === path) ?? {
      digest: '',
      bytes: 0,
    }
    return { digest, bytes }
  }
  const { name } = version.manifest
  return {
    type: 'release/1',
    organisationId,
    environment,
    sequence: 1,
    createdMs: Date.now(),
    expiresMs: Date.now() + 86_400_000,
    rollbackOf: null,
    engine: version.manifest.engine.sandbox,
    catalogue: catalogue.digest,
    workspaces: [
      {
        name,
        node: { id: organisationId, path: [] },
        deploymentId: '01990000-0000-7000-8000-000000000003',
        stable: version.digest,
        candidate: null,
        shadows: [],
      },
    ],
    versions: {
      [version.digest]: {
        number: 12,
        name,
        manifest: { digest: version.digest, bytes: version.blobs.get(version.digest)?.length ?? 0 },
        script: blob(artefacts.script),
        workspace: blob(artefacts.workspace),
        vectors: blob(artefacts.vectors),
      },
    },
    ...change,
  }
}
