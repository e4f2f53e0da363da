import { setTimeout as wait } from 'node:timers/promises'
import { Refusal } from '@signalbox/sdk/contract'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RawClient, rawClient } from '../support/raw-client.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import {
  chatChunk,
  chatCompletion,
  chatStream,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream.ts'

let upstream: ScriptedUpstream
let gateway: RunningGateway
const chat = { model: 'gpt-5.2', messages: [{ role: 'user', content: 'Hello' }] }
const bodyBytesMax = 200_000

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
    connectionOf('anthropic', { baseUrl: upstream.url }),
  ]
  gateway = await startGateway({
    snapshot: memorySnapshot({ connections }),
    bodyBytesMax,
    defaults: { clientIdleMs: 400 },
  })
})
afterEach(() => {
  gateway.records.length = 0
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

function head(path: string, headers: Record<string, string | number> = {}, method = 'POST'): string {
  const lines = Object.entries({ host: 'x', authorization: `Bearer ${memoryKey}`, ...headers })
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`
}
function post(
  body: string,
  headers: Record<string, string | number> = {},
  path = '/v1/chat/completions',
): RawClient {
  const all = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers }
  return rawClient(gateway.url, head(path, all) + body)
}

describe('a caller who goes away', () => {
  it('before the answer begins takes the upstream with him, within 100 ms', async () => {
    let goneMs = 0
    const seen = new Promise<void>((resolve) => {
      upstream.play(async (turn) => {
        resolve()
        await turn.closed()
        goneMs = performance.now()
      })
    })
    const aborter = new AbortController()
    const request = gateway
      .send('/v1/chat/completions', chat, { signal: aborter.signal })
      .catch(() => undefined)
    await seen
    const leftMs = performance.now()
    aborter.abort()
    await request
    const { row, body } = await gateway.lastRecord()
    await eventually(() => expect(goneMs).toBeGreaterThan(0))
    expect(goneMs - leftMs).toBeLessThan(100)
    expect(row).toMatchObject({ status: 499, errorCode: 'client_closed', evidence: 'estimated' })
    expect(body.attempts[0]).toMatchObject({ outcome: 'aborted', winner: false })
  })

  it('in the middle of a stream takes the upstream with him, and pays for what he got', async () => {
    let goneMs = 0
    upstream.play(async (turn) => {
      turn.events(chatChunk({ role: 'assistant', content: 'x'.repeat(400) }))
      await turn.closed()
      goneMs = performance.now()
    })
    const aborter = new AbortController()
    const response = await gateway.send(
      '/v1/chat/completions',
      { ...chat, stream: true },
      { signal: aborter.signal },
    )
    await response.body?.getReader().read()
    const leftMs = performance.now()
    aborter.abort()
    const { row, body } = await gateway.lastRecord()
    await eventually(() => expect(goneMs).toBeGreaterThan(0))
    expect(goneMs - leftMs).toBeLessThan(100)
    expect(row).toMatchObject({
      status: 200,
      errorCode: 'client_closed',
      truncated: false,
      evidence: 'estimated',
    })
    expect(row.usage.output).toBeGreaterThanOrEqual(100)
    expect(body.attempts[0]).toMatchObject({ outcome: 'aborted', winner: true })
    expect(gateway.records).toHaveLength(1)
  })

  it('while he sends his body leaves a record and no attempt', async () => {
    const before = upstream.requests.length
    const client = post('{"model"', { 'content-length': 1000 })
    await wait(50)
    client.socket.destroy()
    expect((await gateway.lastRecord()).row).toMatchObject({
      status: 499,
      errorCode: 'client_closed',
      attempts: 0,
    })
    expect(upstream.requests.length).toBe(before)
  })
})

describe('a caller who reads slowly', () => {
  const piece = chatChunk({ content: 'x'.repeat(60_000) })
  /** Streams as fast as it may, up to 60 MB. */
  function playFlood(): { written: () => number } {
    let written = 0
    upstream.play((turn) => {
      turn.events(chatChunk({ role: 'assistant', content: '' }))
      const more = (): void => {
        while (written < 60_000_000 && !turn.response.destroyed) {
          written += piece.length
          if (!turn.response.write(piece)) {
            turn.response.once('drain', more)
            return
          }
        }
        turn.response.end(chatStream('end').slice(-3).join(''))
      }
      more()
    })
    return { written: () => written }
  }

  it('makes the upstream wait, and gets everything in the end', async () => {
    const flood = playFlood()
    const response = await gateway.send('/v1/chat/completions', { ...chat, stream: true })
    await wait(200)
    expect(flood.written()).toBeLessThan(30_000_000)
    const text = await response.text()
    expect(text.length).toBeGreaterThan(60_000_000)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect((await gateway.lastRecord()).row).toMatchObject({ truncated: false, evidence: 'reported' })
  })

  it('and at last not at all is cut off', async () => {
    playFlood()
    const client = post(JSON.stringify({ ...chat, stream: true }))
    await eventually(() => expect(client.received()).toContain('text/event-stream'))
    client.socket.pause()
    const { row } = await gateway.lastRecord()
    expect(row).toMatchObject({ errorCode: 'client_closed', status: 200 })
    client.socket.resume()
    await client.closed
  })
})

describe('a body', () => {
  it('that is too large by its own account is refused before it comes', async () => {
    const client = post('', { 'content-length': bodyBytesMax + 1 })
    await eventually(() => expect(client.received()).toContain('413'))
    expect(client.received()).toContain('request_too_large')
    expect((await gateway.lastRecord()).row).toMatchObject({ status: 413, errorCode: 'request_too_large' })
    client.socket.destroy()
  })

  it.each([
    '/v1/chat/completions',
    '/v1/messages',
  ])('that turns out too large is refused in the dialect of %s', async (path) => {
    const body = JSON.stringify({ ...chat, messages: [{ role: 'user', content: 'x'.repeat(3_000_000) }] })
    const response = await gateway.send(path, body)
    expect(response.status).toBe(413)
    expect(JSON.stringify(await response.json())).toMatch(/request_too_large/)
    const client = rawClient(gateway.url, head(path, { 'transfer-encoding': 'chunked' }))
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
    for (let count = 0; count < 5; count++) client.write(chunk)
    await eventually(() => expect(client.received()).toContain('413'))
    client.socket.destroy()
  })

  it('in many pieces is one body', async () => {
    upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const text = JSON.stringify({ ...chat, messages: [{ role: 'user', content: 'žluťoučký 🚂'.repeat(50) }] })
    const bytes = Buffer.from(text)
    const client = rawClient(
      gateway.url,
      head('/v1/chat/completions', { 'content-length': bytes.length, expect: '100-continue' }),
    )
    for (let at = 0; at < bytes.length; at += 97) {
      client.write(bytes.subarray(at, at + 97))
      await new Promise((resolve) => setImmediate(resolve))
    }
    await eventually(() => expect(client.received()).toContain('200 OK'))
    expect(upstream.requests.at(-1)?.text).toBe(text)
    client.socket.destroy()
  })

  it.each<[string, string]>([
    [
      'nested without end',
      `{"model":"gpt-5.2","messages":[{"role":"user","content":"x"}],"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    ],
    [
      'with prototypes',
      '{"model":"gpt-5.2","__proto__":{"stream":true},"messages":[{"role":"user","content":"x"}]}',
    ],
    ['with half a character', '{"model":"gpt-5.2","messages":[{"role":"user","content":"\\ud800"}]}'],
    [
      'with a number beyond all',
      '{"model":"gpt-5.2","seed":12345678901234567890,"messages":[{"role":"user","content":"x"}]}',
    ],
  ])('%s goes out as it came, or is refused', async (_name, body) => {
    upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const response = await gateway.send('/v1/chat/completions', body)
    expect([200, 400]).toContain(response.status)
    if (response.status === 200) expect(upstream.requests.at(-1)?.text).toBe(body)
  })

  it('that names its model twice goes out with the one that was decided on', async () => {
    upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const rest = '"messages":[{"role":"user","content":"x"}]}'
    const response = await gateway.send('/v1/chat/completions', `{"model":"dear","model":"gpt-5.2",${rest}`)
    expect(response.headers.get('x-signalbox-target')).toBe('openai/gpt-5.2')
    expect(upstream.requests.at(-1)?.text).toBe(`{"model":"gpt-5.2",${rest}`)
  })

  it('that does not come in time is answered with 408', async () => {
    const { server } = gateway.server
    const before = server.requestTimeout
    server.requestTimeout = 200
    server.headersTimeout = 200
    const slowBody = post('{', { 'content-length': 100 })
    const slowHead = rawClient(gateway.url, 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n')
    const [body, headers] = await Promise.all([slowBody.closed, slowHead.closed])
    server.requestTimeout = before
    server.headersTimeout = 10_000
    expect(body).toMatch(/^HTTP\/1.1 408/)
    expect(headers).toMatch(/^HTTP\/1.1 408/)
  })
})

describe('HTTP that is wrong', () => {
  it.each<[string, string]>([
    ['two lengths', head('/v1/chat/completions', { 'content-length': 5, 'transfer-encoding': 'chunked' })],
    ['a folded header', 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-a: b\r\n c\r\n\r\n'],
    ['a NUL in a header', 'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-a: b\u0000c\r\n\r\n'],
    [
      'a chunk that is none',
      `${head('/v1/chat/completions', { 'transfer-encoding': 'chunked' })}zz\r\n{}\r\n`,
    ],
    ['nonsense', 'HELLO\r\n\r\n'],
    ['no host', 'POST /v1/chat/completions HTTP/1.1\r\n\r\n'],
  ])('for %s is refused and the connection closed', async (_name, text) => {
    const answer = await rawClient(gateway.url, text).closed
    expect(answer).toMatch(/^HTTP\/1.1 400/)
  })

  it('with too many headers is refused', async () => {
    const answer = await rawClient(gateway.url, head('/', { 'x-a': 'y'.repeat(80_000) })).closed
    expect(answer).toMatch(/^HTTP\/1.1 431/)
  })

  it('of version 1.0 is answered', async () => {
    const answer = await rawClient(gateway.url, `GET /healthz HTTP/1.0\r\n\r\n`).closed
    expect(answer).toMatch(/^HTTP\/1.1 200 OK/)
  })

  it('in one piece for several calls is answered in order', async () => {
    let count = 0
    upstream.play((turn) => turn.json(200, chatCompletion(`answer ${++count}`)))
    const body = JSON.stringify(chat)
    const one =
      head('/v1/chat/completions', { 'content-length': body.length, 'content-type': 'application/json' }) +
      body
    const client = rawClient(gateway.url, one + one)
    await eventually(() => expect(client.received().match(/200 OK/g)).toHaveLength(2))
    expect(gateway.records).toHaveLength(2)
    client.socket.destroy()
  })
})

it('a call that is cut by the gateway itself ends with an error event and a record', async () => {
  upstream.play((turn) => turn.events(chatChunk({ role: 'assistant', content: 'begun' })))
  const own = await startGateway({
    snapshot: memorySnapshot({ connections: [connectionOf('openai', { baseUrl: `${upstream.url}/v1` })] }),
  })
  const response = await own.send('/v1/chat/completions', { ...chat, stream: true })
  const [cut, text] = await Promise.all([own.server.drain(50), response.text()])
  expect(cut).toBe(1)
  expect(text).toContain('begun')
  expect(text).toContain(`"code":"${new Refusal('draining').code}"`)
  expect((await own.lastRecord()).row).toMatchObject({ truncated: true, errorCode: 'draining', status: 200 })
})
