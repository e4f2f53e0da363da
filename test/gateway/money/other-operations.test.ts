import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLogger } from '@signalbox/sdk/node'
import { describe, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { HoldJournal } from '../../../gateway/money/hold-journal.ts'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { startGateway } from '../../support/running-gateway.ts'
import { budgetOf, fastTimes, startBudgeted } from './budgeted-gateway.ts'

const dollar = 1_000_000_000n
const embedder = {
  provider: 'openai',
  id: 'text-embedding-3-small',
  spellings: [],
  prices: [{ units: { input: 1_000_000, output: 0 } }],
  tier: 'small' as const,
  contextTokens: 8192,
}
const voice = {
  provider: 'openai',
  id: 'gpt-realtime',
  spellings: [],
  prices: [{ units: { input: 1_000_000, output: 2_000_000, audioIn: 10_000_000, audioOut: 20_000_000 } }],
  tier: 'mid' as const,
  contextTokens: 1000,
  outputTokensMax: 100,
}
/** A thousand tokens of sound in, a hundred out. */
const turnNanoUsd = 10_000_000n + 2_000_000n
const embedding = {
  object: 'list',
  model: 'text-embedding-3-small',
  data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
  usage: { prompt_tokens: 10, total_tokens: 10 },
}

describe('operations beside chat under a hard budget', () => {
  it('embeds with a hold for its input alone', async () => {
    const { gateway, upstream, dispatched, reported, ledger } = await startBudgeted({
      ledger: new MemoryLedger().add('b', dollar),
      snapshot: { catalogue: [embedder] },
    })
    upstream.play((turn) => turn.json(200, embedding))
    const body = { model: 'openai/text-embedding-3-small', input: 'hello' }
    expect((await gateway.send('/v1/embeddings', body)).status).toBe(200)
    expect(dispatched).toHaveLength(1)
    // A token for each byte of the body and some for its frame, a micro-dollar each.
    expect(dispatched[0]?.heldNanoUsd).toBeLessThan(1_200_000n)
    await reported()
    expect(ledger.get('b').settled).toBe(10_000n)
  })

  it('refuses what only its answer could price, before anything goes out', async () => {
    const { gateway, dispatched } = await startBudgeted({ ledger: new MemoryLedger().add('b', dollar) })
    const body = { model: 'openai/gpt-image-1', prompt: 'a lamp' }
    const response = await gateway.send('/v1/images/generations', body)
    expect(response.status).toBe(402)
    expect(await response.json()).toMatchObject({ error: { code: 'price_unknown' } })
    expect(dispatched).toEqual([])
  })

  it('lets nothing but reading and deleting pass by', async () => {
    const { gateway, dispatched } = await startBudgeted({ ledger: new MemoryLedger().add('b', dollar) })
    for (const method of ['PUT', 'PATCH', 'POST']) {
      const headers = { authorization: `Bearer ${memoryKey}`, 'content-type': 'application/json' }
      const init = { method, headers, body: '{}' }
      expect((await fetch(`${gateway.url}/passthrough/openai/things/1`, init)).status, method).toBe(402)
    }
    expect(dispatched).toEqual([])
  })
})

async function realtime(limit: bigint, holdJournal?: HoldJournal) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  let turns = 0
  server.on('connection', (socket) => {
    socket.on('message', () => {
      const id = `resp_${++turns}`
      const usage = { input_tokens: 100, output_tokens: 10 }
      socket.send(JSON.stringify({ type: 'response.created', response: { id } }))
      socket.send(JSON.stringify({ type: 'response.done', response: { id, status: 'completed', usage } }))
    })
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const ledger = new MemoryLedger().add('b', limit)
  ledger.shareMax = 1n
  const gateway = await startGateway({
    ledger,
    moneyTimes: fastTimes,
    ...(holdJournal !== undefined && { holdJournal }),
    snapshot: memorySnapshot({
      connections: [connectionOf('openai', { baseUrl: `http://127.0.0.1:${port}/v1` })],
      catalogue: [voice],
      budgets: [budgetOf('b')],
    }),
  })
  const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/v1/realtime?model=openai/gpt-realtime`, {
    headers: { authorization: `Bearer ${memoryKey}` },
  })
  const told: { type: string; error?: { code?: string } }[] = []
  socket.on('message', (data) => told.push(JSON.parse(String(data))))
  const status = await new Promise<number>((resolve) => {
    socket.once('open', () => resolve(101))
    socket.once('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', () => {})
  })
  return {
    ...{ gateway, ledger, socket, told, status },
    turns: () => turns,
    async say() {
      const before = told.length
      socket.send(JSON.stringify({ type: 'response.create' }))
      for (let tries = 0; tries < 200 && told.length === before; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      await new Promise((resolve) => setTimeout(resolve, 60))
    },
    async close() {
      socket.terminate()
      for (const client of server.clients) client.terminate()
      await gateway.close()
      server.close()
    },
  }
}

describe('a realtime session under a hard budget', () => {
  it('keeps the money of a turn before it begins, settles what it cost, and gives the rest back', async () => {
    const session = await realtime(10n * turnNanoUsd)
    expect(session.status).toBe(101)
    expect(session.gateway.money.status().heldNanoUsd).toBe(turnNanoUsd)
    await session.say()
    const { body } = await session.gateway.lastRecord()
    expect(body.attempts[0]?.hold).toMatchObject({ heldNanoUsd: String(turnNanoUsd), evidence: 'reported' })
    expect(body.attempts[0]?.hold?.settledNanoUsd).toBe('120000')
    session.socket.close()
    for (let tries = 0; tries < 100 && session.gateway.money.status().heldNanoUsd > 0n; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(session.gateway.money.status().heldNanoUsd).toBe(0n)
    await session.close()
  })

  it('has written down what a turn came to before its caller hears of its end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-holds-'))
    const log = createLogger('realtime-test', 'silent')
    const journal = new HoldJournal({ folder, incarnation: 'i', bootId: 'boot', log })
    const session = await realtime(10n * turnNanoUsd, journal)
    /** What the journal had when an end was sent: first by the upstream, then to the caller. */
    const seen: string[] = []
    const { send: original } = WebSocket.prototype
    const send = vi.spyOn(WebSocket.prototype, 'send')
    send.mockImplementation(function (this: WebSocket, ...given) {
      if (String(given[0]).includes('response.done')) seen.push(readFileSync(journal.path, 'utf8'))
      Reflect.apply(original, this, given)
    })
    await session.say()
    send.mockRestore()
    await session.close()
    rmSync(folder, { recursive: true })
    expect(seen.map((text) => /^S /m.test(text))).toEqual([false, true])
  })

  it('is not opened where no turn is covered', async () => {
    const session = await realtime(turnNanoUsd - 1n)
    expect(session.status).toBe(402)
    await session.close()
  })

  it('refuses a turn that nothing is left for, and sends nothing on', async () => {
    const session = await realtime(turnNanoUsd + 50_000n)
    await session.say()
    expect(session.turns()).toBe(1)
    await session.say()
    expect(session.told.at(-1)).toMatchObject({ type: 'error', error: { code: 'budget_exhausted' } })
    expect(session.turns()).toBe(1)
    await session.close()
  })
})
