import { describe, expect, it } from 'vitest'
import { commitTurn, sendAtTurnEnd, writeAtTurnEnd } from '../../gateway/turn-end.ts'

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('The end of a turn', () => {
  it('writes down what there is before it sends anything, whoever came first', async () => {
    const done: string[] = []
    sendAtTurnEnd(() => done.push('send 1'))
    writeAtTurnEnd(() => done.push('write 1'))
    sendAtTurnEnd(() => done.push('send 2'))
    writeAtTurnEnd(() => done.push('write 2'))
    expect(done).toEqual([])
    await nextTurn()
    expect(done).toEqual(['write 1', 'write 2', 'send 1', 'send 2'])
  })

  it('takes what comes of other turns’ promises as long as the turn lasts', async () => {
    const done: string[] = []
    sendAtTurnEnd(() => done.push('send'))
    await Promise.resolve()
    writeAtTurnEnd(() => done.push('write'))
    await nextTurn()
    expect(done).toEqual(['write', 'send'])
  })

  it('writes down at once where something cannot wait, and not a second time', async () => {
    const done: string[] = []
    writeAtTurnEnd(() => done.push('write'))
    commitTurn()
    expect(done).toEqual(['write'])
    sendAtTurnEnd(() => done.push('send'))
    await nextTurn()
    expect(done).toEqual(['write', 'send'])
  })

  it('sends what is asked for while it sends in the next one', async () => {
    const done: string[] = []
    sendAtTurnEnd(() => sendAtTurnEnd(() => done.push('later')))
    await nextTurn()
    await nextTurn()
    expect(done).toEqual(['later'])
  })
})
