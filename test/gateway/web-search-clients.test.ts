import { createGateway } from '@ai-sdk/gateway'
import Anthropic from '@anthropic-ai/sdk'
import { streamText } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memoryKey, memorySnapshot } from '../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../support/running-gateway.ts'
import { type ScriptedUpstream, startScriptedUpstream } from '../support/scripted-upstream.ts'

const model = 'gemini/gemini-3-pro'
const text = 'The sky is blue.'
const source = { url: 'https://sky.test/a', title: 'Sky' }
const groundingMetadata = {
  webSearchQueries: ['sky'],
  groundingChunks: [{ web: { uri: source.url, title: source.title } }],
  groundingSupports: [{ segment: { startIndex: 4, endIndex: 7, text: 'sky' }, groundingChunkIndices: [0] }],
}
const head = { modelVersion: 'gemini-3-pro', responseId: 'r1' }
const events = [
  { ...head, candidates: [{ content: { role: 'model', parts: [{ text }] } }] },
  {
    ...head,
    candidates: [
      { content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP', groundingMetadata },
    ],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 6 },
  },
]

let upstream: ScriptedUpstream
let gateway: RunningGateway
beforeAll(async () => {
  upstream = await startScriptedUpstream()
  upstream.play((turn) => {
    turn.events(events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''))
    turn.response.end()
  })
  const connections = [connectionOf('gemini', { provider: 'gemini', baseUrl: upstream.url })]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
})
afterAll(async () => {
  await Promise.all([gateway.close(), upstream.close()])
})

/** What goes to Google is its own search, and what comes of it is in the record. */
async function isSearched(): Promise<void> {
  expect(upstream.requests.at(-1)?.json.tools).toEqual([{ googleSearch: {} }])
  const { row, body } = await gateway.lastRecord()
  expect(row.usage).toMatchObject({ input: 5, output: 6, searches: 1 })
  expect(body).toMatchObject({ dropped: ['response.candidates[].groundingMetadata.searchEntryPoint'] })
}

describe('a search of the web at Gemini', () => {
  it('is read by the OpenAI client as an item and an annotation', async () => {
    const client = new OpenAI({ apiKey: memoryKey, baseURL: `${gateway.url}/v1`, maxRetries: 0 })
    const stream = client.responses.stream({ model, input: 'Why?', tools: [{ type: 'web_search' }] })
    const { output, output_text: said } = await stream.finalResponse()
    expect(said).toBe(text)
    expect(output.map(({ type }) => type)).toEqual(['message', 'web_search_call'])
    expect(output[0]).toMatchObject({
      content: [{ annotations: [{ type: 'url_citation', start_index: 4, end_index: 7, ...source }] }],
    })
    await isSearched()
  })

  it('is read by the Anthropic client as blocks and a citation', async () => {
    const client = new Anthropic({ apiKey: memoryKey, baseURL: gateway.url, maxRetries: 0 })
    const stream = client.messages.stream({
      model,
      max_tokens: 99,
      messages: [{ role: 'user', content: 'Why?' }],
      tools: [{ type: 'web_search_20250305', name: 'web_search' }],
    })
    const { content, usage } = await stream.finalMessage()
    expect(content.map(({ type }) => type)).toEqual(['text', 'server_tool_use', 'web_search_tool_result'])
    expect(content[0]).toMatchObject({ text, citations: [source] })
    expect(content[1]).toMatchObject({ input: { query: 'sky' } })
    expect(usage.server_tool_use?.web_search_requests).toBe(1)
    await isSearched()
  })

  it('is read by the AI SDK as a source', async () => {
    const provider = createGateway({ baseURL: `${gateway.url}/v3/ai`, apiKey: memoryKey })
    const result = streamText({
      model: provider(model),
      prompt: 'Why?',
      tools: {
        search: { type: 'provider', id: 'google.google_search', args: {}, isProviderExecuted: true } as never,
      },
    })
    expect(await result.text).toBe(text)
    expect(await result.sources).toMatchObject([source])
    await isSearched()
  })
})
