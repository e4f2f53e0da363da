import { describe, expect, it } from 'vitest'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { allow, smallCatalogue } from '../../support/memory-snapshot.ts'
import { chatCompletion } from '../../support/scripted-upstream.ts'
import { chat } from '../line.ts'
import { budgetOf, startBudgeted } from './budgeted-gateway.ts'

/** 1 USD a million input, 2 output: an answer of 100 tokens costs 200,000 nano-dollars at most. */
const small = { ...chat, max_tokens: 100 }
const dollar = 1_000_000_000n
const twoTargets = () =>
  allow({ strategy: 'ordered', of: [{ target: 'openai/gpt-5.2' }, { target: 'openai/gpt-5-mini' }] })

async function start(limit: bigint, options: Parameters<typeof startBudgeted>[0] = {}) {
  const started = await startBudgeted({ ledger: new MemoryLedger().add('b', limit), ...options })
  started.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
  return started
}

describe('a call under a hard budget', () => {
  it('goes out as it came with a hold for all that it can cost, and settles what it did', async () => {
    const { ask, upstream, dispatched, reported, ledger, gateway } = await start(dollar)
    expect((await ask(small)).status).toBe(200)
    expect(upstream.requests.at(-1)?.json).toEqual({ ...small, model: 'gpt-5.2' })
    expect(dispatched).toHaveLength(1)
    expect(dispatched[0]?.heldNanoUsd).toBeGreaterThanOrEqual(200_000n + 1_000_000n)
    await reported()
    expect(ledger.get('b').settled).toBe(20_000n)
    const { hold } = (await gateway.lastRecord()).body.attempts[0] ?? {}
    expect(hold).toMatchObject({ kind: 'full', settledNanoUsd: '20000', evidence: 'reported' })
    expect(hold?.leases).toHaveLength(1)
    expect(hold?.priceDigest).toMatch(/^sha256:/)
  })

  it('goes on without the ledger while the lease in hand covers it', async () => {
    const { ask, ledger, dispatched } = await start(100n * dollar)
    await ask(small)
    ledger.fault = () => {
      throw new Error('cut')
    }
    await ask(small)
    expect(dispatched).toHaveLength(2)
    expect(ledger.asked).toBe(1)
  })

  it('is refused for good where the budget is used up, and nothing goes out', async () => {
    const { ask, dispatched, ledger } = await start(1000n)
    const response = await ask(small)
    expect(response.status).toBe(402)
    expect(response.headers.get('x-should-retry')).toBe('false')
    expect(await response.json()).toMatchObject({ error: { code: 'budget_exhausted' } })
    expect(dispatched).toEqual([])
    expect(ledger.get('b').leased).toBe(0n)
  })

  it('is told how much is left and what it needs where that is not enough', async () => {
    const { ask } = await start(1000n)
    const short = (await (await ask(small)).json()) as { error: { message: string } }
    expect(short.error.message).toMatch(
      /^A budget has \$0\.000001 left, and \$0\.00\d+ must be kept for this call\./,
    )
    const nothing = await start(0n)
    const closed = (await (await nothing.ask(small)).json()) as { error: { message: string } }
    expect(closed.error.message).toMatch(/^A budget is used up\./)
  })

  it('has its answer limited to what is left where its target may hide some of it', async () => {
    const { ask, upstream, dispatched, ledger, gateway } = await start(1_500_000n)
    ledger.shareMax = 1n
    expect((await ask({ ...chat, max_tokens: 8000 })).status).toBe(200)
    const sent = Number(upstream.requests.at(-1)?.json.max_tokens)
    expect(sent).toBeGreaterThanOrEqual(16)
    expect(sent).toBeLessThan(250)
    expect(dispatched[0]?.heldNanoUsd).toBeLessThanOrEqual(1_500_000n)
    expect((await gateway.lastRecord()).body.attempts[0]?.hold?.kind).toBe('clamped')
  })

  it('is refused where its price is not known', async () => {
    const { ask, dispatched } = await start(dollar)
    const response = await ask({ ...small, model: 'openai/unheard-of' })
    expect(response.status).toBe(402)
    expect(await response.json()).toMatchObject({ error: { code: 'price_unknown' } })
    expect(dispatched).toEqual([])
  })

  it('is refused where nothing bounds what it costs', async () => {
    const { ask, dispatched } = await start(dollar)
    const bodies = [
      { ...small, tools: [{ type: 'web_search' }] },
      { ...small, service_tier: 'priority' },
    ]
    for (const body of bodies) expect((await ask(body)).status).toBe(402)
    expect(dispatched).toEqual([])
  })

  it('goes to the next target where the first is too dear', async () => {
    const [dear, ...rest] = smallCatalogue
    if (dear === undefined) throw new Error('no catalogue')
    const prices = [{ units: { input: 1_000_000, output: 200_000_000_000 } }]
    const { ask, gateway } = await start(3_000_000n, {
      snapshot: { catalogue: [{ ...dear, prices }, ...rest], decide: twoTargets },
    })
    expect((await ask(small)).headers.get('x-signalbox-target')).toBe('openai/gpt-5-mini')
    const { body } = await gateway.lastRecord()
    expect(body.attempts.map(({ errorCode }) => errorCode)).toEqual(['budget_exhausted', undefined])
  })

  it('keeps a hold for each attempt, and pays nothing for one that the provider refused', async () => {
    const { ask, upstream, dispatched, reported, ledger } = await start(dollar, {
      snapshot: { decide: twoTargets },
    })
    upstream.play(
      (turn) => turn.json(529, { error: { message: 'busy' } }),
      (turn) => turn.json(200, chatCompletion('Hi')),
    )
    expect((await ask(small)).status).toBe(200)
    expect(dispatched).toHaveLength(2)
    await reported()
    expect(ledger.get('b').settled).toBe(20_000n)
  })

  it('settles its whole hold where nobody knows what a plain answer cost', async () => {
    const { ask, upstream, dispatched, reported, ledger, gateway } = await start(dollar)
    upstream.play((turn) => turn.reset())
    expect((await ask(small)).status).toBe(502)
    await reported()
    expect(ledger.get('b').settled).toBe(dispatched[0]?.heldNanoUsd)
    expect((await gateway.lastRecord()).body.attempts[0]?.hold?.evidence).toBe('hold')
  })

  it('waits no longer than it may for a ledger that does not answer, and may come again', async () => {
    const { ask, dispatched, ledger } = await start(dollar)
    ledger.fault = () => new Promise(() => {})
    const startMs = performance.now()
    const response = await ask(small)
    expect(response.status).toBe(503)
    expect(performance.now() - startMs).toBeLessThan(1000)
    expect(dispatched).toEqual([])
  })

  it('gets one lease for a wish whose reply was lost', async () => {
    const { ask, ledger } = await start(dollar)
    let lost = 0
    ledger.fault = (at, what) => {
      if (at === 'after' && what === 'lease' && lost++ < 2) throw new Error('lost')
    }
    expect((await ask(small)).status).toBe(200)
    expect(ledger.leases.size).toBe(1)
  })

  it('pays what a provider bills beyond its hold from free leases, and the rest is an overrun', async () => {
    const { ask, upstream, reported, ledger } = await start(3_000_000n)
    const usage = { prompt_tokens: 10, completion_tokens: 5_000_000 }
    upstream.play((turn) => turn.json(200, { ...Object(chatCompletion('Hi')), usage }))
    await ask(small)
    await reported()
    const { settled, overrun, limit } = ledger.get('b')
    expect(settled + overrun).toBe(10_000_010_000n)
    expect(settled).toBeLessThanOrEqual(limit)
    // The rows tell all that it cost, of which the overrun is a part.
    const rows = [...ledger.rows.values()]
    expect(rows.reduce((sum, { actual }) => sum + actual, 0n)).toBe(10_000_010_000n)
    expect(rows.reduce((sum, row) => sum + row.overrun, 0n)).toBe(overrun)
    expect((await ask(small)).status).toBe(402)
  })

  it('is not under budgets of others, of money where it costs nothing, or of none', async () => {
    const others = budgetOf('b', { owner: { kind: 'key', id: 'key-2' } })
    const { ask, ledger } = await start(0n, { budgets: [others], gateway: { watchUpstream: (own) => own } })
    expect((await ask(small)).status).toBe(200)
    expect(ledger.asked).toBe(0)
  })

  it('counts tokens where its budget does', async () => {
    const { ask, reported, ledger } = await start(1200n, { budgets: [budgetOf('b', { unit: 'tokens' })] })
    expect((await ask(small)).status).toBe(200)
    await reported()
    expect(ledger.get('b').settled).toBe(15n)
  })

  it('keeps to the ceiling of its decision over all its attempts', async () => {
    const capped = (costNanoUsd: number) => ({
      snapshot: { decide: () => allow({ target: 'openai/gpt-5.2' }, { caps: { costNanoUsd } }) },
    })
    const tight = await start(dollar, capped(1_250_000))
    expect((await tight.ask({ ...chat, max_tokens: 8000 })).status).toBe(200)
    expect(Number(tight.upstream.requests.at(-1)?.json.max_tokens)).toBeLessThan(120)
    expect(tight.dispatched[0]?.heldNanoUsd).toBeLessThanOrEqual(1_250_000n)
    const shut = await start(dollar, capped(1000))
    expect((await shut.ask(small)).status).toBe(402)
  })

  it('returns every lease when the gateway ends', async () => {
    const { ask, gateway, ledger } = await start(dollar)
    await ask(small)
    await gateway.money.close(1000)
    expect(ledger.get('b')).toMatchObject({ leased: 0n, settled: 20_000n, stranded: 0n })
    expect([...ledger.leases.values()].every((lease) => lease.isClosed)).toBe(true)
  })
})
