import Anthropic from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../../support/scripted-upstream.ts'

let upstream: ScriptedUpstream
let gateway: RunningGateway
let client: Anthropic

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const connections = [
    connectionOf('anthropic', { baseUrl: upstream.url }),
    connectionOf('openai', { baseUrl: `${upstream.url}/v1` }),
  ]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
  client = new Anthropic({ apiKey: memoryKey, baseURL: `${gateway.url}/anthropic`, maxRetries: 0 })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})

const messages = [{ role: 'user' as const, content: 'How many tokens is this?' }]

describe('counting tokens', () => {
  it('is Anthropic’s own count for its models, with version and betas, at no cost', async () => {
    upstream.play((turn) => turn.json(200, { input_tokens: 14 }))
    const { data, response } = await client.messages
      .countTokens(
        { model: 'anthropic/claude-opus-4.8', messages },
        { headers: { 'anthropic-beta': 'context-1m-2025-08-07' } },
      )
      .withResponse()
    expect(data).toEqual({ input_tokens: 14 })
    expect(response.headers.get('x-signalbox-estimated')).toBeNull()
    const seen = upstream.requests.at(-1)
    expect(seen?.path).toBe('/v1/messages/count_tokens')
    expect(seen?.headers).toMatchObject({ 'anthropic-beta': 'context-1m-2025-08-07' })
    expect(seen?.json).toEqual({ model: 'claude-opus-4-8', messages })
    const { row } = await gateway.lastRecord()
    expect(row).toMatchObject({ operation: 'countTokens', costNanoUsd: '0', status: 200, identity: true })
  })

  it('is an estimate that says so for the models of others, and asks nobody', async () => {
    const sent = upstream.requests.length
    const { data, response } = await client.messages
      .countTokens({ model: 'openai/gpt-5.2', system: 'Be brief.', messages })
      .withResponse()
    expect(data.input_tokens).toBeGreaterThan(5)
    expect(response.headers.get('x-signalbox-estimated')).toBe('true')
    expect(upstream.requests.length).toBe(sent)
  })

  it('names what is wrong with a request', async () => {
    const response = await gateway.send('/v1/messages/count_tokens', {
      model: 'claude-opus-4-8',
      messages: 'Hi',
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
  })

  it('passes Anthropic’s own error on', async () => {
    const error = { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down' } }
    upstream.play((turn) => turn.json(429, error, { 'retry-after': '3' }))
    const response = await gateway.send('/v1/messages/count_tokens', { model: 'claude-opus-4-8', messages })
    expect(response.status).toBe(429)
    expect(await response.json()).toEqual(error)
  })
})
