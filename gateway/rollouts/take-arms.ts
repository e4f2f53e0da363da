import type { GatewayParts } from '../parts.ts'
import type { Snapshot } from '../snapshot.ts'
import type { Caller } from '../steps/authenticate.ts'
import type { Trail } from '../trail.ts'
import { chooseArms, type Drawn } from './choose-arms.ts'

const neverStopped = (): boolean => false

/** Chooses what a call is decided with from here to its end, and notes it on the trail. */
export function takeArms(
  snapshot: Snapshot,
  caller: Caller,
  drawn: Omit<Drawn, 'keyId'>,
  { trail, parts }: { readonly trail: Trail; readonly parts: Pick<GatewayParts, 'tripwires'> },
): Snapshot {
  const isStopped = parts.tripwires?.isStopped ?? neverStopped
  const chosen = chooseArms(snapshot, caller, { ...drawn, keyId: caller.key.id }, isStopped)
  trail.snapshot = chosen.snapshot
  trail.rollouts = chosen.parts
  return chosen.snapshot
}

/** Tells the tripwires how the policies of a call did. */
export function noteDecided(
  base: Snapshot,
  { id, rollouts, evaluation }: Trail,
  { tripwires }: Pick<GatewayParts, 'tripwires'>,
): void {
  if (tripwires === undefined || rollouts.length === 0 || evaluation === undefined) return
  const { failure, policies } = evaluation
  const broken = policies.filter(({ error }) => error !== undefined)
  const { environment } = base.release
  for (const part of rollouts) {
    const rollout = base.rollouts?.find(({ deploymentId }) => deploymentId === part.deployment)
    // A policy of another workspace that breaks says nothing about this candidate.
    const own = broken.find(({ workspace }) => workspace === part.workspace)
    const whole = broken.length === 0 ? failure : undefined
    const said =
      own === undefined ? whole?.message : `${own.id}: ${own.error?.kind ?? ''} ${own.error?.message ?? ''}`
    if (rollout !== undefined) tripwires.note({ rollout, part, environment }, { id, failure: said })
  }
}
