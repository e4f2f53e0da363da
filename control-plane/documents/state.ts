import {
  Refusal,
  type StateBudget,
  type StateDocument,
  type StateLimit,
  type TreeBlob,
} from '@signalbox/sdk/contract'
import { canonicalJson, digestOf } from '@signalbox/sdk/node'
import type { Queryable } from '../db/connect.ts'
import { storeBlobs } from '../stores/blobs.ts'
import { loadStateBudgets } from '../stores/budgets.ts'
import { loadEnvironment, loadParams, loadTree } from '../stores/documents.ts'
import type { EnvironmentRow } from '../stores/environments.ts'
import { loadRevokedKeys } from '../stores/key-shards.ts'
import { loadStateLimits } from '../stores/limits.ts'
import { loadFactsRules, loadUnrecorded } from '../stores/retention.ts'
import { buildKeyIndex } from './key-index.ts'
import type { DocumentContent } from './write-document.ts'

/** Most revoked keys that the list names. */
const revokedKeysMax = 10_000
/** For how long a revoked key is told from one that never was (`key_revoked`, not `key_invalid`). */
const revokedNamedMs = 30 * 86_400_000
const dayMs = 86_400_000

export type StateContent = DocumentContent<StateDocument>

/**
 * A key that is revoked stays in its shard until the end of the day (UTC) and is only put on the list: so a revocation
 * changes the document alone and no gateway has to fetch a shard first. Gives the list, and from when on a revoked key
 * still stands in its shard; such a key is always on the list.
 */
async function loadRevoked(
  q: Queryable,
  where: { organisationId: string; environment: string },
  nowMs: number,
): Promise<{ hashes: string[]; inShardsAfterMs: number }> {
  const rows = await loadRevokedKeys(q, { ...where, sinceMs: nowMs - revokedNamedMs }, revokedKeysMax)
  const dayStartMs = nowMs - (nowMs % dayMs)
  const oldest = rows.at(-1)
  const full = rows.length === revokedKeysMax && oldest !== undefined
  return {
    hashes: rows.map((row) => row.hash).sort(),
    inShardsAfterMs: full ? Math.max(dayStartMs, oldest.revokedMs) : dayStartMs,
  }
}

/** Budgets that calls of an environment may be under; no member where there is none. */
async function loadBudgets(
  q: Queryable,
  where: { organisationId: string; environment: string },
): Promise<{ budgets?: StateBudget[] }> {
  const rows = await loadStateBudgets(q, where)
  const budgets = rows.map(({ nodeId, keyId, ...rest }): StateBudget => {
    const owner =
      nodeId === null ? { kind: 'key' as const, id: keyId ?? '' } : { kind: 'node' as const, id: nodeId }
    return { ...rest, owner }
  })
  return budgets.length === 0 ? {} : { budgets }
}

/** Limits that calls of an environment may be under; no member where there is none. */
async function loadLimits(
  q: Queryable,
  where: { organisationId: string; environment: string },
): Promise<{ rateLimits?: StateLimit[] }> {
  const rateLimits = await loadStateLimits(q, where)
  return rateLimits.length === 0 ? {} : { rateLimits }
}

/** What is switched off; a freeze from before is one of deployments. */
function freezeIn({
  freezeReason,
  freeze,
}: Pick<EnvironmentRow, 'freezeReason' | 'freeze'>): StateDocument['freeze'] {
  if (freezeReason === null) return null
  if (freeze === null) return { reason: freezeReason }
  const { deployments, candidates, policies } = freeze
  return { reason: freezeReason, deployments, candidates, policies }
}

/**
 * What the `state` of an environment says now. Its blobs (tree, changed key shards) are stored on the way.
 * Keys are read before the tree: a node that is deleted meanwhile had no key that works, so the others' are in it.
 */
export async function buildState(
  q: Queryable,
  where: { organisationId: string; environment: string },
  nowMs: number,
): Promise<StateContent> {
  const { organisationId } = where
  const environment = await loadEnvironment(q, organisationId, where.environment)
  if (environment === undefined) throw new Refusal('not_found', { message: 'There is no such environment.' })
  const revoked = await loadRevoked(q, where, nowMs)
  const indexed = { ...where, revokedAfterMs: revoked.inShardsAfterMs }
  const { keys } = await buildKeyIndex(q, indexed, nowMs)
  const { nodes } = await loadTree(q, organisationId)
  const tree: TreeBlob = { schema: 'tree/1', nodes }
  const treeText = canonicalJson(tree)
  const treeDigest = digestOf(treeText)
  await storeBlobs(q, organisationId, new Map([[treeDigest, Buffer.from(treeText, 'utf8')]]), nowMs)
  return {
    stateAgeMsMax: environment.stateAgeMsMax,
    tree: treeDigest,
    keys,
    revoked: revoked.hashes,
    limits: {},
    ...(await loadLimits(q, where)),
    ...(await loadBudgets(q, where)),
    params: await loadParams(q, organisationId, where.environment),
    freeze: freezeIn(environment),
    ...(await loadUnrecorded(q, where)),
    ...(await loadFactsRules(q, where)),
  }
}

/** Digests of the blobs that a gateway fetches for a state. */
export function blobsOfState(state: StateDocument): string[] {
  return [state.tree, ...state.keys.shards.map((shard) => shard.digest)]
}
