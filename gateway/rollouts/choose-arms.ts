import { createHash } from 'node:crypto'
import type { RolloutPart } from '@signalbox/sdk/contract'
import type { ReleasedRollout, Snapshot } from '../snapshot.ts'
import type { Caller } from '../steps/authenticate.ts'

/** What callers are told apart by. */
export interface Drawn {
  readonly userId: string | undefined
  readonly sessionId: string | undefined
  readonly keyId: string
}
/** What a call is decided with, and which rollouts it is part of. */
export interface Chosen {
  readonly snapshot: Snapshot
  readonly parts: readonly RolloutPart[]
}

const million = 1_000_000
const depthMax = 64
const bucketBytes = 6

/** What stands for a caller: what the rollout goes by, else the next that is known. */
function nameOf(by: ReleasedRollout['by'], { userId, sessionId, keyId }: Drawn): string {
  const known = by === 'key' ? [] : by === 'user' ? [userId] : [sessionId, userId]
  return known.find((each) => each !== undefined && each !== '') ?? keyId
}

/**
 * The place of a caller from 0 up to 999,999: the same in every gateway and for every share, so that whoever has the
 * candidate at 5 % has it at 25 %.
 */
export function bucketOf(salt: string, by: ReleasedRollout['by'], drawn: Drawn): number {
  const digest = createHash('sha256')
    .update(`${salt}\n${by}\n${nameOf(by, drawn)}`)
    .digest()
  return digest.readUIntBE(0, bucketBytes) % million
}

function isWithin(teams: ReadonlySet<string>, nodeId: string, { nodes }: Snapshot): boolean {
  if (teams.size === 0) return true
  let at: string | null = nodeId
  for (let depth = 0; at !== null && depth < depthMax; depth++) {
    if (teams.has(at)) return true
    at = nodes.get(at)?.parentId ?? null
  }
  return false
}

/**
 * Chooses between stable and candidate, for each rollout on the caller's path by itself. A candidate that this gateway
 * has stopped (`isStopped`) is as good as none.
 */
export function chooseArms(
  snapshot: Snapshot,
  { key, place }: Caller,
  drawn: Drawn,
  isStopped: (rollout: string) => boolean,
): Chosen {
  const { rollouts = [], withCandidates } = snapshot
  if (rollouts.length === 0 || withCandidates === undefined) return { snapshot, parts: [] }
  const parts: RolloutPart[] = []
  const candidates: number[] = []
  for (const rollout of rollouts) {
    const { at, deploymentId, workspace, by, salt, ppm } = rollout
    if (place.layers !== undefined && !place.layers.includes(at)) continue
    if (!isWithin(rollout.teams, key.node, snapshot) || isStopped(rollout.id)) continue
    const isCandidate = bucketOf(salt, by, drawn) < ppm
    if (isCandidate) candidates.push(at)
    const version = isCandidate ? rollout.candidate : rollout.stable
    parts.push({ deployment: deploymentId, workspace, arm: isCandidate ? 'candidate' : 'stable', version })
  }
  return { snapshot: candidates.length === 0 ? snapshot : withCandidates(candidates), parts }
}
