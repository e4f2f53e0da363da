import { type UsageUnit, usageUnits } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import { MemoryLedger } from '../../support/memory-ledger.ts'
import { connectionOf, smallCatalogue } from '../../support/memory-snapshot.ts'
import { chatCompletion, message } from '../../support/scripted-upstream.ts'
import { budgetOf, startBudgeted } from './budgeted-gateway.ts'

/** Pico-dollars a unit: 1 and 2 dollars a million tokens, and so on; a search is a cent, a request 7/1000 of a dollar. */
const units: Record<UsageUnit, number> = {
  ...{ input: 1_000_000, cacheRead: 100_000, cacheWrite5m: 1_250_000, cacheWrite1h: 2_000_000 },
  ...{ output: 2_000_000, reasoning: 3_000_000, imageIn: 4_000_000, audioIn: 5_000_000 },
  ...{ audioOut: 8_000_000, searches: 10_000_000_000, requests: 7_000_000_000 },
}
const catalogue = smallCatalogue.map((model) => ({ ...model, prices: [{ units }] }))
// As much as the provider says that it read: what it bills is below what is held.
const content = 'word '.repeat(6000)
const messages = [{ role: 'user', content }]
const searching = [{ type: 'web_search_20250305', name: 'web_search', max_uses: 3 }]

/* Each bill is added up by hand, in nano-dollars, with the fee for the request. */
const bills = [
  {
    of: 'a chat with cached input, sound both ways and reasoning',
    path: '/v1/chat/completions',
    mode: 'hard',
    body: { model: 'openai/gpt-5.2', messages, max_tokens: 500 },
    reply: {
      ...Object(chatCompletion('Hi')),
      usage: {
        ...{ prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 },
        prompt_tokens_details: { cached_tokens: 200, audio_tokens: 100 },
        completion_tokens_details: { audio_tokens: 100, reasoning_tokens: 150 },
      },
    },
    seen: ['input', 'cacheRead', 'audioIn', 'output', 'audioOut', 'reasoning', 'requests'],
    // 700 × 1000 + 200 × 100 + 100 × 5000, then 250 × 2000 + 150 × 3000 + 100 × 8000
    nanoUsd: 700_000n + 20_000n + 500_000n + 500_000n + 450_000n + 800_000n + 7_000_000n,
  },
  {
    of: 'a message that wrote caches of both lifetimes, and searched twice',
    path: '/v1/messages',
    mode: 'hard',
    body: { model: 'anthropic/claude-sonnet-4-5', messages, max_tokens: 500, tools: searching },
    reply: {
      ...Object(message('Hi')),
      usage: {
        ...{ input_tokens: 50, cache_read_input_tokens: 400, cache_creation_input_tokens: 300 },
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
        ...{ output_tokens: 60, server_tool_use: { web_search_requests: 2 } },
      },
    },
    seen: ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h', 'output', 'searches', 'requests'],
    // 50 × 1000 + 400 × 100 + 100 × 1250 + 200 × 2000 + 60 × 2000 + 2 × 10,000,000
    nanoUsd: 50_000n + 40_000n + 125_000n + 400_000n + 120_000n + 20_000_000n + 7_000_000n,
  },
  {
    of: 'an image made from text and an image',
    path: '/v1/images/generations',
    // Only its answer tells what an image costs: a hard budget has no bound to hold, and refuses it.
    mode: 'soft',
    body: { model: 'openai/gpt-5.2', prompt: content },
    reply: {
      ...{ created: 1, data: [{ b64_json: 'AAAA' }] },
      usage: {
        ...{ input_tokens: 400, output_tokens: 1056, total_tokens: 1456 },
        input_tokens_details: { text_tokens: 77, image_tokens: 323 },
      },
    },
    seen: ['input', 'imageIn', 'output', 'requests'],
    // 77 × 1000 + 323 × 4000 + 1056 × 2000
    nanoUsd: 77_000n + 1_292_000n + 2_112_000n + 7_000_000n,
  },
] as const

describe('what a provider reports, in the ledger and in the record', () => {
  it.each(bills)('is the bill added up by hand: $of', async (bill) => {
    const { path, body, reply, seen, nanoUsd, mode } = bill
    const ledger = new MemoryLedger().add('b', 1_000_000_000_000n)
    const { gateway, upstream, reported } = await startBudgeted({
      ...{ ledger, snapshot: { catalogue }, budgets: [budgetOf('b', { mode })] },
    })
    upstream.play((turn) => turn.json(200, reply))
    const response = await gateway.send(path, body)
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    await reported()
    const { settled, overrun } = ledger.get('b')
    // What nobody could know before is beyond what was held for it.
    expect(settled + overrun).toBe(nanoUsd)
    if (mode === 'hard') expect(overrun).toBe(0n)
    const { row } = await gateway.lastRecord()
    expect(row.costNanoUsd).toBe(String(nanoUsd))
    expect(Object.keys(row.usage).sort()).toEqual([...seen].sort())
    expect(row.usage.requests).toBe(1)
  })

  it('is there for each unit', () => {
    const all = new Set<UsageUnit>(bills.flatMap(({ seen }) => [...seen]))
    expect(usageUnits.filter((unit) => !all.has(unit))).toEqual([])
  })
})

it('searches that nothing limits where they are made are no part of what a hard budget can bound', async () => {
  const gemini = catalogue.slice(0, 1).map((row) => ({ ...row, id: 'gemini-3-pro', provider: 'gemini' }))
  const { gateway, dispatched } = await startBudgeted({
    ledger: new MemoryLedger().add('b', 1_000_000_000_000n),
    snapshot: {
      catalogue: [...catalogue, ...gemini],
      connections: ['openai', 'anthropic', 'gemini'].map((name) =>
        connectionOf(name, { provider: name, baseUrl: 'http://127.0.0.1:9' }),
      ),
    },
    budgets: [budgetOf('b', { mode: 'hard' })],
  })
  const limited = { max_tokens: 500, messages: [{ role: 'user', content: 'q' }], tools: searching }
  const input = { input: 'q', max_output_tokens: 500, tools: [{ type: 'web_search', max_uses: 1 }] }
  for (const [path, body] of [
    ['/v1/messages', { ...limited, model: 'gemini/gemini-3-pro' }],
    ['/v1/responses', { ...input, model: 'anthropic/claude-sonnet-4-5', max_tool_calls: 50 }],
  ] as const) {
    const response = await gateway.send(path, body, { headers: { 'x-signalbox-fidelity': 'lossy' } })
    const said = await response.text()
    expect([response.status, said.includes('price_unknown') || said.includes('cost')]).toEqual([402, true])
  }
  expect(dispatched).toEqual([])
})
