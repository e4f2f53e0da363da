import type { KeyScopes } from '@signalbox/sdk/contract'
import { describe, expect, it, onTestFinished } from 'vitest'
import { memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { type GatewayOptions, startGateway } from '../support/running-gateway.ts'

const aliases = { smart: ['openai/gpt-5.2'], cheap: ['openai/gpt-5-mini'] }
const chat = (model: string) => ({ model, messages: [{ role: 'user', content: 'hi' }] })

/** A gateway whose key has these scopes; its connections are simulated. */
async function gatewayFor(scopes: KeyScopes, options: GatewayOptions = {}) {
  const plain = memorySnapshot({ aliases })
  const connections = new Map(
    [...plain.connections].map(([name, each]) => [name, { ...each, status: 'simulated' as const }]),
  )
  const snapshot = {
    ...plain,
    connections,
    findKey: (hash: string) => {
      const found = plain.findKey(hash)
      return found === undefined || found === 'revoked' ? found : { ...found, scopes }
    },
  }
  const gateway = await startGateway({ ...options, snapshot })
  onTestFinished(() => gateway.close())
  return gateway
}

const outcomeOf = async (response: Promise<Response>): Promise<number> => (await response).status
async function errorOf(response: Promise<Response>): Promise<{ status: number; text: string }> {
  const answer = await response
  return { status: answer.status, text: await answer.text() }
}

describe('a key with models', () => {
  it('asks for these, by alias or target, and for no other, in every dialect', async () => {
    const gateway = await gatewayFor({ models: ['smart', 'openai/gpt-5-mini', 'anthropic/*'] })
    for (const model of ['smart', 'openai/gpt-5-mini', 'gpt-5-mini', 'anthropic/claude-opus-4-8']) {
      expect(await outcomeOf(gateway.send('/v1/chat/completions', chat(model))), model).toBe(200)
    }
    const refused = await errorOf(gateway.send('/v1/chat/completions', chat('cheap')))
    expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('may not use the model') })
    expect(JSON.parse(refused.text).error).toMatchObject({ code: 'forbidden', param: 'model' })
    const anthropic = await errorOf(
      gateway.send('/v1/messages', { ...chat('openai/gpt-5.2'), max_tokens: 10 }),
    )
    expect(anthropic.status).toBe(403)
    expect(JSON.parse(anthropic.text)).toMatchObject({ type: 'error', error: { type: 'permission_error' } })
    const gemini = await errorOf(
      gateway.send('/v1beta/models/cheap:generateContent', { contents: [{ parts: [{ text: 'hi' }] }] }),
    )
    expect(gemini.status).toBe(403)
    expect(JSON.parse(gemini.text)).toMatchObject({ error: { code: 403, status: 'PERMISSION_DENIED' } })
    expect((await gateway.lastRecord(5)).row).toMatchObject({ errorCode: 'forbidden', status: 403 })
  })

  it('sees these alone in the lists of models', async () => {
    const gateway = await gatewayFor({ models: ['smart', 'anthropic/*'] })
    const list = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`${gateway.url}${path}`, {
        headers: { authorization: `Bearer ${memoryKey}`, ...headers },
      })
      return { status: response.status, text: await response.text() }
    }
    const ids = ['smart', 'anthropic/claude-sonnet-4-5', 'anthropic/claude-opus-4-8']
    const { data } = JSON.parse((await list('/v1/models')).text) as { data: { id: string }[] }
    expect(data.map(({ id }) => id)).toEqual(ids)
    const anthropic = await list('/v1/models', { 'anthropic-version': '2023-06-01' })
    expect(anthropic.text).not.toContain('gpt')
    expect((await list('/v1beta/models')).text).not.toContain('gpt')
    expect((await list('/v1/models/smart')).status).toBe(200)
    expect((await list('/v1/models/cheap')).status).toBe(404)
  })
})

it('a key for some operations is used for these alone; counting tokens goes with chat', async () => {
  const gateway = await gatewayFor({ operations: ['chat'] })
  expect(await outcomeOf(gateway.send('/v1/chat/completions', chat('smart')))).toBe(200)
  const counted = gateway.send('/v1/messages/count_tokens', chat('anthropic/claude-opus-4-8'))
  expect(await outcomeOf(counted)).toBe(200)
  const refused = await errorOf(gateway.send('/v1/embeddings', { model: 'smart', input: 'hi' }))
  expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('not be used for embeddings') })
})

it('a key of some addresses is refused elsewhere, whatever a stranger says of himself', async () => {
  const gateway = await gatewayFor({ ipRanges: ['10.0.0.0/8'] })
  const headers = { 'x-forwarded-for': '10.1.2.3' }
  const refused = await errorOf(gateway.send('/v1/chat/completions', chat('smart'), { headers }))
  expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('from this address') })
  const models = await fetch(`${gateway.url}/v1/models`, {
    headers: { authorization: `Bearer ${memoryKey}` },
  })
  expect(models.status).toBe(403)
  const here = await gatewayFor({ ipRanges: ['127.0.0.0/8', '::1'] })
  expect(await outcomeOf(here.send('/v1/chat/completions', chat('smart')))).toBe(200)
})

it('a key that needs metadata is refused without it, and says what is missing', async () => {
  const gateway = await gatewayFor({ requiredMetadata: ['feature', 'tier'] })
  const metadata = (value: object) => ({ headers: { 'x-signalbox-metadata': JSON.stringify(value) } })
  const refused = await errorOf(
    gateway.send('/v1/chat/completions', chat('smart'), metadata({ feature: 'a' })),
  )
  expect(refused.status).toBe(400)
  expect(JSON.parse(refused.text).error).toMatchObject({
    code: 'metadata_invalid',
    message: 'This key needs metadata with "tier".',
  })
  const whole = gateway.send('/v1/chat/completions', chat('smart'), metadata({ feature: 'a', tier: 'b' }))
  expect(await outcomeOf(whole)).toBe(200)
})

describe('the holder of a key', () => {
  const ask = async (scopes: KeyScopes) => {
    const gateway = await gatewayFor(scopes)
    const headers = { authorization: `Bearer ${memoryKey}` }
    const response = await fetch(`${gateway.url}/v1/key`, { headers })
    return { status: response.status, text: await response.text() }
  }

  it('is told what the key may be used for', async () => {
    const scopes = { models: ['smart'], requiredMetadata: ['feature'], ipRanges: ['127.0.0.0/8', '::1'] }
    const { status, text } = await ask(scopes)
    expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 200, scopes })
  })

  it('is told nothing at an address that the key may not be used from', async () => {
    const { status, text } = await ask({ ipRanges: ['10.0.0.0/8'] })
    expect(status).toBe(403)
    expect(text).not.toContain('budgets')
  })
})
