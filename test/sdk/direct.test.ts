import { ApiError, GatewayClient } from '@signalbox/sdk'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DirectStorage } from '../../sdk/direct.ts'
import { buildLine } from '../gateway/line.ts'
import { type CuttableLine, openLine } from '../support/cuttable-line.ts'
import { eventually } from '../support/eventually.ts'
import { memoryKey } from '../support/memory-snapshot.ts'
import {
  chatCompletion,
  chatStream,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream.ts'

const line = buildLine()
let provider: ScriptedUpstream
let cable: CuttableLine
beforeAll(async () => {
  provider = await startScriptedUpstream()
  cable = await openLine({ host: '127.0.0.1', port: Number(new URL(line.gateway.url).port) })
})
beforeEach(() => {
  cable.mend()
  provider.requests.length = 0
  provider.play((turn) => turn.json(200, chatCompletion('Directly')))
  line.upstream.play((turn) => turn.json(200, chatCompletion('Through the gateway')))
  allow(true)
})
afterEach(() => provider.play())
afterAll(async () => {
  await cable.close()
  await provider.close()
})

/** Whether the key that all callers here have may go past the gateway. */
function allow(direct: boolean): void {
  const snapshot = line.snapshotOf({ aliases: { smart: ['openai/gpt-5.2'] } })
  line.gateway.snapshot = {
    ...snapshot,
    findKey(hash) {
      const key = snapshot.findKey(hash)
      return typeof key === 'object' ? { ...key, scopes: { direct } } : key
    },
  }
}

const question = [{ role: 'user' as const, content: 'Hello' }]
const ask = { model: 'openai/gpt-5.2', messages: question }
function clientWith(rest: { storage?: DirectStorage; key?: string } = {}): GatewayClient {
  const openai = { key: 'sk-of-the-program', baseUrl: `${provider.url}/v1` }
  return new GatewayClient({
    url: `http://127.0.0.1:${cable.port}`,
    key: memoryKey,
    direct: { openai },
    ...rest,
  })
}
/** A client that has learnt what its key may. */
async function learned(): Promise<GatewayClient> {
  const client = clientWith()
  await client.chat(ask)
  await eventually(() => expect(client.direct?.isAllowed).toBe(true))
  line.gateway.records.length = 0
  return client
}
const textOf = (reply: { choices: readonly { message: { content: string | null } }[] }) =>
  reply.choices[0]?.message.content

describe('a client with keys of providers', () => {
  it('goes through the gateway while that answers', async () => {
    const client = await learned()
    const reply = await client.chat(ask)
    expect([textOf(reply), reply.decided.direct]).toEqual(['Through the gateway', false])
    expect(provider.requests).toEqual([])
  })

  it('asks the provider itself while the gateway is not reached, with its own key and nothing of ours', async () => {
    const client = await learned()
    cable.cut()
    const reply = await client.chat(ask, { metadata: { feature: 'x' } })
    expect([textOf(reply), reply.decided.direct]).toEqual(['Directly', true])
    const [sent] = provider.requests
    expect(sent?.headers.authorization).toBe('Bearer sk-of-the-program')
    expect(sent?.json).toEqual({ model: 'gpt-5.2', messages: question, stream: false })
    expect(JSON.stringify(sent?.headers)).not.toContain('signalbox')
  })

  it('does so for streams, and where the gateway says that it is not ready', async () => {
    const client = await learned()
    provider.play((turn) => {
      turn.events(chatStream('Directly').join(''))
      turn.response.end()
    })
    line.gateway.snapshot = undefined
    const stream = await client.chatStream(ask)
    expect([stream.decided.direct, await stream.text()]).toEqual([true, 'Directly'])
  })

  it('follows an alias to the target that last answered for it', async () => {
    const client = clientWith()
    await client.chat({ ...ask, model: 'smart' })
    await eventually(() => expect(client.direct?.isAllowed).toBe(true))
    cable.cut()
    await client.chat({ ...ask, model: 'smart' })
    expect(provider.requests[0]?.json).toMatchObject({ model: 'gpt-5.2' })
    await expect(client.chat({ ...ask, model: 'never-asked/x' })).rejects.toMatchObject({ status: 0 })
  })

  it('never does after a refusal', async () => {
    const client = await learned()
    line.upstream.play((turn) => turn.json(401, { error: { message: 'no' } }))
    await expect(client.chat(ask)).rejects.toBeInstanceOf(ApiError)
    await expect(client.chat({ ...ask, messages: [] })).rejects.toMatchObject({ status: 400 })
    await expect(clientWith({ key: 'sb_dunknown' }).chat(ask)).rejects.toMatchObject({ status: 401 })
    const stopped = new AbortController()
    stopped.abort()
    await expect(client.chat(ask, { signal: stopped.signal })).rejects.toThrow()
    expect(provider.requests).toEqual([])
  })

  it('does not where the key does not allow it, where nobody said so yet, or for a prompt of the gateway', async () => {
    const client = await learned()
    cable.cut()
    await expect(client.chat(ask, { prompt: { name: 'support', variables: {} } })).rejects.toMatchObject({
      status: 0,
    })
    await expect(clientWith().chat(ask)).rejects.toMatchObject({ status: 0 })
    cable.mend()
    allow(false)
    await client.direct?.learn()
    cable.cut()
    await expect(client.chat(ask)).rejects.toMatchObject({ status: 0 })
    expect(provider.requests).toEqual([])
  })

  it('remembers what it may, and what is untold, in a storage', async () => {
    const kept = new Map<string, string>()
    const storage: DirectStorage = {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, text) => void kept.set(name, text),
    }
    const before = clientWith({ storage })
    await before.chat(ask)
    await eventually(() => expect(before.direct?.isAllowed).toBe(true))
    cable.cut()
    await before.chat(ask)
    const after = clientWith({ storage })
    expect(textOf(await after.chat(ask))).toBe('Directly')
    expect(after.direct?.untold).toBe(2)
    expect([...kept.values()].join()).not.toContain('sk-of-the-program')
  })

  it('sees an answer to every call while the gateway goes away under load', async () => {
    const client = await learned()
    line.upstream.play(
      (turn) => void setTimeout(() => turn.json(200, chatCompletion('Through the gateway')), 20),
    )
    let through = 0
    const calls = Array.from({ length: 200 }, async (_, at) => {
      await new Promise((resolve) => setTimeout(resolve, at * 5))
      const text = textOf(await client.chat(ask))
      // In the midst of the others, whatever the machine's speed.
      if (text === 'Through the gateway' && ++through === 20) cable.cut()
      return text
    })
    const answers = await Promise.all(calls)
    expect(answers.filter((text) => text === 'Directly').length).toBeGreaterThan(100)
    expect(answers.filter((text) => text === 'Through the gateway').length).toBeGreaterThan(10)
    expect(answers.every((text) => text !== undefined)).toBe(true)
    expect(client.direct?.untold).toBe(answers.filter((text) => text === 'Directly').length)
    cable.mend()
    await client.chat(ask)
    await eventually(() => expect(client.direct?.untold).toBe(0))
    const told = line.gateway.records.filter(({ row }) => row.direct)
    expect(told).toHaveLength(answers.filter((text) => text === 'Directly').length)
  })
})

describe('a call that was made past the gateway', () => {
  it('is told when it is back: as a record that is flagged, has a price, and was not decided', async () => {
    const client = await learned()
    cable.cut()
    await client.chat(ask, { metadata: { unknown: 'x' } })
    cable.mend()
    await client.chat(ask)
    await eventually(() => expect(client.direct?.untold).toBe(0))
    const record = line.gateway.records.find(({ row }) => row.direct)
    expect(record?.row).toMatchObject({
      direct: true,
      effect: 'none',
      target: 'openai/gpt-5.2',
      keyId: 'key-1',
      nodeId: 'project-1',
      usage: { input: 10, output: 5 },
      costNanoUsd: '20000',
      status: 200,
    })
    expect(record?.body.undeclaredMetadata).toEqual(['unknown'])
    expect(record?.body.decision).toBeUndefined()
  })

  const call = {
    ...{ id: 'call-0001', durationMs: 5, provider: 'openai', model: 'gpt-5.2', requested: 'smart' },
    ...{ stream: false, status: 200, reason: 'unreachable' },
  }
  const tell = (change: object = {}) =>
    line.gateway.send('/v1/direct', { calls: [{ ...call, timeMs: Date.now() - 1000, ...change }] })

  it('that is told twice is the same record', async () => {
    const timeMs = Date.now() - 1000
    for (let at = 0; at < 2; at++) expect(await (await tell({ timeMs })).json()).toEqual({ recorded: 1 })
    const ids = line.gateway.records.map(({ row }) => `${row.id} ${row.timeMs}`)
    expect([ids.length, new Set(ids).size]).toEqual([2, 1])
  })

  it('is recorded with no more than metering where retention is none', async () => {
    const { snapshot } = line.gateway
    if (snapshot === undefined) throw new Error('there is no snapshot')
    const unrecorded = { all: true, nodes: [], keys: [] }
    line.gateway.snapshot = { ...snapshot, state: { ...snapshot.state, unrecorded } }
    expect((await tell({ requested: 'MARK', model: 'MARK', metadata: { MARK: 'MARK' } })).status).toBe(200)
    expect(line.gateway.records).toMatchObject([
      {
        row: { target: 'openai/unlisted', modelRequested: 'openai/unlisted' },
        body: { factsClass: 'digest' },
      },
    ])
    expect(JSON.stringify(line.gateway.records)).not.toContain('MARK')
  })

  it('is refused where it cannot be true, or the key does not allow it', async () => {
    const wrong = [
      { timeMs: Date.now() - 8 * 86_400_000 },
      { timeMs: Date.now() + 3_600_000 },
      { usage: { input: 1e15 } },
      { id: 'a b' },
      { more: 1 },
    ]
    for (const change of wrong) expect((await tell(change)).status).toBe(400)
    allow(false)
    expect((await tell()).status).toBe(403)
    expect(line.gateway.records).toEqual([])
  })

  it('may be made where the key says so to its holder', async () => {
    const key = async () =>
      (
        await fetch(`${line.gateway.url}/v1/key`, { headers: { authorization: `Bearer ${memoryKey}` } })
      ).json() as Promise<{ direct: boolean }>
    expect((await key()).direct).toBe(true)
    allow(false)
    expect((await key()).direct).toBe(false)
  })
})
