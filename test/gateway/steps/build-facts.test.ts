import { Facts, factsBytesMax } from '@signalbox/sdk/contract'
import { canonicalJson, violationsOf } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import type { Call } from '../../../gateway/call.ts'
import { dialect } from '../../../gateway/dialects/openai-chat.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { authenticate } from '../../../gateway/steps/authenticate.ts'
import { buildFacts, type FactsInput } from '../../../gateway/steps/build-facts.ts'
import { resolveModel } from '../../../gateway/steps/resolve-model.ts'
import { targetsOf } from '../../../gateway/targets.ts'
import {
  connectionOf,
  type MemorySnapshotOptions,
  memoryKey,
  memorySnapshot,
} from '../../support/memory-snapshot.ts'

const providers = new Map([openai, anthropic, compatible].map((each) => [each.id, each]))

function callOf(body: Record<string, unknown>): Call {
  const json = { model: 'gpt-5.2', messages: [{ role: 'user', content: 'Hello' }], ...body }
  return dialect.decodeRequest(Buffer.from(JSON.stringify(json)), json, 'chat')
}

function factsOf(
  body: Record<string, unknown>,
  options: MemorySnapshotOptions = {},
  rest: Partial<FactsInput> = {},
) {
  const snapshot = memorySnapshot(options)
  const table = targetsOf(snapshot, providers)
  const call = callOf(body)
  const input: FactsInput = {
    id: '01990000-0000-7000-8000-000000000000',
    nowMs: 1_790_000_000_000,
    seed: 4_294_967_295,
    environment: { name: 'development', region: 'eu-1' },
    call,
    model: resolveModel(call.model, call.format, snapshot, table),
    claims: { metadata: {}, route: '' },
    sessionId: undefined,
    client: 'OpenAI/JS 7.57.0',
    caller: authenticate({ 'x-api-key': memoryKey }, '/', snapshot, 0),
    degraded: false,
    ...rest,
  }
  return buildFacts(input, snapshot, table)
}

const huge = 'ä\u0000"'.repeat(5000)
const largeBody = {
  model: 'gpt-5.2',
  messages: [{ role: 'user', content: huge }],
  tools: Array.from({ length: 100 }, (_, index) => ({
    type: 'function',
    function: { name: `${'t'.repeat(80)}${index}` },
  })),
  user: huge,
  reasoning_effort: huge,
  n: 3,
  max_completion_tokens: 100,
  temperature: 0.25,
}

describe('facts', () => {
  it('are what the schema says, for a plain call', () => {
    const { facts } = factsOf({})
    expect(violationsOf(Facts, facts)).toEqual([])
    expect(facts.request.model).toEqual({ requested: 'gpt-5.2', targets: ['openai/gpt-5.2'], tier: 'mid' })
    expect(facts.subject).toMatchObject({
      node: { id: 'project-1', path: ['search', 'ranking'] },
      team: { name: 'search' },
      stickyKey: 'key-1',
    })
    expect(facts.truncated).toEqual([])
  })

  it('carry what the caller asked for', () => {
    const { facts } = factsOf({
      stream: true,
      temperature: 0.25,
      max_tokens: 50,
      tools: [{ type: 'function', function: { name: 'look_up' } }],
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: {} } },
    })
    expect(facts.request.stream).toBe(true)
    expect(facts.request.params).toEqual({
      temperaturePpm: 250_000,
      maxOutputTokens: 50,
      responseFormat: 'jsonSchema',
    })
    expect(facts.request.tools).toEqual({ count: 1, names: ['look_up'] })
    expect(facts.request.estimate.outputTokens).toBe(50)
  })

  it('estimate tokens from the bytes and the highest cost from the prices', () => {
    const { facts } = factsOf({ max_tokens: 100 })
    const inputTokens = Math.ceil(facts.request.bytes / 4)
    expect(facts.request.estimate).toEqual({
      inputTokens,
      outputTokens: 100,
      maxCostNanoUsd: inputTokens * 1000 + 200_000,
    })
    expect(
      factsOf({ model: 'openai/unknown', max_tokens: 5 }).facts.request.estimate.maxCostNanoUsd,
    ).toBeUndefined()
  })

  it('have the asked targets first, then what policies can name, each once, with its columns', () => {
    const local = connectionOf('local', {
      provider: 'openai-compatible',
      locality: 'on-prem',
      region: 'cellar',
    })
    const dear = connectionOf('dear', { status: 'unavailable', missing: 'DEAR_API_KEY' })
    const { facts, columns } = factsOf(
      { model: 'smart' },
      {
        aliases: { smart: ['anthropic/claude-opus-4-8', 'openai/gpt-5.2'] },
        connections: [connectionOf('openai'), connectionOf('anthropic'), local, dear],
        candidates: ['openai/gpt-5.2', 'local/llama', 'dear/x', 'gone/x'],
      },
    )
    const names = ['anthropic/claude-opus-4-8', 'openai/gpt-5.2', 'local/llama', 'dear/x']
    expect(facts.models.map((model) => model.target)).toEqual(names)
    expect(columns.map((column) => column.target)).toEqual(names)
    expect(facts.models.map((model) => model.lossless)).toEqual([false, true, true, true])
    expect(facts.models[3]?.health.state).toBe('unavailable')
    expect(columns[2]).toMatchObject({ locality: 'on-prem', region: 'cellar', provider: 'openai-compatible' })
    expect(facts.request.model.alias).toBe('smart')
  })

  it('stay with a user, else with a session, else with the key', () => {
    expect(factsOf({ user: 'u-1' }, {}, { sessionId: 's-1' }).facts.subject.stickyKey).toBe('u-1')
    expect(factsOf({}, {}, { sessionId: 's-1' }).facts.subject.stickyKey).toBe('s-1')
  })

  it('cut what is too long, name it, and stay well-formed, whatever the size of the prompt', () => {
    const many = Array.from({ length: 80 }, (_, index) => `local/${'m'.repeat(200)}${index}`)
    const { facts, columns } = factsOf(
      largeBody,
      { connections: [connectionOf('openai'), connectionOf('local')], candidates: many },
      {
        claims: { metadata: { feature: huge.slice(0, 256), tier: 'paid' }, route: huge },
        sessionId: '\ud800'.repeat(256),
        client: `\ud83d${huge}`,
      },
    )
    expect(violationsOf(Facts, facts)).toEqual([])
    expect(Buffer.byteLength(JSON.stringify(facts))).toBeLessThanOrEqual(factsBytesMax)
    expect(facts.truncated).toEqual(
      expect.arrayContaining([
        'request.tools.names',
        'subject.userId',
        'request.route',
        'request.client',
        'request.params.reasoningLevel',
        'models',
      ]),
    )
    expect(columns.length).toBe(facts.models.length)
    expect(facts.models[0]?.target).toBe('openai/gpt-5.2')
    expect(() => canonicalJson(facts)).not.toThrow()
  })

  it('are written in canonical order, so that their JSON is what their digest is over', () => {
    for (const body of [{}, largeBody, { stream: true, user: 'u', model: 'openai/x' }]) {
      const { facts } = factsOf(body, {}, { claims: { metadata: { a: 1, b: true, c: 'x' }, route: 'docs' } })
      expect(JSON.stringify(facts)).toBe(canonicalJson(facts))
    }
  })
})
