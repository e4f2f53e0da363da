import {
  type BucketKind,
  defaultGuards,
  type Guards,
  type GuardsChange,
  type RampStep,
  Refusal,
} from '@signalbox/sdk/contract'
import type { CandidateRow, WantedDeployment } from '../db/schema.ts'
import type { NumberedDeployment } from '../stores/deployments.ts'

/** What is asked for beside the version, as the request has it; `teams` are ids of nodes. */
export interface CandidateWish {
  readonly canaryPpm?: number | undefined
  readonly teams?: readonly string[] | undefined
  readonly by?: BucketKind | undefined
  readonly ramp?: readonly RampStep[] | undefined
  readonly guards?: GuardsChange | undefined
}
/** What a deployment points at. */
export interface Pointed {
  readonly stableDigest: string
  readonly candidate: CandidateRow | null
  readonly shadows: string[]
  /** Of all calls, how many the shadows look at; left out: as many as before. */
  readonly shadowPpm?: number
}
/** What a new rollout needs that is not in the wish. */
export interface Fresh {
  readonly id: string
  readonly nowMs: number
  readonly salt: string
}

const whole = 1_000_000
const shadowsMax = 8

/** Whether a promotion makes a candidate, or the version itself stable. */
export function wishesCandidate({ canaryPpm, teams, ramp }: CandidateWish): boolean {
  return canaryPpm !== undefined || teams !== undefined || ramp !== undefined
}

function guardsOf(change: GuardsChange | undefined, base: Guards): Guards {
  return { ...base, ...change }
}

/** @throws Refusal where shares do not rise, or ask for two things at once. */
function checkRamp({ ramp, canaryPpm }: CandidateWish): void {
  if (ramp === undefined) return
  const refuse = (message: string): never => {
    throw new Refusal('invalid_request', { message, param: 'ramp' })
  }
  if (canaryPpm !== undefined && canaryPpm !== ramp[0]?.ppm) {
    refuse('The first step of the ramp is the share to begin with: leave `canaryPpm` out.')
  }
  for (const [index, step] of ramp.entries()) {
    const before = ramp[index - 1]
    if (before !== undefined && step.ppm <= before.ppm) refuse('The shares of a ramp must rise.')
  }
}

/** The candidate as it is asked for; `running` is the rollout of the same version, where there is one. */
export function wantedCandidate(
  wish: CandidateWish,
  running: CandidateRow | null,
): NonNullable<WantedDeployment['candidate']> {
  checkRamp(wish)
  const { ramp, canaryPpm } = wish
  return {
    ppm: ramp?.[0]?.ppm ?? canaryPpm ?? running?.ppm ?? whole,
    teams: [...(wish.teams ?? running?.teams ?? [])].sort(),
    by: wish.by ?? running?.by ?? 'user',
    // A share that is named by hand ends the plan that was.
    ramp: [...(ramp ?? [])],
    guards: guardsOf(wish.guards, running?.guards ?? defaultGuards),
  }
}

const percent = (ppm: number): string => `${Number((ppm / 10_000).toFixed(4))}%`

function refuseBusy(current: NumberedDeployment): never {
  const { candidate, candidateNumber, environment } = current
  const share = percent(candidate?.ppm ?? 0)
  throw new Refusal('conflict', {
    message:
      `v${candidateNumber} is being rolled out in ${environment} (${share}). Complete it (promote v${candidateNumber}) ` +
      'or take it back (rollback) first.',
  })
}

/** What a deployment comes to, on what holds now; undefined where that is it already. @throws Refusal `conflict`. */
export function nextDeployment(
  current: NumberedDeployment | undefined,
  wanted: WantedDeployment,
  fresh: Fresh,
): Pointed | undefined {
  if (wanted.shadow) return withShadow(current, wanted)
  if (wanted.candidate !== null) return withCandidate(current, wanted, fresh)
  const shadows = (current?.shadows ?? []).filter((digest) => digest !== wanted.digest)
  const made = { stableDigest: wanted.digest, candidate: null, shadows }
  if (current === undefined || current.candidate?.digest === wanted.digest) return made
  if (current.candidate !== null) refuseBusy(current)
  return current.stableDigest === wanted.digest ? undefined : made
}

function requireStable(current: NumberedDeployment | undefined, what: string): NumberedDeployment {
  if (current !== undefined) return current
  throw new Refusal('conflict', {
    message: `Nothing is deployed here yet that ${what} could stand beside: promote a version first.`,
  })
}

function withShadow(
  current: NumberedDeployment | undefined,
  { digest, shadowPpm }: WantedDeployment,
): Pointed | undefined {
  const standing = requireStable(current, 'a shadow')
  const { stableDigest, candidate, shadows } = standing
  const share = shadowPpm === undefined ? {} : { shadowPpm }
  if (stableDigest === digest) {
    throw new Refusal('conflict', { message: 'This version is the stable one here: it has no shadow.' })
  }
  if (shadows.includes(digest)) {
    const isSame = shadowPpm === undefined || shadowPpm === (standing.shadowPpm ?? whole)
    return isSame ? undefined : { stableDigest, candidate, shadows, ...share }
  }
  if (shadows.length >= shadowsMax) {
    throw new Refusal('conflict', {
      message: `There are ${shadowsMax} shadows already: take one away (rollback --shadow VERSION).`,
    })
  }
  return { stableDigest, candidate, shadows: [...shadows, digest], ...share }
}

function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function withCandidate(
  current: NumberedDeployment | undefined,
  { digest, candidate: wish }: WantedDeployment,
  fresh: Fresh,
): Pointed | undefined {
  const standing = requireStable(current, 'a candidate')
  const { stableDigest, shadows, candidate: running } = standing
  if (stableDigest === digest) {
    throw new Refusal('conflict', {
      message: `v${standing.stableNumber} is the stable version here already.`,
    })
  }
  if (running !== null && running.digest !== digest) refuseBusy(standing)
  if (wish === null) throw new Error('there is no candidate to make')
  if (running !== null && running.by !== wish.by) {
    throw new Refusal('conflict', {
      message: `Callers of this rollout are told apart by ${running.by}: another way would move them between the arms.`,
    })
  }
  const { ppm, teams, ramp } = wish
  if (running !== null && running.ppm === ppm && sameList(running.teams, teams)) {
    if (sameList(running.ramp, ramp) && sameList([running.guards], [wish.guards])) return undefined
  }
  const candidate: CandidateRow = {
    ...wish,
    digest,
    rollout: running?.rollout ?? fresh.id,
    salt: running?.salt ?? fresh.salt,
    step: (running?.step ?? 0) + 1,
    sinceMs: fresh.nowMs,
  }
  return { stableDigest, candidate, shadows: shadows.filter((each) => each !== digest) }
}

/** The next share of a ramp plan; null where that is everybody, for good, and so makes the candidate stable. */
export function nextStep(candidate: CandidateRow, nowMs: number): CandidateRow | null {
  const ramp = candidate.ramp.slice(1)
  const [step] = ramp
  if (step === undefined) return candidate
  // Everybody, without a plan for what follows, is what stable means.
  if (step.ppm === whole && ramp.length === 1 && candidate.teams.length === 0) return null
  return { ...candidate, ramp, ppm: step.ppm, step: candidate.step + 1, sinceMs: nowMs }
}
