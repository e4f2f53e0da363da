import { once } from 'node:events'
import { type AddressInfo, connect, type Socket } from 'node:net'
import OpenAI from 'openai'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { allow, connectionOf, deny, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'

const units = {
  input: 1_000_000,
  output: 2_000_000,
  audioIn: 10_000_000,
  audioOut: 20_000_000,
  cacheRead: 500_000,
}
const model = {
  provider: 'openai',
  id: 'gpt-realtime',
  spellings: [],
  prices: [{ units }],
  tier: 'mid' as const,
}
const usage = {
  total_tokens: 130,
  input_tokens: 100,
  output_tokens: 30,
  input_token_details: {
    text_tokens: 40,
    audio_tokens: 60,
    cached_tokens: 20,
    cached_tokens_details: { text_tokens: 20, audio_tokens: 0 },
  },
  output_token_details: { text_tokens: 10, audio_tokens: 20 },
}

const noVoice = {
  code: 'NO_VOICE',
  policy: 'p',
  rule: 'r',
  workspace: 'acme',
  http: 403,
  audience: 'caller',
} as const

let upstream: WebSocketServer
let gateway: RunningGateway
let seen: { readonly url: string; readonly key: string | undefined; readonly messages: string[] }[]
/** What the upstream does with a message. */
let react: (socket: WebSocket, message: { type: string }) => void

const send = (socket: WebSocket, value: object): void => socket.send(JSON.stringify(value))
const turn = (socket: WebSocket, id = 'resp_1'): void => {
  send(socket, { type: 'response.created', response: { id, status: 'in_progress' } })
  send(socket, { type: 'response.output_text.delta', response_id: id, delta: 'Hello' })
  send(socket, { type: 'response.done', response: { id, status: 'completed', usage } })
}

beforeEach(async () => {
  seen = []
  react = (socket, message) => {
    if (message.type === 'response.create') turn(socket)
  }
  upstream = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(upstream, 'listening')
  upstream.on('connection', (socket, { url = '', headers }) => {
    const session = { url, key: headers.authorization, messages: [] as string[] }
    seen.push(session)
    send(socket, { type: 'session.created', session: { id: 'sess_1' } })
    socket.on('message', (data) => {
      session.messages.push(String(data))
      react(socket, JSON.parse(String(data)))
    })
  })
  gateway = await startGateway({ snapshot: snapshotOf() })
})
afterEach(async () => {
  for (const client of upstream.clients) client.terminate()
  await gateway.close()
  upstream.close()
})

function snapshotOf(rest: Parameters<typeof memorySnapshot>[0] = {}) {
  const { port } = upstream.address() as AddressInfo
  const connections = [
    connectionOf('openai', { baseUrl: `http://127.0.0.1:${port}/v1` }),
    connectionOf('anthropic'),
  ]
  return memorySnapshot({ connections, catalogue: [model], ...rest })
}

/** The official client speaks TLS alone, which ends before this gateway. */
const plain = (): Socket => connect(Number(new URL(gateway.url).port), '127.0.0.1')

/** A plain client, with everything that it is told. */
async function open(
  query = '?model=openai/gpt-realtime',
  headers: Record<string, string> = { authorization: `Bearer ${memoryKey}` },
) {
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime${query}`, { headers })
  const told: { type: string; error?: { code?: string } }[] = []
  socket.on('message', (data) => told.push(JSON.parse(String(data))))
  const closed = once(socket, 'close') as Promise<[number, Buffer]>
  const refused = new Promise<{ status: number; text: string }>((resolve) => {
    socket.on('unexpected-response', (_request, response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => {
        text += String(chunk)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
  })
  socket.on('error', () => {})
  const state = await Promise.race([once(socket, 'open').then(() => 'open' as const), refused])
  return { socket, told, closed, refused: state === 'open' ? undefined : state }
}

async function until(what: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !what(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(what()).toBe(true)
}

describe('a realtime session', () => {
  it('works with the official client, and its turn is settled and recorded', async () => {
    const client = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1` })
    const session = new OpenAIRealtimeWS(
      { model: 'openai/gpt-realtime', options: { createConnection: plain } },
      client,
    )
    await once(session.socket, 'open')
    const done = new Promise<unknown>((resolve) => session.on('response.done', resolve))
    session.send({ type: 'response.create' })
    expect(await done).toMatchObject({ response: { usage } })
    expect(seen[0]).toMatchObject({
      url: '/v1/realtime?model=gpt-realtime',
      key: 'Bearer upstream-secret-0123456789',
    })
    const { row, body } = await gateway.lastRecord()
    expect(row).toMatchObject({
      operation: 'realtime',
      target: 'openai/gpt-realtime',
      evidence: 'reported',
      usage: { input: 20, cacheRead: 20, audioIn: 60, output: 10, audioOut: 20 },
      costNanoUsd: String(20_000 + 10_000 + 600_000 + 20_000 + 400_000),
      status: 200,
    })
    session.close()
    const { row: whole } = await gateway.lastRecord(2)
    expect(whole).toMatchObject({ operation: 'realtime', status: 101, evidence: 'none' })
    expect(body.facts?.session?.id).toBe(whole.id)
  })

  it('records every turn by itself, those that the upstream begins too', async () => {
    const { socket, told } = await open()
    react = (upstreamSocket) => {
      turn(upstreamSocket, 'resp_1')
      turn(upstreamSocket, 'resp_2')
    }
    socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: 'AAAA' }))
    await gateway.lastRecord(2)
    await until(() => told.filter(({ type }) => type === 'response.done').length === 2)
    socket.close()
  })

  it('is refused before it is one: no key, no model, no such path, a policy, no provider that has it', async () => {
    expect((await open(undefined, {})).refused?.status).toBe(401)
    expect((await open('')).refused?.status).toBe(400)
    expect((await open('/nothing')).refused?.status).toBe(404)
    expect((await open('?model=anthropic/claude-opus-4-8')).refused).toMatchObject({ status: 400 })
    gateway.snapshot = snapshotOf({
      decide: () => deny([noVoice]),
    })
    const { refused } = await open()
    expect(refused?.status).toBe(403)
    expect(refused?.text).toContain('NO_VOICE')
    expect(seen).toEqual([])
  })

  it('goes to the next target where the first will not have it', async () => {
    const of = [{ target: 'anthropic/claude-opus-4-8' }, { target: 'openai/gpt-realtime' }]
    gateway.snapshot = snapshotOf({ decide: () => allow({ strategy: 'ordered', of }) })
    const { socket, refused } = await open()
    expect(refused).toBeUndefined()
    socket.close()
  })

  it('takes the key of a browser from the protocols, and tells nobody else', async () => {
    const url = `${gateway.url.replace('http', 'ws')}/v1/realtime?model=gpt-realtime`
    const socket = new WebSocket(url, ['realtime', `openai-insecure-api-key.${memoryKey}`])
    await once(socket, 'open')
    expect(socket.protocol).toBe('realtime')
    socket.close()
  })

  it.each([
    [
      'another model',
      { type: 'session.update', session: { model: 'gpt-realtime-large' } },
      'unsupported_feature',
    ],
    ['no JSON', 'hello', 'invalid_request'],
  ])('answers %s with an error event, and goes on', async (_what, message, code) => {
    const { socket, told } = await open()
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
    await until(() => told.some(({ error }) => error?.code === code))
    socket.send(JSON.stringify({ type: 'response.create' }))
    await until(() => told.some(({ type }) => type === 'response.done'))
    expect(seen[0]?.messages).toHaveLength(1)
    socket.close()
  })

  it('admits no turn of a key that is none any more', async () => {
    const { socket, told, closed } = await open()
    const snapshot = gateway.snapshot
    gateway.snapshot = snapshot && { ...snapshot, findKey: () => 'revoked' }
    socket.send(JSON.stringify({ type: 'response\u002ecreate' }))
    expect((await closed)[0]).toBe(1008)
    expect(told.some(({ error }) => error?.code === 'key_revoked')).toBe(true)
    expect(seen[0]?.messages).toEqual([])
  })

  it('ends with an error event and a code where the upstream dies, and the cut turn is estimated', async () => {
    react = (socket) => {
      send(socket, { type: 'response.created', response: { id: 'resp_1' } })
      send(socket, { type: 'response.output_text.delta', delta: 'Hello' })
      setTimeout(() => socket.terminate(), 20)
    }
    const { socket, told, closed } = await open()
    socket.send(JSON.stringify({ type: 'response.create' }))
    expect((await closed)[0]).toBe(1011)
    expect(told.at(-1)).toMatchObject({ type: 'error', error: { code: 'upstream_reset' } })
    await gateway.lastRecord(2)
    const [cut] = gateway.records
    expect(cut?.row).toMatchObject({ evidence: 'estimated', errorCode: 'upstream_reset', truncated: true })
    expect(cut?.row.usage.output).toBeGreaterThan(0)
  })

  it('ends at the upstream when the caller goes', async () => {
    const { socket } = await open()
    const [inner] = upstream.clients
    const gone = inner === undefined ? undefined : once(inner, 'close')
    socket.terminate()
    await gone
    const { row } = await gateway.lastRecord()
    expect(row.status).toBe(101)
  })

  it('does not read faster than the caller does', async () => {
    const { socket, told } = await open()
    const [inner] = upstream.clients
    socket.pause()
    const delta = JSON.stringify({ type: 'response.output_audio.delta', delta: 'A'.repeat(500_000) })
    for (let index = 0; index < 60; index++) inner?.send(delta)
    await new Promise((resolve) => setTimeout(resolve, 200))
    // What is neither with the caller nor in sockets still waits at the upstream.
    expect(inner?.bufferedAmount).toBeGreaterThan(5_000_000)
    socket.resume()
    await until(() => told.length === 61)
    socket.close()
  })

  it('is drained at its turn’s end, and cut with an error event where that takes too long', async () => {
    react = (socket) => {
      send(socket, { type: 'response.created', response: { id: 'resp_1' } })
      setTimeout(
        () => send(socket, { type: 'response.done', response: { id: 'resp_1', status: 'completed', usage } }),
        100,
      )
    }
    const { socket, told, closed } = await open()
    socket.send(JSON.stringify({ type: 'response.create' }))
    await until(() => told.some(({ type }) => type === 'response.created'))
    expect(await gateway.server.drain(3000)).toBe(0)
    expect((await closed)[0]).toBe(1001)
    expect(told.slice(-2)).toMatchObject([
      { type: 'response.done' },
      { type: 'error', error: { code: 'draining' } },
    ])
  })
})
