import { describe, expect, it } from 'vitest'
import { createGate } from '../../control-plane/gate.ts'

describe('a gate', () => {
  it('lets so many run, so many wait in order, and refuses the rest at once', async () => {
    const gate = createGate({ runningMax: 2, waitingMax: 2 })
    const order: number[] = []
    const ends: (() => void)[] = []
    const task = (number: number) =>
      gate(async () => {
        order.push(number)
        await new Promise<void>((resolve) => ends.push(resolve))
      })
    const tasks = [0, 1, 2, 3].map(task)
    await expect(task(4)).rejects.toMatchObject({ code: 'not_ready', retryAfterS: 1 })
    expect(order).toEqual([0, 1])
    ends[1]?.()
    await tasks[1]
    await Promise.resolve()
    expect(order).toEqual([0, 1, 2])
    ends[0]?.()
    await tasks[0]
    await Promise.resolve()
    expect(order).toEqual([0, 1, 2, 3])
    for (const end of ends) end()
    await Promise.all(tasks)
  })

  it('frees the place of a task that fails', async () => {
    const gate = createGate({ runningMax: 1, waitingMax: 0 })
    await expect(gate(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    await expect(gate(async () => 'next')).resolves.toBe('next')
  })
})
