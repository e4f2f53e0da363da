import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Anthropic from '@anthropic-ai/sdk'
import { LLMock } from '@copilotkit/aimock'
import { type Content, GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RecordingProxy, startRecordingProxy } from '../support/recording-proxy.ts'
import { type RunningSignalbox, startSignalbox } from '../support/running-signalbox.ts'

/** A red pixel: the smallest image that is one. */
const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
const weatherSchema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const
const report = { city: 'York', degrees: 11 }
const reportSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
} as const

/** The upstreams, one in each format, both played by the same provider simulator. */
const targets = ['openai/gpt-5.2', 'anthropic/claude-sonnet-4-5', 'google/gemini-2.5-flash'] as const

let simulator: LLMock
let upstream: RecordingProxy
/** The simulator counts nothing by itself in every format. */
const usage = {
  prompt_tokens: 12,
  completion_tokens: 7,
  total_tokens: 19,
  input_tokens: 12,
  output_tokens: 7,
}
let signalbox: RunningSignalbox
let workspace: string
let openai: OpenAI
let anthropic: Anthropic
let google: GoogleGenAI

beforeAll(async () => {
  simulator = new LLMock({ port: 0 })
  simulator.on({ hasToolResult: true }, { content: 'It is raining in York.', usage })
  simulator.onMessage(/weather/i, {
    toolCalls: [{ name: 'get_weather', arguments: '{"city":"York"}' }],
    usage,
  })
  simulator.onMessage(/report/i, { content: JSON.stringify(report), usage })
  simulator.onMessage(/picture/i, { content: 'One red pixel.', usage })
  simulator.onMessage(/.*/, {
    content: 'All signals are at clear, and the line is free as far as York.',
    usage,
  })
  await simulator.start()
  upstream = await startRecordingProxy(simulator.url)
  workspace = mkdtempSync(join(tmpdir(), 'signalbox-clients-'))
  const yaml = [
    'name: clients',
    'connections:',
    `  openai: { provider: openai, baseUrl: ${upstream.url}/v1, credential: env:UPSTREAM_KEY }`,
    `  anthropic: { provider: anthropic, baseUrl: ${upstream.url}, credential: env:UPSTREAM_KEY }`,
    `  google: { provider: gemini, baseUrl: ${upstream.url}, credential: env:UPSTREAM_KEY }`,
    '',
  ].join('\n')
  writeFileSync(join(workspace, 'signalbox.yaml'), yaml)
  signalbox = await startSignalbox({
    env: { SIGNALBOX_WORKSPACE: workspace, UPSTREAM_KEY: 'upstream-secret' },
  })
  const key = await signalbox.createKey()
  openai = new OpenAI({ apiKey: key, baseURL: `${signalbox.gatewayUrl}/v1` })
  // The simulator knows this version alone.
  const httpOptions = { baseUrl: `${signalbox.gatewayUrl}/gemini`, apiVersion: 'v1beta' }
  google = new GoogleGenAI({ apiKey: key, httpOptions })
  anthropic = new Anthropic({ apiKey: key, baseURL: `${signalbox.gatewayUrl}/anthropic` })
}, 120_000)

afterAll(async () => {
  await signalbox?.stop()
  upstream?.close()
  await simulator?.stop()
  rmSync(workspace, { recursive: true, force: true })
})

describe.each(targets)('the official OpenAI client on %s', (model) => {
  it('gets a plain answer with its usage', async () => {
    const answer = await openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(answer.choices[0]?.message.content).toContain('All signals are at clear')
    expect(answer.choices[0]?.finish_reason).toBe('stop')
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0)
  })

  it('gets a stream whose parts make the same answer', async () => {
    const stream = openai.chat.completions.stream({
      model,
      messages: [{ role: 'user', content: 'Hello' }],
      stream_options: { include_usage: true },
    })
    let parts = 0
    stream.on('content', () => {
      parts++
    })
    const answer = await stream.finalChatCompletion()
    expect(answer.choices[0]?.message.content).toContain('as far as York.')
    expect(parts).toBeGreaterThan(1)
    expect(answer.usage?.total_tokens).toBeGreaterThan(0)
  })

  it.each([false, true])('makes a tool-call round trip (streamed: %s)', async (stream) => {
    const tools: OpenAI.ChatCompletionFunctionTool[] = [
      {
        type: 'function',
        function: { name: 'get_weather', description: 'Weather', parameters: { ...weatherSchema } },
      },
    ]
    const messages: OpenAI.ChatCompletionMessageParam[] = [
      { role: 'user', content: 'What is the weather in York?' },
    ]
    const first = stream
      ? await openai.chat.completions.stream({ model, messages, tools }).finalChatCompletion()
      : await openai.chat.completions.create({ model, messages, tools })
    const message = first.choices[0]?.message
    const call = message?.tool_calls?.[0]
    expect(first.choices[0]?.finish_reason).toBe('tool_calls')
    if (call?.type !== 'function' || message === undefined) throw new Error('no function call')
    expect(call.function.name).toBe('get_weather')
    expect(JSON.parse(call.function.arguments)).toEqual({ city: 'York' })
    const second = await openai.chat.completions.create({
      model,
      messages: [...messages, message, { role: 'tool', tool_call_id: call.id, content: 'rain' }],
      tools,
    })
    expect(second.choices[0]?.message.content).toBe('It is raining in York.')
  })

  it('gets a structured output', async () => {
    const answer = await openai.chat.completions.parse({
      model,
      messages: [{ role: 'user', content: 'Give me the report' }],
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'report', strict: true, schema: { ...reportSchema } },
      },
    })
    expect(answer.choices[0]?.message.parsed).toEqual(report)
  })

  it('sends an image', async () => {
    const answer = await openai.chat.completions.create({
      model,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in this picture?' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${pixel}` } },
          ],
        },
      ],
    })
    expect(answer.choices[0]?.message.content).toBe('One red pixel.')
    expect(upstream.seen.at(-1)?.body).toContain(pixel)
  })
})

describe.each(targets)('the official OpenAI client asks Responses of %s and', (model) => {
  const input = 'Hello'

  it('gets a plain answer with its usage', async () => {
    const answer = await openai.responses.create({ model, input })
    expect(answer.output_text).toContain('All signals are at clear')
    expect(answer.status).toBe('completed')
    expect(answer.usage?.output_tokens).toBeGreaterThan(0)
  })

  it('gets a stream whose parts make the same answer', async () => {
    const stream = openai.responses.stream({ model, input })
    let parts = 0
    stream.on('response.output_text.delta', () => {
      parts++
    })
    const answer = await stream.finalResponse()
    expect(answer.output_text).toContain('as far as York.')
    expect(parts).toBeGreaterThan(1)
  })

  it.each([false, true])('makes a tool-call round trip (streamed: %s)', async (stream) => {
    const parameters = { ...weatherSchema }
    const tools: OpenAI.Responses.Tool[] = [
      { type: 'function', name: 'get_weather', parameters, strict: true },
    ]
    const question = { role: 'user', content: 'What is the weather in York?' } as const
    const first = stream
      ? await openai.responses.stream({ model, input: [question], tools }).finalResponse()
      : await openai.responses.create({ model, input: [question], tools })
    const [call] = first.output.flatMap((item) => (item.type === 'function_call' ? [item] : []))
    if (call === undefined) throw new Error('no function call')
    expect(JSON.parse(call.arguments)).toEqual({ city: 'York' })
    const result = { type: 'function_call_output', call_id: call.call_id, output: 'rain' } as const
    const second = await openai.responses.create({ model, input: [question, call, result], tools })
    expect(second.output_text).toBe('It is raining in York.')
  })

  it('gets a structured output', async () => {
    const answer = await openai.responses.parse({
      model,
      input: 'Give me the report',
      text: { format: { type: 'json_schema', name: 'report', strict: true, schema: { ...reportSchema } } },
    })
    expect(answer.output_parsed).toEqual(report)
  })

  it('sends an image', async () => {
    const url = `data:image/png;base64,${pixel}`
    const content = [
      { type: 'input_text', text: 'What is in this picture?' } as const,
      { type: 'input_image', image_url: url, detail: 'auto' } as const,
    ]
    const answer = await openai.responses.create({ model, input: [{ role: 'user', content }] })
    expect(answer.output_text).toBe('One red pixel.')
    expect(upstream.seen.at(-1)?.body).toContain(pixel)
  })

  it('goes on from a stored answer where that is kept, and is told where it cannot', async () => {
    const first = await openai.responses.create({ model: 'openai/gpt-5.2', input })
    const next = openai.responses.create({ model, input: 'And then?', previous_response_id: first.id })
    if (model.startsWith('openai/')) expect((await next).output_text).toContain('All signals')
    else await expect(next).rejects.toMatchObject({ status: 400, code: 'unsupported_feature' })
    const unknown = openai.responses.create({ model, input, previous_response_id: 'resp_of_nobody' })
    await expect(unknown).rejects.toMatchObject({ status: 404, code: 'not_found' })
  })
})

describe.each(targets)('the official Google client on %s', (model) => {
  it('gets a plain answer with its usage', async () => {
    const answer = await google.models.generateContent({ model, contents: 'Hello' })
    expect(answer.text).toContain('All signals are at clear')
    expect(answer.candidates?.[0]?.finishReason).toBe('STOP')
    expect(answer.usageMetadata?.totalTokenCount).toBeGreaterThan(0)
  })

  it('gets a stream whose parts make the same answer', async () => {
    let text = ''
    let parts = 0
    for await (const answer of await google.models.generateContentStream({ model, contents: 'Hello' })) {
      text += answer.text ?? ''
      parts++
    }
    expect(text).toContain('as far as York.')
    expect(parts).toBeGreaterThan(1)
  })

  it.each([false, true])('makes a tool-call round trip (streamed: %s)', async (stream) => {
    const declaration = { name: 'get_weather', parametersJsonSchema: weatherSchema }
    const config = { tools: [{ functionDeclarations: [declaration] }] }
    const contents: Content[] = [{ role: 'user', parts: [{ text: 'What is the weather in York?' }] }]
    const asked = { model, contents, config }
    const parts = []
    if (stream) {
      for await (const answer of await google.models.generateContentStream(asked)) {
        parts.push(...(answer.candidates?.[0]?.content?.parts ?? []))
      }
    } else parts.push(...((await google.models.generateContent(asked)).candidates?.[0]?.content?.parts ?? []))
    const call = parts.find(({ functionCall }) => functionCall !== undefined)?.functionCall
    expect(call).toMatchObject({ name: 'get_weather', args: { city: 'York' } })
    const functionResponse = { name: 'get_weather', response: { output: 'rain' } }
    contents.push({ role: 'model', parts }, { role: 'user', parts: [{ functionResponse }] })
    const answer = await google.models.generateContent({ model, contents, config })
    expect(answer.text).toBe('It is raining in York.')
  })

  it('gets a structured output', async () => {
    const config = { responseMimeType: 'application/json', responseJsonSchema: reportSchema }
    const answer = await google.models.generateContent({ model, contents: 'Give me the report', config })
    expect(JSON.parse(answer.text ?? '')).toEqual(report)
  })

  it('sends an image', async () => {
    const image = { inlineData: { mimeType: 'image/png', data: pixel } }
    const contents = [{ role: 'user', parts: [{ text: 'What is in this picture?' }, image] }]
    const answer = await google.models.generateContent({ model, contents })
    expect(answer.text).toBe('One red pixel.')
    expect(upstream.seen.at(-1)?.body).toContain(pixel)
  })
})

describe.each(targets)('the official Anthropic client on %s', (model) => {
  it('gets a plain answer with its usage', async () => {
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 200,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    expect(answer.content[0]).toMatchObject({
      type: 'text',
      text: expect.stringContaining('All signals are at clear'),
    })
    expect(answer.stop_reason).toBe('end_turn')
    expect(answer.usage.output_tokens).toBeGreaterThan(0)
  })

  it('gets a stream whose parts make the same answer', async () => {
    const stream = anthropic.messages.stream({
      model,
      max_tokens: 200,
      messages: [{ role: 'user', content: 'Hello' }],
    })
    let parts = 0
    stream.on('text', () => {
      parts++
    })
    expect(await stream.finalText()).toContain('as far as York.')
    expect(parts).toBeGreaterThan(1)
    expect((await stream.finalMessage()).usage.output_tokens).toBeGreaterThan(0)
  })

  it.each([false, true])('makes a tool-call round trip (streamed: %s)', async (stream) => {
    const tools: Anthropic.Tool[] = [
      {
        name: 'get_weather',
        description: 'Weather',
        input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    ]
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'What is the weather in York?' }]
    const request = { model, max_tokens: 200, messages, tools }
    const first = stream
      ? await anthropic.messages.stream(request).finalMessage()
      : await anthropic.messages.create(request)
    expect(first.stop_reason).toBe('tool_use')
    const use = first.content.find((block) => block.type === 'tool_use')
    if (use?.type !== 'tool_use') throw new Error('no tool use')
    expect(use).toMatchObject({ name: 'get_weather', input: { city: 'York' } })
    const second = await anthropic.messages.create({
      ...request,
      messages: [
        ...messages,
        { role: 'assistant', content: first.content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: use.id, content: 'rain' }] },
      ],
    })
    expect(second.content[0]).toMatchObject({ type: 'text', text: 'It is raining in York.' })
  })

  it('gets a structured output', async () => {
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 200,
      messages: [{ role: 'user', content: 'Give me the report' }],
      output_config: { format: { type: 'json_schema', schema: { ...reportSchema } } },
    })
    const [block] = answer.content
    if (block?.type !== 'text') throw new Error('no text')
    expect(JSON.parse(block.text)).toEqual(report)
  })

  it('sends an image', async () => {
    const answer = await anthropic.messages.create({
      model,
      max_tokens: 200,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } },
            { type: 'text', text: 'What is in this picture?' },
          ],
        },
      ],
    })
    expect(answer.content[0]).toMatchObject({ type: 'text', text: 'One red pixel.' })
    expect(upstream.seen.at(-1)?.body).toContain(pixel)
  })
})

describe('what both clients leave behind', () => {
  it('is a record of each call with its cost, and the upstream never sees the caller key', async () => {
    await expect
      .poll(async () => (await signalbox.client.listRecords({ limit: 100 })).items.length)
      .toBeGreaterThan(20)
    const { items } = await signalbox.client.listRecords({ limit: 100 })
    const served = items.filter(({ status }) => status < 400)
    for (const row of served) expect(row.costNanoUsd, row.target).toMatch(/^\d+$/)
    const seen = JSON.stringify(upstream.seen.map((request) => request.headers))
    expect(seen).toContain('upstream-secret')
    expect(seen).not.toContain('sb_d')
  })
})
