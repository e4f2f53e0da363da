import type { SourceFiles } from '@signalbox/policies'
import { beforeEach, describe, expect, it } from 'vitest'
import { chatCompletion, chatStream, message } from '../support/scripted-upstream.ts'
import { chat, messages } from './line.ts'
import { buildPolicyLine } from './policy-line.ts'

const files: SourceFiles = new Map([
  [
    'signalbox.yaml',
    [
      'name: acme',
      'models: { both: [openai/gpt-5.2, anthropic/claude-opus-4-8] }',
      'metadata: { feature: { type: string }, tier: { enum: [free, paid] } }',
    ].join('\n'),
  ],
  [
    'prompts/support.prompt.md',
    '---\nname: support\nvariables: { tier: { enum: [free, paid] } }\n---\nYou help a {{ tier }} customer.',
  ],
  [
    'prompts/sorter.prompt.md',
    '---\nname: sorter\n---\nYou sort.\n{{@user}}\nInvoice 12\n{{@assistant}}\nbilling',
  ],
  [
    'policies/support.policy.ts',
    `import { ordered, route, rule, target, use } from '@signalbox/policies'
export default route('support', { rules: [
  rule('support', { when: f => f.request.metadata.feature === 'support',
    then: f => use(f.request.model.requested).prompt('support', { tier: f.request.metadata.tier }) }),
  rule('sort', { when: f => f.request.metadata.feature === 'sort', then: () => ordered(
    target('openai/gpt-5.2', { prompt: { name: 'sorter' } }), target('anthropic/claude-opus-4-8')) }),
  rule('loud', { when: f => f.request.metadata.feature === 'loud',
    then: f => use('openai/gpt-5.2').prompt('support', { tier: f.request.model.requested }) }),
] })
`,
  ],
])

const line = buildPolicyLine(files)
beforeEach(() => {
  line.upstream.requests.length = 0
})

const support = { metadata: { feature: 'support', tier: 'paid' } }
const sentBody = (): Record<string, unknown> => ({ ...line.upstream.requests.at(-1)?.json })
const answer = (): void => line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))

describe('a prompt that the plan names', () => {
  it('stands before the own system message of the caller; all other bytes stay', async () => {
    answer()
    const body = {
      ...chat,
      ...support,
      messages: [
        { role: 'developer', content: 'Be short.', name: 'team' },
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      ],
      n: 1,
      logit_bias: { 5: -100 },
      unknown_member: { deep: [1, 'x'] },
    }
    const response = await line.gateway.send('/v1/chat/completions', body)
    expect(response.status).toBe(200)
    expect(sentBody()).toEqual({
      ...body,
      model: 'gpt-5.2',
      messages: [{ role: 'system', content: 'You help a paid customer.' }, ...body.messages],
    })
    expect(response.headers.get('x-signalbox-dropped')).toBeNull()
  })

  it('is on the record by name and digest, and the answer is not called identical', async () => {
    answer()
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, ...support })
    const { row, body } = await line.gateway.lastRecord()
    const digest = line
      .snapshotOf()
      .versions[0]?.compiled.prompts.find(({ name }) => name === 'support')?.digest
    expect(body.attempts[0]?.prompt).toEqual({ name: 'support', digest })
    expect(body.decision?.plan).toMatchObject({
      prompt: { name: 'support', digest, variables: { tier: 'paid' } },
    })
    expect(row.identity).toBe(false)
    expect(await response.json()).toEqual(chatCompletion('Hi'))
  })

  it('reaches streamed calls too', async () => {
    line.upstream.play((turn) => {
      turn.events(chatStream('Hi').join(''))
      turn.response.end()
    })
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, ...support, stream: true })
    expect(await response.text()).toContain('Hi')
    expect(sentBody().messages).toEqual([
      { role: 'system', content: 'You help a paid customer.' },
      ...chat.messages,
    ])
    expect((await line.gateway.lastRecord()).row.identity).toBe(false)
  })

  it('is the first of the system blocks for Anthropic, before a text or before blocks with their marks', async () => {
    line.upstream.play((turn) => turn.json(200, message('Hi')))
    const prompt = { type: 'text', text: 'You help a paid customer.' }
    const cached = { type: 'text', text: 'Be short.', cache_control: { type: 'ephemeral' } }
    const own: [unknown, unknown[]][] = [
      [undefined, [prompt]],
      ['Be short.', [prompt, { type: 'text', text: 'Be short.' }]],
      [[cached], [prompt, cached]],
    ]
    for (const [system, expected] of own) {
      const body = {
        ...messages,
        model: 'anthropic/claude-opus-4-8',
        ...(system !== undefined && { system }),
      }
      const headers = { 'x-signalbox-metadata': JSON.stringify(support.metadata) }
      const response = await line.gateway.send('/v1/messages', body, { headers })
      expect(response.status).toBe(200)
      expect(sentBody()).toEqual({ ...body, model: 'claude-opus-4-8', system: expected })
    }
  })

  it.each([
    ['openai-chat', 'anthropic/claude-opus-4-8', '/v1/chat/completions'],
    ['anthropic-messages', 'openai/gpt-5.2', '/v1/messages'],
  ])('travels from %s to %s', async (_, model, path) => {
    line.upstream.play((turn) =>
      turn.json(200, model.startsWith('openai') ? chatCompletion('Hi') : message('Hi')),
    )
    const headers = { 'x-signalbox-metadata': JSON.stringify(support.metadata) }
    const response = await line.gateway.send(path, { ...chat, max_tokens: 50, model }, { headers })
    expect(response.status).toBe(200)
    expect(line.upstream.requests.at(-1)?.text).toContain('You help a paid customer.')
  })

  it('with messages of its own puts them behind the system messages, before the conversation', async () => {
    answer()
    const own = { role: 'system', content: 'Be short.' }
    const body = { ...chat, metadata: { feature: 'sort' }, messages: [own, ...chat.messages] }
    await line.gateway.send('/v1/chat/completions', body)
    expect(sentBody().messages).toEqual([
      { role: 'system', content: 'You sort.' },
      own,
      { role: 'user', content: 'Invoice 12' },
      { role: 'assistant', content: 'billing' },
      ...chat.messages,
    ])
  })

  it('belongs to its target: the next one gets the call as it came', async () => {
    line.upstream.play(
      (turn) => turn.json(503, { error: { message: 'busy' } }),
      (turn) => turn.json(200, message('Hi')),
    )
    const body = { ...chat, max_tokens: 50, metadata: { feature: 'sort' } }
    const response = await line.gateway.send('/v1/chat/completions', body)
    expect(response.headers.get('x-signalbox-target')).toBe('anthropic/claude-opus-4-8')
    expect(line.upstream.requests.map(({ text }) => text.includes('You sort.'))).toEqual([true, false])
    const { attempts } = (await line.gateway.lastRecord()).body
    expect(attempts.map(({ prompt }) => prompt?.name)).toEqual(['sorter', undefined])
  })

  it('without a variable that it needs, or with a wrong value, ends the call before anything is sent', async () => {
    for (const metadata of [{ feature: 'support' }, { feature: 'loud' }]) {
      const response = await line.gateway.send('/v1/chat/completions', { ...chat, metadata })
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { error: { code: 'policy_invalid_decision' } },
      ])
      const { error } = (await line.gateway.lastRecord()).body
      expect(error?.detail).toContain('prompt "support": The prompt\'s variable "tier" is')
    }
    expect(line.upstream.requests).toEqual([])
  })

  it('of a version compiled before prompts were applied is named as dropped; the call goes out as it came', async () => {
    answer()
    const snapshot = line.snapshotOf()
    const versions = snapshot.versions.map((version) => ({
      ...version,
      compiled: {
        ...version.compiled,
        prompts: version.compiled.prompts.map(({ messages: _, ...rest }) => rest),
      },
    }))
    line.gateway.snapshot = { ...snapshot, versions }
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, ...support })
    expect([response.status, response.headers.get('x-signalbox-dropped')]).toEqual([200, 'prompt'])
    expect(sentBody().messages).toEqual(chat.messages)
    const { row, body } = await line.gateway.lastRecord()
    expect([row.identity, body.dropped, body.attempts[0]?.prompt]).toEqual([true, ['prompt'], undefined])
  })
})
