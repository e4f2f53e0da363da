import { describe, expect, it } from 'vitest'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { memoryKey } from '../../support/memory-snapshot.ts'
import { chatCompletion } from '../../support/scripted-upstream.ts'
import { chat } from '../line.ts'
import { budgetOf, startBudgeted } from './budgeted-gateway.ts'

const small = { ...chat, max_tokens: 100 }

async function start(limit: bigint, mode: 'soft' | 'shadow' | 'hard') {
  const ledger = new MemoryLedger().add('b', limit, mode)
  const started = await startBudgeted({ ledger, budgets: [budgetOf('b', { mode })] })
  started.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
  return started
}

describe('a budget that is not hard', () => {
  it('never refuses, and books what was spent', async () => {
    const { ask, reported, ledger } = await start(1000n, 'soft')
    for (let count = 0; count < 3; count++) expect((await ask(small)).status).toBe(200)
    await reported()
    expect(ledger.get('b').settled + ledger.get('b').overrun).toBe(60_000n)
  })

  it('never waits long for a ledger that is away', async () => {
    const { ask, ledger } = await start(1000n, 'soft')
    ledger.fault = () => new Promise(() => {})
    expect((await ask(small)).status).toBe(200)
    const startMs = performance.now()
    expect((await ask(small)).status).toBe(200)
    expect(performance.now() - startMs).toBeLessThan(150)
  })

  it('lets a model pass whose price is not known', async () => {
    const { ask } = await start(1000n, 'soft')
    expect((await ask({ ...small, model: 'openai/unheard-of' })).status).toBe(200)
  })

  it('counts what it would have refused, where it is a shadow', async () => {
    const { ask, gateway, reported } = await start(1000n, 'shadow')
    await ask(small)
    await reported()
    expect((await ask(small)).status).toBe(200)
    const { body } = await gateway.lastRecord(2)
    expect(body.attempts[0]?.hold?.wouldRefuse).toEqual(['b'])
    expect(gateway.money.counts.wouldRefuse).toBeGreaterThan(0)
  })
})

describe('what is known of a budget', () => {
  it('stands in the facts, in a header, and at the door of the key, which no budget shuts', async () => {
    const { ask, gateway, reported } = await start(1_000_000_000n, 'hard')
    await ask(small)
    await reported()
    const response = await ask(small)
    const remaining = Number(response.headers.get('x-signalbox-budget-remaining-usd'))
    expect(remaining).toBeGreaterThan(0.9)
    expect(remaining).toBeLessThan(1)
    const { body } = await gateway.lastRecord(2)
    expect(body.facts?.budget.tightest).toMatchObject({
      scope: 'team/search',
      limitNanoUsd: 1e9,
      mode: 'hard',
    })
    const door = await fetch(`${gateway.url}/v1/key`, { headers: { authorization: `Bearer ${memoryKey}` } })
    expect(door.status).toBe(200)
    expect(await door.json()).toMatchObject({
      id: 'key-1',
      node: { path: ['search', 'ranking'] },
      budgets: [{ id: 'b', mode: 'hard', limit: '1000000000' }],
    })
    const stranger = await fetch(`${gateway.url}/v1/key`)
    expect(stranger.status).toBe(401)
  })
})
