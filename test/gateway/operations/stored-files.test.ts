import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { createSecret, hashSecret } from '@signalbox/sdk/node'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

/** A key of another team: the memory snapshot's own belongs to a project of the first. */
const strangerKey = createSecret('key', { environment: 'development' })
const uploaded = { id: 'file-1', object: 'file', purpose: 'batch', filename: 'in.jsonl', bytes: 3 }

let upstream: ScriptedUpstream
let gateway: RunningGateway
let own: OpenAI
let stranger: OpenAI

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const base = memorySnapshot({
    connections: [
      connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
      connectionOf('other', { baseUrl: `${upstream.url}/other/v1` }),
      connectionOf('away', { baseUrl: 'http://127.0.0.1:1/v1' }),
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
  const clientOf = (apiKey: string) => new OpenAI({ apiKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
  own = clientOf(memoryKey)
  stranger = clientOf(strangerKey)
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})
beforeEach(async () => {
  upstream.play((turn) => turn.json(200, uploaded))
  await own.files.create({ file: await toFile(Buffer.from('{}\n'), 'in.jsonl'), purpose: 'batch' })
})

describe('files', () => {
  it('are uploaded while they come, and recorded', async () => {
    const seen = upstream.requests.at(-1)
    expect(seen).toMatchObject({ method: 'POST', path: '/v1/files' })
    expect(seen?.headers.authorization).toBe('Bearer upstream-secret-0123456789')
    expect(seen?.text).toContain('name="purpose"\r\n\r\nbatch')
    const { row } = await gateway.lastRecord()
    expect(row).toMatchObject({ operation: 'files', target: 'openai/files', evidence: 'none', status: 200 })
  })

  it('of a size that is never held pass whole', async () => {
    const file = await toFile(Buffer.alloc(40 * 1024 * 1024, 'a'), 'large.jsonl')
    const { bytes } = await own.files.create({ file, purpose: 'batch' })
    expect(bytes).toBe(3)
    expect(upstream.requests.at(-1)?.text.length).toBeGreaterThan(40 * 1024 * 1024)
  })

  it('that nobody takes are read on, so that their sender gets to the answer', async () => {
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    const answer = once(socket, 'data')
    const length = 8_000_000
    const head = ['POST /v1/files HTTP/1.1', 'host: gateway', `authorization: Bearer ${memoryKey}`]
    head.push('x-signalbox-connection: away', 'content-type: multipart/form-data; boundary=x')
    socket.write([...head, `content-length: ${length}`, '', ''].join('\r\n'))
    const sent = new Promise<string>((resolve) => socket.write(Buffer.alloc(length), () => resolve('sent')))
    expect(await Promise.race([sent, wait(3000, 'stuck', { ref: false })])).toBe('sent')
    expect(String(await answer)).toContain('HTTP/1.1 502')
    socket.destroy()
  })

  it('go to the connection that the caller names', async () => {
    upstream.play((turn) => turn.json(200, { ...uploaded, id: 'file-other' }))
    const file = await toFile(Buffer.from('{}\n'), 'in.jsonl')
    await own.files.create({ file, purpose: 'batch' }, { headers: { 'x-signalbox-connection': 'other' } })
    expect(upstream.requests.at(-1)?.path).toBe('/other/v1/files')
    await own.files.retrieve('file-other')
    expect(upstream.requests.at(-1)?.path).toBe('/other/v1/files/file-other')
  })

  const operations = [
    ['GET', '/files/file-1'],
    ['DELETE', '/files/file-1'],
    ['GET', '/files/file-1/content'],
  ] as const
  it.each(operations)('answer %s %s to their own node alone', async (method, path) => {
    upstream.play((turn) => turn.json(200, uploaded))
    const ask = (key: string, at = path as string) =>
      fetch(`${gateway.url}/v1${at}`, { method, headers: { authorization: `Bearer ${key}` } })
    const sent = upstream.requests.length
    const refused = await ask(strangerKey)
    const never = await ask(memoryKey, path.replace('file-1', 'file-never'))
    expect([refused.status, never.status]).toEqual([404, 404])
    expect(await refused.text()).toBe(await never.text())
    expect(upstream.requests.length).toBe(sent)
    const answered = await ask(memoryKey)
    expect([answered.status, await answered.json()]).toEqual([200, uploaded])
    expect(upstream.requests.at(-1)).toMatchObject({ method, path: `/v1${path}` })
    expect((await ask(memoryKey)).status).toBe(method === 'DELETE' ? 404 : 200)
  })

  it('are listed to their own node alone', async () => {
    const list = {
      object: 'list',
      data: [uploaded, { id: 'file-foreign' }],
      first_id: 'file-1',
      last_id: 'file-foreign',
      has_more: false,
    }
    upstream.play((turn) => turn.json(200, list))
    expect((await own.files.list()).data).toEqual([uploaded])
    expect((await stranger.files.list()).data).toEqual([])
    const passed = await fetch(`${gateway.url}/passthrough/openai/files`, {
      headers: { authorization: `Bearer ${strangerKey}` },
    })
    expect(await passed.json()).toMatchObject({ data: [], last_id: null })
  })

  it('must be forms', async () => {
    expect((await gateway.send('/v1/files', { purpose: 'batch' })).status).toBe(415)
  })
})

describe('batches', () => {
  const batch = { id: 'batch_1', object: 'batch', input_file_id: 'file-1', status: 'validating' }

  it('are made of own files alone', async () => {
    const ask = {
      input_file_id: 'file-1',
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    } as const
    await expect(stranger.batches.create(ask)).rejects.toMatchObject({ status: 404, param: 'input_file_id' })
    upstream.play((turn) => turn.json(200, batch))
    expect((await own.batches.create(ask)).id).toBe('batch_1')
    expect(upstream.requests.at(-1)).toMatchObject({ path: '/v1/batches', json: ask })
  })

  it('are read and cancelled by their own node, which owns what they make', async () => {
    upstream.play((turn) => turn.json(200, { ...batch, status: 'completed', output_file_id: 'file-out' }))
    await own.batches.create({
      input_file_id: 'file-1',
      endpoint: '/v1/embeddings',
      completion_window: '24h',
    })
    await expect(stranger.batches.retrieve('batch_1')).rejects.toMatchObject({ status: 404 })
    await expect(stranger.batches.cancel('batch_1')).rejects.toMatchObject({ status: 404 })
    await own.batches.retrieve('batch_1')
    await own.batches.cancel('batch_1')
    expect(upstream.requests.at(-1)).toMatchObject({ method: 'POST', path: '/v1/batches/batch_1/cancel' })
    upstream.play(
      ({ response }) => void response.writeHead(200, { 'content-type': 'application/jsonl' }).end('{}\n'),
    )
    expect(await (await own.files.content('file-out')).text()).toBe('{}\n')
    await expect(stranger.files.content('file-out')).rejects.toMatchObject({ status: 404 })
  })
})
