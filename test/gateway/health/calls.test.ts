import { setTimeout as wait } from 'node:timers/promises'
import { replaySelection } from '@signalbox/policies'
import type { Facts, PlanNode } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { breakerRules } from '../../../gateway/health/breaker.ts'
import { allow, connectionOf } from '../../support/memory-snapshot.ts'
import type { Script } from '../../support/scripted-upstream.ts'
import { answers, contentOf, outcomesOf, primary, refuses, sendPlan, spare } from '../attempts/line.ts'
import { buildLine, question } from '../line.ts'

const line = buildLine({
  defaults: { firstTokenMs: 150, idleMs: 150, plainMs: 150, streamMs: 3000 },
  breakers: { ...breakerRules, openMs: 150, stepMs: 100 },
})
const both: PlanNode = { strategy: 'ordered', of: [{ target: primary }, { target: spare }] }
const stall: Script = async (turn) => void (await turn.closed())
async function sendTimes(count: number, plan: PlanNode, headers: Record<string, string> = {}) {
  const told = []
  for (let time = 0; time < count; time++) told.push(await sendPlan(line, plan, { headers }))
  return told
}

describe('while an upstream does not answer', () => {
  it('no caller waits for it after three time-outs', async () => {
    line.upstream.play(stall)
    line.spare.play(answers('from the spare'))
    const told = await sendTimes(5, both)
    expect(told.map(({ record }) => record.row.attempts)).toEqual([2, 2, 2, 1, 1])
    expect(told.every(({ text }) => contentOf(text) === 'from the spare')).toBe(true)
    const selection = told.at(-1)?.record.body.selection
    expect(selection).toMatchObject({
      order: [spare],
      skipped: [{ target: primary, reason: 'circuit open' }],
      health: [
        { target: primary, state: 'down' },
        { target: spare, state: 'up' },
      ],
    })
    if (selection !== undefined) expect(replaySelection(both, selection)).toEqual([spare])
  })

  it('a refused connection is left at once, for all of its models', async () => {
    line.spare.play(answers('from the spare'))
    const closed = (model: string): PlanNode => ({
      strategy: 'ordered',
      of: [{ target: `closed/${model}` }, { target: spare }],
    })
    const [first] = await sendTimes(1, closed('gpt-5.2'))
    const [second] = await sendTimes(1, closed('gpt-5-mini'))
    expect([first?.record.row.attempts, second?.record.row.attempts]).toEqual([2, 1])
  })

  it('a caller who has nothing else is told at once when to come again, and served when it is back', async () => {
    line.upstream.play(refuses(500))
    await sendTimes(3, { target: primary })
    const before = line.upstream.requests.length
    const [refused] = await sendTimes(1, { target: primary })
    expect(refused?.response.status).toBe(503)
    expect(refused?.response.headers.get('retry-after')).toBe('1')
    expect(refused?.record.row).toMatchObject({ attempts: 0, errorCode: 'upstream_unavailable' })
    const asked = line.upstream.requests.slice(before)
    expect(asked.every(({ method }) => method === 'GET')).toBe(true)

    line.upstream.play(answers('back again'))
    await expect
      .poll(async () => (await sendPlan(line, { target: primary })).response.status, {
        timeout: 8000,
        interval: 50,
      })
      .toBe(200)
    const probes = line.upstream.requests.filter(({ method }) => method === 'GET')
    expect(probes.length).toBeGreaterThan(0)
    for (const { path, headers } of probes) {
      expect(path).toBe('/v1/models')
      expect([headers.authorization, headers['x-api-key']]).toEqual([undefined, undefined])
    }
    await expect.poll(() => line.gateway.health.isCalm, { timeout: 5000 }).toBe(true)
  })

  it('policies read it among the facts', async () => {
    line.upstream.play(refuses(500))
    line.spare.play(answers('from the spare'))
    await sendTimes(3, both)
    let seen: Facts['models'] = []
    line.gateway.snapshot = line.snapshotOf({
      candidates: [primary, spare],
      decide: ({ facts }) => {
        seen = facts.models
        return allow(both)
      },
    })
    await line.gateway.send('/v1/chat/completions', { model: primary, ...question })
    expect(seen).toMatchObject([
      { target: primary, health: { state: 'down', errorPpm: 140_000 } },
      { target: spare, health: { state: 'up', errorPpm: 0 } },
    ])
  })
})

describe('what is not the fault of an upstream', () => {
  it("is a caller's own time limit", async () => {
    line.upstream.play(stall)
    await sendTimes(6, { target: primary }, { 'x-signalbox-timeout-ms': '30' })
    expect(line.gateway.health.isCalm).toBe(true)
  })

  it('is a refusal', async () => {
    line.upstream.play(refuses(400), refuses(401), refuses(404), refuses(403), refuses(422))
    await sendTimes(5, { target: primary })
    expect(line.gateway.health.isCalm).toBe(true)
  })

  it('is a caller who goes', async () => {
    line.upstream.play(stall)
    for (let time = 0; time < 4; time++) {
      const abort = new AbortController()
      const body = { model: primary, ...question }
      const call = line.gateway.send('/v1/chat/completions', body, { signal: abort.signal })
      await wait(20)
      abort.abort()
      await expect(call).rejects.toThrow()
    }
    expect(line.gateway.health.isCalm).toBe(true)
  })
})

it('a target that wants to be left alone is asked after the others for that time', async () => {
  line.upstream.play(refuses(429, { 'retry-after': '30' }))
  line.spare.play(answers('from the spare'))
  const told = await sendTimes(2, both)
  expect(told.map(({ record }) => outcomesOf(record))).toEqual([
    [`${primary} error`, `${spare} ok fallback`],
    [`${spare} ok`],
  ])
})

it('a key of several that has to rest does not put its target behind the others', async () => {
  const pool = ['upstream-key-one-0123456789', 'upstream-key-two-0123456789']
  const connections = [
    connectionOf('openai', { baseUrl: `${line.upstream.url}/v1`, credential: pool[0] ?? '', pool }),
    connectionOf('spare', { baseUrl: `${line.spare.url}/v1` }),
  ]
  line.upstream.play(refuses(429, { 'retry-after': '30' }), answers('with the other key'))
  line.spare.play(answers('from the spare'))
  for (let time = 0; time < 2; time++) {
    line.gateway.snapshot = line.snapshotOf({ connections, decide: () => allow(both) })
    const response = await line.gateway.send('/v1/chat/completions', { model: primary, ...question })
    expect(contentOf(await response.text())).toBe('with the other key')
  }
})

it('streams that break off in their middle count as failures', async () => {
  const broken: Script = (turn) => {
    turn.events('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')
    setTimeout(() => turn.reset(), 5)
  }
  line.upstream.play(broken)
  for (let time = 0; time < 3; time++) {
    const { record } = await sendPlan(line, { target: primary }, { body: { stream: true } })
    expect(record.row).toMatchObject({ truncated: true, status: 200 })
  }
  expect(line.gateway.health.isCalm).toBe(false)
})
