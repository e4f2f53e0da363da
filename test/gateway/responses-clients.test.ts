import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'

const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const schema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'integer' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const
const simulated = { status: 'simulated', credential: undefined, missing: 'A_KEY' } as const
const weather = { type: 'function', name: 'get_weather', parameters: { ...schema }, strict: true } as const

let gateway: RunningGateway
let openai: OpenAI

beforeAll(async () => {
  const connections = [
    connectionOf('openai', simulated),
    connectionOf('anthropic', simulated),
    // The same vendor, asked in one of its formats alone.
    connectionOf('chat', { ...simulated, formats: ['openai-chat'] }),
    connectionOf('responses', { ...simulated, formats: ['openai-responses'] }),
  ]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
  openai = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(() => gateway.close())

const models = ['openai/gpt-5.2', 'anthropic/claude-sonnet-4.5', 'chat/gpt-5.2'] as const

describe.each(models)('the OpenAI client asks Responses of the simulated %s and', (model) => {
  it('gets a plain answer that says that it is simulated', async () => {
    const { data, response } = await openai.responses
      .create({ model, instructions: 'Be brief.', input: 'What is the meaning of life?' })
      .withResponse()
    expect(data.output_text).toContain('What is the meaning of life?')
    expect(data.status).toBe('completed')
    expect(data.usage?.output_tokens).toBeGreaterThan(0)
    expect(response.headers.get('x-signalbox-target')).toMatch(/^simulated\//)
    expect(response.headers.get('x-signalbox-dropped')).toBeNull()
    expect((await gateway.lastRecord()).row.status).toBe(200)
  })

  it('gets a stream in order, event by event', async () => {
    const stream = await openai.responses.create({ model, input: 'Hello', stream: true })
    const events: OpenAI.Responses.ResponseStreamEvent[] = []
    for await (const event of stream) events.push(event)
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
    const types = events.map(({ type }) => type)
    expect(types.filter((type, index) => type !== types[index - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(types.filter((type) => type === 'response.output_text.delta').length).toBeGreaterThan(3)
  })

  it('puts a stream together to what the last event says', async () => {
    const stream = openai.responses.stream({ model, input: 'Hello' })
    const answer = await stream.finalResponse()
    expect(answer.output_text).toContain('Hello')
    expect(answer.usage?.total_tokens).toBeGreaterThan(0)
  })

  it('is told that the limit cut the answer, plain and streamed', async () => {
    const asked = { model, input: 'Tell me everything', max_output_tokens: 3 }
    const plain = await openai.responses.create(asked)
    const streamed = await openai.responses.stream(asked).finalResponse()
    for (const answer of [plain, streamed]) {
      expect(answer.status).toBe('incomplete')
      expect(answer.incomplete_details).toEqual({ reason: 'max_output_tokens' })
    }
  })

  it.each([false, true])('goes to a tool and back (streamed: %s)', async (stream) => {
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'What is the weather in York?' }]
    const asked = stream
      ? await openai.responses.stream({ model, input, tools: [weather], store: false }).finalResponse()
      : await openai.responses.create({ model, input, tools: [weather], store: false })
    const call = asked.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))[0]
    if (call === undefined) throw new Error('no tool call')
    expect(JSON.parse(call.arguments)).toEqual({ city: 'text', degrees: 0 })
    input.push(call, { type: 'function_call_output', call_id: call.call_id, output: 'Rain, 11 degrees' })
    const answer = await openai.responses.create({ model, input, tools: [weather], store: false })
    expect(answer.output_text).toContain('Rain, 11 degrees')
  })

  it('gets structured output that fits', async () => {
    const answer = await openai.responses.parse({
      model,
      input: 'Report',
      text: { format: { type: 'json_schema', name: 'report', schema: { ...schema }, strict: true } },
    })
    expect(answer.output_parsed).toEqual({ city: 'text', degrees: 0 })
  })

  it('shows an image', async () => {
    const image = {
      type: 'input_image',
      image_url: `data:image/png;base64,${pixel}`,
      detail: 'auto',
    } as const
    const content = [{ type: 'input_text', text: 'What is this?' } as const, image]
    const answer = await openai.responses.create({ model, input: [{ role: 'user', content }] })
    expect(answer.output_text).toContain('an image')
  })

  it('is refused before anything is sent where the request is wrong', async () => {
    const answer = await gateway.send('/v1/responses', {
      model,
      input: [{ type: 'function_call_output', output: 'x' }],
    })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({
      error: { code: 'invalid_request', param: 'input[0].call_id' },
    })
  })
})

describe('custom tools of a client, with a model that knows only functions', () => {
  const patch = { type: 'custom', name: 'apply_patch', description: 'Edits files.' } as const
  const model = 'anthropic/claude-sonnet-4.5'

  it('are called as custom tools, and their output goes back', async () => {
    const input: OpenAI.Responses.ResponseInput = [{ role: 'user', content: 'Apply the patch' }]
    const stream = await openai.responses.create({ model, input, tools: [patch], stream: true })
    const types: string[] = []
    let item: OpenAI.Responses.ResponseCustomToolCall | undefined
    for await (const event of stream) {
      types.push(event.type)
      if (event.type === 'response.output_item.done' && event.item.type === 'custom_tool_call')
        item = event.item
    }
    expect(types).toContain('response.custom_tool_call_input.done')
    expect(types).not.toContain('response.function_call_arguments.delta')
    if (item === undefined) throw new Error('no custom tool call')
    expect(item).toMatchObject({ name: 'apply_patch', input: 'text' })
    input.push(item, { type: 'custom_tool_call_output', call_id: item.call_id, output: 'Patched.' })
    const answer = await openai.responses.create({ model, input, tools: [patch] })
    expect(answer.output_text).toContain('Patched.')
  })
})

describe('what another upstream cannot do', () => {
  const model = 'anthropic/claude-sonnet-4.5'
  const input = 'Hello'

  it('is named, where the call goes on without it', async () => {
    const asked = { model, input, truncation: 'auto', prompt_cache_key: 'k', service_tier: 'flex' } as const
    const { response } = await openai.responses.create(asked).withResponse()
    expect(response.headers.get('x-signalbox-dropped')).toBe('truncation, prompt_cache_key, service_tier')
  })

  it.each([
    ['tools[0]', { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] }],
    ['background', { background: true }],
    ['top_logprobs', { top_logprobs: 2 }],
    ['include', { include: ['message.output_text.logprobs'] }],
  ] as const)('is refused where it changes the meaning: %s', async (param, rest) => {
    const body = { model, input, ...rest }
    const answer = await gateway.send('/v1/responses', body)
    expect(answer.status).toBe(400)
    expect(await answer.json()).toMatchObject({ error: { code: 'unsupported_feature', param } })
  })
})

describe('callers of other dialects at a connection that speaks Responses', () => {
  it('are translated, Chat Completions, plain and streamed', async () => {
    const body = { model: 'responses/gpt-5.2', messages: [{ role: 'user' as const, content: 'Hello' }] }
    const answer = await openai.chat.completions.create(body)
    expect(answer.choices[0]?.message.content).toContain('Hello')
    const streamed = await openai.chat.completions.stream(body).finalChatCompletion()
    expect(streamed.choices[0]?.message.content).toBe(answer.choices[0]?.message.content)
  })

  it('are translated, Messages', async () => {
    const body = {
      model: 'responses/gpt-5.2',
      max_tokens: 100,
      messages: [{ role: 'user', content: 'What is the weather in York?' }],
      tools: [{ name: 'get_weather', input_schema: schema }],
    }
    const answer = await gateway.send('/v1/messages', body)
    expect(await answer.json()).toMatchObject({
      stop_reason: 'tool_use',
      content: [{ type: 'tool_use', name: 'get_weather', input: { city: 'text', degrees: 0 } }],
    })
  })
})
