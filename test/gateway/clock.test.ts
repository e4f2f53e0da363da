import { describe, expect, it } from 'vitest'
import { createClock } from '../../gateway/clock.ts'

function setClock() {
  const time = { wallMs: 1_000_000, monotonicMs: 50 }
  const clock = createClock({ wallMs: () => time.wallMs, monotonicMs: () => time.monotonicMs })
  const pass = (ms: number): void => {
    time.wallMs += ms
    time.monotonicMs += ms
  }
  return { time, clock, pass }
}

describe('the clock', () => {
  it('tells the time of day with fractions', () => {
    const { clock, time, pass } = setClock()
    expect(clock.nowMs()).toBe(1_000_000)
    time.monotonicMs += 0.25
    expect(clock.nowMs()).toBe(1_000_000.25)
    pass(10)
    expect(clock.monotonicMs()).toBe(60.25)
  })

  it('makes up for a small difference bit by bit, and never runs backwards', () => {
    const { clock, time, pass } = setClock()
    time.wallMs -= 100
    let before = clock.nowMs()
    for (let check = 0; check < 5; check++) {
      pass(1000)
      expect(clock.nowMs()).toBe(before + 980)
      before = clock.nowMs()
    }
    pass(1000)
    expect(clock.nowMs()).toBe(time.wallMs)
  })

  it('follows a clock that was set', () => {
    const { clock, time, pass } = setClock()
    time.wallMs += 3_600_000
    pass(999)
    expect(clock.nowMs()).toBe(1_000_999)
    pass(1)
    expect(clock.nowMs()).toBe(time.wallMs)
  })
})
