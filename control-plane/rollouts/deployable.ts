import { artefacts, GoldenVector, Refusal } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import type { Queryable, Transaction } from '../db/connect.ts'
import { loadBlob } from '../stores/blobs.ts'
import { findEnvironment } from '../stores/environments.ts'
import { listGateways } from '../stores/gateways.ts'
import { findNodeByPath } from '../stores/nodes.ts'
import type { VersionRow } from '../stores/versions.ts'

export interface Place {
  readonly organisationId: string
  readonly environment: string
}
/** A gateway that was not heard of for so long does not hold anybody up. */
const goneMs = 86_400_000

/**
 * @throws Refusal `not_found` where there is no such environment, `conflict` with the reason and the way out where a
 * freeze keeps things as they are.
 */
export async function requireUnfrozen(q: Queryable, { organisationId, environment }: Place): Promise<void> {
  const place = await findEnvironment(q, organisationId, environment)
  if (place === undefined) {
    throw new Refusal('not_found', {
      message: `There is no environment "${environment}".`,
      param: 'environment',
    })
  }
  const { freezeReason, freeze } = place
  if (freezeReason === null || freeze?.deployments === false) return
  const who = freeze === null ? '' : ` (${freeze.by}, ${new Date(freeze.sinceMs).toISOString()})`
  throw new Refusal('conflict', {
    message:
      `Nothing is deployed to ${environment} now: ${freezeReason}${who}. ` +
      `End the freeze first: signalbox unfreeze --env ${environment}`,
  })
}

/** @throws Refusal `check_failed` that names the first case; only a version from elsewhere can have one. */
function requirePassed({ number, cases }: VersionRow): void {
  const failed = cases.filter(({ passed }) => !passed)
  const [first] = failed
  if (first === undefined) return
  throw new Refusal('check_failed', {
    message:
      `v${number} failed ${failed.length} of its cases, first ${first.file}:${first.line} "${first.name}". ` +
      'Mend it and push again.',
  })
}

/** Whether golden vectors can prove to another engine that it decides the same here. */
async function hasProof(q: Queryable, version: VersionRow, environment: string): Promise<boolean> {
  const blob = version.manifest.blobs.find(({ path }) => path === artefacts.vectors)
  const bytes = blob === undefined ? undefined : await loadBlob(q, version.organisationId, blob.digest)
  if (bytes === undefined) return false
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  return lines.some((line) => {
    if (line === '') return false
    const vector: unknown = JSON.parse(line)
    return fits(GoldenVector, vector) && vector.environment === environment
  })
}

/** @throws Refusal `conflict` that names the gateways whose engine could not take the version. */
async function requireEngines(
  q: Queryable,
  version: VersionRow,
  { environment, nowMs }: { environment: string; nowMs: number },
): Promise<void> {
  const { organisationId, number, manifest } = version
  const wanted = manifest.engine.sandbox
  const others = (await listGateways(q, organisationId, environment)).filter(
    ({ engine, revokedMs, lastSeenMs }) =>
      revokedMs === null && engine !== null && engine !== wanted && (lastSeenMs ?? 0) > nowMs - goneMs,
  )
  if (others.length === 0 || (await hasProof(q, version, environment))) return
  const names = others.map(({ name, software }) => `${name} (${software ?? 'unknown'})`).join(', ')
  throw new Refusal('conflict', {
    message:
      `v${number} was built for a policy engine that these gateways do not have: ${names}. ` +
      'Upgrade them, or push the workspace again with the release of Signalbox that they run.',
  })
}

/** Whether a version may go into an environment now. @throws Refusal that says why not, and the way out. */
export async function requireDeployable(
  tx: Transaction,
  place: Place & { readonly nowMs: number },
  version: VersionRow,
): Promise<void> {
  await requireUnfrozen(tx, place)
  const { node } = version.compiled
  if ((await findNodeByPath(tx, place.organisationId, node)) === undefined) {
    throw new Refusal('not_found', { message: `There is no node "${node}" to own the workspace.` })
  }
  requirePassed(version)
  await requireEngines(tx, version, place)
}
