import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@signalbox/sdk/contract'
import { afterAll, expect, test } from 'vitest'
import { CheckRefusal, replyWith } from '../../control-plane/handler.ts'
import { eventually } from '../support/eventually.ts'
import { errorOf, serveApp } from './served-app.ts'

const top = mkdtempSync(join(tmpdir(), 'signalbox-app-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
const blobPath = `/v1/gateway/blobs/sha256:${'0'.repeat(64)}`
const asGateway = {
  authenticate: async () => ({
    organisationId: 'org',
    caller: { kind: 'gateway', id: 'g', name: 'g', environment: 'development' } as const,
    actor: 'gateway g',
  }),
}

test('an unknown endpoint and a wrong method are told apart', async () => {
  const { request } = await serveApp({})
  expect(await errorOf(await request('/v1/nothing'))).toMatchObject({ status: 404, code: 'route_not_found' })
  const response = await request('/v1/tokens', { method: 'DELETE' })
  expect(response.headers.get('allow')).toBe('GET, POST')
  expect(await errorOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' })
})

test('a failure that nobody expected is `internal`, without its detail', async () => {
  const { request } = await serveApp({
    listTokens: () => Promise.reject(new Error('password geheim in statement')),
  })
  const error = await errorOf(await request('/v1/tokens'))
  expect(error).toMatchObject({ status: 500, code: 'internal' })
  expect(JSON.stringify(error)).not.toContain('geheim')
})

test('a reply that is not what the contract says is `internal`', async () => {
  const { request } = await serveApp({
    listEnvironments: async () => ({ items: [{ name: 'Not A Name', createdMs: 1 }] }),
  })
  expect(await errorOf(await request('/v1/environments'))).toMatchObject({ status: 500, code: 'internal' })
})

test('a refusal carries code, message, member, problems, waiting time and request id', async () => {
  const problem = { severity: 'error', code: 'x', file: 'a.ts', line: 1, column: 2, message: 'm' } as const
  const { request } = await serveApp({
    listTeams: () => Promise.reject(new CheckRefusal([problem])),
    listTokens: () =>
      Promise.reject(new Refusal('rate_limited', { retryAfterS: 3, param: 'p', detail: 'd' })),
  })
  expect(await errorOf(await request('/v1/teams'))).toMatchObject({ status: 422, problems: [problem] })
  const limited = await request('/v1/tokens', { headers: { 'x-request-id': 'mine-1' } })
  expect(limited.headers.get('retry-after')).toBe('3')
  expect(limited.headers.get('x-request-id')).toBe('mine-1')
  const error = await errorOf(limited)
  expect(error).toEqual({
    status: 429,
    code: 'rate_limited',
    message: 'Too many requests.',
    param: 'p',
    requestId: 'mine-1',
  })
})

test('a request id that is no plain word is replaced', async () => {
  const { request } = await serveApp({ listEnvironments: async () => ({ items: [] }) })
  const response = await request('/v1/environments', { headers: { 'x-request-id': 'a b<c>' } })
  expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
})

test('every response is protected, and the API is never cached', async () => {
  const { request } = await serveApp({ listEnvironments: async () => ({ items: [] }) })
  for (const path of ['/v1/environments', '/v1/nothing', '/', '/healthz']) {
    const { headers } = await request(path)
    expect(headers.get('content-security-policy'), path).toContain("default-src 'self'")
    expect(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
    expect(headers.get('x-content-type-options'), path).toBe('nosniff')
    expect(headers.get('x-powered-by'), path).toBeNull()
  }
  const api = await request('/v1/environments')
  expect(api.headers.get('cache-control')).toBe('no-store')
  expect(api.headers.get('etag')).toBeNull()
})

test('a handler may set status and headers of its own, and send bytes', async () => {
  const bytes = new Uint8Array([0, 1, 254, 255])
  const { request } = await serveApp(
    {
      gatewayBlob: async () => replyWith(bytes, { headers: { etag: '"x"' } }),
      gatewayDocument: async () => replyWith<never>(undefined, { status: 304, headers: { etag: '"y"' } }),
    },
    asGateway,
  )
  const blob = await request(blobPath)
  expect(blob.headers.get('etag')).toBe('"x"')
  expect(blob.headers.get('content-type')).toBe('application/octet-stream')
  expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes)
  expect((await request('/v1/gateway/documents/state', { headers: { 'cache-control': 'x' } })).status).toBe(
    304,
  )
})

test('too much waiting for the database is refused at once', async () => {
  const { request } = await serveApp({}, { overloaded: () => true })
  const response = await request('/v1/tokens')
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await errorOf(response)).toMatchObject({ status: 503, code: 'not_ready' })
})

async function* countUp(signal: AbortSignal, ended: () => void) {
  try {
    for (let sequence = 1; !signal.aborted; sequence++) {
      yield { kind: 'state', sequence } as const
      await sleep(1)
    }
  } finally {
    ended()
  }
}

test('events are sent as they come; when the client goes, the source ends', async () => {
  let ended = 0
  const { url } = await serveApp({ gatewayEvents: ({ signal }) => countUp(signal, () => ended++) }, asGateway)
  const text = await new Promise<string>((resolve, reject) => {
    const request = httpRequest(`${url}/v1/gateway/events`, (response) => {
      let received = ''
      expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8')
      response.on('data', (chunk: Buffer) => {
        received += chunk.toString()
        if (!received.includes('"sequence":3')) return
        request.destroy()
        resolve(received)
      })
    })
    request.on('error', reject).end()
  })
  expect(text).toMatch(/^retry: 2000\n\nevent: document\ndata: \{"kind":"state","sequence":1\}\n\n/)
  await eventually(() => expect(ended).toBe(1))
})

test('a client that does not read holds the source up', async () => {
  let yielded = 0
  async function* endless(signal: AbortSignal) {
    while (!signal.aborted) {
      yielded++
      yield { kind: 'state', sequence: 1 } as const
    }
  }
  const { url } = await serveApp({ gatewayEvents: ({ signal }) => endless(signal) }, asGateway)
  const request = httpRequest(`${url}/v1/gateway/events`)
  request.on('response', (response) => response.pause()).on('error', () => undefined)
  request.end()
  await eventually(async () => {
    const before = yielded
    await sleep(200)
    expect(before).toBeGreaterThan(0)
    expect(yielded).toBe(before)
  }, 10_000)
  request.destroy()
})

test('a source that fails before its first document gives an error reply', async () => {
  const { request } = await serveApp({
    // biome-ignore lint/correctness/useYield: it fails before it has anything to give.
    async *followRecords() {
      await sleep(5)
      throw new Refusal('not_found', { message: 'no such team' })
    },
  })
  expect(await errorOf(await request('/v1/records/follow'))).toMatchObject({
    status: 404,
    message: 'no such team',
  })
})

test('on drain readiness ends, streams end, and a write in progress finishes', async () => {
  const released = Promise.withResolvers<void>()
  const { app, request } = await serveApp({
    async *followRecords({ signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
    createToken: async (context) => {
      await released.promise
      if (context.signal.aborted) throw new Refusal('draining')
      const dates = { createdMs: 1, expiresMs: null, lastUsedMs: null, revokedMs: null }
      const node = { id: 'root', path: '' }
      return { id: 'i', name: 'n', role: 'viewer', node, token: 't', ...dates }
    },
  })
  expect((await request('/readyz')).status).toBe(200)
  const stream = await request('/v1/records/follow')
  const write = request('/v1/tokens', { method: 'POST', body: '{"name":"a","role":"viewer"}' })
  await sleep(50)
  app.drain()
  expect((await request('/readyz')).status).toBe(503)
  expect((await request('/healthz')).status).toBe(200)
  expect(await stream.text()).toBe('retry: 2000\n\n')
  released.resolve()
  expect((await write).status).toBe(201)
})

test('the contract is served where it was generated', async () => {
  const openApiFile = join(top, 'openapi.json')
  writeFileSync(openApiFile, '{"openapi":"3.1.0"}')
  const { request } = await serveApp({}, { openApiFile })
  expect(await (await request('/openapi.json')).json()).toEqual({ openapi: '3.1.0' })
  const without = await serveApp({}, { openApiFile: join(top, 'missing.json') })
  expect((await without.request('/openapi.json')).status).toBe(404)
})

test('the schemas of files that authors write are served, each by its name', async () => {
  const { request } = await serveApp({})
  for (const name of ['policy-1.json', 'guardrail-1.json', 'workspace-1.json', 'cases-1.json']) {
    const response = await request(`/schema/${name}`)
    expect(response.headers.get('content-type'), name).toContain('application/schema+json')
    expect(await response.json()).toMatchObject({ $schema: 'http://json-schema.org/draft-07/schema#' })
  }
  expect((await request('/schema/policy-2.json')).status).toBe(404)
})

test('the console is served at every path that is none of the API, and its files are kept by browsers', async () => {
  const consoleFolder = join(top, 'dist')
  mkdirSync(join(consoleFolder, 'assets'), { recursive: true })
  writeFileSync(join(consoleFolder, 'index.html'), '<!doctype html><title>console</title>')
  writeFileSync(join(consoleFolder, 'assets/app-1a2b.js'), 'export {}')
  const { request } = await serveApp({}, { consoleFolder })
  for (const path of ['/', '/decisions', '/teams/search?x=1']) {
    const response = await request(path)
    expect(response.headers.get('content-type'), path).toContain('text/html')
    expect(response.headers.get('cache-control'), path).toBe('no-cache')
    expect(await response.text(), path).toContain('<title>console</title>')
  }
  const asset = await request('/assets/app-1a2b.js')
  expect(asset.headers.get('content-type')).toContain('javascript')
  expect(asset.headers.get('cache-control')).toContain('immutable')
  expect((await request('/assets/other.js')).status).toBe(404)
  expect((await request('/%2e%2e/openapi.json')).status).toBe(404)
  expect((await request('/decisions', { method: 'POST' })).status).toBe(404)
})

test('where the console is not built a page says how to build it', async () => {
  const { request } = await serveApp({}, { consoleFolder: join(top, 'missing') })
  const response = await request('/')
  expect(response.status).toBe(200)
  expect(await response.text()).toContain('npm run build')
})
