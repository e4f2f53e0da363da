import { defaultGuards } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { nextStep, wantedCandidate } from '../../../control-plane/rollouts/next-deployment.ts'

const step = (ppm: number) => ({ ppm, minMs: 60_000, minCalls: 10 })
const candidate = {
  ...wantedCandidate({ ramp: [step(50_000), step(250_000), step(1_000_000)] }, null),
  ...{ digest: `sha256:${'c'.repeat(64)}`, rollout: 'rollout-1', salt: 'salt', step: 1, sinceMs: 1000 },
}

describe('a ramp plan', () => {
  it('begins with its first share, goes on with the next, and ends with everybody', () => {
    expect(candidate).toMatchObject({ ppm: 50_000, by: 'user', teams: [], guards: defaultGuards })
    const second = nextStep(candidate, 5000)
    expect(second).toMatchObject({ ppm: 250_000, step: 2, sinceMs: 5000, salt: 'salt', rollout: 'rollout-1' })
    expect(second && nextStep(second, 9000)).toBeNull()
  })

  it('stays at a last share that is not everybody', () => {
    const partly = { ...candidate, ramp: [step(50_000), step(250_000)] }
    const second = nextStep(partly, 5000)
    expect(second && nextStep(second, 9000)).toEqual(second)
    const team = { ...candidate, teams: ['team-1'], ramp: [step(50_000), step(1_000_000)] }
    expect(nextStep(team, 5000)).toMatchObject({ ppm: 1_000_000, teams: ['team-1'] })
  })

  it('that does not rise, or says another share than it begins with, is refused', () => {
    expect(() => wantedCandidate({ ramp: [step(250_000), step(250_000)] }, null)).toThrow('must rise')
    expect(() => wantedCandidate({ ramp: [step(250_000)], canaryPpm: 10_000 }, null)).toThrow('canaryPpm')
  })

  it('keeps teams and guards of the rollout that it goes on with, and a share by hand ends it', () => {
    const running = { ...candidate, teams: ['team-1'], guards: { ...defaultGuards, cost: null } }
    const grown = wantedCandidate({ canaryPpm: 500_000 }, running)
    expect(grown).toMatchObject({ ppm: 500_000, teams: ['team-1'], ramp: [], guards: { cost: null } })
  })
})
