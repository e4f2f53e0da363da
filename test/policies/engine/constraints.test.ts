import type { Engine } from '@signalbox/policies'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createEngine,
  evaluate,
  type Files,
  type PartialFacts,
  policy,
  programOf,
  summary,
} from './programs.ts'

let engine: Engine
beforeAll(async () => {
  engine = await createEngine()
})
afterAll(() => engine.dispose())

const isFree = { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] }
const isStream = { fact: 'request.stream' }
const anything = { then: { cap: { costNanoUsd: 9 } } }
const ordered = (...targets: string[]) => ({ strategy: 'ordered', of: targets.map((target) => ({ target })) })
const cheap = ordered('openai/gpt-5-mini', 'local/llama3.3')

interface Row {
  readonly rule: string
  readonly files: Files
  readonly facts?: PartialFacts
  /** Members of the summary, and under `decision` of the decision. */
  readonly expected: Readonly<Record<string, unknown>> & { readonly decision?: object }
}

const tight = (target: string, remainingPpm: number) => ({
  target,
  health: { state: 'up' as const, errorPpm: 0, remainingPpm },
  lossless: true,
})

const rows: Row[] = [
  {
    rule: 'what is left of a rate limit filters; where nobody says, enough is left',
    files: policy('constraint', 'a', [
      { id: 'left', then: { only: { where: { minRemainingPpm: 100_000 } } } },
    ]),
    facts: { models: [tight('openai/gpt-5-mini', 90_000)] },
    expected: { effect: 'allow', plan: { target: 'local/llama3.3' } },
  },
  {
    rule: 'no text is embedded where the constraints let no text go',
    files: {
      ...policy('constraint', 'a', [{ id: 'here', then: { only: { where: { locality: 'on-prem' } } } }]),
      ...policy('route', 'r', [
        {
          id: 'all',
          then: {
            use: {
              model: 'local/llama3.3',
              cache: 'readWrite',
              semanticCache: { model: 'openai/text-embedding-3-small', thresholdPpm: 900_000 },
            },
          },
        },
      ]),
    },
    expected: {
      effect: 'allow',
      decision: expect.not.objectContaining({ semanticCache: expect.anything() }),
    },
  },
  {
    rule: 'what a cache by meaning embeds with is a target of the decision',
    files: policy('route', 'r', [
      {
        id: 'all',
        then: {
          use: {
            model: 'smart',
            cache: 'readWrite',
            semanticCache: { model: 'local/nomic-embed', thresholdPpm: 900_000 },
          },
        },
      },
    ]),
    expected: {
      effect: 'allow',
      decision: { semanticCache: { model: 'local/nomic-embed', thresholdPpm: 900_000 } },
    },
  },
  {
    rule: 'without policies a call goes to what its caller asked for',
    files: {},
    expected: { effect: 'allow', plan: cheap, reasons: [], policies: [] },
  },
  {
    rule: 'all rules of all constraints are asked, and what they say accumulates',
    files: {
      ...policy('constraint', 'a', [
        { id: 'one', when: isFree, then: { cap: { maxOutputTokens: 700 } } },
        { id: 'two', when: isStream, then: { cap: { maxOutputTokens: 300, costNanoUsd: 50 } } },
        { id: 'three', when: { not: isStream }, then: { deny: { code: 'NEVER' } } },
      ]),
      ...policy('constraint', 'b', [
        { id: 'four', then: { cap: { maxOutputTokens: 500, costNanoUsd: 80 } } },
      ]),
    },
    facts: { request: { stream: true, metadata: { tier: 'free' } } },
    expected: {
      effect: 'allow',
      policies: ['a narrowed one 111', 'b narrowed four'],
      decision: { caps: { maxOutputTokens: 300, costNanoUsd: 50 } },
    },
  },
  {
    rule: 'one denial among many denies, with every denial as a reason',
    files: {
      ...policy('constraint', 'a', [{ id: 'pass', then: { only: { where: { locality: 'on-prem' } } } }]),
      ...policy('constraint', 'b', [
        { id: 'no', then: { deny: { code: 'BLOCKED', http: 451, message: 'not here' } } },
        { id: 'never', then: { deny: { code: 'SECRET', audience: 'operator' } } },
      ]),
      ...policy('route', 'r', [{ id: 'all', then: { use: { model: 'smart' } } }]),
    },
    expected: {
      effect: 'deny',
      plan: undefined,
      failure: undefined,
      policies: ['a narrowed pass', 'b denied no', 'r chosen all'],
      decision: {
        reasons: [
          {
            code: 'BLOCKED',
            http: 451,
            message: 'not here',
            audience: 'caller',
            policy: 'b',
            rule: 'no',
            workspace: 'acme',
          },
          { code: 'SECRET', http: 403, audience: 'operator', policy: 'b', rule: 'never', workspace: 'acme' },
        ],
      },
    },
  },
  {
    rule: 'filters intersect',
    files: {
      ...policy('constraint', 'a', [
        { id: 'us', then: { only: { where: { connection: ['openai', 'anthropic'] }, code: 'US' } } },
        {
          id: 'not-openai',
          then: { only: { where: { provider: ['anthropic', 'openai-compatible'] }, code: 'NO_OPENAI' } },
        },
      ]),
      ...policy('route', 'r', [{ id: 'all', then: { use: { model: 'smart', fallback: ['cheap'] } } }]),
    },
    expected: {
      effect: 'allow',
      plan: { target: 'anthropic/claude-opus-4-8' },
      reasons: ['US by us', 'NO_OPENAI by not-openai'],
    },
  },
  {
    rule: 'filters over each column, and a target without a region has none',
    files: policy('constraint', 'a', [
      {
        id: 'eu',
        then: { only: { where: { region: 'eu', locality: 'on-prem', target: ['local/llama3.3'] } } },
      },
    ]),
    expected: { plan: { target: 'local/llama3.3' }, reasons: ['MODEL_NOT_ALLOWED by eu'] },
  },
  {
    rule: 'demands for guardrails unite, and the one that blocks on error is the stronger',
    files: policy('constraint', 'a', [
      { id: 'soft', then: { requireGuard: { id: 'scan-output', direction: 'output', onError: 'pass' } } },
      {
        id: 'both',
        then: [
          { requireGuard: { id: 'scan-output', direction: 'output' } },
          { requireGuard: { id: 'scan-input', direction: 'input', onError: 'pass' } },
        ],
      },
    ]),
    expected: {
      decision: {
        guardrails: {
          input: [{ id: 'scan-input', mode: 'enforce', onError: 'pass' }],
          output: [{ id: 'scan-output', mode: 'enforce', onError: 'block' }],
        },
      },
    },
  },
  {
    rule: 'a cap clamps what a route patches',
    files: {
      ...policy('constraint', 'a', [{ id: 'cap', then: { cap: { maxOutputTokens: 100 } } }]),
      ...policy('route', 'r', [
        {
          id: 'all',
          then: { use: { model: 'house', patch: { maxOutputTokens: 900, reasoningLevel: 'low' } } },
        },
      ]),
    },
    expected: {
      plan: { target: 'local/llama3.3', patch: { maxOutputTokens: 100, reasoningLevel: 'low' } },
      decision: { caps: { maxOutputTokens: 100 } },
    },
  },
  {
    rule: 'a policy whose match does not hold is not asked',
    files: {
      ...policy(
        'constraint',
        'a',
        [anything].map((rule) => ({ id: 'x', ...rule })),
        { match: { operation: 'embeddings' } },
      ),
      ...policy('constraint', 'b', [{ id: 'x', when: isFree, ...anything }], { match: { route: 'docs/*' } }),
      ...policy('constraint', 'c', [{ id: 'x', ...anything }], { match: { node: 'search/eu' } }),
    },
    facts: { request: { route: 'docs/summary' }, subject: { node: { path: ['search'] } } },
    expected: { policies: ['a notApplicable -', 'b noEffect - 0', 'c notApplicable -'] },
  },
  {
    rule: 'a match by node holds for the node and all below',
    files: policy('constraint', 'c', [{ id: 'x', ...anything }], {
      match: { node: 'search/eu', operation: 'chat' },
    }),
    facts: { subject: { node: { path: ['search', 'eu', 'labs'] } } },
    expected: { policies: ['c narrowed x'] },
  },
]

test.each(rows)('$rule', async ({ files, facts, expected }) => {
  const program = await programOf(engine, [{ files }])
  const evaluation = evaluate(program, facts)
  const { decision, ...rest } = expected
  expect(summary(evaluation)).toMatchObject(rest)
  if (decision !== undefined) expect(evaluation.decision).toMatchObject(decision)
})
