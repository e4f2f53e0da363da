import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { provider } from '../../gateway/providers/vertex.ts'
import { connectionOf, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'

interface Seen {
  readonly path: string
  readonly authorization: string | undefined
  readonly body: string
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const gemini = {
  candidates: [{ content: { parts: [{ text: 'Hello from Gemini' }], role: 'model' }, finishReason: 'STOP' }],
  usageMetadata: { promptTokenCount: 3, candidatesTokenCount: 4 },
}
const claude = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-sonnet-4-5',
  content: [{ type: 'text', text: 'Hello from Claude' }],
  stop_reason: 'end_turn',
  usage: { input_tokens: 3, output_tokens: 4 },
}
const root = '/v1/projects/acme-1/locations/europe-west4'

let google: Server
let url: string
let seen: Seen[]
let tokens: number
let lifetimeS: number
let tokenStatus: number
let gateway: RunningGateway

beforeEach(async () => {
  seen = []
  tokens = 0
  lifetimeS = 3600
  tokenStatus = 200
  google = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url ?? ''
      const { authorization } = request.headers
      seen.push({ path, authorization, body: Buffer.concat(chunks).toString() })
      const isToken = path === '/token'
      if (isToken) tokens++
      const token = { access_token: `token-${tokens}`, expires_in: lifetimeS, token_type: 'Bearer' }
      const answer = isToken ? token : path.includes('/anthropic/') ? claude : gemini
      response.writeHead(isToken ? tokenStatus : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => google.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(google.address() as AddressInfo).port}`
  const account = {
    type: 'service_account',
    project_id: 'acme-1',
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'gateway@acme-1.iam.gserviceaccount.com',
    token_uri: `${url}/token`,
  }
  const connection = connectionOf('vertex', {
    provider: 'vertex',
    baseUrl: `${url}${root}`,
    credential: JSON.stringify(account),
  })
  gateway = await startGateway({ snapshot: memorySnapshot({ connections: [connection] }) })
})
afterEach(async () => {
  await gateway.close()
  google.close()
})

const messages = [{ role: 'user', content: 'Hello' }]
const ask = (model: string): Promise<Response> =>
  gateway.send('/v1/chat/completions', { model: `vertex/${model}`, messages })

describe('a service account on Vertex', () => {
  it('signs for a token once, and asks Gemini and Claude with it', async () => {
    const answers = await Promise.all([ask('gemini-2.5-pro'), ask('claude-sonnet-4-5@20250929')])
    const texts = await Promise.all(answers.map((answer) => answer.text()))
    expect(texts[0]).toContain('Hello from Gemini')
    expect(texts[1]).toContain('Hello from Claude')
    expect(tokens).toBe(1)
    const [first, ...calls] = seen
    const assertion = new URLSearchParams(first?.body).get('assertion') ?? ''
    const [header = '', claims = '', signature = ''] = assertion.split('.')
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(read(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' })
    expect(read(claims)).toMatchObject({
      iss: 'gateway@acme-1.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: `${url}/token`,
    })
    const signed = Buffer.from(`${header}.${claims}`)
    const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
    expect(verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(calls.map(({ path }) => path).sort()).toEqual([
      `${root}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict`,
      `${root}/publishers/google/models/gemini-2.5-pro:generateContent`,
    ])
    expect(calls.map(({ authorization }) => authorization)).toEqual(['Bearer token-1', 'Bearer token-1'])
    const bodies = calls.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
    const toClaude = bodies.find((body) => 'anthropic_version' in body)
    expect(toClaude).toMatchObject({ anthropic_version: 'vertex-2023-10-16', max_tokens: expect.any(Number) })
    expect(toClaude).not.toHaveProperty('model')
  })

  it('goes on with its token, and takes a new one before that ends', async () => {
    await (await ask('gemini-2.5-pro')).text()
    await (await ask('gemini-2.5-pro')).text()
    expect(tokens).toBe(1)
    lifetimeS = 10
    await gateway.close()
    gateway = await startGateway({ snapshot: gateway.snapshot ?? memorySnapshot() })
    await (await ask('gemini-2.5-pro')).text()
    await (await ask('gemini-2.5-pro')).text()
    expect(tokens).toBe(3)
    expect(seen.at(-1)?.authorization).toBe('Bearer token-3')
  })

  it('is not reached while no token is given, and nothing is sent', async () => {
    tokenStatus = 403
    const answer = await ask('gemini-2.5-pro')
    expect(answer.status).toBe(502)
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream_unavailable' } })
    expect(seen.map(({ path }) => path)).toEqual(['/token'])
    const { body } = await gateway.lastRecord()
    expect(JSON.stringify(body)).not.toContain('PRIVATE KEY')
  })

  it('lets what Gemini and Anthropic clients send pass as it is', async () => {
    const body = '{ "contents":[{"parts":[{"text":"Hello"}]}] }'
    const answer = await gateway.send('/v1beta/models/vertex/gemini-2.5-pro:generateContent', body)
    expect(await answer.text()).toBe(JSON.stringify(gemini))
    expect(seen.at(-1)?.body).toBe(body)
    const asked = { model: 'vertex/claude-sonnet-4-5', max_tokens: 5, messages }
    const passed = await gateway.send('/v1/messages', asked)
    expect(await passed.text()).toBe(JSON.stringify(claude))
  })
})

describe('the address of Vertex', () => {
  const account = JSON.stringify({ project_id: 'own' })

  it.each([
    [
      'europe-west4',
      'p',
      'https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4',
    ],
    ['eu', 'p', 'https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu'],
    [undefined, 'p', 'https://aiplatform.googleapis.com/v1/projects/p/locations/global'],
    [undefined, undefined, 'https://aiplatform.googleapis.com/v1/projects/own/locations/global'],
  ])('follows from the location %s and the project %s', (region, project, wanted) => {
    const connection = { region, credential: account, ...(project !== undefined && { project }) }
    expect(provider.baseUrlOf?.(connection)).toBe(wanted)
  })

  it('is not known without a project', () => {
    expect(provider.baseUrlOf?.({ region: undefined, credential: 'ya29.token' })).toBeUndefined()
  })

  it('is asked with a token, or with an API key as one', () => {
    expect(provider.authenticate('ya29.token')).toEqual({ authorization: 'Bearer ya29.token' })
    expect(provider.authenticate('AIzaKey')).toEqual({ 'x-goog-api-key': 'AIzaKey' })
  })
})
