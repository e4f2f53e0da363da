import Anthropic from '@anthropic-ai/sdk'
import { GoogleGenAI } from '@google/genai'
import { createSecret, hashSecret } from '@signalbox/sdk/node'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type Script, type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

/** A key of another team. */
const strangerKey = createSecret('key', { environment: 'development' })
const batch = { id: 'msgbatch_1', type: 'message_batch', processing_status: 'in_progress' }
const cached = {
  name: 'cachedContents/abc',
  model: 'models/gemini-3-pro',
  usageMetadata: { totalTokenCount: 9 },
}

let upstream: ScriptedUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const base = memorySnapshot({
    connections: [
      connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
      connectionOf('anthropic', { provider: 'anthropic', baseUrl: upstream.url }),
      connectionOf('gemini', { provider: 'gemini', baseUrl: upstream.url }),
      connectionOf('azure', { provider: 'azure-openai', baseUrl: upstream.url }),
    ],
  })
  const team = { id: 'team-2', parentId: 'org-1', kind: 'team', name: 'ads' } as const
  const row = { hash: hashSecret(strangerKey), id: 'key-2', node: team.id, name: 'ads', expiresMs: null }
  gateway = await startGateway({
    snapshot: {
      ...base,
      nodes: new Map([...base.nodes, [team.id, team]]),
      findKey: (hash: string) => (hash === row.hash ? row : base.findKey(hash)),
    },
  })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})
const ask = (method: string, path: string, key: string = memoryKey) =>
  fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'anthropic-version': '2023-06-01' },
  })

describe('Anthropic’s batches', () => {
  it('are made and read by the official client, and belong to their node', async () => {
    const client = new Anthropic({ apiKey: memoryKey, baseURL: gateway.url, maxRetries: 0 })
    upstream.play((turn) => turn.json(200, batch))
    const params = {
      model: 'claude-opus-4-8',
      max_tokens: 9,
      messages: [{ role: 'user' as const, content: 'q' }],
    }
    const made = await client.messages.batches.create({ requests: [{ custom_id: 'a', params }] })
    expect(made.id).toBe('msgbatch_1')
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'POST', path: '/v1/messages/batches' })
    expect(upstream.requests.at(-1)?.headers['x-api-key']).toBe('upstream-secret-0123456789')
    expect((await client.messages.batches.retrieve('msgbatch_1')).id).toBe('msgbatch_1')
  })

  it.each([
    ['GET', '/v1/messages/batches/msgbatch_1'],
    ['GET', '/v1/messages/batches/msgbatch_1/results'],
    ['POST', '/anthropic/v1/messages/batches/msgbatch_1/cancel'],
    ['DELETE', '/v1/messages/batches/msgbatch_1'],
  ])('answer %s %s to nobody else, in Anthropic’s own words', async (method, path) => {
    const sent = upstream.requests.length
    const refused = await ask(method, path, strangerKey)
    const unknown = await ask(method, path.replace('_1', '_0'))
    expect([refused.status, unknown.status]).toEqual([404, 404])
    const [a, b] = [await refused.json(), await unknown.json()] as { type: string; error: unknown }[]
    expect(a?.type).toBe('error')
    expect(a?.error).toEqual(b?.error)
    expect(upstream.requests.length).toBe(sent)
    expect((await ask(method, path)).status).toBe(200)
    expect(upstream.requests.at(-1)?.path).toBe(path.replace('/anthropic', ''))
  })

  it('lack their requests: nothing is sent', async () => {
    const sent = upstream.requests.length
    const response = await gateway.send('/v1/messages/batches', {})
    expect(response.status).toBe(400)
    expect(JSON.stringify(await response.json())).toContain('`requests` is missing')
    expect(upstream.requests.length).toBe(sent)
  })
})

describe('Gemini’s cached contents', () => {
  it('are made for a model of the connection, used by their own node, and changed', async () => {
    const google = new GoogleGenAI({ apiKey: memoryKey, httpOptions: { baseUrl: gateway.url } })
    upstream.play((turn) => turn.json(200, cached))
    const made = await google.caches.create({ model: 'gemini/gemini-3-pro', config: { contents: 'Long.' } })
    expect(made.name).toBe('cachedContents/abc')
    expect(JSON.parse(upstream.requests.at(-1)?.text ?? '')).toMatchObject({ model: 'models/gemini-3-pro' })
    await google.caches.update({ name: 'cachedContents/abc', config: { ttl: '60s' } })
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'PATCH' })
    expect(upstream.requests.at(-1)?.path).toMatch(/\/cachedContents\/abc/)
    const used = { contents: [{ parts: [{ text: 'q' }] }], cachedContent: 'cachedContents/abc' }
    const path = '/v1beta/models/gemini%2Fgemini-3-pro:generateContent'
    const mine = await gateway.send(path, used)
    expect(mine.status).toBe(200)
    const stranger = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { 'x-goog-api-key': strangerKey, 'content-type': 'application/json' },
      body: JSON.stringify(used),
    })
    expect(stranger.status).toBe(404)
  })

  it.each(['GET', 'PATCH', 'DELETE'])('answer %s to nobody else', async (method) => {
    upstream.play((turn) => turn.json(200, cached))
    expect((await ask(method, '/v1beta/cachedContents/abc', strangerKey)).status).toBe(404)
    expect((await ask(method, '/gemini/v1beta/cachedContents/abc')).status).toBe(200)
    expect(upstream.requests.at(-1)?.path).toBe('/v1beta/cachedContents/abc')
  })

  it('show in a list what is the caller’s own', async () => {
    upstream.play((turn) => turn.json(200, cached))
    await gateway.send('/v1beta/cachedContents', { model: 'gemini/gemini-3-pro' })
    const others = [cached, { ...cached, name: 'cachedContents/other' }]
    upstream.play((turn) => turn.json(200, { cachedContents: others }))
    const names = async (key: string): Promise<unknown> => {
      const { cachedContents } = (await (
        await ask('GET', '/v1beta/cachedContents', key)
      ).json()) as typeof own
      return cachedContents.map(({ name }) => name)
    }
    const own = { cachedContents: others }
    expect(await names(memoryKey)).toEqual(['cachedContents/abc'])
    expect(await names(strangerKey)).toEqual([])
  })
})

describe('Gemini’s files', () => {
  const kept = { name: 'files/abc', uri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' }
  const begun =
    'https://google.test/upload/v1/files?upload_id=UP1&upload_protocol=resumable&key=secret-of-ours'
  /** Google's own upload service: an address first, then the file. */
  const google: Script = ({ request, response, json }) => {
    const command = request.headers['x-goog-upload-command']
    if (command === 'start') {
      response.writeHead(200, { 'x-goog-upload-url': begun, 'x-goog-upload-status': 'active' }).end()
    } else if (command !== undefined) json(200, { file: kept }, { 'x-goog-upload-status': 'final' })
    else json(200, request.path.endsWith('/files') ? { files: [kept] } : kept)
  }

  it('are uploaded, read, used and deleted with the official client, by way of the gateway alone', async () => {
    const client = new GoogleGenAI({ apiKey: memoryKey, httpOptions: { baseUrl: gateway.url } })
    upstream.play(google)
    const sent = upstream.requests.length
    const file = new Blob(['Hello'], { type: 'text/plain' })
    const made = await client.files.upload({ file, config: { mimeType: 'text/plain' } })
    expect(made.name).toBe('files/abc')
    const [start, upload] = upstream.requests.slice(sent)
    expect(start?.headers['x-goog-upload-header-content-type']).toBe('text/plain')
    expect(start?.headers['x-goog-api-key']).toBe('upstream-secret-0123456789')
    expect(upload?.path).toMatch(/^\/upload\/v1(beta)?\/files\?upload_id=UP1&upload_protocol=resumable$/)
    expect(upload?.headers['x-goog-upload-command']).toBe('upload, finalize')
    expect(upload?.text).toBe('Hello')
    expect((await client.files.get({ name: 'abc' })).name).toBe('files/abc')
    const listed = await client.files.list()
    expect(listed.page).toHaveLength(1)
    const path = '/v1beta/models/gemini%2Fgemini-3-pro:generateContent'
    const used = { contents: [{ parts: [{ fileData: { fileUri: kept.uri } }] }] }
    expect((await gateway.send(path, used)).status).toBe(200)
    await client.files.delete({ name: 'abc' })
    expect((await ask('GET', '/v1beta/files/abc')).status).toBe(404)
  })

  it('go on at an address of the gateway that holds no key, for their own node alone', async () => {
    upstream.play(google)
    const start = await fetch(`${gateway.url}/gemini/upload/v1beta/files`, {
      method: 'POST',
      headers: {
        'x-goog-api-key': memoryKey,
        'x-goog-upload-protocol': 'resumable',
        'x-goog-upload-command': 'start',
        'content-type': 'application/json',
      },
      body: '{"file":{"display_name":"a"}}',
    })
    const address = start.headers.get('x-goog-upload-url') ?? ''
    expect(address).toBe(`${gateway.url}/gemini/upload/v1beta/files?upload_id=UP1&upload_protocol=resumable`)
    const sent = upstream.requests.length
    const put = (key: string, to = address): Promise<Response> =>
      fetch(to, {
        method: 'POST',
        headers: { 'x-goog-api-key': key, 'x-goog-upload-command': 'upload, finalize' },
        body: 'Hello',
      })
    const refused = await Promise.all([put(strangerKey), put(memoryKey, address.replace('UP1', 'UP0'))])
    refused.push(await put(memoryKey, `${address}&upload_id=UP0`))
    expect(refused.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(upstream.requests.length).toBe(sent)
    expect((await put(memoryKey)).status).toBe(200)
    expect((await gateway.lastRecord()).row).toMatchObject({ operation: 'files', status: 200 })
    expect((await ask('GET', '/v1beta/files/abc', strangerKey)).status).toBe(404)
    expect(await (await ask('GET', '/v1beta/files', strangerKey)).json()).toEqual({ files: [] })
  })

  it('are not those of OpenAI, whose clients ask at the same place', async () => {
    upstream.play((turn) => turn.json(200, { object: 'list', data: [] }))
    const sent = upstream.requests.length
    await ask('GET', '/v1/files')
    expect(upstream.requests[sent]?.headers.authorization).toBe('Bearer upstream-secret-0123456789')
  })
})

describe('Responses beside answers', () => {
  const openai = (): OpenAI => new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })

  it('count the tokens of a request where OpenAI does', async () => {
    upstream.play((turn) => turn.json(200, { object: 'response.input_tokens', input_tokens: 11 }))
    const counted = await openai().responses.inputTokens.count({ model: 'openai/gpt-5.5', input: 'Hello' })
    expect(counted.input_tokens).toBe(11)
    expect(upstream.requests.at(-1)).toMatchObject({ path: '/v1/responses/input_tokens' })
    expect(JSON.parse(upstream.requests.at(-1)?.text ?? '')).toEqual({ model: 'gpt-5.5', input: 'Hello' })
    expect((await gateway.lastRecord()).row).toMatchObject({ operation: 'countTokens', costNanoUsd: '0' })
  })

  it('estimate them for models of others, and say so', async () => {
    const sent = upstream.requests.length
    const body = { model: 'anthropic/claude-opus-4-8', input: 'x'.repeat(400) }
    const response = await gateway.send('/v1/responses/input_tokens', body)
    expect(response.headers.get('x-signalbox-estimated')).toBe('true')
    expect(await response.json()).toMatchObject({ object: 'response.input_tokens', input_tokens: 104 })
    expect(upstream.requests.length).toBe(sent)
  })

  it('make a conversation short where it was held, and nowhere else', async () => {
    const usage = { input_tokens: 20, output_tokens: 3 }
    const answer = { id: 'resp_2', object: 'response.compaction', output: [], usage }
    upstream.play((turn) => turn.json(200, answer))
    const body = '{"model":"openai/gpt-5.5",  "input":"Long."}'
    const response = await gateway.send('/v1/responses/compact', body)
    expect(await response.text()).toBe(JSON.stringify(answer))
    expect(upstream.requests.at(-1)).toMatchObject({
      path: '/v1/responses/compact',
      text: body.replace('openai/', ''),
    })
    expect((await gateway.lastRecord()).row).toMatchObject({
      usage: { input: 20, output: 3 },
      identity: true,
    })
    const elsewhere = await gateway.send('/v1/responses/compact', {
      model: 'anthropic/claude-opus-4-8',
      input: 'x',
    })
    expect(await elsewhere.json()).toMatchObject({ error: { code: 'unsupported_feature' } })
  })

  it('are read on Azure where Azure keeps them', async () => {
    upstream.play((turn) =>
      turn.json(200, { id: 'resp_azure', object: 'response', output: [], status: 'completed' }),
    )
    await gateway.send('/v1/responses', { model: 'azure/gpt', input: 'x', store: true })
    expect(upstream.requests.at(-1)?.path).toBe('/openai/v1/responses')
    expect((await ask('GET', '/v1/responses/resp_azure?include=a')).status).toBe(200)
    expect(upstream.requests.at(-1)?.path).toBe('/openai/v1/responses/resp_azure?include=a')
  })
})
