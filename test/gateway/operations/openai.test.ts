import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

const row = (id: string) => ({
  provider: 'openai',
  id,
  spellings: [],
  prices: [{ units: { input: 20_000 } }],
  tier: 'small' as const,
})
const embedded = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: 'AACAPw==' }],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 8, total_tokens: 8 },
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of stream) all.push(each)
  return all
}

let upstream: ScriptedUpstream
let gateway: RunningGateway
let client: OpenAI
let simulated: OpenAI
let simulatedGateway: RunningGateway

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
    connectionOf('anthropic', { baseUrl: upstream.url }),
  ]
  const aliases = { embed: ['anthropic/claude-opus-4-8', 'openai/text-embedding-3-small'] }
  const catalogue = [row('text-embedding-3-small'), row('gpt-3.5-turbo-instruct')]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections, aliases, catalogue }) })
  client = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  const free = { status: 'simulated', credential: undefined, missing: 'A_KEY' } as const
  simulatedGateway = await startGateway({
    snapshot: memorySnapshot({ connections: [connectionOf('openai', free)] }),
  })
  simulated = new OpenAI({ apiKey: memoryKey, baseURL: `${simulatedGateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await Promise.all([gateway.close(), simulatedGateway.close(), upstream.close()])
})

describe('embeddings', () => {
  it('pass with the upstream name of the model alone changed, tokens and base64 as they came', async () => {
    upstream.play((turn) => turn.json(200, embedded))
    const body =
      '{ "input": [[1, 2,3], [4]], "model":"openai/text-embedding-3-small",\n"encoding_format":"base64"}'
    const response = await gateway.send('/v1/embeddings', body)
    expect(await response.text()).toBe(JSON.stringify(embedded))
    const seen = upstream.requests.at(-1)
    expect(seen?.path).toBe('/v1/embeddings')
    expect(seen?.text).toBe(body.replace('openai/text', 'text'))
    const { row: recorded, body: detail } = await gateway.lastRecord()
    expect(recorded).toMatchObject({
      operation: 'embeddings',
      dialect: 'openai',
      evidence: 'reported',
      usage: { input: 8, output: 0 },
      costNanoUsd: '160',
      identity: true,
    })
    expect(detail.facts?.request).toMatchObject({ operation: 'embeddings', stream: false })
    expect(response.headers.get('x-signalbox-cost-usd')).toBe('0.00000016')
  })

  it('go to the first target whose provider has them', async () => {
    upstream.play((turn) => turn.json(200, embedded))
    const { response } = await client.embeddings.create({ model: 'embed', input: 'Hello' }).withResponse()
    expect(response.headers.get('x-signalbox-target')).toBe('openai/text-embedding-3-small')
    expect(response.headers.get('x-signalbox-attempts')).toBe('2')
  })

  it('are refused where no provider has them, before anything is sent', async () => {
    const sent = upstream.requests.length
    const response = await gateway.send('/v1/embeddings', {
      model: 'anthropic/claude-opus-4-8',
      input: 'Hello',
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_feature', param: 'model' } })
    expect(upstream.requests.length).toBe(sent)
  })

  it.each([
    [{ model: 'm' }, 'input'],
    [{ model: 'm', input: [] }, 'input'],
    [{ model: 'm', input: ['a', 1.5] }, 'input[1]'],
    [{ model: 'm', input: 'a', dimensions: 0 }, 'dimensions'],
    [{ input: 'a' }, 'model'],
  ])('name what is wrong in %j', async (body, param) => {
    const response = await gateway.send('/v1/embeddings', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request', param } })
  })

  it('are estimated from the request alone where the upstream reports nothing', async () => {
    upstream.play((turn) => turn.json(200, { ...embedded, usage: undefined }))
    const count = gateway.records.length
    await gateway.send('/v1/embeddings', { model: 'openai/text-embedding-3-small', input: 'x'.repeat(400) })
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded.evidence).toBe('estimated')
    expect(recorded.usage.output).toBe(0)
    expect(recorded.usage.input).toBeGreaterThan(100)
  })

  it('come from the simulated provider too, always the same, in both encodings', async () => {
    const ask = { model: 'text-embedding-3-small', input: ['one', 'two'], dimensions: 8 }
    const floats = await simulated.embeddings.create({ ...ask, encoding_format: 'float' })
    const packed = await simulated.embeddings.create(ask)
    expect(floats.data).toHaveLength(2)
    expect(floats.data[0]?.embedding).toHaveLength(8)
    const both = [floats, packed].map(({ data }) => data.map(({ embedding }) => embedding.map(Math.fround)))
    expect(both[0]).toEqual(both[1])
  })
})

describe('legacy completions', () => {
  const chunk = (rest: object): string =>
    `data: ${JSON.stringify({ id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm', ...rest })}\n\n`
  const text = chunk({ choices: [{ text: 'Hello', index: 0, logprobs: null, finish_reason: null }] })
  const last = chunk({ choices: [{ text: '', index: 0, logprobs: null, finish_reason: 'stop' }] })
  const usage = chunk({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })

  it('stream the upstream’s own bytes without the usage that was not asked for', async () => {
    upstream.play((turn) => {
      turn.events(text + last + usage)
      turn.response.end('data: [DONE]\n\n')
    })
    const count = gateway.records.length
    const response = await gateway.send('/v1/completions', {
      model: 'openai/gpt-3.5-turbo-instruct',
      prompt: 'Say hello',
      stream: true,
    })
    expect(await response.text()).toBe(`${text}${last}data: [DONE]\n\n`)
    expect(upstream.requests.at(-1)?.json.stream_options).toEqual({ include_usage: true })
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded).toMatchObject({ operation: 'completion', stream: true, usage: { input: 3, output: 2 } })
  })

  it('end with an error event where the upstream breaks off', async () => {
    upstream.play((turn) => {
      turn.events(text)
      setTimeout(() => turn.reset(), 20)
    })
    const stream = await client.completions.create({
      model: 'openai/gpt-3.5-turbo-instruct',
      prompt: 'Say hello',
      stream: true,
    })
    await expect(collect(stream)).rejects.toThrow()
  })

  it('come from the simulated provider, plain and streamed', async () => {
    const ask = { model: 'gpt-3.5-turbo-instruct', prompt: 'What time is it?' }
    const plain = await simulated.completions.create(ask)
    expect(plain.choices[0]?.text).toContain('What time is it?')
    const chunks = await collect(await simulated.completions.create({ ...ask, stream: true }))
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe(plain.choices[0]?.text)
  })
})

describe('moderations', () => {
  it('cost nothing', async () => {
    const answer = { id: 'modr-1', model: 'omni-moderation-latest', results: [{ flagged: true }] }
    upstream.play((turn) => turn.json(200, answer))
    const count = gateway.records.length
    const { data, response } = await client.moderations.create({ input: 'Hm' }).withResponse()
    expect(data).toMatchObject(answer)
    expect(response.headers.get('x-signalbox-cost-usd')).toBe('0')
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded).toMatchObject({ operation: 'moderation', costNanoUsd: '0', evidence: 'none' })
    expect(recorded.target).toBe('openai/omni-moderation-latest')
  })

  it('come from the simulated provider', async () => {
    const answer = await simulated.moderations.create({ input: ['a', 'b'] })
    expect(answer.results.map(({ flagged }) => flagged)).toEqual([false, false])
  })
})
