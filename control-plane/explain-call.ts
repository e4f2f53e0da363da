import {
  type CatalogueIndex,
  type Engine,
  type ExplainedVersion,
  type ExplainOptions,
  explainRecord,
  indexCatalogue,
  isOnPath,
  loadCatalogue,
  type ParamValues,
} from '@signalbox/policies'
import {
  artefacts,
  type CallRecord,
  Catalogue,
  type Explanation,
  type ReleaseDocument,
  type StateDocument,
} from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import type { Database } from './db/connect.ts'
import { loadBlob } from './stores/blobs.ts'
import { loadDocument, payloadOf } from './stores/documents.ts'
import { listGateways } from './stores/gateways.ts'
import { findVersionByDigest, type VersionRow } from './stores/versions.ts'

export interface ExplainTools {
  readonly db: Database
  readonly engine: Engine
  /** Address of a trace with `{traceId}` in it, if traces can be looked at somewhere. */
  readonly traceUrlTemplate?: string | undefined
}
type Released = ReleaseDocument['workspaces'][number]

async function loadSigned(
  db: Database,
  { row }: CallRecord,
  kind: 'release' | 'state',
): Promise<ReleaseDocument | StateDocument | undefined> {
  const sequence = kind === 'release' ? row.releaseSequence : row.stateSequence
  if (sequence === undefined) return undefined
  const { organisationId, environment } = row
  const stored = await loadDocument(db, { organisationId, environment, kind }, sequence)
  return stored === undefined ? undefined : (payloadOf(stored) as ReleaseDocument | StateDocument)
}

async function explainedVersion(
  db: Database,
  version: VersionRow,
  released: Released | undefined,
): Promise<ExplainedVersion> {
  const { organisationId, digest, number, compiled, manifest } = version
  const script = manifest.blobs.find(({ path }) => path === artefacts.script)
  const bytes = script === undefined ? undefined : await loadBlob(db, organisationId, script.digest)
  const role = released?.stable === digest ? 'stable' : 'candidate'
  return {
    ...{ digest, number, compiled },
    nodePath: released?.node.path ?? compiled.node.split('/').filter((name) => name !== ''),
    ...(released !== undefined && { role }),
    ...(bytes !== undefined && { script: Buffer.from(bytes).toString('utf8') }),
  }
}

/** Whether a workspace decided a call: policies of it stand in the record, or it is on the path of the key. */
function decided({ body }: CallRecord, { name, node }: Released): boolean {
  const path = body.facts?.subject.node.path
  return path === undefined
    ? body.policies.some(({ workspace }) => workspace === name)
    : isOnPath(node.path, path)
}

/** The versions that decided a call, root first. */
async function loadDeciders(
  db: Database,
  record: CallRecord,
  release: ReleaseDocument | undefined,
): Promise<ExplainedVersion[]> {
  const { organisationId, versionDigest } = record.row
  const own =
    versionDigest === undefined ? undefined : await findVersionByDigest(db, organisationId, versionDigest)
  const released = (release?.workspaces ?? []).filter((each) => decided(record, each))
  const deciders: ExplainedVersion[] = []
  for (const workspace of released) {
    // The record's own version wins: it may have been the candidate.
    const isOwn = own?.workspace === workspace.name
    const version = isOwn ? own : await findVersionByDigest(db, organisationId, workspace.stable)
    if (version !== undefined) deciders.push(await explainedVersion(db, version, workspace))
  }
  if (own === undefined || deciders.some(({ digest }) => digest === own.digest)) return deciders
  return [...deciders, await explainedVersion(db, own, undefined)]
}

/** The catalogue of the time; the one of this program where that is not kept. */
async function loadCatalogueIndex(
  db: Database,
  { row }: CallRecord,
  digest: string | undefined,
): Promise<CatalogueIndex> {
  const here = loadCatalogue()
  if (digest === undefined || digest === here.digest) return indexCatalogue(here.catalogue)
  const bytes = await loadBlob(db, row.organisationId, digest)
  const catalogue: unknown = bytes === undefined ? undefined : JSON.parse(Buffer.from(bytes).toString('utf8'))
  return indexCatalogue(fits(Catalogue, catalogue) ? catalogue : here.catalogue)
}

/** Why a stored call was decided as it was, with the documents and versions of its time. */
export async function explainCall(tools: ExplainTools, record: CallRecord): Promise<Explanation> {
  const { db, engine, traceUrlTemplate } = tools
  const { row } = record
  const release = (await loadSigned(db, record, 'release')) as ReleaseDocument | undefined
  const state = (await loadSigned(db, record, 'state')) as StateDocument | undefined
  const gateways = await listGateways(db, row.organisationId, row.environment)
  const gatewayName = gateways.find(({ id }) => id === row.gatewayId)?.name
  const params: ParamValues | undefined = state?.params
  const options: ExplainOptions = {
    ...{ record, engine },
    versions: await loadDeciders(db, record, release),
    catalogue: await loadCatalogueIndex(db, record, release?.catalogue),
    ...(params !== undefined && { params }),
    ...(gatewayName !== undefined && { gatewayName }),
    ...(traceUrlTemplate !== undefined && { traceUrlTemplate }),
    // Other requests are served between two evaluations.
    pause: () => new Promise((resolve) => setImmediate(resolve)),
  }
  return await explainRecord(options)
}
