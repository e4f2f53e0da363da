import { checkGolden, drillRoute } from '@signalbox/policies'
import { type GoldenPrompt, ScoreCard } from '@signalbox/sdk/contract'
import { fits } from '@signalbox/sdk/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { unmetExpectations } from '../../../policies/drills/unmet-expectations.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'

const golden = (expected: GoldenPrompt['expect']): GoldenPrompt => ({
  name: 'hello',
  messages: [{ role: 'user', content: 'Hi' }],
  expect: expected,
})

describe('what is expected of an answer', () => {
  it.each<[GoldenPrompt['expect'], string, string[]]>([
    [{ contains: ['Refund', '30'] }, 'A refund is possible for 30 days.', []],
    [{ contains: ['refund'] }, 'No.', ['lacks "refund"']],
    [{ excludes: ['as an AI'] }, 'As an AI I cannot.', ['has "as an AI"']],
    [{ matches: '^\\d+$' }, 'x1', ['does not match ^\\d+$']],
    [{ matches: '\\d+' }, 'x1', []],
    [{ json: true, charsMax: 3 }, '{"a":1}', ['has 7 characters, over 3']],
    [{ json: true }, 'Sure: {}', ['is not JSON']],
  ])('%j of "%s"', (expected, text, unmet) => {
    expect(unmetExpectations(text, golden(expected))).toEqual(unmet)
  })

  it('is no expression that cannot be read', () => {
    expect(() => checkGolden(golden({ matches: '(' }))).toThrow('golden prompt hello')
    expect(() => checkGolden(golden({ matches: '(a+)+$' }))).not.toThrow()
  })
})

describe('the drills of a route', () => {
  const simulated = { status: 'simulated', credential: undefined, missing: 'OPENAI_API_KEY' } as const
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await startGateway({
      defaults: { drillMs: 50 },
      snapshot: memorySnapshot({
        connections: [connectionOf('openai', simulated), connectionOf('anthropic', simulated)],
        aliases: { smart: ['openai/gpt-5.2', 'anthropic/claude-sonnet-4-5'] },
      }),
    })
  })
  afterAll(() => gateway.close())
  const drill = (plan: object) =>
    drillRoute(
      { gateway: gateway.url, key: memoryKey },
      { model: 'smart', targets: 2, faults: ['529'], ...plan },
    )

  it('are a score card that the control plane takes', async () => {
    const card = await drill({ golden: [golden({ charsMax: 10_000 }), golden({ contains: ['nowhere'] })] })
    expect(fits(ScoreCard, card)).toBe(true)
    expect(card.results.map(({ outcome }) => outcome)).toEqual(['held', 'wrong'])
    expect([card.held, card.of]).toEqual([1, 2])
  })

  it('end where they have cost what they may; what was not made has not held', async () => {
    expect(await drill({ costNanoUsdMax: 0n })).toMatchObject({
      held: 0,
      of: 2,
      stopped: 'cost',
      results: [],
    })
  })
})
