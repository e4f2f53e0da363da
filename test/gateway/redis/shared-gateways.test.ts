import type { StateLimit } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createIdSource } from '../../../gateway/id-source.ts'
import { type OpenShared, openShared } from '../../../gateway/redis/open-shared.ts'
import { eventually } from '../../support/eventually.ts'
import { connectionOf, memorySnapshot } from '../../support/memory-snapshot.ts'
import { describeWith } from '../../support/needs.ts'
import { RedisServer } from '../../support/redis-server.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import {
  chatCompletion,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../support/scripted-upstream.ts'

let redis: RedisServer
let upstream: ScriptedUpstream
const opened: (() => Promise<void>)[] = []
let number = 0
const clock = (): number => performance.timeOrigin + performance.now()
const team = { kind: 'node', id: 'team-1' } as const
const question = { model: 'openai/gpt-5.2', messages: [{ role: 'user', content: 'Hi' }] }

function limitOf(rest: Partial<StateLimit>): StateLimit {
  return {
    id: `l${++number}`,
    owner: team,
    unit: 'requests',
    window: 'minute',
    limit: 2,
    mode: 'hard',
    ...rest,
  }
}
const running = (limit: number): StateLimit => ({
  id: `c${++number}`,
  owner: team,
  unit: 'concurrency',
  limit,
  mode: 'hard',
})

async function startOne(
  limits: readonly StateLimit[],
  commandTimeoutMs = 5000,
): Promise<{ gateway: RunningGateway; shared: OpenShared }> {
  const createId = createIdSource()
  const shared = openShared({
    ...{
      url: redis.url,
      cacheBytesMax: 1_000_000,
      prefix: () => 'org-1:development',
      incarnation: createId(),
    },
    ...{ clock, createId, log: createLogger('gateway', 'silent'), commandTimeoutMs },
  })
  const connections = [connectionOf('openai', { baseUrl: `${upstream.url}/v1` })]
  const gateway = await startGateway({ shared, snapshot: memorySnapshot({ connections, limits }) })
  opened.push(async () => {
    await gateway.close()
    await shared.close()
  })
  await eventually(() => expect(shared.sharedStore?.isUp).toBe(true))
  return { gateway, shared }
}
const startTwo = (...limits: StateLimit[]) => Promise.all([startOne(limits), startOne(limits)])
const ask = ({ gateway }: { gateway: RunningGateway }, headers: Record<string, string> = {}) =>
  gateway.send('/v1/chat/completions', question, { headers })
const count = (statuses: readonly number[], status: number): number =>
  statuses.filter((each) => each === status).length
const statuses = async (asked: Promise<Response>[]): Promise<number[]> =>
  (await Promise.all(asked)).map((each) => each.status)

describeWith('redis', 'Gateways that share Redis', () => {
  beforeAll(async () => {
    redis = await RedisServer.start()
    upstream = await startScriptedUpstream()
    upstream.play((turn) => turn.json(200, chatCompletion('hello')))
  })
  afterEach(async () => {
    for (const close of opened.splice(0)) await close()
  })
  afterAll(async () => {
    await upstream.close()
    await redis.stop()
  })

  it('let no more pass together than a limit says, and nearly all of it', async () => {
    const [a, b] = await startTwo(limitOf({ limit: 100 }))
    const asked = Array.from({ length: 160 }, (_, index) => ask(index % 2 === 0 ? a : b))
    const all = await statuses(asked)
    // One call may be in hand of each gateway that nobody asks for any more.
    expect(count(all, 200)).toBeGreaterThanOrEqual(98)
    expect(count(all, 200)).toBeLessThanOrEqual(100)
    const refused = await ask(a)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(30)
  })

  it('count small limits exactly from whichever gateway', async () => {
    const [a, b] = await startTwo(limitOf({ limit: 3 }))
    const all: number[] = []
    for (let index = 0; index < 8; index++) all.push((await ask(index % 2 === 0 ? a : b)).status)
    expect(count(all, 200)).toBeGreaterThanOrEqual(2)
    expect(count(all, 200)).toBeLessThanOrEqual(3)
  })

  it('give tokens back that were not used, to all', async () => {
    const [a, b] = await startTwo(limitOf({ unit: 'tokens', limit: 6000 }))
    const all: number[] = []
    // Each takes some thousand at first and uses fifteen.
    for (let index = 0; index < 20; index++) {
      all.push((await ask(index % 2 === 0 ? a : b)).status)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(count(all, 200)).toBe(20)
  })

  it('share places for calls at the same time, and give them back', async () => {
    const gate = Promise.withResolvers<void>()
    upstream.play(async (turn) => {
      await gate.promise
      turn.json(200, chatCompletion('hello'))
    })
    const [a, b] = await startTwo(running(2))
    upstream.requests.length = 0
    const held = [ask(a), ask(b)]
    await eventually(() => expect(upstream.requests).toHaveLength(2))
    expect(await statuses([ask(a), ask(b)])).toEqual([429, 429])
    gate.resolve()
    expect(await statuses(held)).toEqual([200, 200])
    await eventually(async () => expect((await ask(b)).status).toBe(200))
  })

  it('answer from what another gateway has kept', async () => {
    const [a, b] = await startTwo()
    const ttl = { 'x-signalbox-cache': 'ttl=60' }
    expect((await ask(a, ttl)).headers.get('x-signalbox-cache')).toBe('miss')
    await eventually(async () => expect((await ask(b, ttl)).headers.get('x-signalbox-cache')).toBe('hit'))
    expect(b.gateway.answers.memory.size).toBe(1)
  })

  it('go on by themselves while it is away, each with its part, say so, and find back', async () => {
    const [a, b] = await startTwo(limitOf({ limit: 8 }), running(4))
    const readyz = async (): Promise<unknown> => (await fetch(`${a.gateway.url}/readyz`)).json()
    await eventually(async () => {
      expect((await ask(a)).headers.get('ratelimit')).toContain('r=')
      expect(await readyz()).toMatchObject({ status: 'ready', sharedStore: 'connected' })
    })
    await redis.stop()
    await eventually(async () =>
      expect(await readyz()).toMatchObject({ status: 'ready', sharedStore: 'away' }),
    )
    const all = await statuses([...Array.from({ length: 9 }, () => ask(a))])
    expect(count(all, 200)).toBeGreaterThanOrEqual(2)
    expect(count(all, 200)).toBeLessThanOrEqual(8)
    expect(count(all, 500)).toBe(0)
    expect((await ask(b, { 'x-signalbox-cache': 'ttl=60' })).status).toBe(200)
    await redis.start()
    await eventually(async () => expect(await readyz()).toMatchObject({ sharedStore: 'connected' }))
    await eventually(async () => expect((await ask(b)).status).toBe(200))
  })

  it('tell it what each used while it was away', async () => {
    const [a, b] = await startTwo(limitOf({ limit: 20 }))
    await redis.stop()
    await eventually(() =>
      expect([a, b].map(({ shared }) => shared.sharedStore?.isUp)).toEqual([false, false]),
    )
    const alone = await statuses(Array.from({ length: 10 }, (_, index) => ask(index % 2 === 0 ? a : b)))
    expect(count(alone, 200)).toBe(10)
    await redis.start()
    await eventually(() => expect([a, b].map(({ shared }) => shared.sharedStore?.isUp)).toEqual([true, true]))
    const after: number[] = []
    for (let index = 0; index < 30; index++) after.push((await ask(index % 2 === 0 ? a : b)).status)
    expect(count(after, 200)).toBeLessThanOrEqual(10)
    expect(count(after, 200)).toBeGreaterThanOrEqual(8)
  })

  it('wait for a server that hangs once, and not with every call', async () => {
    const a = await startOne([limitOf({ limit: 1000 }), running(100)], 50)
    redis.pause()
    try {
      const startMs = performance.now()
      for (let index = 0; index < 5; index++) expect((await ask(a)).status).toBe(200)
      expect(performance.now() - startMs).toBeLessThan(1500)
      expect(a.shared.sharedStore?.status().failures).toBeGreaterThan(0)
    } finally {
      redis.goOn()
    }
    await eventually(() => expect(a.shared.sharedStore?.isUp).toBe(true))
  })
})
