import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { instanceOf } from '../../../gateway/simulated/schema-instance.ts'
import { createSimulation } from '../../../gateway/simulated/simulate.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'

const simulate = createSimulation(() => 1_790_000_000_000)

/** What the simulated provider sends for a body. */
function ask(path: string, body: unknown): Promise<{ status: number; text: string; pieces: number }> {
  return new Promise((resolve, reject) => {
    let status = 0
    const chunks: Buffer[] = []
    simulate(
      { path, method: 'POST', body: Buffer.from(JSON.stringify(body)) },
      {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code
        },
        onResponseData: (_controller, chunk) => chunks.push(chunk),
        onResponseEnd: () =>
          resolve({ status, text: Buffer.concat(chunks).toString(), pieces: chunks.length }),
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}

const tools = [
  {
    name: 'get_weather',
    schema: {
      type: 'object',
      properties: { city: { type: 'string' }, days: { type: 'integer' } },
      required: ['city'],
    },
  },
]
const formats = [
  {
    name: 'openai-chat',
    provider: openai,
    path: '/v1/chat/completions',
    body: (content: unknown, rest: object = {}) => ({
      model: 'gpt-5.2',
      messages: [{ role: 'user', content }],
      ...rest,
    }),
    tools: tools.map(({ name, schema }) => ({ type: 'function', function: { name, parameters: schema } })),
    forced: { type: 'function', function: { name: 'get_weather' } },
    none: 'none',
    image: { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
    output: (schema: object) => ({
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema } },
    }),
  },
  {
    name: 'anthropic-messages',
    provider: anthropic,
    path: '/v1/messages',
    body: (content: unknown, rest: object = {}) => ({
      model: 'claude-sonnet-4-5',
      max_tokens: 1000,
      messages: [{ role: 'user', content }],
      ...rest,
    }),
    tools: tools.map(({ name, schema }) => ({ name, input_schema: schema })),
    forced: { type: 'tool', name: 'get_weather' },
    none: { type: 'none' },
    image: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
    output: (schema: object) => ({ output_config: { format: { type: 'json_schema', schema } } }),
  },
]

describe.each(formats)('the simulated provider in the format $name', (format) => {
  const { provider, path, body } = format
  const reply = async (content: unknown, rest: object = {}) =>
    provider.decodeReply(JSON.parse((await ask(path, body(content, rest))).text))
  const stream = async (content: unknown, rest: object = {}) => {
    const { text, pieces } = await ask(path, body(content, { ...rest, stream: true }))
    const decoder = provider.createDecoder()
    const deltas = new SseSplitter().push(Buffer.from(text)).flatMap((frame) => decoder.push(frame))
    return { deltas, pieces, complete: decoder.finish().complete }
  }

  it('answers a question with the question, the same each time', async () => {
    const first = await ask(path, body('What is the meaning of life?'))
    expect(first.status).toBe(200)
    expect(first.text).toContain('What is the meaning of life?')
    expect(await ask(path, body('What is the meaning of life?'))).toEqual(first)
  })

  it('counts usage from the texts', async () => {
    const { usage } = await reply('x'.repeat(400))
    expect(usage.input).toBe(100)
    expect(usage.output).toBeGreaterThan(10)
  })

  it('streams the same answer in several pieces', async () => {
    const whole = await reply('Hello there')
    const { deltas, pieces, complete } = await stream('Hello there')
    expect(complete).toBe(true)
    expect(pieces).toBeGreaterThan(5)
    const text = deltas.flatMap((delta) => (delta.type === 'blockDelta' ? (delta.text ?? '') : [])).join('')
    expect(whole.blocks).toEqual([expect.objectContaining({ type: 'text', text })])
  })

  it('calls a tool that is forced, or that the question names, and none otherwise', async () => {
    const { tools: offered } = format
    const call = expect.objectContaining({
      type: 'toolCall',
      name: 'get_weather',
      arguments: '{"city":"text"}',
    })
    expect((await reply('Hello', { tools: offered, tool_choice: format.forced })).blocks).toEqual([call])
    expect((await reply('What is the weather in York?', { tools: offered })).blocks).toEqual([call])
    expect((await reply('Hello', { tools: offered })).blocks[0]?.type).toBe('text')
    expect((await reply('the weather?', { tools: offered, tool_choice: format.none })).blocks[0]?.type).toBe(
      'text',
    )
  })

  it('streams a tool call whose arguments are whole', async () => {
    const { deltas } = await stream('the weather?', { tools: format.tools })
    const text = deltas.flatMap((delta) => (delta.type === 'blockDelta' ? (delta.text ?? '') : [])).join('')
    expect(JSON.parse(text)).toEqual({ city: 'text' })
    expect(deltas).toContainEqual(expect.objectContaining({ type: 'end', finish: 'toolCalls' }))
  })

  it('gives structured output that fits its schema', async () => {
    const schema = {
      type: 'object',
      properties: { degrees: { type: 'number', minimum: 5 } },
      required: ['degrees'],
    }
    const { blocks } = await reply('Report', format.output(schema))
    expect(blocks).toEqual([expect.objectContaining({ type: 'text', text: '{"degrees":5}' })])
  })

  it('sees images', async () => {
    const { blocks } = await reply([{ type: 'text', text: 'What is this?' }, format.image])
    expect(JSON.stringify(blocks)).toContain('I was shown an image')
  })

  it('stops at the maximum of tokens', async () => {
    const answer = await reply('Hello', { max_tokens: 3 })
    expect(answer.finish).toBe('length')
    expect(answer.usage.output).toBe(3)
  })
})

it('the simulated provider knows no other endpoint', async () => {
  expect((await ask('/v1/unheard-of', {})).status).toBe(404)
})

it('an answer that is given up stops coming', async () => {
  const heard: string[] = []
  const body = { model: 'm', stream: true, messages: [{ role: 'user', content: 'Hello' }] }
  await new Promise<void>((resolve) => {
    simulate(
      { path: '/v1/chat/completions', method: 'POST', body: Buffer.from(JSON.stringify(body)) },
      {
        onResponseData(controller) {
          heard.push('data')
          controller.abort(new Error('enough'))
        },
        onResponseEnd: () => heard.push('end'),
        onResponseError: () => {
          heard.push('error')
          setTimeout(resolve, 20)
        },
      },
    )
  })
  expect(heard).toEqual(['data', 'error'])
})

describe('an instance of a schema', () => {
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/node' } }, required: [] as string[] }
  it.each<[string, object]>([
    ['numbers', { type: 'integer', minimum: 3, multipleOf: 5 }],
    ['negative numbers', { type: 'number', maximum: -2 }],
    ['texts', { type: 'string', minLength: 8, maxLength: 9 }],
    ['formats', { type: 'string', format: 'date-time' }],
    ['choices', { enum: ['b', 'a'] }],
    ['a constant', { const: { x: 1 } }],
    ['lists', { type: 'array', items: { type: 'boolean' }, minItems: 2 }],
    ['null first', { type: ['null', 'string'] }],
    [
      'unions',
      { anyOf: [{ type: 'object', properties: { k: { const: 1 } }, required: ['k'] }, { type: 'null' }] },
    ],
    [
      'intersections',
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { required: ['a'] },
        ],
      },
    ],
    ['references', { $ref: '#/$defs/node', $defs: { node } }],
  ])('fits %s', (_name, schema) => {
    const ajv = new Ajv2020({ strict: false, validateFormats: false })
    const validate = ajv.compile(schema)
    expect([validate(instanceOf(schema)), validate.errors]).toEqual([true, null])
  })

  it('of a schema that contains itself comes to an end', () => {
    const schema = { $ref: '#/$defs/node', $defs: { node: { ...node, required: ['next'] } } }
    expect(JSON.stringify(instanceOf(schema)).length).toBeLessThan(1000)
  })
})
