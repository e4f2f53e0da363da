import type { SourceFiles } from '@signalbox/policies'
import { beforeEach, describe, expect, it } from 'vitest'
import { chatCompletion, chatStream, message } from '../../support/scripted-upstream.ts'
import { chat, messages, question } from '../line.ts'
import { buildPolicyLine } from '../policy-line.ts'

const files: SourceFiles = new Map([
  [
    'signalbox.yaml',
    'name: acme\nmodels: { smart: [openai/gpt-5.2] }\nmetadata: { feature: { type: string } }',
  ],
  [
    'prompts/support.prompt.md',
    [
      '---',
      'name: support',
      'model: smart',
      'variables:',
      '  tier: { enum: [free, paid] }',
      '  topics: { type: array, items: { type: string }, required: false }',
      '---',
      'You help a {{ tier }} customer.{{#topics}} Know {{.}}.{{/topics}}',
    ].join('\n'),
  ],
  [
    'prompts/ask.prompt.md',
    '---\nname: ask\nvariables: { of: { type: string } }\n---\nYou sort.\n{{@user}}\nInvoice {{ of }}',
  ],
  [
    'policies/ask.policy.ts',
    `import { deny, route, rule, use } from '@signalbox/policies'
export default route('ask', { rules: [
  rule('reviewed', { when: f => f.request.metadata.feature === 'reviewed' && f.request.prompt?.name !== 'support',
    then: () => deny('PROMPT_NEEDED') }),
  rule('all', { then: f => use(f.request.model.requested) }),
] })
`,
  ],
])
const line = buildPolicyLine(files)
beforeEach(() => {
  line.upstream.requests.length = 0
})

const support = (
  variables: unknown = { tier: 'paid' },
  name = 'support',
): { headers: Record<string, string> } => ({
  headers: { 'x-signalbox-prompt': name, 'x-signalbox-variables': JSON.stringify(variables) },
})
const rendered = 'You help a paid customer.'
const sent = (): Record<string, unknown> => ({ ...line.upstream.requests.at(-1)?.json })
const answerChat = (): void => line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }]
const geminiPath = '/v1beta/models/smart:generateContent'

describe('a prompt that a caller names', () => {
  it('stands before what he says himself, and is on the record by name, version and digest, without its text', async () => {
    answerChat()
    const response = await line.gateway.send('/v1/chat/completions', chat, support())
    expect([response.status, response.headers.get('x-signalbox-prompt')]).toEqual([200, 'support@v12'])
    expect(sent().messages).toEqual([{ role: 'system', content: rendered }, ...chat.messages])
    const { row, body } = await line.gateway.lastRecord()
    const digest = line
      .snapshotOf()
      .versions[0]?.compiled.prompts.find(({ name }) => name === 'support')?.digest
    expect([row.identity, body.prompt]).toEqual([false, { name: 'support', version: 12, digest }])
    expect(body.facts?.request.prompt).toEqual({ name: 'support', version: 12 })
    expect(JSON.stringify(body)).not.toContain(rendered)
  })

  it('reaches a streamed call too', async () => {
    line.upstream.play((turn) => {
      turn.events(chatStream('Hi').join(''))
      turn.response.end()
    })
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, stream: true }, support())
    expect(await response.text()).toContain('Hi')
    expect(sent().messages).toEqual([{ role: 'system', content: rendered }, ...chat.messages])
    expect((await line.gateway.lastRecord()).row.identity).toBe(false)
  })

  it.each([
    ['anthropic-messages', '/v1/messages', messages],
    ['gemini', geminiPath, { contents }],
    ['openai-responses', '/v1/responses', { model: 'smart', input: 'Hello' }],
  ])('is understood in %s', async (_, path, body) => {
    line.upstream.play((turn) =>
      turn.json(200, path === '/v1/messages' ? message('Hi') : chatCompletion('Hi')),
    )
    await line.gateway.send(path, body, support())
    expect(line.upstream.requests.at(-1)?.text).toContain(rendered)
  })

  it('may be all that is said: with turns of its own the call needs none', async () => {
    const bodies: [string, object][] = [
      ['/v1/chat/completions', { model: 'smart' }],
      ['/v1/chat/completions', { model: 'smart', messages: [] }],
      ['/v1/messages', { model: 'smart', max_tokens: 10 }],
      [geminiPath, {}],
      ['/v1/responses', { model: 'smart' }],
    ]
    for (const [path, body] of bodies) {
      answerChat()
      const response = await line.gateway.send(path, body, support({ of: '12' }, 'ask'))
      const { text } = line.upstream.requests.at(-1) ?? {}
      expect([path, response.status, text?.includes('Invoice 12')]).toEqual([path, expect.any(Number), true])
    }
  })

  it('with no turns at all is refused where the call brings none either', async () => {
    const response = await line.gateway.send('/v1/messages', { model: 'smart', max_tokens: 9 }, support())
    expect([response.status, line.upstream.requests.length]).toEqual([400, 0])
  })

  it('gives its model where the call names none', async () => {
    answerChat()
    const response = await line.gateway.send('/v1/chat/completions', question, support())
    expect([response.status, sent().model]).toEqual([200, 'gpt-5.2'])
    expect((await line.gateway.lastRecord()).row.modelRequested).toBe('smart')
  })

  it('is known to policies', async () => {
    const metadata = { feature: 'reviewed' }
    const without = await line.gateway.send('/v1/chat/completions', { ...chat, metadata })
    expect([without.status, await without.json()]).toMatchObject([403, { error: { code: 'PROMPT_NEEDED' } }])
    answerChat()
    expect((await line.gateway.send('/v1/chat/completions', { ...chat, metadata }, support())).status).toBe(
      200,
    )
  })

  it('takes variables in UTF-8, and lists', async () => {
    answerChat()
    const { headers } = support({ tier: 'paid', topics: ['Züge', '列車'] })
    headers['x-signalbox-variables'] = Buffer.from(headers['x-signalbox-variables'] ?? '').toString('latin1')
    await line.gateway.send('/v1/chat/completions', chat, { headers })
    expect(sent().messages).toMatchObject([{ content: `${rendered} Know Züge. Know 列車.` }, {}])
  })
})

describe('a prompt in a Responses request', () => {
  const ask = (prompt: object, rest: object = {}) =>
    line.gateway.send('/v1/responses', { model: 'smart', input: 'Hello', store: false, prompt, ...rest })

  it('is ours by its id, and never goes to the provider by that', async () => {
    for (const variables of [{ tier: 'paid' }, { tier: { type: 'input_text', text: 'paid' } }]) {
      await ask({ id: 'signalbox/support', variables })
      const { text } = line.upstream.requests.at(-1) ?? {}
      expect([text?.includes(rendered), text?.includes('signalbox/support')]).toEqual([true, false])
      expect((await line.gateway.lastRecord()).body.prompt?.name).toBe('support')
    }
  })

  it('takes a version as a text or a number, once', async () => {
    for (const [at, version] of ['12', 'v12', 12].entries()) {
      await ask({ id: 'signalbox/support', version, variables: { tier: 'free' } })
      expect((await line.gateway.lastRecord(at + 1)).body.prompt?.version).toBe(12)
    }
    const twice = await ask({ id: 'signalbox/support@v12', version: '12', variables: { tier: 'free' } })
    expect([twice.status, await twice.json()]).toMatchObject([400, { error: { param: 'prompt.version' } }])
  })

  it('that the provider keeps stays as it is', async () => {
    await ask({ id: 'pmpt_123', variables: { tier: 'paid' } })
    expect((await line.gateway.lastRecord()).body.prompt).toBeUndefined()
  })

  it('beside one in a header is refused', async () => {
    const body = { model: 'smart', input: 'Hello', prompt: { id: 'signalbox/ask', variables: { of: '1' } } }
    const response = await line.gateway.send('/v1/responses', body, support())
    expect([response.status, line.upstream.requests.length]).toEqual([400, 0])
  })
})

describe('what is wrong with a prompt', () => {
  const cases: [string, Record<string, string>, number, string, string][] = [
    ['a missing variable', support({}).headers, 400, 'variables.tier', 'is missing'],
    ['a value not of its type', support({ tier: 'gold' }).headers, 400, 'variables.tier', 'not of its type'],
    [
      'a variable that it does not have',
      support({ tier: 'free', x: 1 }).headers,
      400,
      'variables.x',
      'no variable',
    ],
    ['an object as a value', support({ tier: { a: 1 } }).headers, 400, 'variables.tier', 'a text, a number'],
    [
      'variables that are no JSON',
      { ...support().headers, 'x-signalbox-variables': '{' },
      400,
      'variables',
      'JSON',
    ],
    ['variables that are a list', support([]).headers, 400, 'variables', 'JSON object'],
    ['variables alone', { 'x-signalbox-variables': '{}' }, 400, 'variables', 'x-signalbox-prompt'],
    ['a name that is none', support({}, 'Support!').headers, 400, 'prompt', 'name of a prompt'],
    ['a version that is none', support({}, 'support@12').headers, 400, 'prompt', 'name of a prompt'],
    ['an unknown prompt', support({}, 'suport').headers, 404, 'prompt', 'no prompt "suport"'],
    ['a version not kept', support({}, 'support@v7').headers, 404, 'prompt', 'can be had of v12'],
  ]
  it.each(cases)('%s is told before anything is sent', async (_, headers, status, param, said) => {
    const response = await line.gateway.send('/v1/chat/completions', chat, { headers })
    const { error } = (await response.json()) as { error: { param: string; message: string } }
    expect([response.status, error.param, error.message]).toEqual([
      status,
      `x-signalbox-${param}`,
      expect.stringContaining(said),
    ])
    expect(line.upstream.requests).toEqual([])
    expect((await line.gateway.lastRecord()).row.status).toBe(status)
  })

  it('is told in the dialect of the caller', async () => {
    const anthropic = await line.gateway.send('/v1/messages', messages, support({}))
    expect(await anthropic.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    const gemini = await line.gateway.send(geminiPath, { contents }, support({}))
    expect(await gemini.json()).toMatchObject({ error: { code: 400, status: 'INVALID_ARGUMENT' } })
    expect(line.upstream.requests).toEqual([])
  })

  it('leaves the places of other errors as the caller wrote them', async () => {
    const body = { ...chat, messages: [{ content: 'Hello' }] }
    const response = await line.gateway.send('/v1/chat/completions', body, support())
    expect(await response.json()).toMatchObject({ error: { param: 'messages[0].role' } })
  })

  it('is told for operations that take none', async () => {
    const body = { model: 'openai/text-embedding-3-small', input: 'Hello' }
    const response = await line.gateway.send('/v1/embeddings', body, support())
    expect([response.status, line.upstream.requests.length]).toEqual([400, 0])
  })
})

describe('a version of a prompt', () => {
  it('is had of those that were deployed before, as long as they are kept', async () => {
    const snapshot = line.snapshotOf()
    const [now] = snapshot.versions
    if (now === undefined) throw new Error('no version')
    const prompts = now.compiled.prompts.map((each) => ({
      ...each,
      messages: [{ role: 'system' as const, parts: ['Be of old.'] }],
    }))
    line.gateway.snapshot = {
      ...snapshot,
      versions: [{ ...now, number: 14, kept: [{ number: 12, prompts }] }],
    }
    answerChat()
    const old = await line.gateway.send('/v1/chat/completions', chat, support(undefined, 'support@v12'))
    expect(old.headers.get('x-signalbox-prompt')).toBe('support@v12')
    expect(sent().messages).toMatchObject([{ content: 'Be of old.' }, {}])
    answerChat()
    await line.gateway.send('/v1/chat/completions', chat, support(undefined, 'support@v14'))
    expect(sent().messages).toMatchObject([{ content: rendered }, {}])
    const gone = await line.gateway.send('/v1/chat/completions', chat, support(undefined, 'support@v13'))
    expect((await gone.json()) as object).toMatchObject({
      error: { message: expect.stringContaining('it can be had of v14, v12') },
    })
  })
})
