import { replaySelection } from '@signalbox/policies'
import type { Facts, PlanNode } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { KeyPools } from '../../../gateway/credentials/key-pools.ts'
import { Quota } from '../../../gateway/health/quota.ts'
import { limitsToldBy } from '../../../gateway/health/rate-limit-headers.ts'
import { allow } from '../../support/memory-snapshot.ts'
import { chatCompletion, type Script } from '../../support/scripted-upstream.ts'
import { answers, contentOf, primary, sendPlan, spare } from '../attempts/line.ts'
import { buildLine, question } from '../line.ts'

const line = buildLine()
const nowMs = Date.UTC(2026, 0, 1)
const tells =
  (text: string, remaining: number, reset = '1m0s'): Script =>
  (turn) =>
    turn.json(200, chatCompletion(text), {
      'x-ratelimit-limit-tokens': '100000',
      'x-ratelimit-remaining-tokens': String(remaining),
      'x-ratelimit-reset-tokens': reset,
    })
const both = (strategy: 'ordered' | 'leastBusy', minRemainingPpm?: number): PlanNode => ({
  strategy,
  of: [{ target: primary }, { target: spare }],
  ...(minRemainingPpm !== undefined && { with: { minRemainingPpm } }),
})

describe('headers with rate limits', () => {
  const cases: [string, Record<string, string>, object[]][] = [
    [
      'of OpenAI',
      {
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
        'x-ratelimit-remaining-tokens': '149984',
        'x-ratelimit-reset-tokens': '6m0s',
      },
      [
        { unit: 'requests', remaining: 59, limit: 60, resetsAtMs: nowMs + 1000 },
        { unit: 'tokens', remaining: 149984, limit: undefined, resetsAtMs: nowMs + 360_000 },
      ],
    ],
    [
      'of Anthropic',
      {
        'anthropic-ratelimit-input-tokens-limit': '10000',
        'anthropic-ratelimit-input-tokens-remaining': '9000',
        'anthropic-ratelimit-input-tokens-reset': '2026-01-01T00:00:30Z',
      },
      [{ unit: 'tokens', remaining: 9000, limit: 10_000, resetsAtMs: nowMs + 30_000 }],
    ],
    [
      'by the day, in seconds',
      { 'x-ratelimit-remaining-requests-day': '3', 'x-ratelimit-reset-requests-day': '33011.382' },
      [{ unit: 'requests', remaining: 3, limit: undefined, resetsAtMs: nowMs + 33_011_382 }],
    ],
    [
      'as a clock time',
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(nowMs + 5000) },
      [{ unit: 'requests', remaining: 0, limit: undefined, resetsAtMs: nowMs + 5000 }],
    ],
    ['that are no numbers', { 'x-ratelimit-remaining-tokens': 'many', 'x-ratelimit-reset-tokens': '1s' }, []],
    [
      'without an end, or with a silly one',
      { 'x-ratelimit-remaining-tokens': '1', 'x-ratelimit-reset-tokens': 'never' },
      [{ unit: 'tokens', remaining: 1, limit: undefined, resetsAtMs: nowMs + 60_000 }],
    ],
  ]
  it.each(cases)('%s', (_, headers, windows) => {
    expect(limitsToldBy(headers, nowMs)).toEqual(windows)
  })
})

describe('what is left', () => {
  const windows = (remaining: number) =>
    [{ unit: 'tokens', remaining, limit: 1000, resetsAtMs: nowMs + 1000 }] as const

  it('is that of the best key of a pool, once each has told', () => {
    const quota = new Quota()
    quota.note({ key: 'a', keys: 2, windows: windows(0) }, nowMs)
    expect(quota.remaining).toEqual({})
    quota.note({ key: 'b', keys: 2, windows: windows(456) }, nowMs)
    expect(quota.remaining).toEqual({ remainingPpm: 450_000, remainingTokens: 450 })
    quota.expire(nowMs + 1000)
    expect(quota.remaining).toEqual({})
  })

  it('lets a key with nothing left rest until its limit is whole again', () => {
    const [pools, keys] = [new KeyPools(), ['a', 'b']]
    pools.spend('openai', keys, { credential: 'a', untilMs: nowMs + 1000, nowMs })
    pools.good('openai', keys, 'a')
    expect([pools.pick('openai', keys, nowMs), pools.pick('openai', keys, nowMs)]).toEqual(['b', 'b'])
    expect(pools.health('openai', keys, nowMs)).toEqual({ ready: 1, coolingDown: 1, refused: 0 })
    expect(pools.health('openai', keys, nowMs + 1000)).toMatchObject({ ready: 2 })
  })
})

describe('a provider that tells what is left of its limits', () => {
  it('is asked last while nothing is left, and first again after that', async () => {
    line.upstream.play(tells('last', 0, '400ms'), answers('again'))
    line.spare.play(answers('spare'))
    const say = async () => contentOf((await sendPlan(line, both('ordered'))).text)
    expect([await say(), await say()]).toEqual(['last', 'spare'])
    await expect.poll(say, { timeout: 3000, interval: 50 }).toBe('again')
  })

  it.each([
    'ordered',
    'leastBusy',
  ] as const)('is passed by %s plans that need more, and replays', async (strategy) => {
    line.upstream.play(tells('first', 9000))
    line.spare.play(answers('spare'))
    await sendPlan(line, { target: primary })
    const plan = both(strategy, 100_000)
    const { text, record } = await sendPlan(line, plan)
    expect(contentOf(text)).toBe('spare')
    const { selection } = record.body
    expect(selection?.order).toEqual([spare, primary])
    expect(selection?.health?.[0]).toMatchObject({ target: primary, state: 'up', remainingPpm: 90_000 })
    if (selection !== undefined) expect(replaySelection(plan, selection)).toEqual([spare, primary])
    const enough = await sendPlan(line, both('ordered', 90_000))
    expect(enough.record.body.selection?.order).toEqual([primary, spare])
  })

  it('shows policies among the facts what is left, until the limit is whole again', async () => {
    line.upstream.play(tells('first', 12_345, '300ms'), answers('next'))
    await sendPlan(line, { target: primary })
    let health: Facts['models'][number]['health'] | undefined
    const look = async () => {
      line.gateway.snapshot = line.snapshotOf({
        decide: ({ facts }) => {
          health = facts.models[0]?.health
          return allow({ target: spare })
        },
      })
      line.spare.play(answers('spare'))
      await (await line.gateway.send('/v1/chat/completions', { model: primary, ...question })).text()
      return health
    }
    expect(await look()).toEqual({ state: 'up', errorPpm: 0, remainingPpm: 120_000, remainingTokens: 12_000 })
    await expect.poll(look, { timeout: 3000, interval: 50 }).toEqual({ state: 'up', errorPpm: 0 })
  })
})
