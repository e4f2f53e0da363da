import { createGateway } from '@ai-sdk/gateway'
import { embedMany, generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import {
  chatCompletion,
  chatStream,
  message,
  messageStream,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../support/scripted-upstream.ts'

const schema = jsonSchema<{ city: string }>({
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
})
const weather = tool({
  description: 'Weather of a city',
  inputSchema: schema,
  execute: ({ city }) => `Rain in ${city}`,
})

let upstream: ScriptedUpstream
let gateway: RunningGateway
let simulated: RunningGateway

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
    connectionOf('anthropic', { baseUrl: upstream.url }),
  ]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
  const free = { status: 'simulated', credential: undefined, missing: 'A_KEY' } as const
  simulated = await startGateway({
    snapshot: memorySnapshot({
      connections: [connectionOf('openai', free), connectionOf('anthropic', free)],
    }),
  })
})
afterAll(async () => {
  await Promise.all([gateway.close(), simulated.close(), upstream.close()])
})
afterEach(() => {
  globalThis.AI_SDK_DEFAULT_PROVIDER = undefined
})

const providerOf = ({ url }: RunningGateway, root = '/v3/ai') =>
  createGateway({ apiKey: memoryKey, baseURL: url + root })

describe.each(['/v3/ai', '/v4/ai'])('the AI SDK with its default provider at %s', (root) => {
  it('runs generateText verbatim', async () => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = providerOf(simulated, root)
    const { text, usage, finishReason } = await generateText({
      model: 'anthropic/claude-opus-4.8',
      prompt: 'Hello',
    })
    expect(text).toContain('Hello')
    expect(finishReason).toBe('stop')
    expect(usage.inputTokens).toBeGreaterThan(0)
    expect(usage.outputTokens).toBeGreaterThan(0)
    const { row } = await simulated.lastRecord()
    expect(row).toMatchObject({
      dialect: 'vercel-ai',
      target: 'simulated/claude-opus-4-8',
      evidence: 'reported',
    })
  })
})

describe('the AI SDK through the gateway', () => {
  it.each(['anthropic/claude-opus-4.8', 'openai/gpt-5.2'])('streams text of %s', async (model) => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = providerOf(simulated)
    const result = streamText({ model, prompt: 'Hello' })
    const pieces: string[] = []
    for await (const piece of result.textStream) pieces.push(piece)
    expect(pieces.length).toBeGreaterThan(3)
    expect(pieces.join('')).toContain('Hello')
    expect((await result.usage).outputTokens).toBeGreaterThan(0)
  })

  it.each([
    'anthropic/claude-sonnet-4.5',
    'openai/gpt-5.2',
  ])('loops through the tools of %s', async (model) => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = providerOf(simulated)
    const ask = {
      model,
      prompt: 'What is the weather in York?',
      tools: { weather },
      stopWhen: stepCountIs(3),
    }
    const plain = await generateText(ask)
    expect(plain.steps[0]?.toolResults).toHaveLength(1)
    expect(plain.text).toContain('Rain in')
    const streamed = streamText(ask)
    await streamed.consumeStream()
    expect((await streamed.steps)[0]?.toolCalls[0]?.input).toEqual(plain.steps[0]?.toolCalls[0]?.input)
    expect(await streamed.text).toContain('Rain in')
  })

  it.each(['anthropic/claude-sonnet-4.5', 'openai/gpt-5.2'])('gets an object of %s', async (model) => {
    globalThis.AI_SDK_DEFAULT_PROVIDER = providerOf(simulated)
    const { object } = await generateObject({ model, prompt: 'Where?', schema })
    expect(typeof object.city).toBe('string')
  })

  it('embeds values with their usage', async () => {
    const model = providerOf(simulated).textEmbeddingModel('openai/text-embedding-3-small')
    const { embeddings, usage } = await embedMany({ model, values: ['one', 'two'] })
    expect(embeddings).toHaveLength(2)
    expect(embeddings[0]).not.toEqual(embeddings[1])
    expect(usage.tokens).toBeGreaterThan(0)
    const { row } = await simulated.lastRecord()
    expect(row).toMatchObject({ operation: 'embeddings', dialect: 'vercel-ai', identity: false })
  })

  it('lists the models with their prices', async () => {
    const { models } = await providerOf(simulated).getAvailableModels()
    const found = models.find(({ id }) => id === 'anthropic/claude-opus-4-8')
    expect(found?.pricing).toMatchObject({ input: '0.000001', output: '0.000002' })
  })

  it('keeps the signature of thinking from one turn to the next', async () => {
    const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'c2lnbmVk' }
    const use = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'York' } }
    upstream.play(
      (turn) => turn.json(200, { ...Object(message('')), content: [thinking, use], stop_reason: 'tool_use' }),
      (turn) => turn.json(200, message('Rain.')),
    )
    const { text } = await generateText({
      model: providerOf(gateway)('anthropic/claude-sonnet-4.5'),
      prompt: 'What is the weather?',
      tools: { weather },
      stopWhen: stepCountIs(3),
      providerOptions: { anthropic: { thinking: { type: 'enabled', budgetTokens: 2000 } } },
    })
    expect(text).toBe('Rain.')
    const { messages, thinking: asked } = upstream.requests.at(-1)?.json ?? {}
    expect(asked).toMatchObject({ budget_tokens: 2000 })
    expect(messages).toMatchObject([
      { role: 'user' },
      { role: 'assistant', content: [thinking, use] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] },
    ])
  })

  it('carries images, system messages and limits, and names what it cannot carry', async () => {
    upstream.play((turn) => turn.json(200, chatCompletion('A cat.')))
    const data = Buffer.from('iVBORw0KGgo=', 'base64')
    const result = await generateText({
      model: providerOf(gateway)('openai/gpt-5.2'),
      instructions: 'Be brief.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'file', mediaType: 'image/png', data },
            { type: 'text', text: 'What?' },
          ],
        },
      ],
      maxOutputTokens: 50,
      providerOptions: { gateway: { order: ['azure'] } },
    })
    expect(result.text).toBe('A cat.')
    const seen = upstream.requests.at(-1)?.json
    expect(seen).toMatchObject({ model: 'gpt-5.2' })
    expect(JSON.stringify(seen)).toContain('data:image/png;base64,iVBORw0KGgo=')
    expect(JSON.stringify(seen)).toContain('Be brief.')
    expect(result.finalStep.response.headers?.['x-signalbox-dropped']).toContain(
      'providerOptions.gateway.order',
    )
  })

  it.each([
    'openai/gpt-5.2',
    'anthropic/claude-sonnet-4.5',
  ])('says so where a stream of %s breaks off', async (model) => {
    const [first = '', second = '', third = ''] = model.startsWith('openai')
      ? chatStream('Hel', 'lo')
      : messageStream('Hel', 'lo')
    upstream.play((turn) => {
      turn.events(first + second + third)
      setTimeout(() => turn.reset(), 20)
    })
    const errors: unknown[] = []
    const result = streamText({
      model: providerOf(gateway)(model),
      prompt: 'Hello',
      onError: ({ error }) => void errors.push(error),
    })
    await result.consumeStream()
    expect(errors).toMatchObject([{ type: 'internal_server_error', code: 'upstream_reset' }])
  })

  it('throws the AI SDK’s own errors', async () => {
    const strange = createGateway({ apiKey: 'sb_d000', baseURL: `${gateway.url}/v3/ai` })
    const ask = { prompt: 'Hello', maxRetries: 0 }
    await expect(generateText({ ...ask, model: strange('openai/gpt-5.2') })).rejects.toMatchObject({
      name: 'GatewayAuthenticationError',
    })
    await expect(
      generateText({ ...ask, model: providerOf(gateway)('nobody/nothing') }),
    ).rejects.toMatchObject({
      name: 'GatewayModelNotFoundError',
      statusCode: 404,
    })
    upstream.play((turn) => turn.json(429, { error: { message: 'Slow down', type: 'rate_limit_error' } }))
    await expect(
      generateText({ ...ask, model: providerOf(gateway)('openai/gpt-5.2') }),
    ).rejects.toMatchObject({
      name: 'GatewayRateLimitError',
      statusCode: 429,
    })
  })

  it.each([
    [{}, { prompt: [{ role: 'user', content: [] }] }, 'ai-language-model-id'],
    [
      { 'ai-language-model-id': 'openai/gpt-5.2', 'ai-language-model-specification-version': '2' },
      { prompt: [] },
      'ai-language-model-specification-version',
    ],
    [{ 'ai-language-model-id': 'openai/gpt-5.2' }, { prompt: [{ role: 'wizard' }] }, 'prompt[0].role'],
    [{ 'ai-language-model-id': 'openai/gpt-5.2' }, { prompt: 'Hello' }, 'prompt'],
  ])('names what is wrong with %j %j', async (headers, body, path) => {
    const response = await gateway.send('/v3/ai/language-model', body, { headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', param: { path } } })
  })
})
