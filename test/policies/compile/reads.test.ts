import { describe, expect, test } from 'vitest'
import { versionOf } from './builds.ts'

const imports =
  "import { constraint, cap, inBucket, only, param, route, rule, use, type Facts } from '@signalbox/policies'"
const share = "const ppm = param.int('ppm', { default: 5 })\nconst limit = 100\nconst names = ['a', 'b']"

/** Conditions of a rule as the compiler took them apart, and what the policy reads. */
async function conditionsOf(when: string, rest = '') {
  const text = `${imports}\n${share}\n${rest}\nexport default route('a', { rules: [rule('x', { when: ${when}, then: () => use('smart') })] })\n`
  const { compiled } = await versionOf({ 'policies/a.policy.ts': text })
  const [policy] = compiled.policies
  const conditions = policy?.rules[0]?.conditions ?? []
  return {
    texts: conditions.map((each) => (each.lifted ? each.text : `opaque: ${each.text}`)),
    reads: policy?.reads,
  }
}

describe('conditions in TypeScript', () => {
  const lifted: [when: string, texts: string[], reads: string[]][] = [
    [
      "(f) => f.request.metadata.feature === 'polish'",
      ["f.request.metadata.feature === 'polish'"],
      ['request.metadata.feature'],
    ],
    [
      "f => !(f.request.stream && f.request.bytes > limit) || f.request.route !== ''",
      ['f.request.stream', 'f.request.bytes > limit', "f.request.route !== ''"],
      ['request.bytes', 'request.route', 'request.stream'],
    ],
    ['(f) => { return f.request.stream }', ['f.request.stream'], ['request.stream']],
    ['function (f) { return f.request.stream }', ['f.request.stream'], ['request.stream']],
    ['({ request }) => request.stream', ['request.stream'], ['request.stream']],
    ['({ request: { model: { tier } } }) => tier === "large"', ['tier === "large"'], ['request.model.tier']],
    [
      '(f) => (f.request.metadata.level ?? 0) >= -1',
      ['(f.request.metadata.level ?? 0) >= -1'],
      ['request.metadata.level'],
    ],
    [
      '(f) => f.budget.tightest?.usedPpm !== undefined',
      ['f.budget.tightest?.usedPpm !== undefined'],
      ['budget.tightest.usedPpm'],
    ],
    ['(f) => f.budget.tightest != null', ['f.budget.tightest != null'], ['budget.tightest']],
    ["(f) => 'tier' in f.request.metadata", ["'tier' in f.request.metadata"], ['request.metadata.tier']],
    [
      "(f) => f.request.tools.names.includes('search')",
      ["f.request.tools.names.includes('search')"],
      ['request.tools.names'],
    ],
    ['(f) => names.includes(f.request.route)', ['names.includes(f.request.route)'], ['request.route']],
    [
      "(f) => ['chat', 'image'].includes(f.request.operation)",
      ["['chat', 'image'].includes(f.request.operation)"],
      ['request.operation'],
    ],
    [
      "(f) => f.request.route.startsWith('docs/')",
      ["f.request.route.startsWith('docs/')"],
      ['request.route'],
    ],
    [
      "(f) => inBucket(f, { rollout: 'r', ppm: ppm() })",
      ["inBucket(f, { rollout: 'r', ppm: ppm() })"],
      ['subject.stickyKey'],
    ],
    ['(f) => f.nowMs < ppm()', ['f.nowMs < ppm()'], ['nowMs']],
    ['(f) => f["request"]["stream"]', ['f["request"]["stream"]'], ['request.stream']],
    ['(f) => (f.request.stream as boolean) && true', ['f.request.stream', 'true'], ['request.stream']],
  ]
  test.each(lifted)('%s is data', async (when, texts, reads) => {
    expect(await conditionsOf(when)).toEqual({ texts, reads })
  })

  const opaque: [when: string, texts: string[], reads: string[]][] = [
    [
      '(f) => f.request.bytes * 2 > f.request.messages.chars && f.request.stream',
      ['opaque: f.request.bytes * 2 > f.request.messages.chars', 'f.request.stream'],
      ['request.bytes', 'request.messages.chars', 'request.stream'],
    ],
    [
      '(f) => { const m = f.request.metadata; return m.tier === "free" }',
      ['m.tier === "free"'],
      ['request.metadata.tier'],
    ],
    [
      '(f) => { const { session, request: { stream } } = f; return stream }',
      ['stream'],
      ['request.stream', 'session'],
    ],
    ['(f) => { const { request: { route } } = f; return route === "" }', ['route === ""'], ['request.route']],
    [
      '(f) => f.models.some((m) => m.health.state === "up")',
      ['opaque: f.models.some((m) => m.health.state === "up")'],
      ['models'],
    ],
    [
      '(f) => f.request.tools.names.some((name) => name === "x")',
      ['f.request.tools.names.some((name) => name === "x")'],
      ['request.tools.names'],
    ],
    [
      '(f) => f.request.tools.names.length > 3',
      ['opaque: f.request.tools.names.length > 3'],
      ['request.tools.names'],
    ],
    [
      '(f) => Boolean(f.request.metadata.feature)',
      ['opaque: Boolean(f.request.metadata.feature)'],
      ['request.metadata.feature'],
    ],
    ['(f) => Object.keys(f).length > 3', ['opaque: Object.keys(f).length > 3'], ['*']],
    ['(...all) => all[0].request.stream', ['opaque: (...all) => all[0].request.stream'], ['*']],
    ['function () { return arguments[0].request.stream }', ['opaque: arguments[0].request.stream'], ['*']],
    [
      '(f) => [1].some((f) => f > 3) || f.request.stream',
      ['[1].some((f) => f > 3)', 'f.request.stream'],
      ['*', 'request.stream'],
    ],
    ['isFree', ['opaque: isFree'], ['request.metadata.tier']],
    [
      '(f) => isFree(f) && isSmall(f.request.messages)',
      ['isFree(f)', 'isSmall(f.request.messages)'],
      ['request.messages.chars', 'request.metadata.tier'],
    ],
    ['(f) => passOn(f)', ['opaque: passOn(f)'], ['*']],
  ]
  const rest = `const isFree = (f: Facts) => f.request.metadata.tier === 'free'
function isSmall({ chars }: { chars: number }) { return chars < limit }
const passOn = (f: object) => JSON.stringify(f).length > 3`
  test.each(opaque)('%s is code, and reads are known as far as they can be', async (when, texts, reads) => {
    expect(await conditionsOf(when, rest)).toEqual({ texts, reads })
  })

  test('functions, params and constants of other files are followed', async () => {
    const { compiled } = await versionOf({
      'policies/lib/tiers.ts': `import { param, type Facts } from '@signalbox/policies'
export const share = param.int('share', { default: 7 })
export const edge = 10
export function isFree(f: Facts) { return f.request.metadata.tier === 'free' }
`,
      'policies/a.policy.ts': `import { route, rule, use } from '@signalbox/policies'
import { edge, isFree as free, share } from './lib/tiers.ts'
export default route('a', { rules: [
  rule('x', { when: (f) => free(f) || f.request.bytes > edge || f.seed < share(), then: (f) => use(f.request.model.alias ?? 'smart') }),
] })
`,
    })
    const [policy] = compiled.policies
    expect(policy?.reads).toEqual(['request.bytes', 'request.metadata.tier', 'request.model.alias', 'seed'])
    expect(policy?.params).toEqual({ share: { type: 'int', default: 7 } })
    expect(policy?.rules[0]?.conditions.map(({ lifted }) => lifted)).toEqual([true, true, true])
  })

  test('a filter over candidates reads none of them', async () => {
    const { compiled } = await versionOf({
      'policies/a.policy.ts': `${imports}
export default constraint('a', { rules: [rule('x', { then: (f) => only(f.models.where({ locality: 'on-prem' }), { code: 'L' }) })] })
`,
    })
    expect(compiled.reads).toEqual([])
  })
})

test('a version knows where its rules stand, what its policies read, and what they can name', async () => {
  const { compiled } = await versionOf({
    'policies/a.policy.json': `{ "kind": "route", "id": "a", "match": { "operation": "chat" }, "safeRoute": "cheap",
  "rules": [
    { "id": "x",
      "when": { "all": [ { "gt": [ { "fact": "request.bytes" }, 5 ] },
                         { "not": { "in": [ { "fact": "request.metadata.tier", "or": "paid" }, [ "free" ] ] } } ] },
      "then": { "use": { "model": "openai/gpt-6" } } } ] }`,
  })
  expect(compiled.policies).toEqual([
    {
      id: 'a',
      kind: 'route',
      file: 'policies/a.policy.json',
      match: { operation: 'chat' },
      params: {},
      reads: ['request.bytes', 'request.metadata.tier'],
      rules: [
        {
          id: 'x',
          line: 3,
          column: 5,
          conditions: [
            {
              text: '{ "gt": [ { "fact": "request.bytes" }, 5 ] }',
              reads: ['request.bytes'],
              lifted: true,
              expression: { gt: [{ fact: 'request.bytes' }, 5] },
            },
            {
              text: '{ "in": [ { "fact": "request.metadata.tier", "or": "paid" }, [ "free" ] ] }',
              reads: ['request.metadata.tier'],
              lifted: true,
              expression: { in: [{ fact: 'request.metadata.tier', or: 'paid' }, ['free']] },
            },
          ],
          reads: ['request.bytes', 'request.metadata.tier'],
        },
      ],
    },
  ])
  expect(compiled.targets).toEqual([
    'anthropic/claude-opus-4-8',
    'openai/gpt-5.5',
    'openai/gpt-5-mini',
    'local/llama3.3',
    'openai/gpt-6',
  ])
  expect(compiled.safeRoutes).toEqual({
    a: { strategy: 'ordered', of: [{ target: 'openai/gpt-5-mini' }, { target: 'local/llama3.3' }] },
  })
})
