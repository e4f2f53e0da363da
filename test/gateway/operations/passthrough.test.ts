import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPassthroughPath } from '../../../gateway/wire/passthrough/safe-path.ts'
import { allow, asAsked, connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import {
  chatCompletion,
  chatStream,
  messageStream,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../support/scripted-upstream.ts'

let upstream: ScriptedUpstream
let gateway: RunningGateway
let elsewhere = false

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
    connectionOf('anthropic', { baseUrl: upstream.url }),
    connectionOf('absent', { status: 'unavailable', credential: undefined, missing: 'A_KEY' }),
  ]
  gateway = await startGateway({
    snapshot: memorySnapshot({
      connections,
      decide: (input) => (elsewhere ? allow({ target: 'anthropic/claude-opus-4-8' }) : asAsked(input)),
    }),
  })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})

const call = (path: string, init: RequestInit = {}) =>
  fetch(gateway.url + path, { ...init, headers: { authorization: `Bearer ${memoryKey}`, ...init.headers } })

describe('a passthrough', () => {
  it.each([
    'GET',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
  ])('passes %s with query, body and headers, but no key', async (method) => {
    upstream.play((turn) => turn.json(200, { ok: true }, { 'x-own': 'yes', 'set-cookie': 'a=1' }))
    const body = method === 'GET' ? null : '{"a": [1,  2]}'
    const response = await call(`/passthrough/openai/fine_tuning/x%20y?limit=2&key=${memoryKey}`, {
      method,
      body,
      headers: {
        'content-type': 'application/json',
        'x-custom': 'kept',
        cookie: 'c=1',
        'x-forwarded-for': '1.2.3.4',
        'x-signalbox-session': 's',
      },
    })
    expect(await response.json()).toEqual({ ok: true })
    expect(response.headers.get('x-own')).toBe('yes')
    expect(response.headers.get('set-cookie')).toBeNull()
    const seen = upstream.requests.at(-1)
    expect(seen).toMatchObject({ method, path: '/v1/fine_tuning/x%20y?limit=2', text: body ?? '' })
    expect(seen?.headers).toMatchObject({
      'x-custom': 'kept',
      authorization: 'Bearer upstream-secret-0123456789',
    })
    for (const name of ['cookie', 'x-forwarded-for', 'x-signalbox-session'])
      expect(seen?.headers).not.toHaveProperty(name)
    expect(JSON.stringify(seen?.headers)).not.toContain(memoryKey)
    const { row } = await gateway.lastRecord()
    expect(row).toMatchObject({ operation: 'passthrough', target: 'openai/passthrough', evidence: 'none' })
  })

  it('is decided, metered and priced by the model that its body names', async () => {
    upstream.play((turn) => turn.json(200, chatCompletion('Hello')))
    const count = gateway.records.length
    const response = await gateway.send('/passthrough/openai/chat/completions', {
      model: 'gpt-5-2',
      messages: [],
    })
    expect(response.headers.get('x-signalbox-cost-usd')).toBe('0.00002')
    expect(upstream.requests.at(-1)?.json.model).toBe('gpt-5.2')
    const { row, body } = await gateway.lastRecord(count + 1)
    expect(row).toMatchObject({
      target: 'openai/gpt-5.2',
      usage: { input: 10, output: 5 },
      evidence: 'reported',
    })
    expect(body.facts?.request.model.targets).toEqual(['openai/gpt-5.2'])
  })

  it.each([
    ['openai', 'chat/completions', chatStream('Hel', 'lo')],
    ['anthropic', 'v1/messages', messageStream('Hel', 'lo')],
  ] as const)('streams events of %s, and reads their usage beside', async (connection, path, events) => {
    upstream.play((turn) => {
      turn.events(events.join(''))
      turn.response.end()
    })
    const count = gateway.records.length
    const response = await gateway.send(`/passthrough/${connection}/${path}`, { model: 'm', stream: true })
    expect(await response.text()).toBe(events.join(''))
    const { row } = await gateway.lastRecord(count + 1)
    expect(row).toMatchObject({ stream: true, usage: { input: 10, output: 5 }, evidence: 'reported' })
  })

  it('ends a stream that broke off with an error event', async () => {
    upstream.play((turn) => {
      turn.events('data: {"a":1}\n\n')
      setTimeout(() => turn.reset(), 20)
    })
    const response = await gateway.send('/passthrough/openai/responses', { model: 'm', stream: true })
    expect(await response.text()).toMatch(/^data: \{"a":1\}\n\ndata: \{"error":.*upstream_reset/)
  })

  it('passes the upstream’s own error as it is, unless it repeats the credential', async () => {
    upstream.play(
      ({ response }) => void response.writeHead(418, { 'content-type': 'text/plain' }).end('teapot'),
    )
    const response = await call('/passthrough/openai/x')
    expect([response.status, await response.text()]).toEqual([418, 'teapot'])
    upstream.play(
      ({ response: answer, request: { headers } }) => void answer.writeHead(400).end(headers.authorization),
    )
    expect(await (await call('/passthrough/openai/x')).text()).not.toContain('upstream-secret')
  })

  it('is not led elsewhere by a redirect or by a policy', async () => {
    upstream.play(({ response }) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end())
    expect((await call('/passthrough/openai/x')).status).toBe(502)
    elsewhere = true
    const sent = upstream.requests.length
    const response = await call('/passthrough/openai/x')
    elsewhere = false
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: { code: 'unsupported_feature' } })
    expect(upstream.requests.length).toBe(sent)
  })

  it('is refused for connections that nobody declared, without a key, and without a credential', async () => {
    expect((await call('/passthrough/evil.example/x')).status).toBe(404)
    expect((await fetch(`${gateway.url}/passthrough/openai/x`)).status).toBe(401)
    expect((await call('/passthrough/absent/x')).status).toBe(503)
  })

  it.each([
    ['GET', '/passthrough/openai/responses/resp_foreign', undefined],
    ['GET', '/passthrough/openai/files/file-foreign/content', undefined],
    ['POST', '/passthrough/openai/responses', { model: 'm', previous_response_id: 'resp_foreign' }],
    ['POST', '/passthrough/openai/x', { deep: [{ file: { id: 'file-foreign' } }] }],
  ])('knows nothing of the things of others: %s %s %j', async (method, path, body) => {
    const sent = upstream.requests.length
    const init =
      body === undefined
        ? { method }
        : { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    expect((await call(path, init)).status).toBe(404)
    expect(upstream.requests.length).toBe(sent)
  })

  it('makes what it creates the caller’s own', async () => {
    upstream.play((turn) => turn.json(200, { id: 'vs_1', object: 'vector_store' }))
    await gateway.send('/passthrough/openai/vector_stores', { name: 'mine' })
    expect((await call('/passthrough/openai/vector_stores/vs_1')).status).toBe(200)
    expect((await call('/passthrough/anthropic/vector_stores/vs_1')).status).toBe(404)
  })

  it('passes bodies that are no JSON while they come', async () => {
    upstream.play((turn) => turn.json(200, { text: 'ok' }))
    const form = new FormData()
    form.append('file', new Blob(['x'.repeat(100_000)]), 'a.bin')
    expect((await call('/passthrough/openai/uploads', { method: 'POST', body: form })).status).toBe(200)
    expect(upstream.requests.at(-1)?.text.length).toBeGreaterThan(100_000)
  })
})

/** fetch would tidy such a path up before it is sent. */
function rawStatus(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(gateway.url)
    const sent = request(
      { hostname, port, path, headers: { authorization: `Bearer ${memoryKey}` } },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.on('error', reject).end()
  })
}

describe('a path', () => {
  it.each([
    '/passthrough/openai/../admin',
    '/passthrough/openai/a/%2e%2e/%2e%2e/admin',
    '/passthrough/openai/%252e%252e/admin',
    '/passthrough/openai/..%2fadmin',
    '/passthrough/openai/a/..;/b',
    '/passthrough/openai//evil.example/x',
    '/passthrough/openai/..\\admin',
    '/passthrough/openai/a%00b',
    '/passthrough/openai/a%0d%0aHost:evil',
    '/passthrough/openai/%zz',
    '/passthrough/openai/./x',
  ])('that may lead elsewhere is refused: %s', async (path) => {
    const sent = upstream.requests.length
    expect([400, 404]).toContain(await rawStatus(path))
    expect(upstream.requests.length).toBe(sent)
  })

  it('that is a plain one stays as it was written', () => {
    expect(readPassthroughPath('/passthrough/a/models/x%2Fy:generate?alt=sse&KEY=1&key=2&b')).toEqual({
      connection: 'a',
      path: '/models/x%2Fy:generate',
      search: '?alt=sse&b',
    })
  })
})
