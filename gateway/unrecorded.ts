import type { Attempt, CallRecord, StateDocument } from '@signalbox/sdk/contract'
import type { Snapshot } from './snapshot.ts'
import type { Target } from './targets.ts'
import type { Trail } from './trail.ts'

type Unrecorded = NonNullable<StateDocument['unrecorded']>

/** A tree is at most this deep. */
const depthMax = 32
const known = new WeakMap<Snapshot, { nodes: Map<string, boolean>; keys: ReadonlySet<string> }>()

function isNodeUnrecorded(snapshot: Snapshot, nodeId: string, unrecorded: Unrecorded): boolean {
  let at = snapshot.nodes.get(nodeId)
  for (let depth = 0; at !== undefined && depth < depthMax; depth++) {
    if (unrecorded.nodes.includes(at.id)) return true
    at = at.parentId === null ? undefined : snapshot.nodes.get(at.parentId)
  }
  return false
}

/** Whether retention is `none` for a call, by its environment, its key, or a node on its path. */
export function isUnrecorded({
  snapshot,
  keyId,
  nodeId,
}: Pick<Trail, 'snapshot' | 'keyId' | 'nodeId'>): boolean {
  const unrecorded = snapshot?.state.unrecorded
  if (snapshot === undefined || unrecorded === undefined) return false
  if (unrecorded.all) return true
  let told = known.get(snapshot)
  if (told === undefined) {
    told = { nodes: new Map(), keys: new Set(unrecorded.keys) }
    known.set(snapshot, told)
  }
  if (keyId !== undefined && told.keys.has(keyId)) return true
  if (nodeId === undefined) return false
  let found = told.nodes.get(nodeId)
  if (found === undefined) {
    found = isNodeUnrecorded(snapshot, nodeId, unrecorded)
    told.nodes.set(nodeId, found)
  }
  return found
}

/** Whether somebody but the caller names the model: catalogue, or workspace. */
export function isListed(target: Target, { snapshot }: Pick<Trail, 'snapshot'>): boolean {
  if (target.row !== undefined || target.prices !== undefined) return true
  return snapshot?.versions.some(({ compiled }) => compiled.targets.includes(target.name)) ?? false
}

/** Of an attempt what it was asked of, how it went and what it cost; no word of the caller's or the provider's. */
function meteringOf(attempt: Attempt, unlisted: ReadonlyMap<string, string>): Attempt {
  const { errorCode: _, upstreamRequestId: __, finish: ___, prompt: ____, ...metering } = attempt
  const shown = unlisted.get(attempt.target)
  return shown === undefined ? metering : { ...metering, target: shown, model: unlistedModel }
}

/** What stands in place of the name of a model that nobody but the caller names. */
export const unlistedModel = 'unlisted'

/**
 * What is recorded of a call where retention is `none`: metering and digests. It is taken out here, before anything
 * is written: journal, segments, rows and spans have never had the rest.
 */
export function withoutContent(
  { row, body }: CallRecord,
  trail: Pick<Trail, 'snapshot' | 'attempts'>,
): CallRecord {
  const unlisted = new Map<string, string>()
  for (const { target } of trail.attempts) {
    const { shownName } = target
    if (!isListed(target, trail))
      unlisted.set(shownName, `${shownName.slice(0, shownName.indexOf('/'))}/${unlistedModel}`)
  }
  const target = row.target === undefined ? undefined : (unlisted.get(row.target) ?? row.target)
  return {
    row: {
      ...row,
      ...(target !== undefined && { target }),
      modelRequested: target ?? '',
      metadata: {},
    },
    body: {
      factsClass: 'digest',
      policies: [],
      fuel: body.fuel,
      evaluationUs: body.evaluationUs,
      attempts: body.attempts.map((attempt) => meteringOf(attempt, unlisted)),
      verdicts: [],
      dropped: [],
      undeclaredMetadata: [],
      text: body.text,
    },
  }
}
