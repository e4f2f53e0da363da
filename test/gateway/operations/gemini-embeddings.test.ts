import { GoogleGenAI } from '@google/genai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

const openAiAnswer = {
  object: 'list',
  model: 'text-embedding-3-small',
  data: [
    { object: 'embedding', index: 1, embedding: [3, 4] },
    { object: 'embedding', index: 0, embedding: [1, 2] },
  ],
  usage: { prompt_tokens: 8, total_tokens: 8 },
}
const geminiAnswer = {
  embeddings: [{ values: [1, 2] }, { values: [3, 4] }],
  usageMetadata: { promptTokenCount: 6 },
}

let upstream: ScriptedUpstream
let gateway: RunningGateway
let google: GoogleGenAI
let openai: OpenAI

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
    connectionOf('gemini', { provider: 'gemini', baseUrl: upstream.url }),
    connectionOf('azure', { provider: 'azure-openai', baseUrl: upstream.url }),
    connectionOf('old-azure', { provider: 'azure-openai', baseUrl: upstream.url, apiVersion: '2025-04-01' }),
  ]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
  google = new GoogleGenAI({ apiKey: memoryKey, httpOptions: { baseUrl: gateway.url } })
  openai = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})
const lastBody = () => JSON.parse(upstream.requests.at(-1)?.text ?? '{}') as Record<string, unknown>

describe('embeddings in Gemini’s own words', () => {
  it('pass to Gemini as they came, under the upstream’s name of the model', async () => {
    upstream.play((turn) => turn.json(200, geminiAnswer))
    const { embeddings } = await google.models.embedContent({
      model: 'gemini/gemini-embedding-001',
      contents: ['one', 'two'],
      config: { outputDimensionality: 2, taskType: 'RETRIEVAL_QUERY' },
    })
    expect(embeddings?.map(({ values }) => values)).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(upstream.requests.at(-1)?.path).toMatch(
      /^\/v1(beta)?\/models\/gemini-embedding-001:batchEmbedContents$/,
    )
    expect(lastBody()).toMatchObject({
      requests: [
        {
          model: 'models/gemini-embedding-001',
          content: { parts: [{ text: 'one' }] },
          taskType: 'RETRIEVAL_QUERY',
        },
        { model: 'models/gemini-embedding-001', content: { parts: [{ text: 'two' }] } },
      ],
    })
    const { row } = await gateway.lastRecord()
    expect(row).toMatchObject({ operation: 'embeddings', dialect: 'gemini', usage: { input: 6, output: 0 } })
  })

  it('of one text pass byte for byte', async () => {
    upstream.play((turn) => turn.json(200, { embedding: { values: [1, 2] } }))
    const body = '{ "content":{"parts":[{"text":"one"}]},  "future": 1 }'
    const response = await gateway.send('/v1beta/models/gemini%2Fgemini-embedding-001:embedContent', body)
    expect(await response.json()).toEqual({ embedding: { values: [1, 2] } })
    expect(upstream.requests.at(-1)?.text).toBe(body)
  })

  it('reach a provider of OpenAI’s format, and what it has no place for is named', async () => {
    upstream.play((turn) => turn.json(200, openAiAnswer))
    const response = await gateway.send('/v1beta/models/openai%2Ftext-embedding-3-small:batchEmbedContents', {
      requests: ['one', 'two'].map((text) => ({
        model: 'models/openai/text-embedding-3-small',
        content: { parts: [{ text }] },
        outputDimensionality: 2,
        taskType: 'RETRIEVAL_QUERY',
      })),
    })
    expect(await response.json()).toEqual({
      embeddings: [{ values: [1, 2] }, { values: [3, 4] }],
      usageMetadata: { promptTokenCount: 8 },
    })
    expect(upstream.requests.at(-1)?.path).toBe('/v1/embeddings')
    const expected = {
      model: 'text-embedding-3-small',
      input: ['one', 'two'],
      encoding_format: 'float',
      dimensions: 2,
    }
    expect(lastBody()).toEqual(expected)
    expect(response.headers.get('x-signalbox-dropped')).toBe('requests[].taskType')
  })

  it.each([
    [':embedContent', {}, 'content'],
    [':embedContent', { content: { parts: [] } }, 'content.parts'],
    [
      ':embedContent',
      { content: { parts: [{ text: 'a' }] }, outputDimensionality: 0 },
      'outputDimensionality',
    ],
    [':batchEmbedContents', { requests: [] }, 'requests'],
    [':batchEmbedContents', { requests: [{ content: 1 }] }, 'requests[0].content'],
  ])('name what is wrong: %s %j', async (method, body, param) => {
    const sent = upstream.requests.length
    const response = await gateway.send(`/v1beta/models/gemini%2Fm${method}`, body)
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: { status: string; details: unknown } }
    expect(error.status).toBe('INVALID_ARGUMENT')
    expect(JSON.stringify(error.details)).toContain(`"param":"${param}"`)
    expect(upstream.requests.length).toBe(sent)
  })
})

describe('embeddings of Gemini’s models', () => {
  it('come to callers of OpenAI’s format, as numbers and as base64', async () => {
    upstream.play((turn) => turn.json(200, geminiAnswer))
    const ask = { model: 'gemini/gemini-embedding-001', input: ['one', 'two'], dimensions: 2 }
    const floats = await openai.embeddings.create({ ...ask, encoding_format: 'float' })
    expect(floats.data.map(({ embedding }) => embedding)).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(floats.usage).toEqual({ prompt_tokens: 6, total_tokens: 6 })
    expect(lastBody()).toEqual({
      requests: ['one', 'two'].map((text) => ({
        model: 'models/gemini-embedding-001',
        content: { parts: [{ text }] },
        outputDimensionality: 2,
      })),
    })
    const packed = await openai.embeddings.create(ask)
    expect(packed.data.map(({ embedding }) => [...embedding])).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  it('are refused for tokens, which are another vendor’s', async () => {
    const sent = upstream.requests.length
    const response = await gateway.send('/v1/embeddings', { model: 'gemini/m', input: [[1, 2]] })
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_feature', param: 'input' } })
    expect(upstream.requests.length).toBe(sent)
  })
})

describe('operations on Azure', () => {
  it.each([
    ['azure', '/openai/v1/embeddings'],
    ['old-azure', '/openai/deployments/embed/embeddings?api-version=2025-04-01'],
  ])('lie where %s has them', async (connection, path) => {
    upstream.play((turn) => turn.json(200, openAiAnswer))
    await openai.embeddings.create({ model: `${connection}/embed`, input: 'a', encoding_format: 'float' })
    expect(upstream.requests.at(-1)?.path).toBe(path)
  })
})
