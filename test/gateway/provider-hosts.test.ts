import { describe, expect, it } from 'vitest'
import { connectionOf, memoryKey } from '../support/memory-snapshot.ts'
import { chatCompletion } from '../support/scripted-upstream.ts'
import { buildLine, question } from './line.ts'
import { eventStreamBytes } from './wire/event-stream-bytes.ts'

const line = buildLine()
const keys = ['pool-key-number-one', 'pool-key-number-two', 'pool-key-number-three']
const awsKeys = 'AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'

async function ask(
  connection: Parameters<typeof connectionOf>[1],
  body: object,
  path = '/v1/chat/completions',
) {
  line.gateway.snapshot = line.snapshotOf({
    connections: [connectionOf('host', { baseUrl: line.upstream.url, ...connection })],
  })
  const response = await line.gateway.send(path, { ...question, ...body })
  return { response, text: await response.text(), record: await line.gateway.lastRecord() }
}
const bearers = (): unknown[] => line.upstream.requests.map(({ headers }) => headers.authorization)

describe('a pool of keys', () => {
  it('goes on with the next key where one is refused or rate limited, and names none', async () => {
    line.upstream.requests.length = 0
    line.upstream.play(
      (turn) => turn.json(401, { error: { message: `bad key ${keys[0]}` } }),
      (turn) => turn.json(429, { error: { message: 'slow down' } }, { 'retry-after': '60' }),
      (turn) => turn.json(200, chatCompletion('from the third key')),
    )
    const pool = { credential: 'pool-key-number-one', pool: keys }
    const first = await ask(pool, { model: 'host/gpt-5.2' })
    expect(first.response.status).toBe(200)
    expect(first.text).toContain('from the third key')
    expect(bearers().toSorted()).toEqual(keys.map((key) => `Bearer ${key}`).toSorted())
    const good = bearers().at(-1)
    expect(first.record.body.attempts.map(({ status }) => status)).toEqual([401, 429, 200])
    for (const key of keys) expect(JSON.stringify(first.record) + first.text).not.toContain(key)
    line.upstream.play((turn) => turn.json(200, chatCompletion('again')))
    await ask(pool, { model: 'host/gpt-5.2' })
    expect(bearers().at(-1)).toBe(good)
  })

  it('gives the error of the last key where all are out', async () => {
    line.upstream.requests.length = 0
    const two = ['only-key-number-one', 'only-key-number-two']
    line.upstream.play(
      (turn) => turn.json(402, { error: { message: 'no credit' } }),
      (turn) => turn.json(402, { error: { message: 'no credit' } }),
    )
    const { response } = await ask(
      { name: 'host2', credential: two[0], pool: two },
      { model: 'host2/gpt-5.2' },
    )
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(line.upstream.requests).toHaveLength(2)
  })
})

describe('bedrock', () => {
  const bedrock = { provider: 'bedrock', region: 'eu-central-1', credential: awsKeys }

  it('is signed, and its event stream becomes a stream of the caller', async () => {
    line.upstream.requests.length = 0
    const events = [
      { event: 'messageStart', payload: { role: 'assistant' } },
      { event: 'contentBlockDelta', payload: { contentBlockIndex: 0, delta: { text: 'Hei' } } },
      { event: 'contentBlockStop', payload: { contentBlockIndex: 0 } },
      { event: 'messageStop', payload: { stopReason: 'end_turn' } },
      { event: 'metadata', payload: { usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 } } },
    ]
    const bytes = eventStreamBytes(events.map((each) => JSON.stringify(each)).join('\n'))
    line.upstream.play((turn) => {
      turn.response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      turn.response.write(bytes.subarray(0, 70))
      turn.response.end(bytes.subarray(70))
    })
    const { text, record } = await ask(bedrock, { model: 'host/amazon.nova-lite-v1:0', stream: true })
    const [seen] = line.upstream.requests
    expect(seen?.path).toBe('/model/amazon.nova-lite-v1%3A0/converse-stream')
    expect(seen?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIA\w+\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-date, /,
    )
    expect(text).toContain('"content":"Hei"')
    expect(text.trim().endsWith('data: [DONE]')).toBe(true)
    expect(text).toMatch(/"model":"host\/amazon\.nova-lite-v1:0"/)
    expect(record.body.attempts[0]?.usage).toMatchObject({ input: 3, output: 2 })
    expect(JSON.stringify(record)).not.toContain('wJalrXUtnFEMI')
  })

  it('that breaks off ends in an error event, never in a clean end', async () => {
    const events = [
      { event: 'messageStart', payload: { role: 'assistant' } },
      { event: 'contentBlockDelta', payload: { contentBlockIndex: 0, delta: { text: 'Hei' } } },
    ]
    const bytes = eventStreamBytes(events.map((each) => JSON.stringify(each)).join('\n'))
    line.upstream.play((turn) => {
      turn.response.writeHead(200, { 'content-type': 'application/vnd.amazon.eventstream' })
      turn.response.end(bytes)
    })
    const { text } = await ask(bedrock, { model: 'host/amazon.nova-lite-v1:0', stream: true })
    expect(text).toContain('"error"')
    expect(text).not.toContain('[DONE]')
  })
})

describe('cohere', () => {
  it('answers a caller of Messages', async () => {
    line.upstream.play((turn) =>
      turn.json(200, {
        id: 'c-1',
        finish_reason: 'COMPLETE',
        message: { role: 'assistant', content: [{ type: 'text', text: 'Hei' }] },
        usage: { billed_units: { input_tokens: 3, output_tokens: 2 } },
      }),
    )
    const body = { model: 'host/command-a-03-2025', max_tokens: 9 }
    const { text } = await ask({ provider: 'cohere' }, body, '/v1/messages')
    expect(JSON.parse(text)).toMatchObject({
      type: 'message',
      model: 'host/command-a-03-2025',
      content: [{ type: 'text', text: 'Hei' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 3, output_tokens: 2 },
    })
  })
})

describe('azure-openai with a service principal', () => {
  it('gets one token for calls at the same time, sends it as a bearer, and shows the secret nowhere', async () => {
    line.upstream.requests.length = 0
    line.spare.requests.length = 0
    const secret = 'client-secret-0123456789'
    const token = 'eyJhbGciOiJub25l.eyJhIjoxfQ.c2ln'
    line.spare.play((turn) => turn.json(200, { access_token: token, expires_in: 3600, token_type: 'Bearer' }))
    line.upstream.play(
      (turn) => turn.json(200, chatCompletion('one')),
      (turn) => turn.json(200, chatCompletion('two')),
    )
    const principal = { tenantId: 't-1', clientId: 'c-1', clientSecret: secret, authority: line.spare.url }
    const azure = {
      provider: 'azure-openai',
      apiVersion: '2024-10-21',
      credential: JSON.stringify(principal),
    }
    const [first] = await Promise.all([1, 2].map(() => ask(azure, { model: 'host/my-deployment' })))
    expect(first?.response.status).toBe(200)
    expect(line.spare.requests).toHaveLength(1)
    expect(line.spare.requests[0]?.path).toBe('/t-1/oauth2/v2.0/token')
    expect(line.spare.requests[0]?.text).toContain('grant_type=client_credentials')
    expect(bearers()).toEqual([`Bearer ${token}`, `Bearer ${token}`])
    expect(line.upstream.requests[0]?.path).toBe(
      '/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21',
    )
    expect(JSON.stringify(line.gateway.records)).not.toMatch(new RegExp(`${secret}|${token}`))
  })

  it('sends the token, never the principal, for what is kept of an answer too', async () => {
    const secret = 'stored-secret-0123456789'
    const token = 'eyJhbGciOiJub25l.eyJhIjoyfQ.c2ln'
    const principal = { tenantId: 't-3', clientId: 'c-3', clientSecret: secret, authority: line.spare.url }
    line.spare.play((turn) => turn.json(200, { access_token: token, expires_in: 3600 }))
    const kept = {
      id: 'resp_azure',
      object: 'response',
      status: 'completed',
      model: 'd',
      store: true,
      output: [],
    }
    line.upstream.play((turn) => turn.json(200, kept))
    const azure = { provider: 'azure-openai', credential: JSON.stringify(principal) }
    const asked = await ask(azure, { model: 'host/d', input: 'Hello', messages: undefined }, '/v1/responses')
    expect(asked.response.status).toBe(200)
    line.upstream.requests.length = 0
    line.upstream.play((turn) => turn.json(200, kept))
    const read = await fetch(`${line.gateway.url}/v1/responses/resp_azure`, {
      headers: { authorization: `Bearer ${memoryKey}` },
    })
    expect(read.status).toBe(200)
    expect(bearers()).toEqual([`Bearer ${token}`])
    expect(JSON.stringify(line.upstream.requests[0]?.headers)).not.toContain(secret)
  })

  it('that is refused a token is unavailable, without a word of the token service', async () => {
    line.upstream.requests.length = 0
    line.spare.play((turn) =>
      turn.json(401, { error: 'invalid_client', error_description: 'secret abc is wrong' }),
    )
    const principal = {
      tenantId: 't-2',
      clientId: 'c',
      clientSecret: 'wrong-secret',
      authority: line.spare.url,
    }
    const azure = { provider: 'azure-openai', credential: JSON.stringify(principal) }
    const { response, text, record } = await ask(azure, { model: 'host/d' })
    expect(response.status).toBe(502)
    expect(line.upstream.requests).toHaveLength(0)
    expect(text + JSON.stringify(record)).not.toMatch(/wrong-secret|secret abc/)
  })
})
