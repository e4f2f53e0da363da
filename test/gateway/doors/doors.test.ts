import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doorFormat } from '../../../gateway/doors/door-format.ts'
import { eventually } from '../../support/eventually.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { rawClient } from '../../support/raw-client.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'

let gateway: RunningGateway
const authorization = `Bearer ${memoryKey}`
const dead = { status: 'unavailable', missing: 'EU_KEY', credential: undefined } as const
const local = connectionOf('local', { provider: 'openai-compatible', locality: 'on-prem' })

beforeAll(async () => {
  gateway = await startGateway({
    snapshot: memorySnapshot({
      connections: [connectionOf('openai'), connectionOf('anthropic'), connectionOf('eu', dead), local],
      aliases: { smart: ['anthropic/claude-opus-4-8'] },
      workspace: { catalogue: { 'local/llama3.3': { input: 0, output: 0 } } },
    }),
  })
})
afterAll(() => gateway.close())

const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> =>
  fetch(gateway.url + path, { method, headers })

describe('the doors that are open to all', () => {
  it('answer the probes of clients and orchestrators', async () => {
    expect((await get('/', {}, 'HEAD')).status).toBe(200)
    for (const method of ['GET', 'HEAD']) expect((await get('/healthz', {}, method)).status).toBe(200)
    expect(await (await get('/readyz')).json()).toEqual({ status: 'ready', degraded: false })
  })

  it('say when the gateway is not ready', async () => {
    const { snapshot } = gateway
    gateway.snapshot = undefined
    const response = await get('/readyz')
    expect([response.status, await response.json()]).toEqual([503, { status: 'not ready' }])
    expect((await get('/healthz')).status).toBe(200)
    gateway.snapshot = snapshot
  })

  it('describe themselves and all others', async () => {
    const response = await get('/openapi.json')
    const { openapi, paths } = (await response.json()) as {
      openapi: string
      paths: Record<string, Record<string, { operationId: string; parameters?: { name: string }[] }>>
    }
    expect([response.status, openapi]).toEqual([200, '3.1.0'])
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, door]) => ({ path, method, ...door })),
    )
    const named = described.map(({ method, path }) => `${method} ${path}`)
    for (const door of [
      ...['post /v1/chat/completions', 'post /anthropic/v1/messages', 'get /v1/files/{id}', 'get /v1/key'],
      ...['post /v1beta/models/{model}:generateContent', 'delete /passthrough/{connection}/{path}'],
    ]) {
      expect(named).toContain(door)
    }
    expect(new Set(described.map(({ operationId }) => operationId)).size).toBe(described.length)
    for (const { path, parameters = [] } of described) {
      expect(parameters.map(({ name }) => `{${name}}`)).toEqual(path.match(/{\w+}/g) ?? [])
    }
  })

  it('tell nothing about the software', async () => {
    expect((await get('/healthz')).headers.get('x-powered-by')).toBeNull()
  })

  it('open no way for pages of other sites', async () => {
    const response = await get(
      '/v1/chat/completions',
      { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
      'OPTIONS',
    )
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
    expect(response.status).toBe(405)
  })
})

describe('the list of models', () => {
  const names = [
    'smart',
    'local/llama3.3',
    'openai/gpt-5.2',
    'openai/gpt-5-mini',
    'anthropic/claude-sonnet-4-5',
    'anthropic/claude-opus-4-8',
  ]

  it.each([
    '/v1/models',
    '/api/v1/models',
  ])("is OpenAI's at %s: aliases, declared ones, then those of connections that answer", async (path) => {
    const list = (await (await get(path, { authorization })).json()) as {
      object: string
      data: { id: string }[]
    }
    expect(list.object).toBe('list')
    expect(list.data.map((model) => model.id)).toEqual(names)
    expect(list.data[2]).toEqual({
      id: 'openai/gpt-5.2',
      object: 'model',
      created: 1_790_000_000,
      owned_by: 'openai',
      signalbox: {
        context_length: 200_000,
        max_output_tokens: 8192,
        locality: 'cloud',
        pricing_pico_usd: [{ input: 1_000_000, output: 2_000_000 }],
      },
    })
  })

  it("is Anthropic's for their clients, page by page", async () => {
    const client = new Anthropic({ apiKey: memoryKey, baseURL: `${gateway.url}/anthropic` })
    const seen: string[] = []
    for await (const model of client.models.list({ limit: 4 })) seen.push(model.id)
    expect(seen).toEqual(names)
    const page = await client.models.list({ limit: 2, before_id: 'openai/gpt-5-mini' })
    expect(page.data.map((model) => model.id)).toEqual(['local/llama3.3', 'openai/gpt-5.2'])
    expect(page.has_more).toBe(true)
    expect(page.data[0]).toMatchObject({ type: 'model', created_at: '2026-09-21T14:13:20.000Z' })
  })

  it('has one model under any of its names', async () => {
    const openai = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1` })
    for (const name of ['openai/gpt-5.2', 'gpt-5-2', 'openai%2Fgpt-5.2']) {
      expect((await openai.models.retrieve(name)).id).toBe('openai/gpt-5.2')
    }
    expect((await openai.models.retrieve('smart')).id).toBe('smart')
    expect((await openai.models.retrieve('local/llama3.3')).id).toBe('local/llama3.3')
    const anthropic = new Anthropic({ apiKey: memoryKey, baseURL: gateway.url })
    expect((await anthropic.models.retrieve('claude-opus-4.8')).type).toBe('model')
    expect((await get('/v1/models/openai/gpt-5.2', { authorization })).status).toBe(200)
  })

  it('has no model that nobody knows', async () => {
    for (const name of ['no-such-model', 'nobody/x', 'eu/gpt-unheard-of']) {
      const response = await get(`/v1/models/${name}`, { authorization })
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ error: { code: 'model_not_found' } })
    }
  })

  it('is for those with a key, and refuses others in their dialect', async () => {
    const openai = await get('/v1/models')
    expect([openai.status, await openai.json()]).toMatchObject([401, { error: { code: 'key_missing' } }])
    const anthropic = await get('/v1/models', { 'anthropic-version': '2023-06-01', 'x-api-key': 'wrong' })
    expect([anthropic.status, await anthropic.json()]).toMatchObject([401, { type: 'error' }])
    expect((await get('/v1/models?limit=0', { authorization })).status).toBe(400)
  })
})

it('two Authorization headers are no key', async () => {
  const head = `GET /v1/models HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\nauthorization: Bearer x\r\n\r\n`
  const client = rawClient(gateway.url, head)
  await eventually(() => expect(client.received()).toContain('401'))
  client.socket.destroy()
})

it.each([
  '/v1/chat/completions',
  '/v1/chat/completions/',
  '/V1/chat/Completions',
  '/v1/chat/completions?beta=true',
  '/api/v1/chat/completions',
])('a call asks for %s and is one', async (path) => {
  const response = await get(path, { authorization }, 'POST')
  expect(response.headers.get('x-signalbox-decision')).not.toBeNull()
  expect([response.status, await response.json()]).toMatchObject([
    400,
    { error: { code: 'invalid_request' } },
  ])
})

describe('what is not there', () => {
  it('is a 404 in the dialect of who asks', async () => {
    const openai = await get('/v1/nothing')
    expect([openai.status, await openai.json()]).toMatchObject([404, { error: { code: 'route_not_found' } }])
    const anthropic = await get('/anthropic/v1/nothing')
    expect([anthropic.status, await anthropic.json()]).toMatchObject([
      404,
      { type: 'error', error: { type: 'not_found_error' } },
    ])
    expect((await get('/v1//chat/completions', {}, 'POST')).status).toBe(404)
  })

  it('is a 405 for another method, with those that there are', async () => {
    const response = await get('/v1/chat/completions')
    expect([response.status, await response.json()]).toMatchObject([
      405,
      { error: { code: 'method_not_allowed' } },
    ])
    expect(response.headers.get('allow')).toBe('POST')
    expect((await get('/v1/models', {}, 'DELETE')).headers.get('allow')).toBe('GET, HEAD')
  })

  it('is a 400 for a path that is no URL', async () => {
    expect((await get('/v1/models/%E0%A4%A', { authorization })).status).toBe(400)
  })
})

it.each([
  ['/v1/models', {}, 'openai-chat'],
  ['/v1/models', { 'anthropic-version': '2023-06-01' }, 'anthropic-messages'],
  ['/anthropic/v1/models', {}, 'anthropic-messages'],
  ['/v1/messages/count_tokens', {}, 'anthropic-messages'],
  ['/v1/messagesx', {}, 'openai-chat'],
])('the door %s with %o speaks %s', (path, headers, format) => {
  expect(doorFormat(path, headers)).toBe(format)
})
