import { CallRecord } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { sql } from 'drizzle-orm'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { allow, connectionOf, deny, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { startGateway } from '../../support/running-gateway.ts'
import { type BatchTeam, type BatchWorld, chatLine, createBatch, startBatchWorld } from './batch-world.ts'

let world: BatchWorld
beforeAll(async () => {
  world = await startBatchWorld()
}, 120_000)
afterAll(() => world?.close())
afterEach(async () => {
  await world.closeGateways()
  expect((await world.plane.client.reconcileBudgets()).differences).toEqual([])
})

const headers = { authorization: `Bearer ${memoryKey}` }
const idOf = async (response: Response): Promise<string> => {
  expect(response.status, await response.clone().text()).toBe(200)
  return ((await response.json()) as { id: string }).id
}
const errorOf = async (response: Response) =>
  ((await response.json()) as { error: { code: string; message: string } }).error
/** Lets time pass until so much is settled. */
const settles = (team: BatchTeam, amount: number): Promise<void> =>
  eventually(async () => {
    world.pass()
    expect((await team.sums()).settled).toBe(amount)
  })
/** 100 of input at 1 USD a million, 10 of output at 2, at half the price. */
const lineCost = 60_000

describe('a batch under a hard budget', () => {
  it('keeps what all its lines may cost until its results are metered, line by line', async () => {
    const team = await world.team('one', 1_000_000_000n)
    const gateway = await team.gateway()
    const id = await idOf(await createBatch(gateway, [chatLine('a'), chatLine('b'), chatLine('c')]))
    const { leased, settled } = await team.sums()
    expect(settled).toBe(0)
    // 3 × (framing and text at half a dollar a million, and 100 tokens of output at one).
    expect(leased).toBeGreaterThan(3 * (1024 / 2 + 100) * 1000)
    const pending = await world.plane.client.explainBudget({ id: team.budgetId })
    expect(pending.leases).toMatchObject([{ state: 'active', batch: { connection: 'openai', lines: 3 } }])
    world.upstream.end(id, 'completed', ['done', 'failed', 'done'])
    await settles(team, 2 * lineCost)
    expect(await team.sums()).toEqual({ settled: 2 * lineCost, leased: 0, stranded: 0, overrun: 0 })
    const records = world.lines(id)
    expect(
      records.map(({ row, body }) => [body.batch?.line, row.status, row.costNanoUsd, row.target]),
    ).toEqual([
      ['a', 200, String(lineCost), 'openai/gpt-5.2'],
      ['b', 400, '0', 'openai/gpt-5.2'],
      ['c', 200, String(lineCost), 'openai/gpt-5.2'],
    ])
    expect(records[0]?.row).toMatchObject({ operation: 'chat', evidence: 'reported', usage: { input: 100 } })
    expect(records.every((record) => fits(CallRecord, record))).toBe(true)
    await world.ingest(records)
    const { calls, unexplained, byTarget, byKey } = await world.plane.client.explainBudget({
      id: team.budgetId,
    })
    expect(calls.map(({ callId, actual }) => [callId, actual]).toSorted()).toEqual(
      records
        .filter(({ row }) => row.status === 200)
        .map(({ row }) => [row.id, String(lineCost)])
        .toSorted(),
    )
    expect(unexplained).toBe('0')
    expect(byTarget).toEqual([{ target: 'openai/gpt-5.2', amount: String(2 * lineCost), attempts: 2 }])
    expect(byKey).toMatchObject([{ name: 'ci', amount: String(2 * lineCost) }])
  })

  it('is refused before the provider has it where it does not fit, and keeps nothing', async () => {
    const team = await world.team('two', 1_000_000n)
    const gateway = await team.gateway()
    const before = world.upstream.created.length
    const refused = await createBatch(gateway, [chatLine('a'), chatLine('b')])
    expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([402, 'false'])
    expect((await errorOf(refused)).code).toBe('budget_exhausted')
    expect(world.upstream.created.length).toBe(before)
    expect(await team.sums()).toMatchObject({ leased: 0, settled: 0 })
    await idOf(await createBatch(gateway, [chatLine('a')]))
  })

  it('is refused in the words of Anthropic too, with unknown prices named', async () => {
    const team = await world.team('three', 1_000_000n)
    const gateway = await team.gateway()
    const ask = (model: string) =>
      gateway.send('/v1/messages/batches', {
        requests: [
          { custom_id: 'a', params: { model, max_tokens: 9000, messages: [{ role: 'user', content: 'x' }] } },
        ],
      })
    const dear = await ask('claude-sonnet-4-5')
    expect([dear.status, await dear.json()]).toMatchObject([402, { type: 'error' }])
    const unknown = await ask('claude-never')
    expect(unknown.status).toBe(402)
    expect((await errorOf(unknown)).message).toContain('requests[0]')
  })

  it('gives back what it kept where the provider does not take it', async () => {
    const team = await world.team('four', 1_000_000_000n)
    const gateway = await team.gateway()
    for (const status of [400, 503]) {
      world.upstream.break(/^\/v1\/batches$/, status, 1)
      expect((await createBatch(gateway, [chatLine('a')])).status).toBe(status)
    }
    await eventually(async () => expect((await team.sums()).leased).toBe(0))
    expect(await team.sums()).toMatchObject({ settled: 0, stranded: 0 })
  })

  it('is not made while nobody can keep what it may cost', async () => {
    const away = () => Promise.reject(new Error('away'))
    const gateway = await startGateway({
      snapshot: memorySnapshot({ connections: [connectionOf('anthropic', { baseUrl: world.upstream.url })] }),
      batchLink: { openBatch: away, claimBatches: away, tellBatch: away },
    })
    const before = world.upstream.created.length
    const params = { model: 'claude-opus-4-8', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] }
    const refused = await gateway.send('/v1/messages/batches', { requests: [{ custom_id: 'a', params }] })
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5'])
    expect(world.upstream.created.length).toBe(before)
    await gateway.close()
  })

  it('that was cancelled settles what was done', async () => {
    const team = await world.team('five', 1_000_000_000n)
    const gateway = await team.gateway()
    const id = await idOf(await createBatch(gateway, [chatLine('a'), chatLine('b')]))
    world.upstream.end(id, 'cancelled', ['done', 'left'])
    const cancelled = await fetch(`${gateway.url}/v1/batches/${id}/cancel`, { method: 'POST', headers })
    expect(cancelled.status).toBe(200)
    await settles(team, lineCost)
    expect((await team.sums()).leased).toBe(0)
  })

  it('that expired settles what was done, in the manner of Anthropic', async () => {
    const team = await world.team('six', 1_000_000_000n)
    const gateway = await team.gateway({ aliases: { house: ['anthropic/claude-sonnet-4.5'] } })
    const params = { max_tokens: 10, messages: [{ role: 'user', content: 'x' }] }
    const requests = ['house', 'claude-opus-4-8', 'anthropic/claude-opus-4.8'].map((model, index) => {
      return { custom_id: `r${index}`, params: { model, ...params } }
    })
    const id = await idOf(await gateway.send('/v1/messages/batches', { requests }))
    const sent = JSON.parse(world.upstream.created.at(-1) ?? '') as {
      requests: { params: { model: string } }[]
    }
    expect(sent.requests.map((each) => each.params.model)).toEqual([
      'claude-sonnet-4-5',
      'claude-opus-4-8',
      'claude-opus-4-8',
    ])
    world.upstream.end(id, 'expired', ['done', 'left', 'done'])
    await settles(team, 2 * lineCost)
    expect(world.lines(id).map(({ row }) => [row.target, row.status])).toEqual([
      ['anthropic/claude-sonnet-4-5', 200],
      // A line that was not done names no model.
      [undefined, 504],
      ['anthropic/claude-opus-4-8', 200],
    ])
  })
})

describe('gateways of one environment', () => {
  it('meter what one that is gone began, once, whatever breaks in between', async () => {
    const team = await world.team('seven', 1_000_000_000n)
    const first = await team.gateway()
    const id = await idOf(await createBatch(first, [chatLine('a'), chatLine('b')]))
    await eventually(async () => expect((await team.sums()).leased).toBeGreaterThan(0))
    await world.closeGateways()
    world.upstream.end(id, 'completed')
    world.upstream.break(/content$/, 503, 2)
    await Promise.all([team.gateway(), team.gateway()])
    await settles(team, 2 * lineCost)
    expect(await team.sums()).toMatchObject({ leased: 0, stranded: 0, overrun: 0 })
    const { rows } = await world.plane.db.execute<{ count: string }>(
      sql`select count(*) as count from settlement where lease_id in (select (jsonb_array_elements(leases)->>'leaseId')::uuid
        from batch_job where provider_id = ${id})`,
    )
    expect([Number(rows[0]?.count), new Set(world.lines(id).map(({ row }) => row.id)).size]).toEqual([2, 2])
  })

  it('meter a batch before it is deleted', async () => {
    const team = await world.team('eight', 1_000_000_000n)
    const gateway = await team.gateway()
    const params = { model: 'claude-opus-4-8', max_tokens: 10, messages: [{ role: 'user', content: 'x' }] }
    const requests = [{ custom_id: 'a', params }]
    const id = await idOf(await gateway.send('/v1/messages/batches', { requests }))
    world.upstream.end(id, 'completed')
    world.pass()
    const deleted = await fetch(`${gateway.url}/v1/messages/batches/${id}`, { method: 'DELETE', headers })
    expect(deleted.status).toBe(200)
    expect((await team.sums()).settled).toBe(lineCost)
  })

  it('record nothing of the lines of a batch but what they cost where retention is none', async () => {
    const team = await world.team('quiet', 1_000_000_000n)
    const gateway = await team.gateway()
    const { snapshot } = gateway
    if (snapshot === undefined) throw new Error('no snapshot')
    const unrecorded = { all: true, nodes: [], keys: [] }
    gateway.snapshot = { ...snapshot, state: { ...snapshot.state, unrecorded } }
    const before = gateway.records.length
    const id = await idOf(await createBatch(gateway, [chatLine('ada@example.com')]))
    world.upstream.end(id, 'completed')
    await settles(team, lineCost)
    const made = gateway.records.slice(before)
    expect(JSON.stringify(made)).not.toContain('ada@example.com')
    expect(made.at(-1)).toMatchObject({
      row: {
        operation: 'chat',
        target: 'openai/gpt-5.2',
        costNanoUsd: String(lineCost),
        nodeId: expect.any(String),
      },
    })
  })

  it('strand what is never heard of again, and recover it from a late result', async () => {
    const team = await world.team('nine', 1_000_000_000n)
    const gateway = await team.gateway()
    const id = await idOf(await createBatch(gateway, [chatLine('a')]))
    const { leased } = await team.sums()
    await eventually(async () => {
      world.pass(49 * 3_600_000)
      await world.plane.ledger.strandExpired()
      expect(await team.sums()).toMatchObject({ leased: 0, stranded: leased })
    })
    world.upstream.end(id, 'completed')
    await settles(team, lineCost)
    expect(await team.sums()).toMatchObject({ leased: 0, stranded: 0, overrun: 0 })
  })
})

describe('every line of a batch', () => {
  const asLine = (model: string, body: object = {}) => chatLine('a', { model, ...body })
  it('is decided as the call that it is', async () => {
    const team = await world.team('ten', 1_000_000_000n)
    const gateway = await team.gateway({
      aliases: { fast: ['openai/gpt-5-mini'] },
      decide: ({ facts }) => {
        const { model, operation, params } = facts.request
        const { maxOutputTokens = 0 } = params
        const rule = { workspace: 'acme', policy: 'p', rule: 'r' }
        const reasons = [{ ...rule, code: 'TOO_DEAR', audience: 'caller' as const, http: 403 }]
        if (operation === 'chat' && maxOutputTokens > 500) return deny(reasons)
        const isMoved = model.requested === 'gpt-5-mini'
        const targets = isMoved ? ['anthropic/claude-opus-4-8'] : model.targets
        return allow({ strategy: 'ordered', of: targets.map((target) => ({ target })) })
      },
    })
    const codes: [number, string, string][] = []
    for (const line of [
      asLine('gpt-5.2', { max_tokens: 501 }),
      asLine('gpt-5-mini'),
      asLine('fast'),
      asLine('never/never'),
      { ...asLine('gpt-5.2'), url: '/v1/embeddings' },
      asLine('gpt-5.2', { messages: 'no' }),
    ]) {
      const refused = await createBatch(gateway, [chatLine('ok'), line])
      const { code, message } = await errorOf(refused)
      codes.push([refused.status, code, message.slice(0, 40)])
    }
    expect(codes.map(([status, code]) => [status, code])).toEqual([
      [403, 'TOO_DEAR'],
      [400, 'unsupported_feature'],
      [400, 'unsupported_feature'],
      [404, 'model_not_found'],
      [400, 'invalid_request'],
      [400, 'invalid_request'],
    ])
    for (const [, , message] of codes) expect(message).toContain('line 2')
    expect(await team.sums()).toMatchObject({ leased: 0, settled: 0 })
  })

  it('is worked on once, whatever race its batch would be in', async () => {
    const team = await world.team('twelve', 1_000_000_000n)
    const baseUrl = world.upstream.url
    const gateway = await team.gateway({
      connections: ['anthropic', 'spare'].map((name) =>
        connectionOf(name, { provider: 'anthropic', baseUrl }),
      ),
      decide: ({ facts }) => {
        const isBatch = facts.request.operation === 'batches'
        const model = isBatch ? 'messages' : 'claude-opus-4-8'
        const of = ['anthropic', 'spare'].map((name) => ({ target: `${name}/${model}` }))
        return allow(isBatch ? { strategy: 'hedged', of, with: { afterMs: 0 } } : { strategy: 'ordered', of })
      },
    })
    const before = world.upstream.created.length
    const params = {
      model: 'anthropic/claude-opus-4.8',
      max_tokens: 10,
      messages: [{ role: 'user', content: 'x' }],
    }
    await idOf(await gateway.send('/v1/messages/batches', { requests: [{ custom_id: 'a', params }] }))
    expect(world.upstream.created.length - before).toBe(1)
    expect(gateway.records.at(-1)?.row).toMatchObject({ operation: 'batches', attempts: 1 })
  })

  it('is metered without a budget, and beyond what a soft one thought likely', async () => {
    const team = await world.team('eleven', 1n, 'soft')
    const gateway = await team.gateway()
    const id = await idOf(await createBatch(gateway, [chatLine('a', { max_tokens: 1 })]))
    world.upstream.end(id, 'completed')
    await settles(team, lineCost)
    expect(await team.sums()).toMatchObject({ leased: 0, overrun: 0 })
    const free = await team.gateway({ budgets: [] })
    const other = await idOf(await createBatch(free, [chatLine('b')]))
    world.upstream.end(other, 'completed')
    await eventually(() => {
      world.pass()
      expect(world.lines(other).map(({ row }) => row.costNanoUsd)).toEqual([String(lineCost)])
    })
  })
})
