import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

const units = { input: 1_000_000, imageIn: 2_000_000, audioIn: 3_000_000, output: 4_000_000 }
const row = (id: string) => ({
  provider: 'openai',
  id,
  spellings: [`${id}-latest`],
  prices: [{ units }],
  tier: 'mid' as const,
})

let upstream: ScriptedUpstream
let gateway: RunningGateway
let client: OpenAI

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const catalogue = [row('gpt-image-1'), row('gpt-4o-transcribe'), row('gpt-4o-mini-tts')]
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
    connectionOf('reranker', { provider: 'openai-compatible', baseUrl: `${upstream.url}/rr` }),
  ]
  gateway = await startGateway({
    snapshot: memorySnapshot({ connections, catalogue }),
    bodyBytesMax: 1_000_000,
  })
  client = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})

describe('images', () => {
  it('pass, and cost what the answer tells of its tokens by kind', async () => {
    const usage = {
      input_tokens: 30,
      input_tokens_details: { text_tokens: 10, image_tokens: 20 },
      output_tokens: 5,
    }
    upstream.play((turn) => turn.json(200, { created: 1, data: [{ b64_json: 'AAAA' }], usage }))
    const { data, response } = await client.images
      .generate({ model: 'openai/gpt-image-1', prompt: 'A cat' })
      .withResponse()
    expect(data.data?.[0]?.b64_json).toBe('AAAA')
    expect(upstream.requests.at(-1)).toMatchObject({
      path: '/v1/images/generations',
      json: { model: 'gpt-image-1' },
    })
    expect(response.headers.get('x-signalbox-cost-usd')).toBe('0.00007')
    const { row: recorded, body } = await gateway.lastRecord()
    expect(recorded).toMatchObject({
      operation: 'image',
      evidence: 'reported',
      usage: { input: 10, imageIn: 20, output: 5 },
    })
    expect(body.facts?.request.messages.chars).toBe(5)
  })

  it('say that nothing is known of their cost where the answer tells nothing', async () => {
    upstream.play((turn) => turn.json(200, { created: 1, data: [{ url: 'https://images.example/1' }] }))
    const count = gateway.records.length
    const { response } = await client.images.generate({ prompt: 'A cat' }).withResponse()
    expect(response.headers.get('x-signalbox-cost-usd')).toBeNull()
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded).toMatchObject({ target: 'openai/dall-e-2', evidence: 'none', status: 200 })
    expect(recorded.costNanoUsd).toBeUndefined()
  })

  it('of a form pass byte for byte but for the name of the model', async () => {
    upstream.play((turn) => turn.json(200, { created: 1, data: [] }))
    const image = await toFile(Buffer.from('\u0089PNG\r\n--x'), 'cat.png', { type: 'image/png' })
    await client.images.edit({ model: 'openai/gpt-image-1-latest', prompt: 'A hat', image })
    const seen = upstream.requests.at(-1)
    expect(seen?.headers['content-type']).toMatch(/^multipart\/form-data; ?boundary=/)
    expect(seen?.text).toMatch(/name="model"\r\n\r\ngpt-image-1\r\n/)
    expect(seen?.text).toContain('cat.png')
    expect(Number(seen?.headers['content-length'])).toBe(Buffer.byteLength(seen?.text ?? ''))
  })
})

describe('audio', () => {
  it('of speech streams as it comes', async () => {
    upstream.play(async ({ response }) => {
      response.writeHead(200, { 'content-type': 'audio/mpeg' })
      response.write('first ')
      await new Promise((resolve) => setTimeout(resolve, 20))
      response.end('second')
    })
    const count = gateway.records.length
    const answer = await client.audio.speech.create({
      model: 'gpt-4o-mini-tts',
      voice: 'alloy',
      input: 'Hello',
    })
    expect(answer.headers.get('content-type')).toBe('audio/mpeg')
    expect(await answer.text()).toBe('first second')
    const { row: recorded, body } = await gateway.lastRecord(count + 1)
    expect(recorded).toMatchObject({ operation: 'audio', evidence: 'none', status: 200, identity: true })
    expect(body.text.delivered).toBe(12)
  })

  it('that breaks off ends in a broken connection, never in a clean-looking end', async () => {
    upstream.play((turn) => {
      turn.response.writeHead(200, { 'content-type': 'audio/mpeg' })
      turn.response.write('first ')
      setTimeout(() => turn.reset(), 20)
    })
    const count = gateway.records.length
    const answer = await client.audio.speech.create({
      model: 'gpt-4o-mini-tts',
      voice: 'alloy',
      input: 'Hello',
    })
    await expect(answer.text()).rejects.toThrow()
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded).toMatchObject({ errorCode: 'upstream_reset', truncated: true })
  })

  it('is transcribed from a form, metered by kind', async () => {
    const usage = {
      type: 'tokens',
      input_tokens: 14,
      input_token_details: { text_tokens: 0, audio_tokens: 14 },
      output_tokens: 4,
    }
    upstream.play((turn) => turn.json(200, { text: 'Hello', usage }))
    const count = gateway.records.length
    const file = await toFile(Buffer.alloc(2000, 7), 'hello.wav')
    const answer = await client.audio.transcriptions.create({ file, model: 'openai/gpt-4o-transcribe' })
    expect(answer.text).toBe('Hello')
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded.usage).toEqual({ input: 0, audioIn: 14, output: 4 })
    expect(recorded.costNanoUsd).toBe('58000')
  })

  it.each([
    ['without a model', 'x', 400],
    ['that is too large', 'x'.repeat(1_100_000), 413],
  ])('of a form %s is refused, and nothing is sent', async (_what, content, status) => {
    const sent = upstream.requests.length
    const form = new FormData()
    form.append('file', new Blob([content]), 'a.wav')
    const headers = { authorization: `Bearer ${memoryKey}` }
    const response = await fetch(`${gateway.url}/v1/audio/transcriptions`, {
      method: 'POST',
      headers,
      body: form,
    })
    expect(response.status).toBe(status)
    expect(upstream.requests.length).toBe(sent)
  })

  it('of a broken form is refused', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    const response = await gateway.send('/v1/audio/translations', '--x\r\nbroken', { headers })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'invalid_request' } })
  })
})

describe('reranking', () => {
  it('goes to a server that has it, and its own error passes in its own form', async () => {
    const ranked = {
      results: [{ index: 1, relevance_score: 0.9 }],
      meta: { billed_units: { search_units: 1 } },
    }
    upstream.play((turn) => turn.json(200, ranked))
    const ask = { model: 'reranker/rerank-v3.5', query: 'cat', documents: ['dog', 'cat'] }
    const count = gateway.records.length
    const response = await gateway.send('/v1/rerank', ask)
    expect(await response.json()).toEqual(ranked)
    expect(upstream.requests.at(-1)).toMatchObject({ path: '/rr/rerank', json: { model: 'rerank-v3.5' } })
    const { row: recorded } = await gateway.lastRecord(count + 1)
    expect(recorded).toMatchObject({ operation: 'rerank', usage: { searches: 1 } })
    upstream.play((turn) => turn.json(422, { message: 'too many documents' }))
    const refused = await gateway.send('/v1/rerank', ask)
    expect([refused.status, await refused.json()]).toEqual([422, { message: 'too many documents' }])
  })
})
