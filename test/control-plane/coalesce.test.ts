import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { coalesce } from '../../control-plane/coalesce.ts'

function counted(work: (run: number) => Promise<void> = () => wait(10)) {
  const state = { running: 0, runningMax: 0, runs: 0 }
  const run = coalesce(async (key: string) => {
    const number = ++state.runs
    state.running++
    state.runningMax = Math.max(state.runningMax, state.running)
    try {
      await work(number)
      return `${key} ${number}`
    } finally {
      state.running--
    }
  })
  return { run, state }
}

describe('coalesce', () => {
  it('gives every caller a run that started after its call', async () => {
    const { run, state } = counted()
    const first = run('a')
    const rest = Promise.all(Array.from({ length: 20 }, () => run('a')))
    expect(await first).toBe('a 1')
    expect(new Set(await rest)).toEqual(new Set(['a 2']))
    expect(await run('a')).toBe('a 3')
    expect(state).toMatchObject({ runs: 3, runningMax: 1 })
  })

  it('runs different keys side by side', async () => {
    const { run, state } = counted()
    await Promise.all([run('a'), run('b'), run('c')])
    expect(state.runningMax).toBe(3)
  })

  it('passes a failure on to those who shared the run, and to nobody else', async () => {
    const { run } = counted(async (number) => {
      await wait(5)
      if (number === 1) throw new Error('broken')
    })
    const [first, second] = await Promise.allSettled([run('a'), run('a')])
    expect(first.status).toBe('rejected')
    expect(second).toEqual({ status: 'fulfilled', value: 'a 2' })
  })
})
