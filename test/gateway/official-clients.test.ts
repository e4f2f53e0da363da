import Anthropic from '@anthropic-ai/sdk'
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
const models = ['openai/gpt-5.2', 'anthropic/claude-sonnet-4.5'] as const

let gateway: RunningGateway
let openai: OpenAI
let anthropic: Anthropic

beforeAll(async () => {
  const connections = [connectionOf('openai', simulated), connectionOf('anthropic', simulated)]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
  openai = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  anthropic = new Anthropic({ apiKey: memoryKey, baseURL: `${gateway.url}/anthropic`, maxRetries: 0 })
})
afterAll(() => gateway.close())

describe.each(models)('the OpenAI client with the simulated %s', (model) => {
  const tool = { type: 'function', function: { name: 'get_weather', parameters: schema } } as const

  it('gets a plain answer that says that it is simulated', async () => {
    const { data, response } = await openai.chat.completions
      .create({ model, messages: [{ role: 'user', content: 'What is the meaning of life?' }] })
      .withResponse()
    expect(data.choices[0]?.message.content).toContain('What is the meaning of life?')
    expect(response.headers.get('x-signalbox-target')).toMatch(/^simulated\//)
  })

  it('gets a stream with the usage that it asked for', async () => {
    const messages = [{ role: 'user', content: 'Hello' } as const]
    const stream = openai.chat.completions.stream({
      model,
      messages,
      stream_options: { include_usage: true },
    })
    let pieces = 0
    stream.on('content', () => pieces++)
    const answer = await stream.finalChatCompletion()
    expect(pieces).toBeGreaterThan(3)
    expect(answer.choices[0]?.message.content).toContain('Hello')
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
  })

  it('goes to a tool and back', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'user', content: 'What is the weather in York?' },
    ]
    const asked = await openai.chat.completions.create({ model, messages, tools: [tool] })
    const [call] = asked.choices[0]?.message.tool_calls ?? []
    if (asked.choices[0] === undefined || call?.type !== 'function') throw new Error('no tool call')
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'text', degrees: 0 })
    messages.push(asked.choices[0].message, {
      role: 'tool',
      tool_call_id: call.id,
      content: 'Rain, 11 degrees',
    })
    const answer = await openai.chat.completions.create({ model, messages, tools: [tool] })
    expect(answer.choices[0]?.message.content).toContain('Rain, 11 degrees')
  })

  it('gets structured output that fits', async () => {
    const answer = await openai.chat.completions.parse({
      model,
      messages: [{ role: 'user', content: 'Report' }],
      response_format: { type: 'json_schema', json_schema: { name: 'report', schema, strict: true } },
    })
    expect(answer.choices[0]?.message.parsed).toEqual({ city: 'text', degrees: 0 })
  })

  it('shows an image', async () => {
    const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } } as const
    const content = [{ type: 'text', text: 'What is this?' } as const, image]
    const answer = await openai.chat.completions.create({ model, messages: [{ role: 'user', content }] })
    expect(answer.choices[0]?.message.content).toContain('an image')
  })
})

describe.each(models)('the Anthropic client with the simulated %s', (model) => {
  const tools = [{ name: 'get_weather', input_schema: { ...schema, required: [...schema.required] } }]
  const head = { model, max_tokens: 1000 }

  it('gets a plain answer', async () => {
    const messages = [{ role: 'user', content: 'What is the meaning of life?' } as const]
    const [block] = (await anthropic.messages.create({ ...head, messages })).content
    expect(block?.type === 'text' && block.text).toContain('What is the meaning of life?')
  })

  it('gets a stream', async () => {
    const stream = anthropic.messages.stream({ ...head, messages: [{ role: 'user', content: 'Hello' }] })
    let pieces = 0
    stream.on('text', () => pieces++)
    expect(await stream.finalText()).toContain('Hello')
    expect(pieces).toBeGreaterThan(3)
    expect((await stream.finalMessage()).usage.output_tokens).toBeGreaterThan(0)
  })

  it('goes to a tool and back', async () => {
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'What is the weather in York?' }]
    const asked = await anthropic.messages.create({ ...head, messages, tools })
    const call = asked.content.find((block) => block.type === 'tool_use')
    if (call === undefined) throw new Error('no tool call')
    expect(call.input).toEqual({ city: 'text', degrees: 0 })
    const result = { type: 'tool_result', tool_use_id: call.id, content: 'Rain, 11 degrees' } as const
    messages.push({ role: 'assistant', content: asked.content }, { role: 'user', content: [result] })
    const [block] = (await anthropic.messages.create({ ...head, messages, tools })).content
    expect(block?.type === 'text' && block.text).toContain('Rain, 11 degrees')
  })

  it('gets structured output that fits', async () => {
    const format = { type: 'json_schema', schema } as const
    const messages = [{ role: 'user', content: 'Report' } as const]
    const [block] = (await anthropic.messages.create({ ...head, messages, output_config: { format } }))
      .content
    expect(JSON.parse(block?.type === 'text' ? block.text : '')).toEqual({ city: 'text', degrees: 0 })
  })

  it('shows an image', async () => {
    const source = { type: 'base64', media_type: 'image/png', data: pixel } as const
    const content = [{ type: 'image', source } as const, { type: 'text', text: 'What is this?' } as const]
    const [block] = (await anthropic.messages.create({ ...head, messages: [{ role: 'user', content }] }))
      .content
    expect(block?.type === 'text' && block.text).toContain('an image')
  })
})
