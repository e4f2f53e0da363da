import { replaySelection } from '@signalbox/policies'
import type { Caps, PlanNode } from '@signalbox/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Call } from '../../../gateway/call.ts'
import { HealthBoard } from '../../../gateway/health/health-board.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { refusalOfEmpty, type Selected, type SelectScope, select } from '../../../gateway/steps/select.ts'
import { targetsOf } from '../../../gateway/targets.ts'
import { summaryOf } from '../../../gateway/wire/openai-operations/json-operation.ts'
import { connectionOf, memorySnapshot } from '../../support/memory-snapshot.ts'

const missing = { status: 'unavailable', missing: 'DEAR_API_KEY', credential: undefined } as const
const snapshot = memorySnapshot({
  connections: ['openai', 'a', 'b', 'dear'].map((name) => connectionOf(name, name === 'dear' ? missing : {})),
  catalogue: [
    {
      provider: 'openai',
      id: 'small',
      spellings: [],
      prices: [{ units: { input: 1_000_000, output: 2_000_000 } }],
      contextTokens: 1000,
      inputs: ['text'],
      capabilities: ['temperature'],
    },
    {
      provider: 'openai',
      id: 'large',
      spellings: [],
      prices: [{ units: { input: 5_000_000, output: 9_000_000 } }],
      contextTokens: 200_000,
      inputs: ['text', 'image'],
      capabilities: ['tools', 'structuredOutput'],
    },
  ],
})
const table = targetsOf(snapshot, new Map([[openai.id, openai]]))
let nowMs = 1_000_000
let board = new HealthBoard({ clock: () => nowMs })
beforeEach(() => {
  nowMs = 1_000_000
  board = new HealthBoard({ clock: () => nowMs })
})

interface Asked {
  readonly seed?: number
  readonly summary?: Partial<Call['summary']>
  readonly json?: Record<string, unknown>
  readonly bytes?: number
  readonly caps?: Caps
  readonly user?: string
  readonly session?: string
}
function scopeOf({
  seed = 42,
  summary,
  json = {},
  bytes = 100,
  caps = {},
  user,
  session,
}: Asked): SelectScope {
  const call: Call = {
    ...{ operation: 'chat', dialect: 'openai', format: 'openai-chat', model: 'm', stream: false },
    raw: Buffer.alloc(bytes),
    json,
    summary: { ...summaryOf([]), ...summary },
    payload() {
      throw new RangeError('nobody reads the conversation for a selection')
    },
  }
  const facts = {
    seed,
    subject: { stickyKey: user ?? 'key-1', ...(user !== undefined && { userId: user }) },
    ...(session !== undefined && { session: { id: session } }),
    request: { estimate: { inputTokens: 100, outputTokens: 100 } },
  } as SelectScope['facts']
  return { find: table.find, board, call, facts, caps, nowMs }
}
const pick = (plan: PlanNode, asked: Asked = {}): Selected => select(plan, scopeOf(asked))
const orderOf = (plan: PlanNode, asked: Asked = {}): string[] => {
  const { selection } = pick(plan, asked)
  // Whatever was picked, the record alone gives it again.
  const recorded = JSON.parse(JSON.stringify(selection))
  expect(replaySelection(plan, recorded)).toEqual(selection.order)
  return selection.order
}
const ordered = (...of: PlanNode[]): PlanNode => ({ strategy: 'ordered', of })
const leaves = (...names: string[]): PlanNode[] => names.map((target) => ({ target }))
const healthOf = (name: string) => {
  const target = table.find(name)
  if (target === undefined) throw new Error(name)
  return board.of(target)
}
const fail = (name: string, times = 3): void => {
  for (let time = 0; time < times; time++) board.note(healthOf(name), { kind: 'bad' })
}
const answer = (name: string, firstTokenMs: number, tokenUs = 0): void =>
  board.note(healthOf(name), {
    kind: 'good',
    firstTokenMs,
    flowMs: tokenUs / 10,
    outputTokens: 100,
  })

describe('a selection', () => {
  it('is the targets of the tree in order, with the seed', () => {
    const { selection, order } = pick(ordered({ target: 'a/x' }, ordered(...leaves('b/y', 'a/z'))))
    expect(selection).toEqual({ seed: 42, order: ['a/x', 'b/y', 'a/z'], skipped: [] })
    expect(order.map(({ target }) => target.model)).toEqual(['x', 'y', 'z'])
  })

  it('keeps what the plan says of each target', () => {
    const node = { target: 'a/x', timeouts: { idleMs: 5 }, patch: { maxOutputTokens: 9 }, retries: 2 }
    expect(pick(node).order[0]?.node).toEqual(node)
  })

  it('passes over what cannot be used and says why', () => {
    const { selection } = pick(ordered(...leaves('dear/x', 'gone/x', 'a/x')))
    expect(selection.order).toEqual(['a/x'])
    expect(selection.skipped).toEqual([
      { target: 'dear/x', reason: 'unavailable: DEAR_API_KEY is missing' },
      { target: 'gone/x', reason: 'unknown connection' },
    ])
  })

  it('without any target says what is missing', () => {
    const refusal = refusalOfEmpty(pick({ target: 'dear/x' }))
    expect(refusal).toMatchObject({ code: 'connection_unavailable', status: 503 })
    expect(refusal.message).toContain('DEAR_API_KEY')
    expect(refusalOfEmpty(pick({ target: 'gone/x' })).code).toBe('policy_invalid_decision')
  })

  it('refuses a tree that is too deep', () => {
    const deep = Array.from({ length: 9 }).reduce<PlanNode>((node) => ordered(node), { target: 'a/x' })
    expect(() => pick(deep)).toThrow(expect.objectContaining({ code: 'policy_invalid_decision' }))
  })
})

describe('a target that does not answer', () => {
  it('is passed over while its breaker is open, and tells the caller who has no other when to come again', () => {
    fail('a/x')
    const { selection } = pick(ordered(...leaves('a/x', 'b/y')))
    expect(selection).toMatchObject({ order: ['b/y'], skipped: [{ target: 'a/x', reason: 'circuit open' }] })
    const refusal = refusalOfEmpty(pick({ target: 'a/x' }))
    expect(refusal).toMatchObject({ code: 'upstream_unavailable', status: 503, retryAfterS: 1 })
  })

  it('leaves other models of its connection alone, but for a connection that is refused', () => {
    fail('a/x')
    expect(orderOf(ordered(...leaves('a/z', 'b/y')))).toEqual(['a/z', 'b/y'])
    board.note(healthOf('a/z'), { kind: 'refused' })
    expect(orderOf(ordered(...leaves('a/new', 'a/z', 'b/y')))).toEqual(['b/y'])
  })

  it('comes back with a part of the calls, the others take it last', () => {
    fail('a/x')
    const { breaker } = healthOf('a/x')
    breaker.beginProbe()
    breaker.endProbe(true, nowMs)
    const firsts = Array.from({ length: 2000 }, (_, seed) =>
      orderOf(ordered(...leaves('a/x', 'b/y')), { seed }),
    )
    const share = firsts.filter(([first]) => first === 'a/x').length / firsts.length
    expect(share).toBeGreaterThan(0.07)
    expect(share).toBeLessThan(0.13)
    expect(firsts.every((order) => order.length === 2)).toBe(true)
    expect(orderOf({ target: 'a/x' }, { seed: 3 })).toEqual(['a/x'])
  })

  it('that is rate limited is asked last until its time is over', () => {
    board.note(healthOf('a/x'), { kind: 'limited', waitMs: 5000 })
    expect(orderOf(ordered(...leaves('a/x', 'b/y')))).toEqual(['b/y', 'a/x'])
    nowMs += 5000
    expect(orderOf(ordered(...leaves('a/x', 'b/y')))).toEqual(['a/x', 'b/y'])
  })
})

describe('strategies', () => {
  const two = leaves('a/x', 'b/y')

  it('weighted splits calls by weight, and falls back to the others', () => {
    const plan: PlanNode = { strategy: 'weighted', of: two, with: { weights: [3, 1] } }
    const orders = Array.from({ length: 4000 }, (_, seed) => orderOf(plan, { seed: seed * 7919 }))
    expect(orders.every((order) => order.length === 2)).toBe(true)
    const share = orders.filter(([first]) => first === 'a/x').length / orders.length
    expect(share).toBeGreaterThan(0.72)
    expect(share).toBeLessThan(0.78)
    const none: PlanNode = { strategy: 'weighted', of: two, with: { weights: [0, 1] } }
    for (let seed = 0; seed < 50; seed++) expect(orderOf(none, { seed })).toEqual(['b/y', 'a/x'])
  })

  it('weighted by sticky key gives a caller the same part whatever the seed', () => {
    const plan: PlanNode = { strategy: 'weighted', of: two, with: { weights: [1, 1], by: 'stickyKey' } }
    const firstOf = (user: string, seed: number) => orderOf(plan, { user, seed })[0]
    const users = Array.from({ length: 60 }, (_, index) => `user-${index}`)
    for (const user of users) expect(firstOf(user, 1)).toBe(firstOf(user, 99))
    expect(new Set(users.map((user) => firstOf(user, 1))).size).toBe(2)
  })

  it('lowestCost takes what is cheapest for this call, and what has no price last', () => {
    const of = leaves('a/unpriced', 'openai/large', 'openai/small')
    expect(orderOf({ strategy: 'lowestCost', of })).toEqual(['openai/small', 'openai/large', 'a/unpriced'])
  })

  it('lowestLatency takes what answers fastest, first token and all tokens, and tries what it does not know', () => {
    const plan: PlanNode = { strategy: 'lowestLatency', of: two }
    answer('a/x', 300)
    expect(orderOf(plan)).toEqual(['b/y', 'a/x'])
    answer('b/y', 500)
    expect(orderOf(plan)).toEqual(['a/x', 'b/y'])
    for (let time = 0; time < 20; time++) answer('a/x', 300, 50_000)
    expect(orderOf(plan)).toEqual(['b/y', 'a/x'])
    nowMs += 120_000
    expect(pick(plan).selection.health?.every(({ firstTokenMs }) => firstTokenMs === undefined)).toBe(true)
  })

  it('lowestLatency counts those within the tolerance as equal and turns among them', () => {
    answer('a/x', 300)
    answer('b/y', 310)
    const plan: PlanNode = { strategy: 'lowestLatency', of: two, with: { tolerancePpm: 100_000 } }
    const firsts = new Set(Array.from({ length: 50 }, (_, seed) => orderOf(plan, { seed })[0]))
    expect(firsts).toEqual(new Set(['a/x', 'b/y']))
  })

  it('leastBusy takes the part with the fewest running calls', () => {
    healthOf('a/x').running = 3
    healthOf('b/y').running = 2
    expect(orderOf({ strategy: 'leastBusy', of: two })).toEqual(['b/y', 'a/x'])
  })

  it('sticky keeps a session, a user or the start of a prompt at one part, and moves only what must move', () => {
    const of = leaves('a/1', 'a/2', 'b/3', 'b/4')
    const bySession: PlanNode = { strategy: 'sticky', of, with: { by: 'session' } }
    const sessions = Array.from({ length: 100 }, (_, index) => `session-${index}`)
    const before = sessions.map((session) => orderOf(bySession, { session })[0])
    expect(new Set(before).size).toBe(4)
    expect(sessions.map((session) => orderOf(bySession, { session, seed: 5 })[0])).toEqual(before)
    fail('b/3')
    const after = sessions.map((session) => orderOf(bySession, { session })[0])
    for (const [index, was] of before.entries()) if (was !== 'b/3') expect(after[index]).toBe(was)
    expect(after).not.toContain('b/3')

    const byPrompt: PlanNode = { strategy: 'sticky', of, with: { by: 'prompt' } }
    const turn = (...more: string[]) => ({ json: { messages: ['You are kind', 'Hello', ...more] } })
    expect(orderOf(byPrompt, turn('Hi', 'And now?'))).toEqual(orderOf(byPrompt, turn()))
  })

  it('hedged races the first target of each part; what else they have comes after', () => {
    const of = [ordered(...leaves('a/1', 'a/2')), { target: 'b/3' }]
    const plan: PlanNode = { strategy: 'hedged', of, with: { afterMs: 40, extraCostNanoUsd: 9 } }
    expect(orderOf(plan)).toEqual(['a/1', 'b/3', 'a/2'])
    expect(pick(plan).order.map(({ race }) => race?.afterMs)).toEqual([40, 40, undefined])
    answer('a/1', 700)
    const patient: PlanNode = { strategy: 'hedged', of: two }
    expect(pick(patient).order[0]?.race?.afterMs).toBe(2000)
    answer('a/x', 300)
    expect(pick(patient).order[0]?.race?.afterMs).toBe(600)
  })

  it('nest', () => {
    const plan: PlanNode = {
      strategy: 'weighted',
      of: [{ strategy: 'lowestCost', of: leaves('openai/large', 'openai/small') }, ordered(...two)],
      with: { weights: [1, 0] },
    }
    expect(orderOf(plan)).toEqual(['openai/small', 'openai/large', 'a/x', 'b/y'])
  })

  it('take parts without a good target last, whatever their weight', () => {
    fail('a/x')
    const plan: PlanNode = { strategy: 'weighted', of: two, with: { weights: [99, 1] } }
    for (let seed = 0; seed < 20; seed++) expect(orderOf(plan, { seed })).toEqual(['b/y'])
  })
})

describe('what a call asks for', () => {
  const plan = ordered(...leaves('openai/small', 'openai/large'))
  it.each<[string, Asked, string]>([
    ['tools', { summary: { toolNames: ['weather'] } }, 'takes no tools'],
    ['JSON Schema', { summary: { responseFormat: 'jsonSchema' } }, 'takes no JSON Schema for its answer'],
    ['a long prompt', { bytes: 40_000 }, 'the prompt is too long for it'],
    ['images', { summary: { messages: { ...summaryOf([]).messages, hasImages: true } } }, 'takes no images'],
  ])('%s passes over what is known not to do it', (_name, asked, reason) => {
    expect(orderOf(plan, asked)).toEqual(['openai/large'])
    expect(pick(plan, asked).selection.skipped).toEqual([{ target: 'openai/small', reason }])
    expect(orderOf(plan)).toEqual(['openai/small', 'openai/large'])
  })

  it('passes over what is dearer than the ceiling of the call', () => {
    const asked: Asked = { bytes: 7000, caps: { costNanoUsd: 1_000_000 } }
    expect(orderOf(plan, asked)).toEqual(['openai/small'])
  })

  it('goes to a target that lacks it where there is no other: its provider says so', () => {
    expect(orderOf({ target: 'openai/small' }, { summary: { toolNames: ['weather'] } })).toEqual([
      'openai/small',
    ])
    const small = ordered(...leaves('openai/small', 'openai/small'))
    expect(orderOf(small, { summary: { toolNames: ['weather'] } })).toHaveLength(2)
  })
})
