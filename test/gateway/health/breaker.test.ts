import { beforeEach, describe, expect, it } from 'vitest'
import { Breaker, breakerRules } from '../../../gateway/health/breaker.ts'

let breaker = new Breaker()
beforeEach(() => {
  breaker = new Breaker()
})
const failTimes = (count: number, nowMs = 0): void => {
  for (let time = 0; time < count; time++) breaker.fail(nowMs)
}
const recover = (nowMs: number): void => {
  breaker.beginProbe()
  breaker.endProbe(true, nowMs)
}

describe('a breaker', () => {
  it('opens after 3 failures of the last 10, however the good ones stand between', () => {
    for (let round = 0; round < 2; round++) {
      breaker.fail(0)
      for (let good = 0; good < 3; good++) breaker.succeed(0)
    }
    expect(breaker.state).toBe('closed')
    breaker.fail(0)
    expect(breaker.state).toBe('open')
  })

  it('stays closed for failures that are further apart, and for one in a thousand', () => {
    for (let call = 0; call < 10_000; call++) {
      if (call % 1000 === 0) breaker.fail(call)
      else breaker.succeed(call)
      expect(breaker.state).toBe('closed')
    }
    for (let call = 0; call < 100; call++) {
      if (call % 5 === 0) breaker.fail(call)
      else breaker.succeed(call)
    }
    expect(breaker.state).toBe('closed')
  })

  it('opens at once when it is told to', () => {
    breaker.trip(5)
    expect([breaker.state, breaker.isOpen, breaker.probeAtMs]).toEqual([
      'open',
      true,
      5 + breakerRules.openMs,
    ])
  })

  it('stays open after a probe without an answer, longer each time, up to a limit', () => {
    breaker.trip(0)
    const waits: number[] = []
    for (let probe = 0; probe < 8; probe++) {
      breaker.beginProbe()
      expect(breaker.isOpen).toBe(true)
      breaker.endProbe(false, 0)
      waits.push(breaker.probeAtMs)
    }
    expect(waits).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000])
  })

  it('lets come back a part of the calls, and more from step to step', () => {
    failTimes(3)
    recover(100)
    const shares: (number | undefined)[] = []
    while (breaker.sharePpm !== undefined) {
      shares.push(breaker.sharePpm)
      for (let good = 0; good < breakerRules.stepAnswers; good++) breaker.succeed(100)
    }
    expect(shares).toEqual([100_000, 250_000, 500_000])
    expect(breaker.state).toBe('closed')
  })

  it('comes back by the time alone where no calls come', () => {
    failTimes(3)
    recover(0)
    for (const step of [1, 2, 3]) breaker.tick(step * breakerRules.stepMs)
    expect(breaker.state).toBe('closed')
  })

  it('opens again with the first failure while it comes back', () => {
    failTimes(3)
    recover(0)
    breaker.succeed(0)
    breaker.fail(10)
    expect([breaker.state, breaker.probeAtMs]).toEqual(['open', 10 + breakerRules.openMs * 2])
  })

  it('forgets earlier openings once it has closed', () => {
    failTimes(3)
    recover(0)
    for (const step of [1, 2, 3]) breaker.tick(step * breakerRules.stepMs)
    failTimes(3, 50_000)
    expect(breaker.probeAtMs).toBe(50_000 + breakerRules.openMs)
  })
})
