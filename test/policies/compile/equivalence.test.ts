import type { Engine } from '@signalbox/policies'
import { baseFacts } from '@signalbox/policies'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEngine, evaluate, type PartialFacts, programOf } from '../engine/programs.ts'
import { versionOf } from './builds.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

interface Pair {
  readonly name: string
  readonly typescript: string
  readonly json: object
  /** Facts that take the policy down each of its ways. */
  readonly facts: readonly PartialFacts[]
}

const api =
  'cap, constraint, continueRoute, deny, inBucket, only, ordered, param, requireGuard, route, rule, use'
const metadata = (values: Record<string, string | number>): PartialFacts => ({
  request: { metadata: values },
})
const tightest = (usedPpm: number): PartialFacts => ({
  budget: {
    tightest: {
      nodeId: 'n',
      scope: 's',
      window: 'day',
      limitNanoUsd: 1,
      settledNanoUsd: 0,
      reservedNanoUsd: 0,
      remainingNanoUsd: 1,
      usedPpm,
      mode: 'hard',
    },
  },
})

const pairs: Pair[] = [
  {
    name: 'a constraint over metadata',
    typescript: `export default constraint('p', { onError: 'deny', rules: [
  rule('free', { when: (f) => (f.request.metadata.tier ?? 'paid') === 'free', then: () => deny('TIER_BLOCKED', { http: 403 }) }),
  rule('level', {
    when: (f) => (f.request.metadata.level ?? 0) >= 3 || ['secret', 'private'].includes(f.request.metadata.feature ?? ''),
    then: (f) => only(f.models.where({ locality: 'on-prem' }), { code: 'LOCAL_ONLY' }),
  }),
  rule('scan', {
    when: (f) => f.request.tools.names.includes('shell') && !f.request.stream,
    then: () => [requireGuard('output', 'scan-output'), cap({ maxOutputTokens: 100 })],
  }),
] })`,
    json: {
      kind: 'constraint',
      id: 'p',
      onError: 'deny',
      rules: [
        {
          id: 'free',
          when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
          then: { deny: { code: 'TIER_BLOCKED', http: 403 } },
        },
        {
          id: 'level',
          when: {
            any: [
              { gte: [{ fact: 'request.metadata.level', or: 0 }, 3] },
              { in: [{ fact: 'request.metadata.feature', or: '' }, ['secret', 'private']] },
            ],
          },
          then: { only: { where: { locality: 'on-prem' }, code: 'LOCAL_ONLY' } },
        },
        {
          id: 'scan',
          when: {
            all: [{ in: ['shell', { fact: 'request.tools.names' }] }, { not: { fact: 'request.stream' } }],
          },
          then: [
            { requireGuard: { direction: 'output', id: 'scan-output' } },
            { cap: { maxOutputTokens: 100 } },
          ],
        },
      ],
    },
    facts: [
      {},
      metadata({ tier: 'free' }),
      metadata({ tier: 'paid', level: 3 }),
      metadata({ level: 2, feature: 'private' }),
      { request: { tools: { count: 1, names: ['shell'] } } },
      { request: { tools: { count: 1, names: ['shell'] }, stream: true } },
    ],
  },
  {
    name: 'a route over budget, buckets and params',
    typescript: `const soft = param.int('soft_ppm', { default: 800_000, min: 0, max: 1_000_000 })
export default route('p', { match: { operation: 'chat' }, safeRoute: 'house', rules: [
  rule('hard', { when: (f) => f.budget.tightest !== undefined && f.budget.tightest.usedPpm >= 1_000_000, then: () => deny('BUDGET', { http: 429, message: 'spent' }) }),
  rule('soft', { when: (f) => f.budget.tightest !== undefined && f.budget.tightest.usedPpm > soft(), then: (f) => use(f.request.model.alias ?? 'house').maxOutputTokens(50).annotate('downgrade', 'soft') }),
  rule('docs', { when: (f) => f.request.route.startsWith('docs/'), then: () => continueRoute() }),
  rule('canary', { when: (f) => inBucket(f, { rollout: 'r', ppm: soft() }), then: () => use('smart').fallback('cheap').variant('r', 'canary') }),
  rule('rest', { then: () => ordered('openai/gpt-5.5', 'openai/gpt-5-mini') }),
] })`,
    json: {
      kind: 'route',
      id: 'p',
      match: { operation: 'chat' },
      safeRoute: 'house',
      params: { soft_ppm: { type: 'int', default: 800_000, min: 0, max: 1_000_000 } },
      rules: [
        {
          id: 'hard',
          when: {
            all: [{ has: 'budget.tightest' }, { gte: [{ fact: 'budget.tightest.usedPpm' }, 1_000_000] }],
          },
          then: { deny: { code: 'BUDGET', http: 429, message: 'spent' } },
        },
        {
          id: 'soft',
          when: {
            all: [
              { has: 'budget.tightest' },
              { gt: [{ fact: 'budget.tightest.usedPpm' }, { param: 'soft_ppm' }] },
            ],
          },
          then: {
            use: {
              model: { fact: 'request.model.alias', or: 'house' },
              patch: { maxOutputTokens: 50 },
              annotate: { downgrade: 'soft' },
            },
          },
        },
        {
          id: 'docs',
          when: { startsWith: [{ fact: 'request.route' }, 'docs/'] },
          then: { continue: true },
        },
        {
          id: 'canary',
          when: { bucket: { rollout: 'r', ppm: { param: 'soft_ppm' } } },
          then: { use: { model: 'smart', fallback: ['cheap'], variant: { rollout: 'r', name: 'canary' } } },
        },
        {
          id: 'rest',
          then: {
            plan: {
              strategy: 'ordered',
              of: [{ target: 'openai/gpt-5.5' }, { target: 'openai/gpt-5-mini' }],
            },
          },
        },
      ],
    },
    facts: [
      {},
      tightest(1_000_000),
      tightest(900_000),
      tightest(800_000),
      { request: { route: 'docs/a' } },
      { request: { operation: 'embeddings' } },
      ...Array.from({ length: 12 }, (_, index) => ({ subject: { stickyKey: `user-${index}` } })),
    ],
  },
  {
    name: 'a route over lists, texts and functions',
    typescript: `const shells = new Set(['bash', 'sh'])
const blocked = param.stringList('blocked', { default: ['spam'] })
const share = param.ppm('share_ppm', { default: 0 })
const isPaid = (f) => (f.request.metadata.tier ?? 'free') === 'paid'
const begins = (text, start) => text.startsWith(start)
export default route('p', { rules: [
  rule('shell', { when: (f) => f.request.tools.names.some((name) => shells.has(name)), then: () => deny('NO_SHELL') }),
  rule('paid', { when: (f) => isPaid(f) && f.request.tools.names.every((name) => !begins(name, 'x_')), then: () => use('smart').timeouts({ totalMs: 9000 }).fidelity('strict').costCap(5) }),
  rule('blocked', { when: (f) => blocked().includes(f.request.metadata.feature ?? ''), then: () => ordered('smart', 'cheap').annotate('a', 'b').variant('new') }),
  rule('bot', { when: (f) => f.request.client?.endsWith('bot'), then: () => use('cheap') }),
  rule('chat', { when: (f) => { const { dialect } = f.request; return dialect.includes('anthropic') }, then: () => continueRoute() }),
  rule('share', { when: (f) => f.seed < share(), then: () => use('house') }),
] })`,
    json: {
      kind: 'route',
      id: 'p',
      params: {
        blocked: { type: 'stringList', default: ['spam'] },
        share_ppm: { type: 'ppm', default: 0 },
      },
      rules: [
        {
          id: 'shell',
          when: { some: [{ fact: 'request.tools.names' }, { in: [{ item: true }, ['bash', 'sh']] }] },
          then: { deny: { code: 'NO_SHELL' } },
        },
        {
          id: 'paid',
          when: {
            all: [
              { eq: [{ fact: 'request.metadata.tier', or: 'free' }, 'paid'] },
              {
                every: [{ fact: 'request.tools.names' }, { not: { startsWith: [{ item: true }, 'x_'] } }],
              },
            ],
          },
          then: {
            use: {
              model: 'smart',
              timeouts: { totalMs: 9000 },
              fidelity: 'strict',
              caps: { costNanoUsd: 5 },
            },
          },
        },
        {
          id: 'blocked',
          when: { in: [{ fact: 'request.metadata.feature', or: '' }, { param: 'blocked' }] },
          then: {
            plan: { strategy: 'ordered', of: [{ target: 'smart' }, { target: 'cheap' }] },
            annotate: { a: 'b' },
            variant: { rollout: 'p', name: 'new' },
          },
        },
        {
          id: 'bot',
          when: { endsWith: [{ fact: 'request.client', or: '' }, 'bot'] },
          then: { use: { model: 'cheap' } },
        },
        {
          id: 'chat',
          when: { contains: [{ fact: 'request.dialect' }, 'anthropic'] },
          then: { continue: true },
        },
        {
          id: 'share',
          when: { lt: [{ fact: 'seed' }, { param: 'share_ppm' }] },
          then: { use: { model: 'house' } },
        },
      ],
    },
    facts: [
      {},
      metadata({ tier: 'paid' }),
      metadata({ feature: 'spam' }),
      { request: { tools: { count: 2, names: ['search', 'bash'] } } },
      { request: { tools: { count: 1, names: ['x_search'] }, metadata: { tier: 'paid' } } },
      { request: { client: 'a bot' } },
      { request: { client: 'a person', dialect: 'anthropic-messages' } },
    ],
  },
]

test.each(pairs)('$name says the same in TypeScript and in JSON', async ({ typescript, json, facts }) => {
  const typescriptFile = {
    'policies/p.policy.ts': `import { ${api} } from '@signalbox/policies'\n${typescript}\n`,
  }
  const jsonFile = { 'policies/p.policy.json': JSON.stringify(json, null, 2) }
  const [one, other] = [
    await programOf(engine, [{ files: typescriptFile }]),
    await programOf(engine, [{ files: jsonFile }]),
  ]
  const seen = new Set<string>()
  for (const each of facts) {
    const [written, data] = [evaluate(one, each), evaluate(other, each)]
    expect(data.decision).toEqual(written.decision)
    expect(data.policies).toEqual(written.policies)
    expect(data.decisionDigest).toBe(written.decisionDigest)
    seen.add(`${written.policies[0]?.outcome} ${written.policies[0]?.trace}`)
  }
  expect(seen.size).toBeGreaterThan(4)
})

test.each(pairs)('$name is data to the last condition, in both forms the same', async ({
  typescript,
  json,
}) => {
  const guardrail = {
    'guardrails/g.guardrail.json': JSON.stringify({
      kind: 'guardrail',
      id: 'scan-output',
      direction: 'output',
      when: { gt: [{ fact: 'text.chars' }, 5] },
      then: { flag: { code: 'LONG' } },
    }),
    'signalbox.yaml': `name: acme
connections: { local: { provider: openai-compatible, baseUrl: "http://x.test/v1", locality: on-prem } }
models: { smart: [openai/gpt-5.5], cheap: [openai/gpt-5-mini], house: [local/llama3.3] }
metadata: { tier: { type: string }, level: { type: integer }, feature: { type: string } }
`,
  }
  const [one, other] = await Promise.all([
    versionOf({
      ...guardrail,
      'policies/p.policy.ts': `import { ${api} } from '@signalbox/policies'\n${typescript}\n`,
    }),
    versionOf({ ...guardrail, 'policies/p.policy.json': JSON.stringify(json) }),
  ])
  const shape = ({ compiled }: typeof one) =>
    compiled.policies.map(({ id, reads, params, rules, match }) => ({
      id,
      reads,
      params,
      match,
      rules: rules.map(({ conditions, ...rule }) => ({
        id: rule.id,
        conditions: conditions.map(({ reads: own, lifted }) => ({ own, lifted })),
      })),
    }))
  expect(shape(other)).toEqual(shape(one))
  const lifted = one.compiled.policies.flatMap(({ rules }) => rules.flatMap(({ conditions }) => conditions))
  expect(lifted.every((condition) => condition.lifted)).toBe(true)
})

test('the shapes of the documentation work as they stand', async () => {
  const files = {
    'policies/switch.policy.ts': `import { route, rule, use } from '@signalbox/policies'
export default route('switch', { rules: [ rule('polish', { when: f => f.request.metadata.feature === 'polish', then: () => use('anthropic/claude-opus-4-8') }) ] })
`,
    'policies/no-free.policy.json': `{ "kind": "constraint", "id": "no-free", "onError": "deny",
  "rules": [ { "id": "free", "when": { "eq": [ { "fact": "request.metadata.tier", "or": "paid" }, "free" ] }, "then": { "deny": { "code": "TIER_BLOCKED", "http": 403 } } } ] }
`,
  }
  const program = await programOf(engine, [{ files }])
  const polish = program.evaluate({
    facts: baseFacts({ request: { metadata: { feature: 'polish' } } }),
    params: {},
    models: [],
  })
  expect(polish.decision.plan).toEqual({ target: 'anthropic/claude-opus-4-8' })
  const free = evaluate(program, metadata({ tier: 'free', feature: 'polish' }))
  expect(free.decision.reasons).toMatchObject([{ code: 'TIER_BLOCKED', http: 403 }])
})
