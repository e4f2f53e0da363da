import { buildVersion, loadCatalogue } from '@signalbox/policies'
import { describe, expect, test } from 'vitest'

/* What follows from several policies, or parts of one, together. */

const yaml = `name: acme
connections:
  openai: { provider: openai, credential: env:OPENAI_API_KEY, region: us }
  eu: { provider: openai, baseUrl: https://eu.api.openai.com/v1, credential: env:OPENAI_API_KEY, region: eu }
  local: { provider: openai-compatible, baseUrl: http://127.0.0.1:11434/v1, locality: on-prem, region: eu }
models:
  smart: [openai/gpt-5.5, eu/gpt-5.5]
  house: [local/llama3.3]
metadata:
  tier: { enum: [free, paid, pro] }
catalogue:
  local/llama3.3: { input: 0, output: 0, contextTokens: 128000 }
safeRoute: smart
`
const imports =
  "import { constraint, continueRoute, only, pipeline, route, rule, step, use } from '@signalbox/policies'\n"
const catalogue = loadCatalogue()

async function found(policies: Record<string, string>, codes: readonly string[]): Promise<string[]> {
  const files = Object.entries(policies).map(
    ([id, text]) => [`policies/${id}.policy.ts`, imports + text] as const,
  )
  const { problems } = await buildVersion(new Map([['signalbox.yaml', yaml], ...files]), {
    catalogue,
    typeCheck: false,
  })
  return problems
    .filter(({ code }) => codes.includes(code))
    .map(({ file, severity, code, message }) => `${file.slice(9, 10)} ${severity} ${code} ${message}`)
}
const filter = (id: string, when: string, where: string): string =>
  `export default constraint('${id}', { rules: [rule('x', { ${when}then: () => only(${where}) })] })\n`
const tier = (name: string): string => `when: (f) => f.request.metadata.tier === '${name}', `

describe('two filters', () => {
  test('that no target fits together are told of where the second stands', async () => {
    const [only, more] = await found(
      { a: filter('a', '', "{ region: 'us' }"), b: filter('b', '', "{ locality: 'on-prem' }") },
      ['no_candidate_left'],
    )
    expect(only).toMatch(
      /^b warning no_candidate_left rule "x" and rule "x" of constraint "a" \(policies\/a\.policy\.ts:2\) together keep no target of this workspace: whenever it holds, the call is denied/,
    )
    expect(more).toBeUndefined()
  })

  test('that both may hold for a call are a note, with an example', async () => {
    const [only] = await found(
      {
        a: filter('a', 'when: (f) => f.request.stream, ', "{ connection: 'openai' }"),
        b: filter('b', tier('free'), "{ connection: 'eu' }"),
      },
      ['no_candidate_left'],
    )
    expect(only).toMatch(
      /^b note no_candidate_left .*: where both hold \(as where request\..*\), the call is denied/,
    )
  })

  test('that never hold for one call are no matter', async () => {
    const policies = {
      a: filter('a', tier('free'), "{ connection: 'openai' }"),
      b: filter('b', tier('paid'), "{ connection: 'eu' }"),
    }
    expect(await found(policies, ['no_candidate_left'])).toEqual([])
  })
})

describe('a pipeline', () => {
  const draft = (options: string): string =>
    `export default route('r', { rules: [rule('a', { then: () => pipeline(step('draft', use('smart')), step('last', use('house')${options})) })] })\n`

  test('of which a filter by place takes one step is denied as a whole, and that is told', async () => {
    const [only] = await found({ a: draft(''), b: filter('b', tier('pro'), "{ locality: 'on-prem' }") }, [
      'data_policy_conflict',
    ])
    expect(only).toMatch(
      /^b note data_policy_conflict .*request\.metadata\.tier is "pro".* that "r\/a" sends to other places only/,
    )
  })

  test('with a step of one target that fails with it has no fallback there', async () => {
    const [only, more] = await found({ a: draft('') }, ['no_fallback'])
    expect(only).toMatch(
      /^a note no_fallback step "last" of rule "a" has no fallback: a call that local\/llama3\.3 /,
    )
    expect(more).toBeUndefined()
    expect(await found({ a: draft(", { onFailure: 'returnPrevious' }") }, ['no_fallback'])).toEqual([])
  })
})

test('a condition that "match" never lets through is never true', async () => {
  const policy = (operation: string): string =>
    `export default route('r', { match: { operation: 'chat' }, rules: [rule('a', { when: (f) => f.request.operation === '${operation}', then: () => use('smart') }), rule('z', { then: () => continueRoute() })] })\n`
  const [only] = await found({ a: policy('embeddings') }, ['never_true'])
  expect(only).toMatch(/^a warning never_true .*"match" lets through: \{"operation":"chat"\}$/)
  expect(await found({ a: policy('chat') }, ['never_true'])).toEqual([])
})
