import type { StateLimit } from '@signalbox/sdk/contract'
import OpenAI from 'openai'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { allow, connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import {
  chatCompletion,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../support/scripted-upstream.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

const team = { kind: 'node', id: 'team-1' } as const
function limitOf(rest: Partial<StateLimit> = {}): StateLimit {
  return { id: 'l', owner: team, unit: 'requests', window: 'minute', limit: 2, mode: 'hard', ...rest }
}
const running = (limit: number): StateLimit => ({
  id: 'c',
  owner: team,
  unit: 'concurrency',
  limit,
  mode: 'hard',
})

interface Line {
  readonly gateway: RunningGateway
  readonly upstream: ScriptedUpstream
  ask(body?: object, headers?: Record<string, string>): Promise<Response>
}
async function start(...limits: StateLimit[]): Promise<Line> {
  const upstream = await startScriptedUpstream()
  upstream.play((turn) => turn.json(200, chatCompletion('hello')))
  const gateway = await startGateway({
    snapshot: memorySnapshot({
      connections: [connectionOf('openai', { baseUrl: `${upstream.url}/v1` })],
      aliases: { smart: ['openai/gpt-5.2'] },
      workspace: { metadata: { feature: { type: 'string' } } },
      limits,
    }),
  })
  opened.push(async () => {
    await gateway.close()
    await upstream.close()
  })
  const question = { model: 'openai/gpt-5.2', messages: [{ role: 'user', content: 'Hi' }] }
  return {
    ...{ gateway, upstream },
    ask: (body = {}, headers = {}) =>
      gateway.send('/v1/chat/completions', { ...question, ...body }, { headers }),
  }
}
const statuses = async (asked: Promise<Response>[]): Promise<number[]> =>
  (await Promise.all(asked)).map((each) => each.status)

describe('A limit of requests', () => {
  it('refuses what is more with 429, a time to wait, and a record without attempts', async () => {
    const { ask, gateway, upstream } = await start(limitOf())
    expect(await statuses([ask(), ask()])).toEqual([200, 200])
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50)
    const error = await errorOf(refused)
    expect(error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limited' })
    expect(error.message).toMatch(
      /^The limit of 2 requests per minute of the team "search" is reached\. Try again in \d+ s\.$/,
    )
    expect(upstream.requests).toHaveLength(2)
    const { row, body } = await gateway.lastRecord(3)
    expect(row).toMatchObject({ status: 429, errorCode: 'rate_limited', attempts: 0, usage: {} })
    expect(row.costNanoUsd).toBeUndefined()
    expect(body.limits).toEqual({ refusedBy: 'l' })
  })

  it('is told in the headers of every answer', async () => {
    const { ask } = await start(limitOf())
    const answer = await ask()
    expect(answer.headers.get('ratelimit-policy')).toBe('"requests-minute";q=2;qu="requests";w=60')
    expect(answer.headers.get('ratelimit')).toMatch(/^"requests-minute";r=1;t=60$/)
    expect(answer.headers.get('x-ratelimit-remaining-requests')).toBe('1')
    await ask()
    expect((await ask()).headers.get('x-ratelimit-remaining-requests')).toBe('0')
  })

  it('speaks to every dialect in its own words', async () => {
    const { gateway } = await start(limitOf({ limit: 0 }))
    const anthropic = await gateway.send('/v1/messages', {
      ...{ model: 'openai/gpt-5.2', max_tokens: 10 },
      messages: [{ role: 'user', content: 'Hi' }],
    })
    expect(anthropic.status).toBe(429)
    expect(await anthropic.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } })
    expect(anthropic.headers.get('anthropic-ratelimit-requests-remaining')).toBe('0')
    const gemini = await gateway.send('/v1beta/models/openai%2Fgpt-5.2:generateContent', {
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    })
    const error = await errorOf(gemini)
    expect(error).toMatchObject({ code: 429, status: 'RESOURCE_EXHAUSTED' })
    expect(JSON.stringify(error.details)).toContain('retryDelay')
  })

  it('is an error that the official client knows', async () => {
    const { gateway } = await start(limitOf({ limit: 0 }))
    const client = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    const asked = client.chat.completions.create({
      model: 'smart',
      messages: [{ role: 'user', content: 'Hi' }],
    })
    await expect(asked).rejects.toBeInstanceOf(OpenAI.RateLimitError)
  })

  it('is not passed by many calls at once', async () => {
    const { ask } = await start(limitOf({ limit: 10 }))
    const all = await statuses(Array.from({ length: 40 }, () => ask()))
    expect(all.filter((status) => status === 200)).toHaveLength(10)
    expect(all.filter((status) => status === 429)).toHaveLength(30)
  })

  it('of a key counts its own calls, and is nobody else’s', async () => {
    const { ask } = await start(
      limitOf({ id: 'other', owner: { kind: 'key', id: 'key-2' }, limit: 0 }),
      limitOf({ owner: { kind: 'key', id: 'key-1' }, limit: 1 }),
    )
    expect((await ask()).status).toBe(200)
    expect((await errorOf(await ask())).message).toContain('of this key')
  })

  it('of a model holds for the alias and the target that is tried, and not for others', async () => {
    const { ask } = await start(
      limitOf({ id: 'a', model: 'smart', limit: 1 }),
      limitOf({ id: 'b', model: 'openai/gpt-5.2', limit: 2 }),
    )
    expect((await ask({ model: 'smart' })).status).toBe(200)
    expect((await ask({ model: 'smart' })).status).toBe(429)
    expect((await ask({ model: 'openai/gpt-5.2' })).status).toBe(200)
    expect((await ask({ model: 'openai/gpt-5.2' })).status).toBe(429)
    expect((await ask({ model: 'openai/gpt-5-mini' })).status).toBe(200)
  })

  it('of a metadata value leaves other values alone, and can count each value by itself', async () => {
    const { ask } = await start(
      limitOf({ id: 'a', metadata: { name: 'feature', value: 'search' }, limit: 1 }),
      limitOf({ id: 'b', per: 'metadata.feature', limit: 2 }),
    )
    const of = async (feature: string): Promise<number> => {
      const headers = { 'x-signalbox-metadata': JSON.stringify({ feature }) }
      return (await ask({}, headers)).status
    }
    expect([await of('search'), await of('search')]).toEqual([200, 429])
    expect([await of('mail'), await of('mail'), await of('mail')]).toEqual([200, 200, 429])
    expect(await of('chat')).toBe(200)
  })

  it('in shadow refuses nothing, and says what it would have refused', async () => {
    const { ask, gateway } = await start(limitOf({ mode: 'shadow', limit: 1 }))
    expect((await ask()).headers.get('ratelimit')).toBeNull()
    expect((await ask()).status).toBe(200)
    expect((await gateway.lastRecord(2)).body.limits).toEqual({ wouldRefuse: ['l'] })
    expect(gateway.limits.counts.wouldRefuse).toBe(1)
  })
})

describe('A limit of tokens', () => {
  it('takes an estimate, and what was really used in its place', async () => {
    const { ask, gateway } = await start(limitOf({ unit: 'tokens', limit: 3000 }))
    await ask()
    await gateway.lastRecord()
    const [used] = await usedOf(gateway)
    expect(used).toBe(15)
    expect((await ask({ max_tokens: 2900 })).status).toBe(200)
  })

  it('lets no second call in on what a running one may use', async () => {
    const { ask, upstream } = await start(limitOf({ unit: 'tokens', limit: 1500 }))
    const gate = Promise.withResolvers<void>()
    upstream.play(async (turn) => {
      await gate.promise
      turn.json(200, chatCompletion('hello'))
    })
    const first = ask()
    await eventually(() => expect(upstream.requests).toHaveLength(1))
    expect((await ask()).status).toBe(429)
    gate.resolve()
    expect((await first).status).toBe(200)
    expect((await ask()).status).toBe(200)
  })
})

describe('A limit of calls at the same time', () => {
  it('refuses while others run, and lets in again when they end, however that is', async () => {
    const { ask, upstream } = await start(running(1))
    const gate = Promise.withResolvers<void>()
    upstream.play(
      async (turn) => {
        await gate.promise
        turn.reset()
      },
      (turn) => turn.json(200, chatCompletion('hello')),
    )
    const first = ask()
    await eventually(() => expect(upstream.requests).toHaveLength(1))
    const refused = await ask()
    expect(refused.status).toBe(429)
    expect((await errorOf(refused)).code).toBe('concurrency_limited')
    expect(refused.headers.get('retry-after')).toBe('1')
    gate.resolve()
    expect((await first).status).toBe(502)
    expect((await ask()).status).toBe(200)
  })

  it('gives its place back when the caller goes away', async () => {
    const { gateway, upstream } = await start(running(1))
    upstream.play(
      () => {},
      (turn) => turn.json(200, chatCompletion('hello')),
    )
    const body = { model: 'openai/gpt-5.2', messages: [{ role: 'user', content: 'Hi' }] }
    const leaving = new AbortController()
    const first = gateway.send('/v1/chat/completions', body, { signal: leaving.signal }).catch(() => {})
    await eventually(() => expect(upstream.requests).toHaveLength(1))
    leaving.abort()
    await first
    await gateway.lastRecord()
    expect((await gateway.send('/v1/chat/completions', body)).status).toBe(200)
  })
})

describe('Doors without limits', () => {
  it('tell what a key may and which models there are, and count tokens', async () => {
    const { gateway } = await start(limitOf({ limit: 0 }), limitOf({ id: 'p', per: 'user' }))
    const headers = { authorization: `Bearer ${memoryKey}` }
    const answer = await fetch(`${gateway.url}/v1/key`, { headers })
    const { limits } = (await answer.json()) as { limits: unknown }
    expect(limits).toEqual([
      ...[{ id: 'l', owner: 'node', unit: 'requests', window: 'minute', mode: 'hard', limit: 0 }].map(
        (each) => ({
          ...each,
          ...{ used: 0, remaining: 0, resetsAtMs: null },
        }),
      ),
      expect.objectContaining({ id: 'p', per: 'user', used: null, remaining: null }),
    ])
    expect((await fetch(`${gateway.url}/v1/models`, { headers })).status).toBe(200)
    const counted = await gateway.send('/v1/messages/count_tokens', {
      ...{ model: 'openai/gpt-5.2', messages: [{ role: 'user', content: 'Hi' }] },
    })
    expect(counted.status).toBe(200)
  })

  it('show what is used and when that ends', async () => {
    const { ask, gateway } = await start(limitOf(), limitOf({ id: 'k', per: 'key' }))
    await ask()
    expect(await usedOf(gateway)).toEqual([1, 1])
  })

  it('refuse by policy before a limit counts anything', async () => {
    const { gateway } = await start(limitOf())
    gateway.snapshot = memorySnapshot({
      decide: () => ({ ...allow(undefined), effect: 'deny', reasons: [] }),
      limits: [limitOf()],
    })
    await gateway.send('/v1/chat/completions', { model: 'openai/gpt-5.2', messages: [] })
    expect(await usedOf(gateway)).toEqual([0])
  })
})

async function usedOf(gateway: RunningGateway): Promise<(number | null)[]> {
  const response = await fetch(`${gateway.url}/v1/key`, { headers: { authorization: `Bearer ${memoryKey}` } })
  const { limits } = (await response.json()) as { limits: { used: number | null }[] }
  return limits.map(({ used }) => used)
}

async function errorOf(response: Response): Promise<Record<string, unknown>> {
  const { error } = (await response.json()) as { error: Record<string, unknown> }
  return error
}
