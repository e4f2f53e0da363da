import type { SourceFiles } from '@signalbox/policies'
import { Facts } from '@signalbox/sdk/contract'
import { canonicalJson, digestOf, violationsOf } from '@signalbox/sdk/node'
import { expect, it } from 'vitest'
import { chatCompletion, message } from '../support/scripted-upstream.ts'
import { chat } from './line.ts'
import { buildPolicyLine } from './policy-line.ts'

const files: SourceFiles = new Map([
  [
    'signalbox.yaml',
    [
      'name: acme',
      'models: { smart: [openai/gpt-5.2, anthropic/claude-opus-4-8] }',
      'metadata: { feature: { type: string }, tier: { enum: [free, paid] } }',
    ].join('\n'),
  ],
  [
    'policies/no-free.policy.json',
    JSON.stringify({
      kind: 'constraint',
      id: 'no-free',
      onError: 'deny',
      rules: [
        {
          id: 'free',
          when: { eq: [{ fact: 'request.metadata.tier', or: 'paid' }, 'free'] },
          then: { deny: { code: 'TIER_BLOCKED', http: 403 } },
        },
      ],
    }),
  ],
  [
    'policies/switch.policy.ts',
    `import { route, rule, use } from '@signalbox/policies'
export default route('switch', { rules: [
  rule('polish', { when: f => f.request.metadata.feature === 'polish', then: () => use('anthropic/claude-opus-4-8') }),
] })
`,
  ],
])

const line = buildPolicyLine(files)

const send = (model: string, metadata: Record<string, string> = {}): Promise<Response> =>
  line.gateway.send('/v1/chat/completions', { ...chat, model, metadata })

it('a call that no policy minds goes where it was sent, and its facts are those of the schema', async () => {
  line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
  const response = await send('gpt-5.2')
  expect([response.status, response.headers.get('x-signalbox-target')]).toEqual([200, 'openai/gpt-5.2'])
  const { row, body } = await line.gateway.lastRecord()
  expect(violationsOf(Facts, body.facts)).toEqual([])
  expect(row.factsDigest).toBe(digestOf(canonicalJson(body.facts)))
  expect(body.policies.map((each) => each.id).sort()).toEqual(['no-free', 'switch'])
  expect(body.fuel).toBeGreaterThan(0)
  expect(Number(row.costNanoUsd)).toBeGreaterThan(0)
})

it('a constraint in JSON denies with its own code', async () => {
  const response = await send('gpt-5.2', { tier: 'free' })
  expect([response.status, await response.json()]).toMatchObject([403, { error: { code: 'TIER_BLOCKED' } }])
  expect((await line.gateway.lastRecord()).row).toMatchObject({
    effect: 'deny',
    policy: 'no-free',
    rule: 'free',
  })
})

it('a route in TypeScript sends the call elsewhere', async () => {
  line.upstream.play((turn) => turn.json(200, message('Hi')))
  const response = await send('gpt-5.2', { feature: 'polish', tier: 'paid' })
  expect(response.headers.get('x-signalbox-target')).toBe('anthropic/claude-opus-4-8')
  expect((await line.gateway.lastRecord()).row).toMatchObject({
    effect: 'allow',
    policy: 'switch',
    rule: 'polish',
  })
})

it('an alias falls back in its order', async () => {
  line.upstream.play(
    (turn) => turn.reset(),
    (turn) => turn.json(200, message('from Claude')),
  )
  const response = await send('smart')
  expect(JSON.stringify(await response.json())).toContain('from Claude')
  expect(response.headers.get('x-signalbox-attempts')).toBe('2')
})
