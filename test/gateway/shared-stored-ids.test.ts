import { createLogger, createSecret, hashSecret } from '@signalbox/sdk/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ControlPlaneOwners, type StoredLink } from '../../gateway/control-plane-owners.ts'
import { createIdSource } from '../../gateway/id-source.ts'
import { openShared } from '../../gateway/redis/open-shared.ts'
import { type SharedOwners, StoredIds } from '../../gateway/stored-ids.ts'
import { eventually } from '../support/eventually.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { describeWith } from '../support/needs.ts'
import { RedisServer } from '../support/redis-server.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

/** A key of another team. */
const strangerKey = createSecret('key', { environment: 'development' })
/** Everything that the upstream keeps here, each under the id that its own API gives it. */
const made = [
  { path: '/v1/responses', body: { model: 'openai/gpt-5.5', input: 'q', store: true }, id: 'resp_1' },
  {
    path: '/v1/batches',
    body: { input_file_id: 'file-1', endpoint: '/v1/x', completion_window: '24h' },
    id: 'batch_1',
  },
  { path: '/v1/messages/batches', body: { requests: [] }, id: 'msgbatch_1' },
  { path: '/v1beta/cachedContents', body: { model: 'gemini/gemini-3-pro' }, id: 'cachedContents/c1' },
] as const
const chat = (rest: object) => JSON.stringify({ model: 'openai/gpt-5.5', input: 'q', ...rest })
/** Every operation that takes an id. */
const operations: readonly (readonly [method: string, path: string, body?: string | undefined])[] = [
  ['GET', '/v1/files/file-1'],
  ['GET', '/v1/files/file-1/content'],
  ['POST', '/v1/batches', JSON.stringify(made[1].body)],
  ['GET', '/v1/batches/batch_1'],
  ['POST', '/v1/batches/batch_1/cancel'],
  ['GET', '/v1/responses/resp_1'],
  ['GET', '/v1/responses/resp_1/input_items'],
  ['POST', '/v1/responses/resp_1/cancel'],
  ['POST', '/v1/responses', chat({ previous_response_id: 'resp_1' })],
  ['POST', '/v1/responses', chat({ conversation: 'conv_1' })],
  ['POST', '/v1/responses', chat({ input: [{ type: 'item_reference', id: 'msg_1' }] })],
  ['POST', '/v1/responses/input_tokens', chat({ previous_response_id: 'resp_1' })],
  ['POST', '/v1/responses/compact', chat({ previous_response_id: 'resp_1' })],
  ['GET', '/v1/messages/batches/msgbatch_1'],
  ['GET', '/v1/messages/batches/msgbatch_1/results'],
  ['POST', '/v1/messages/batches/msgbatch_1/cancel'],
  ['GET', '/v1beta/cachedContents/c1'],
  ['PATCH', '/v1beta/cachedContents/c1', '{"ttl":"60s"}'],
  [
    'POST',
    '/v1beta/models/gemini%2Fgemini-3-pro:generateContent',
    JSON.stringify({ contents: [{ parts: [{ text: 'q' }] }], cachedContent: 'cachedContents/c1' }),
  ],
  ['GET', '/passthrough/openai/files/file-1'],
  ['DELETE', '/v1/files/file-1'],
  ['DELETE', '/v1/responses/resp_1'],
  ['DELETE', '/v1/messages/batches/msgbatch_1'],
  ['DELETE', '/v1beta/cachedContents/c1'],
]

let upstream: ScriptedUpstream
beforeAll(async () => {
  upstream = await startScriptedUpstream()
})
afterAll(async () => {
  await upstream.close()
})

function startOne(owners: SharedOwners | undefined): Promise<RunningGateway> {
  const base = memorySnapshot({
    connections: [
      connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
      connectionOf('anthropic', { provider: 'anthropic', baseUrl: upstream.url }),
      connectionOf('gemini', { provider: 'gemini', baseUrl: upstream.url }),
    ],
  })
  const team = { id: 'team-2', parentId: 'org-1', kind: 'team', name: 'ads' } as const
  const row = { hash: hashSecret(strangerKey), id: 'key-2', node: team.id, name: 'ads', expiresMs: null }
  const snapshot = {
    ...base,
    nodes: new Map([...base.nodes, [team.id, team]]),
    findKey: (hash: string) => (hash === row.hash ? row : base.findKey(hash)),
  }
  return startGateway({ snapshot, ...(owners !== undefined && { owners }) })
}
function ask(
  { url }: RunningGateway,
  key: string,
  [method, path, body]: (typeof operations)[number],
): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  return fetch(url + path, { method, headers, ...(body !== undefined && { body }) })
}
async function makeAll(gateway: RunningGateway): Promise<void> {
  upstream.play((turn) => turn.json(200, { id: 'file-1', object: 'file' }))
  const form = new FormData()
  form.append('purpose', 'batch')
  form.append('file', new Blob(['{}\n']), 'in.jsonl')
  const headers = { authorization: `Bearer ${memoryKey}` }
  await fetch(`${gateway.url}/v1/files`, { method: 'POST', headers, body: form })
  for (const { path, body, id } of made) {
    const named = id.includes('/') ? { name: id } : { id }
    const item = { type: 'message', id: 'msg_1', role: 'assistant', content: [] }
    const answer = {
      ...named,
      object: 'response',
      status: 'completed',
      output: [item],
      conversation: { id: 'conv_1' },
    }
    upstream.play((turn) => turn.json(200, answer))
    expect((await ask(gateway, memoryKey, ['POST', path, JSON.stringify(body)])).status, path).toBe(200)
  }
  const candidates = [{ content: { parts: [{ text: 'a' }] }, finishReason: 'STOP' }]
  upstream.play((turn) =>
    turn.json(200, { id: 'x', object: 'response', status: 'completed', output: [], candidates }),
  )
}

/** Each operation with the id of a thing that the first gateway made. */
function checkEach(two: () => readonly [RunningGateway, RunningGateway]): void {
  beforeAll(() => makeAll(two()[0]))
  it.each(
    operations.map((operation) => [operation[0], operation[1], operation] as const),
  )('answers %s %s to its own node at another gateway, and to no other node anywhere', async (method, path, operation) => {
    const [, , body] = operation
    const [first, second] = two()
    const sent = upstream.requests.length
    const refused = await Promise.all([
      ask(first, strangerKey, operation),
      ask(second, strangerKey, operation),
    ])
    expect(refused.map(({ status }) => status)).toEqual([404, 404])
    const neverWas = (text: string): string => text.replace(/(file-|batch_|resp_|conv_|msg_|c)1\b/, '$10')
    const unknown = await ask(second, memoryKey, [
      method,
      neverWas(path),
      body === undefined ? body : neverWas(body),
    ])
    expect(unknown.status).toBe(404)
    const withoutIds = (text: string): string => text.replace(/[0-9a-f-]{36}/g, '')
    expect(withoutIds((await refused[1]?.text()) ?? '')).toBe(withoutIds(await unknown.text()))
    expect(upstream.requests.length).toBe(sent)
    expect((await ask(second, memoryKey, operation)).status).toBe(200)
    expect(upstream.requests.length).toBe(sent + 1)
  })

  it('is forgotten everywhere by who looks for it anew once it was deleted', async () => {
    const [first] = two()
    expect((await ask(first, memoryKey, ['GET', '/v1/batches/batch_1'])).status).toBe(200)
    const gone = await ask(first, strangerKey, ['GET', '/v1/files/file-1'])
    expect(gone.status).toBe(404)
  })
}

/** What the control plane keeps, in this process. */
function memoryPlane(): StoredLink {
  const owners = new Map<string, { key: string; nodeId: string; connection: string }>()
  return {
    noteStored({ things, forgotten }) {
      for (const { key, nodeId, connection } of things)
        if (!owners.has(key)) owners.set(key, { key, nodeId, connection })
      for (const key of forgotten) owners.delete(key)
      return Promise.resolve()
    },
    findStored: (keys) => Promise.resolve({ things: keys.flatMap((key) => owners.get(key) ?? []) }),
  }
}

describe('a thing that a provider keeps, with gateways that share the control plane', () => {
  let gateways: [RunningGateway, RunningGateway]
  beforeAll(async () => {
    const plane = memoryPlane()
    gateways = [await startOne(new ControlPlaneOwners(plane)), await startOne(new ControlPlaneOwners(plane))]
  })
  afterAll(() => Promise.all(gateways.map((each) => each.close())))
  checkEach(() => gateways)
})

describe('a thing that a provider keeps, while what the gateways share does not answer', () => {
  const away: SharedOwners = {
    note: () => undefined,
    find: () => Promise.resolve(undefined),
    forget: () => undefined,
  }
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await startOne(away)
  })
  afterAll(() => gateway.close())

  it('is not said to be missing, by any operation, but may be asked for again', async () => {
    const sent = upstream.requests.length
    const answers = await Promise.all(operations.map((operation) => ask(gateway, memoryKey, operation)))
    expect(answers.map(({ status }) => status)).toEqual(operations.map(() => 503))
    expect(new Set(answers.map(({ headers }) => headers.get('retry-after')))).toEqual(new Set(['1']))
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(texts.filter((text) => !text.includes('not_ready') || !text.includes('Try again'))).toEqual([])
    expect(upstream.requests.length).toBe(sent)
  })

  it('is found where it was made here', async () => {
    await makeAll(gateway)
    expect((await ask(gateway, memoryKey, ['GET', '/v1/batches/batch_1'])).status).toBe(200)
    expect((await ask(gateway, strangerKey, ['GET', '/v1/batches/batch_1'])).status).toBe(404)
  })
})

describeWith('redis', 'a thing that a provider keeps, with gateways that share Redis', () => {
  let redis: RedisServer
  let gateways: [RunningGateway, RunningGateway]
  const opened: (() => Promise<void>)[] = []
  beforeAll(async () => {
    redis = await RedisServer.start()
    const createId = createIdSource()
    const openOne = async (): Promise<RunningGateway> => {
      const shared = openShared({
        url: redis.url,
        cacheBytesMax: 1_000_000,
        prefix: () => 'org-1:development',
        incarnation: createId(),
        clock: Date.now,
        createId,
        log: createLogger('gateway', 'silent'),
        commandTimeoutMs: 5000,
      })
      opened.push(() => shared.close())
      await eventually(() => expect(shared.sharedStore?.isUp).toBe(true))
      return startOne(shared.owners)
    }
    gateways = [await openOne(), await openOne()]
  })
  afterAll(async () => {
    await Promise.all([...gateways.map((each) => each.close()), ...opened.map((close) => close())])
    await redis.stop()
  })
  checkEach(() => gateways)
})

it('what its provider forgets by itself is not remembered for ever', () => {
  const lasting: boolean[] = []
  const shared: SharedOwners = {
    note: (_key, _owner, lasts) => void lasting.push(lasts),
    find: async () => new Map(),
    forget() {},
  }
  const ids = new StoredIds({ shared })
  const made = ['resp_1', 'files/abc', 'uploads/abc', 'file-1', 'cachedContents/c1', 'msgbatch_1']
  for (const id of made) ids.note(id, { nodeId: 'n', connection: 'c' })
  expect(lasting).toEqual([false, false, false, true, true, true])
})
