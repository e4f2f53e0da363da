import { createSecret, hashSecret } from '@signalbox/sdk/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StoredIds } from '../../gateway/stored-ids.ts'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

/** Keys of other nodes: the memory snapshot's own key belongs to a project of the team. */
const strangerKey = createSecret('key', { environment: 'development' })
const teamKey = createSecret('key', { environment: 'development' })
const answer = {
  id: 'resp_1',
  object: 'response',
  status: 'completed',
  model: 'gpt-5.2',
  store: true,
  output: [{ id: 'msg_1', type: 'message', role: 'assistant', content: [] }],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
}
const ask = { model: 'openai/gpt-5.2', input: 'Hello' }
const operations = [
  ['GET', ''],
  ['DELETE', ''],
  ['POST', '/cancel'],
  ['GET', '/input_items'],
] as const

let upstream: ScriptedUpstream
let gateway: RunningGateway

beforeEach(async () => {
  upstream = await startScriptedUpstream()
  const base = memorySnapshot({
    connections: [
      connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
      connectionOf('other', { baseUrl: `${upstream.url}/other/v1` }),
      connectionOf('anthropic', { baseUrl: upstream.url }),
    ],
    aliases: { smart: ['anthropic/claude-opus-4-8', 'other/gpt-5.2', 'openai/gpt-5.2'] },
  })
  const rowOf = (key: string, node: string) => ({
    hash: hashSecret(key),
    id: `key-${node}`,
    node,
    name: node,
    expiresMs: null,
  })
  const stranger = { id: 'team-2', parentId: 'org-1', kind: 'team', name: 'ads' } as const
  const snapshot = {
    ...base,
    nodes: new Map([...base.nodes, [stranger.id, stranger]]),
    findKey(hash: string) {
      if (hash === hashSecret(strangerKey)) return rowOf(strangerKey, 'team-2')
      return hash === hashSecret(teamKey) ? rowOf(teamKey, 'team-1') : base.findKey(hash)
    },
  }
  gateway = await startGateway({ snapshot })
  upstream.play((turn) => turn.json(200, answer))
})
afterEach(async () => {
  await gateway.close()
  await upstream.close()
})

const asKey = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
function call(method: string, path: string, key = memoryKey): Promise<Response> {
  return fetch(gateway.url + path, { method, ...asKey(key) })
}
async function store(key: string): Promise<void> {
  expect((await gateway.send('/v1/responses', ask, asKey(key))).status).toBe(200)
}

describe('an answer that the provider keeps', () => {
  it.each(operations)('is reached by its own node where it is kept: %s %s', async (method, tail) => {
    await store(memoryKey)
    upstream.play((turn) =>
      turn.json(200, { ...answer, seen: turn.request.path }, { 'x-request-id': 'req_9' }),
    )
    const path = `/responses/resp_1${tail}?limit=2`
    const response = await call(method, `/v1${path}&key=${memoryKey}`)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(JSON.stringify({ ...answer, seen: `/v1${path}` }))
    expect(response.headers.get('x-signalbox-upstream-request-id')).toBe('req_9')
    expect(upstream.requests.at(-1)?.headers.authorization).toBe('Bearer upstream-secret-0123456789')
  })

  it.each(
    operations,
  )('is unknown to another node, in the words of one that never was: %s %s', async (method, tail) => {
    await store(memoryKey)
    const asked = upstream.requests.length
    const foreign = await call(method, `/v1/responses/resp_1${tail}`, strangerKey)
    const never = await call(method, `/v1/responses/resp_0${tail}`, strangerKey)
    expect([foreign.status, never.status]).toEqual([404, 404])
    expect(await foreign.text()).toBe(await never.text())
    expect(upstream.requests.length).toBe(asked)
  })

  it('is reached from below the node that made it, and not from above', async () => {
    await store(teamKey)
    expect((await call('GET', '/v1/responses/resp_1')).status).toBe(200)
    upstream.play((turn) => turn.json(200, { ...answer, id: 'resp_2' }))
    await store(memoryKey)
    expect((await call('GET', '/v1/responses/resp_2', teamKey)).status).toBe(404)
  })

  it('is gone once it was deleted, and stays where the provider did not', async () => {
    await store(memoryKey)
    upstream.play((turn) => turn.json(500, { error: { message: 'no' } }))
    expect((await call('DELETE', '/v1/responses/resp_1')).status).toBe(500)
    upstream.play((turn) => turn.json(200, { id: 'resp_1', deleted: true }))
    expect((await call('DELETE', '/v1/responses/resp_1')).status).toBe(200)
    expect((await call('GET', '/v1/responses/resp_1')).status).toBe(404)
  })

  it('needs a key', async () => {
    await store(memoryKey)
    expect((await fetch(`${gateway.url}/v1/responses/resp_1`)).status).toBe(401)
    expect((await call('PUT', '/v1/responses/resp_1')).status).toBe(404)
  })

  it('is known from the first event of its stream', async () => {
    const created = { type: 'response.created', response: { ...answer, status: 'in_progress', output: [] } }
    const arrived = Promise.withResolvers<void>()
    upstream.play(async (turn) => {
      turn.events(`event: response.created\ndata: ${JSON.stringify(created)}\n\n`)
      await arrived.promise
      const completed = { type: 'response.completed', response: answer }
      turn.response.end(`event: response.completed\ndata: ${JSON.stringify(completed)}\n\n`)
    })
    const streamed = await gateway.send('/v1/responses', { ...ask, stream: true, background: true })
    upstream.play((turn) => turn.json(200, answer))
    expect((await call('GET', '/v1/responses/resp_1')).status).toBe(200)
    arrived.resolve()
    expect(await streamed.text()).toContain('response.completed')
  })
})

describe('a call that goes on from a stored answer', () => {
  const next = (reference: object, model = 'openai/gpt-5.2') => ({ model, input: 'And then?', ...reference })
  const references = [
    ['previous_response_id', { previous_response_id: 'resp_1' }],
    ['item_reference', { input: [{ type: 'item_reference', id: 'msg_1' }] }],
  ] as const

  it.each(references)('reaches the provider untouched: %s', async (_name, reference) => {
    await store(memoryKey)
    const body = JSON.stringify(next(reference, 'gpt-5.2'))
    expect((await gateway.send('/v1/responses', body)).status).toBe(200)
    expect(upstream.requests.at(-1)?.text).toBe(body)
  })

  it.each(references)('is 404 for another node, and nothing is sent: %s', async (_name, reference) => {
    await store(memoryKey)
    const asked = upstream.requests.length
    const response = await gateway.send('/v1/responses', next(reference), asKey(strangerKey))
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ error: { code: 'not_found' } })
    expect(upstream.requests.length).toBe(asked)
  })

  it('goes to the connection that keeps it, whatever the order of the targets', async () => {
    await store(memoryKey)
    const response = await gateway.send('/v1/responses', next(references[0][1], 'smart'))
    expect(response.headers.get('x-signalbox-target')).toBe('openai/gpt-5.2')
    expect((await gateway.lastRecord(2)).body.attempts).toHaveLength(1)
  })

  it.each([
    'anthropic/claude-opus-4-8',
    'other/gpt-5.2',
  ])('is refused where only %s may serve', async (model) => {
    await store(memoryKey)
    const asked = upstream.requests.length
    const response = await gateway.send('/v1/responses', next(references[0][1], model))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({
      error: { code: 'unsupported_feature', param: 'previous_response_id' },
    })
    expect(upstream.requests.length).toBe(asked)
  })

  it('finds nothing of an answer that was not to be kept', async () => {
    upstream.play((turn) => turn.json(200, { ...answer, store: false }))
    await store(memoryKey)
    expect((await gateway.send('/v1/responses', next(references[0][1]))).status).toBe(404)
  })
})

describe('stored ids', () => {
  it('keep their first owner, and make room for new ones', () => {
    const ids = new StoredIds({ idsMax: 2 })
    const owner = (nodeId: string) => ({ nodeId, connection: 'openai' })
    ids.note('a', owner('one'))
    ids.note('a', owner('two'))
    expect(ids.find('a')).toEqual(owner('one'))
    ids.note('b', owner('two'))
    ids.note('a', owner('one'))
    ids.note('c', owner('two'))
    expect(ids.find('b')).toBeUndefined()
    expect(ids.find('a')).toEqual(owner('one'))
  })
})
