import { defaultGuards, type GuardMetric } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { meanRange, rankRange, shareRange } from '../../../control-plane/rollouts/confidence.ts'
import { alarmPpmOf, judgeArms } from '../../../control-plane/rollouts/judge-arms.ts'
import { addCall, type Behaviour, drawsOf, noCalls, usual } from './simulated-arms.ts'

/** Plays calls with a tenth for the candidate, judged after every batch; gives what was breached, and when. */
function play(
  candidate: Behaviour,
  { seed, calls, lookEvery }: { seed: number; calls: number; lookEvery: number },
): { metric: GuardMetric; after: number } | undefined {
  const draw = drawsOf(seed)
  const arms = { stable: noCalls(), candidate: noCalls() }
  for (let call = 1; call <= calls; call++) {
    const isCandidate = draw() < 0.1
    addCall(isCandidate ? arms.candidate : arms.stable, isCandidate ? candidate : usual, draw)
    if (call % lookEvery !== 0) continue
    const breached = judgeArms(arms, defaultGuards, 1).find(({ state }) => state === 'breached')
    if (breached !== undefined) return { metric: breached.metric, after: arms.candidate.calls }
  }
  return undefined
}

describe('the sequential tests of a rollout', () => {
  it('raise a false alarm no more often than they say, however often they are looked at', () => {
    const runs = 60
    let alarms = 0
    for (let seed = 1; seed <= runs; seed++) {
      if (play(usual, { seed, calls: 6000, lookEvery: 250 }) !== undefined) alarms++
    }
    // 1 % is allowed; `node test/bench/rollouts.ts` plays thousands of runs.
    expect(alarms).toBeLessThanOrEqual(2)
  })

  it.each([
    ['upstreamErrors', { ...usual, upstream: 0.15 }],
    ['latency', { ...usual, latencyMs: 900 }],
    ['cost', { ...usual, costNanoUsd: 1_700_000 }],
    ['denies', { ...usual, deny: 0.25 }],
  ] as const)('find a candidate whose %s are worse', (metric, behaviour) => {
    for (let seed = 1; seed <= 5; seed++) {
      expect(play(behaviour, { seed, calls: 40_000, lookEvery: 500 })).toMatchObject({ metric })
    }
  })

  it('find on few calls what is wrong beyond doubt', () => {
    const found = play({ ...usual, upstream: 1 }, { seed: 1, calls: 40_000, lookEvery: 50 })
    expect(found?.metric).toBe('upstreamErrors')
    expect(found?.after).toBeLessThan(100)
  })

  it('say nothing of too few calls', () => {
    const few = { ...noCalls(), calls: 20, upstreamErrors: 20 }
    const states = judgeArms({ stable: { ...noCalls(), calls: 20 }, candidate: few }, defaultGuards, 1)
    expect(states.map(({ state }) => state)).toEqual(states.map(() => 'waiting'))
  })

  it('share one false alarm rate over all guards and all shares of a rollout', () => {
    const steps = Array.from({ length: 1000 }, (_, index) => alarmPpmOf(defaultGuards, index + 1) * 6)
    expect(steps.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(defaultGuards.falseAlarmPpm)
    expect(steps[0]).toBe(5000)
  })
})

describe('ranges that hold at every moment', () => {
  it('miss the truth of a share in no more runs than they say, looked at after every call', () => {
    const [runs, alpha, share] = [100, 0.1, 0.07]
    let missed = 0
    for (let seed = 1; seed <= runs; seed++) {
      const draw = drawsOf(seed)
      let hits = 0
      for (let calls = 1; calls <= 200; calls++) {
        if (draw() < share) hits++
        const [low, high] = shareRange(hits, calls, alpha)
        if (share < low || share > high) {
          missed++
          break
        }
      }
    }
    expect(missed / runs).toBeLessThanOrEqual(alpha)
  })

  it('get narrow with the number of calls', () => {
    const [low, high] = shareRange(500, 10_000, 0.001)
    expect(low).toBeGreaterThan(0.04)
    expect(high).toBeLessThan(0.063)
    const [from, to] = rankRange(0.95, 10_000, 0.001)
    expect(from).toBeGreaterThan(9380)
    expect(to).toBeLessThan(9620)
    const [least, most] = meanRange({ calls: 10_000, sum: 10_000, squares: 20_000 }, 0.001, 300)
    expect([least > 0.93, most < 1.07]).toEqual([true, true])
  })

  it('say nothing without calls', () => {
    expect(shareRange(0, 0, 0.01)).toEqual([0, 1])
    expect(rankRange(0.95, 0, 0.01)).toEqual([0, 1])
    expect(meanRange({ calls: 1, sum: 1, squares: 1 }, 0.01, 300)).toEqual([-Infinity, Infinity])
  })
})
