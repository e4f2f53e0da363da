import { describe, expect, it } from 'vitest'
import { RunningCounter, WindowCounter } from '../../../gateway/limits/window-counter.ts'

const minute = 60_000

describe('A window in memory', () => {
  it('begins with its first use and is empty again when its length is over', () => {
    const counter = new WindowCounter(minute)
    counter.take(3, 3, 10_000)
    expect(counter.fits(1, 3, 69_999)).toBe(false)
    expect(counter.view(3, 10_000)).toEqual({ used: 3, endMs: 70_000 })
    expect(counter.fits(3, 3, 70_000)).toBe(true)
    expect(counter.view(3, 70_000)).toEqual({ used: 0, endMs: undefined })
  })

  it('takes back what was guessed too high in the same window alone', () => {
    const counter = new WindowCounter(minute)
    const first = counter.take(100, 100, 0)
    counter.correct(first, -60, 1)
    expect(counter.view(100, 1).used).toBe(40)
    counter.take(100, 100, minute)
    counter.correct(first, -40, minute + 1)
    expect(counter.view(100, minute + 1).used).toBe(100)
  })

  it('counts what was guessed too low in the window that runs', () => {
    const counter = new WindowCounter(minute)
    const first = counter.take(10, 100, 0)
    counter.correct(first, 50, minute + 5)
    expect(counter.view(100, minute + 5).used).toBe(50)
  })
})

describe('Calls at the same time', () => {
  it('are as many as began and did not end', () => {
    const counter = new RunningCounter()
    counter.take(1)
    counter.take(1)
    expect(counter.fits(1, 2)).toBe(false)
    counter.correct(0, -1)
    expect(counter.fits(1, 2)).toBe(true)
    expect(counter.isIdle()).toBe(false)
    counter.correct(0, -1)
    expect(counter.isIdle()).toBe(true)
  })
})
