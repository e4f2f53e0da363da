import type { Expression } from '@signalbox/sdk/contract'
import { describe, expect, test } from 'vitest'
import { factsSchemaOf, guardrailFactsSchemasOf } from '../../../policies/compile/fact-schemas.ts'
import { ModuleGraph } from '../../../policies/compile/module-graph.ts'
import { ProblemList } from '../../../policies/compile/problem-list.ts'
import { compileTsModule } from '../../../policies/compile/ts-policy.ts'

const metadata = { tier: { enum: ['free', 'paid'] }, feature: { type: 'string' } }
const shared = `import { param } from '@signalbox/policies'
export const share = param.ppm('share', { default: 5 })
export const names = ['a', 'b'] as const
export const isTier = (f, tier: string) => f.request.metadata.tier === tier
export function isFree(f) { return isTier(f, 'free') }
export const tierOf = ({ request }) => request.metadata.tier ?? 'free'
export const endless = (f) => endless(f)
export const twice = (count) => count * 2
`

/** The condition of a rule as data; null for each part that is not. */
function lift(when: string): (Expression | null)[] {
  const text = `import { inBucket, param, route, rule, use } from '@signalbox/policies'
import { endless, isFree, isTier, names, tierOf, twice } from './lib/shared.ts'
import { share as hot } from './lib/again.ts'
const list = param.stringList('list', { default: [] })
const allowed = new Set(['chat', 'image'])
export default route('a', { rules: [rule('x', { when: ${when}, then: () => use('smart') })] })
`
  const files = new Map([
    ['policies/a.policy.ts', text],
    ['policies/lib/shared.ts', shared],
    ['policies/lib/again.ts', "export { share } from './shared.ts'\n"],
  ])
  const problems = new ProblemList()
  const module = compileTsModule('policies/a.policy.ts', {
    graph: new ModuleGraph(files, problems),
    facts: factsSchemaOf(metadata),
    guardrailFacts: () => guardrailFactsSchemasOf(metadata).output,
    problems,
  })
  expect(problems.sorted()).toEqual([])
  const sites = [...(module?.sites.values() ?? [])]
  return sites.flatMap(({ atoms }) => atoms.map(({ expression }) => expression))
}

const tier = { fact: 'request.metadata.tier' }
const tools = { fact: 'request.tools.names' }
const item = { item: true } as const

describe('lifting', () => {
  const rows: [when: string, ...data: Expression[]][] = [
    ['(f) => isFree(f)', { eq: [tier, 'free'] }],
    ["(f) => !isTier(f, 'paid')", { eq: [tier, 'paid'] }],
    ["(f) => tierOf(f) === 'free'", { eq: [{ ...tier, or: 'free' }, 'free'] }],
    ['(f) => names.includes(f.request.route)', { in: [{ fact: 'request.route' }, ['a', 'b']] }],
    ['(f) => allowed.has(f.request.operation)', { in: [{ fact: 'request.operation' }, ['chat', 'image']] }],
    ['(f) => list().includes(f.request.route)', { in: [{ fact: 'request.route' }, { param: 'list' }] }],
    [
      "(f) => inBucket(f, { rollout: 'r', ppm: hot() })",
      { bucket: { rollout: 'r', ppm: { param: 'share' } } },
    ],
    [
      "(f) => f.request.client?.startsWith('curl')",
      { startsWith: [{ fact: 'request.client', or: '' }, 'curl'] },
    ],
    [
      "(f) => (f.request.client ?? '').includes('bot')",
      { contains: [{ fact: 'request.client', or: '' }, 'bot'] },
    ],
    ["(f) => f.session?.id === 'a'", { eq: [{ fact: 'session.id' }, 'a'] }],
    [
      '(f) => (f.data.detectors.secrets?.hits ?? 0) > 0',
      {
        gt: [{ fact: 'data.detectors.secrets.hits', or: 0 }, 0],
      },
    ],
    ['(f) => !f.session', { has: 'session' }],
    [
      "(f) => f.request.tools.names.some((name) => name.startsWith('db_') || names.includes(name))",
      { some: [tools, { any: [{ startsWith: [item, 'db_'] }, { in: [item, ['a', 'b']] }] }] },
    ],
    [
      "(f) => ['a', 'b'].every((name) => f.request.tools.names.includes(name))",
      { every: [['a', 'b'], { in: [item, tools] }] },
    ],
    [
      '(f) => { const { stream, metadata: { tier } } = f.request; return stream && tier === "free" }',
      { fact: 'request.stream' },
      { eq: [tier, 'free'] },
    ],
  ]
  test.each(rows)('%s', (when, ...data) => {
    expect(lift(when)).toEqual(data)
  })

  const opaque = [
    '(f) => endless(f)',
    '(f) => twice(f.request.bytes) > 5',
    "(f) => f.request.client?.startsWith('')",
    '(f) => f.request.tools.names.some((name, index) => index > 3)',
    '(f) => f.request.tools.names.some((a) => f.request.tools.names.some((b) => a === b))',
    '(f) => f.models.some((model) => model.lossless)',
    '(f) => new Set([1]).size > f.request.bytes',
    '(names) => names.request.tools.names.includes(names)',
  ]
  test.each(opaque)('%s says more than data can', (when) => {
    expect(lift(when)).toEqual([null])
  })
})
