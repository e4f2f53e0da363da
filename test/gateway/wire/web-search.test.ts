import { Refusal } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { Call, Delta } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import { dialect as vercel } from '../../../gateway/dialects/vercel-ai.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as bedrock } from '../../../gateway/providers/bedrock.ts'
import { provider as google } from '../../../gateway/providers/gemini.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { assemble } from './assembled.ts'
import { bases, type Json, type Speaker } from './features/feature-row.ts'

const dialects: Readonly<Record<Speaker, Dialect>> = {
  'openai-chat': chat,
  'openai-responses': responses,
  'anthropic-messages': messages,
  gemini,
  'vercel-ai': vercel,
}
const openAiResponses = openai.otherFormats?.['openai-responses'] ?? openai

function callOf(speaker: Speaker, ask: Json = {}): Call {
  const body = { ...bases[speaker], ...ask }
  return dialects[speaker].decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat', {
    method: 'POST',
    url: '/v1beta/models/m:generateContent',
    headers: { 'ai-language-model-id': 'm' },
  })
}
function sent(speaker: Speaker, ask: Json, provider: Provider, model: string) {
  const options: EncodeOptions = { model, caps: {}, headers: {}, outputTokensMax: 32_000 }
  const { body, dropped, responseDropped } = provider.encodeRequest(callOf(speaker, ask), options)
  return { body: JSON.parse(body.toString('utf8')), dropped, responseDropped }
}
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.map(json) : [])
const json = (value: unknown): Json => JSON.parse(JSON.stringify(value))

/** The text of these answers is `Ünder 😀 the sky. It is blue.`, and its end rests on a source. */
const opening = 'Ünder 😀 the sky. '
const claim = 'It is blue.'
const source = { url: 'https://sky.test/a', title: 'Sky' }
const answers: Readonly<Record<string, { provider: Provider; answer: Json; events: Json[] }>> = {
  'openai-responses': responsesAnswer(),
  'anthropic-messages': messagesAnswer(),
  gemini: geminiAnswer(),
}

function responsesAnswer() {
  const annotation = { type: 'url_citation', start_index: 17, end_index: 28, ...source }
  const part = { type: 'output_text', text: opening + claim, annotations: [annotation], logprobs: [] }
  const action = { type: 'search', query: 'sky', sources: [{ type: 'url', url: source.url }] }
  const search = { type: 'web_search_call', id: 'ws_1', status: 'completed', action }
  const message = { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [part] }
  const usage = { input_tokens: 5, output_tokens: 6, total_tokens: 11 }
  const head = { id: 'resp_1', object: 'response', model: 'gpt-5.5', status: 'completed' }
  const answer = { ...head, output: [search, message], usage }
  const at = { item_id: 'msg_1', output_index: 1, content_index: 0 }
  const events = [
    { type: 'response.created', response: { ...head, status: 'in_progress', output: [] } },
    { type: 'response.output_item.added', output_index: 0, item: { ...search, action: undefined } },
    { type: 'response.web_search_call.searching', output_index: 0, item_id: 'ws_1' },
    { type: 'response.output_item.done', output_index: 0, item: search },
    { type: 'response.output_item.added', output_index: 1, item: { ...message, content: [] } },
    { type: 'response.output_text.delta', ...at, delta: opening },
    { type: 'response.output_text.delta', ...at, delta: claim },
    { type: 'response.output_text.annotation.added', ...at, annotation_index: 0, annotation },
    { type: 'response.output_text.done', ...at, text: part.text },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: 1, item: message },
    { type: 'response.completed', response: answer },
  ]
  return { provider: openAiResponses, answer: json(answer), events: events.map(json) }
}

function messagesAnswer() {
  const use = { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'sky' } }
  const found = { type: 'web_search_result', ...source, encrypted_content: 'ENC', page_age: null }
  const result = { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [found] }
  const citation = {
    type: 'web_search_result_location',
    ...source,
    cited_text: 'The sky is blue.',
    encrypted_index: 'IDX',
  }
  const usage = { input_tokens: 5, output_tokens: 6, server_tool_use: { web_search_requests: 1 } }
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-opus-4-8' }
  const texts = [
    { type: 'text', text: opening },
    { type: 'text', text: claim, citations: [citation] },
  ]
  const answer = { ...head, content: [use, result, ...texts], stop_reason: 'end_turn', usage }
  const block = (index: number, start: unknown, deltas: unknown[]): unknown[] => [
    { type: 'content_block_start', index, content_block: start },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
  const events = [
    {
      type: 'message_start',
      message: { ...head, content: [], usage: { input_tokens: 5, output_tokens: 0 } },
    },
    ...block(0, { ...use, input: {} }, [
      { type: 'input_json_delta', partial_json: '{"query":' },
      { type: 'input_json_delta', partial_json: '"sky"}' },
    ]),
    ...block(1, result, []),
    ...block(2, { type: 'text', text: '' }, [{ type: 'text_delta', text: opening }]),
    ...block(3, { type: 'text', text: '', citations: [] }, [
      { type: 'citations_delta', citation },
      { type: 'text_delta', text: claim },
    ]),
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage },
    { type: 'message_stop' },
  ]
  return { provider: anthropic, answer: json(answer), events: events.map(json) }
}

function geminiAnswer() {
  const startIndex = Buffer.byteLength(opening)
  const groundingMetadata = {
    webSearchQueries: ['sky'],
    searchEntryPoint: { renderedContent: '<div/>' },
    groundingChunks: [{ web: { uri: source.url, title: source.title } }],
    groundingSupports: [
      {
        segment: { startIndex, endIndex: startIndex + Buffer.byteLength(claim), text: claim },
        groundingChunkIndices: [0],
      },
    ],
  }
  const head = { modelVersion: 'gemini-3-pro', responseId: 'r1' }
  const content = (text: string) => ({ role: 'model', parts: [{ text }] })
  const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 6 }
  const end = { finishReason: 'STOP', groundingMetadata }
  const answer = { ...head, usageMetadata, candidates: [{ content: content(opening + claim), ...end }] }
  const events = [
    { ...head, candidates: [{ content: content(opening) }] },
    { ...head, candidates: [{ content: content(claim) }] },
    { ...head, usageMetadata, candidates: [{ content: content(''), ...end }] },
  ]
  return { provider: google, answer: json(answer), events: events.map(json) }
}

function decoded(provider: Provider, events: readonly Json[]): Delta[] {
  const decoder = provider.createDecoder()
  const deltas = events.flatMap((event) => decoder.push({ event: '', data: JSON.stringify(event) }))
  return [...deltas, ...decoder.finish().deltas]
}
function streamed(speaker: Speaker, provider: Provider, events: readonly Json[]): Json[] {
  const encoder = dialects[speaker].createEncoder(callOf(speaker), 0)
  const body =
    decoded(provider, events)
      .map((delta) => encoder.push(delta))
      .join('') + encoder.end()
  const frames = new SseSplitter().push(Buffer.from(body))
  return frames.flatMap(({ data }) => (data === '' || data === '[DONE]' ? [] : [JSON.parse(data) as Json]))
}

describe('sources on the web', () => {
  for (const [name, { provider, answer, events }] of Object.entries(answers)) {
    it(`of ${name} stand at their place in Chat Completions, plain and streamed`, () => {
      const { body } = chat.encodeReply(provider.decodeReply(answer), callOf('openai-chat'), 0)
      const cited = expect.objectContaining({ start_index: 17, end_index: 28, ...source })
      expect(body).toMatchObject({
        choices: [{ message: { content: opening + claim, annotations: [{ type: 'url_citation' }] } }],
        search_queries: ['sky'],
        search_results: [{ url: source.url }],
      })
      expect(body).toHaveProperty('choices.0.message.annotations', [
        { type: 'url_citation', url_citation: cited },
      ])
      const chunks = streamed('openai-chat', provider, events)
      const annotations = chunks.flatMap((chunk) => json(chunk.choices)[0] ?? [])
      expect(JSON.stringify(annotations)).toContain('"start_index":17,"end_index":28')
      expect(chunks.filter((chunk) => chunk.search_queries !== undefined)).toHaveLength(1)
    })

    it(`of ${name} stand at their place in Responses, plain and streamed`, () => {
      const { body } = responses.encodeReply(provider.decodeReply(answer), callOf('openai-responses'), 0)
      const whole = JSON.stringify(body)
      const isSplit = name === 'anthropic-messages'
      const place = isSplit ? { start_index: 0, end_index: 11 } : { start_index: 17, end_index: 28 }
      expect(whole).toContain(JSON.stringify(place).slice(1, -1))
      expect(body).toMatchObject({
        output: [
          { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'sky' } },
          { type: 'message' },
        ],
      })
      const told = streamed('openai-responses', provider, events)
      const types = told.map(({ type }) => String(type))
      expect(types).toContain('response.web_search_call.completed')
      const added = told.filter(({ type }) => type === 'response.output_text.annotation.added')
      expect(added).toMatchObject([{ annotation_index: 0, annotation: { ...place, ...source } }])
      expect(types.indexOf('response.output_text.annotation.added')).toBeLessThan(
        types.lastIndexOf('response.output_text.done'),
      )
      const { response } = json(told.at(-1)) as { response: Json }
      expect(JSON.stringify(response.output)).toContain(JSON.stringify(place).slice(1, -1))
    })

    it(`of ${name} are citations of the text that rests on them in Messages, plain and streamed`, () => {
      const { body } = messages.encodeReply(provider.decodeReply(answer), callOf('anthropic-messages'), 0)
      const { content } = json(body) as { content: Json[] }
      const types = content.map(({ type }) => type)
      expect(types).toEqual(['server_tool_use', 'web_search_tool_result', 'text', 'text'])
      expect(content[3]).toMatchObject({
        text: claim,
        citations: [{ type: 'web_search_result_location', ...source }],
      })
      const told = streamed('anthropic-messages', provider, events)
      const cited = told.filter((event) => JSON.stringify(event).includes('citations_delta'))
      expect(cited).toMatchObject([{ delta: { citation: source } }])
      const opened = told.filter(({ type }) => type === 'content_block_start')
      const stopped = told.filter(({ type }) => type === 'content_block_stop')
      expect(opened.map(({ index }) => index)).toEqual(stopped.map(({ index }) => index))
      const ended = told.find(({ type }) => type === 'message_delta')
      expect(ended).toMatchObject({ usage: { server_tool_use: { web_search_requests: 1 } } })
    })

    it(`of ${name} are grounding in Gemini, counted in bytes, plain and streamed`, () => {
      const { body } = gemini.encodeReply(provider.decodeReply(answer), callOf('gemini'), 0)
      const told = streamed('gemini', provider, events)
      for (const [isPlain, said] of [
        [true, json(body)],
        [false, told.at(-1) ?? {}],
      ] as const) {
        const [candidate] = listOf(said.candidates)
        const metadata = json(candidate?.groundingMetadata)
        expect(metadata).toMatchObject({
          webSearchQueries: ['sky'],
          groundingChunks: [{ web: { uri: source.url } }],
          groundingSupports: [{ segment: { text: claim }, groundingChunkIndices: [0] }],
        })
        const [support] = listOf(metadata.groundingSupports)
        const isOwnPart = isPlain && name === 'anthropic-messages'
        expect(json(support?.segment).startIndex ?? 0).toBe(isOwnPart ? 0 : Buffer.byteLength(opening))
      }
    })

    it(`of ${name} are sources for the AI SDK, and its searches tools that the provider ran`, () => {
      const told = streamed('vercel-ai', provider, events)
      expect(told.filter(({ type }) => type === 'source')).toMatchObject([{ sourceType: 'url', ...source }])
      expect(told.filter(({ type }) => type === 'tool-result')).toMatchObject([{ providerExecuted: true }])
    })

    it(`of ${name} are the same whether it is streamed or not, and its searches are counted`, () => {
      const plain = provider.decodeReply(answer)
      const { blocks, usage } = assemble(decoded(provider, events))
      const byKind = (all: typeof blocks): unknown[] => all.filter(({ type }) => type === 'text')
      expect(byKind(blocks)).toEqual(byKind(plain.blocks))
      expect(usage).toEqual(plain.usage)
      expect(usage.searches).toBe(1)
    })
  }

  for (const [name, { provider, answer, events }] of Object.entries(answers)) {
    it(`of ${name} are counted where the answer passes as it is`, () => {
      expect(provider.readUsage(answer)).toMatchObject({ searches: 1 })
      const reader = provider.createReader({ addedUsage: false })
      const body = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('')
      const readings = new SseSplitter().push(Buffer.from(body)).map((frame) => reader.read(frame))
      expect(readings.findLast(({ usage }) => usage !== undefined)?.usage).toMatchObject({ searches: 1 })
    })
  }

  it('go through Anthropic’s own form as they came, proofs included', () => {
    const { provider, answer } = answers['anthropic-messages'] ?? messagesAnswer()
    const { body } = messages.encodeReply(provider.decodeReply(answer), callOf('anthropic-messages'), 0)
    expect(json(body).content).toEqual(answer.content)
  })

  it('of another provider do not go back to Anthropic, which wants proofs of them', () => {
    const { provider, answer } = answers.gemini ?? geminiAnswer()
    const { body } = messages.encodeReply(provider.decodeReply(answer), callOf('anthropic-messages'), 0)
    const turns = [
      { role: 'user', content: 'Why?' },
      { role: 'assistant', content: json(body).content },
      { role: 'user', content: 'And at night?' },
    ]
    const again = sent('anthropic-messages', { messages: turns }, anthropic, 'claude-opus-4-8')
    expect(again.body.messages[1].content).toEqual([
      { type: 'text', text: opening },
      { type: 'text', text: claim },
    ])
    expect(again.dropped).toContain('messages[].content[].web_search_tool_result')
  })

  it('of Perplexity come with the answer, not with a place in it', () => {
    const answer = {
      id: 'c1',
      choices: [{ message: { content: 'Blue [1].' }, finish_reason: 'stop' }],
      citations: ['https://sky.test/a'],
      search_results: [{ ...source, date: '2026-01-01' }],
    }
    const reply = compatible.decodeReply(answer)
    expect(reply.lost).toEqual([])
    expect(reply.blocks).toMatchObject([
      { type: 'search', results: [{ ...source, age: '2026-01-01' }] },
      { type: 'text', citations: [source] },
    ])
  })
})

describe('a search of the web', () => {
  const asks: Readonly<Record<string, Json>> = {
    'openai-chat': {
      web_search_options: { user_location: { type: 'approximate', approximate: { city: 'Bern' } } },
    },
    'openai-responses': {
      tools: [{ type: 'web_search', user_location: { type: 'approximate', city: 'Bern' } }],
    },
    'anthropic-messages': {
      tools: [
        {
          type: 'web_search_20250305',
          name: 'web_search',
          user_location: { type: 'approximate', city: 'Bern' },
        },
      ],
    },
  }
  for (const [speaker, ask] of Object.entries(asks) as [Speaker, Json][]) {
    it(`that ${speaker} offers is the search of the provider that is chosen`, () => {
      if (speaker !== 'anthropic-messages') {
        expect(sent(speaker, ask, anthropic, 'claude-opus-4-8').body.tools).toEqual([
          {
            type: 'web_search_20250305',
            name: 'web_search',
            user_location: { type: 'approximate', city: 'Bern' },
          },
        ])
      }
      if (speaker !== 'openai-responses') {
        const { body } = sent(speaker, ask, openAiResponses, 'gpt-5.5')
        expect(body.tools).toEqual([
          { type: 'web_search', user_location: { type: 'approximate', city: 'Bern' } },
        ])
        expect(body.include).toContain('web_search_call.action.sources')
      }
      const { body, dropped, responseDropped } = sent(speaker, ask, google, 'gemini-3-pro-preview')
      expect(body.tools).toEqual([{ googleSearch: {} }])
      expect(dropped.join()).toContain('user_location')
      expect(responseDropped).toEqual(['response.candidates[].groundingMetadata.searchEntryPoint'])
    })

    it(`that ${speaker} offers is refused where the target has none`, () => {
      for (const [provider, model] of [
        ...(speaker === 'openai-chat' ? [] : [[compatible, 'llama'] as const]),
        [bedrock, 'amazon.nova-pro-v1:0'],
      ] as const) {
        expect(() => sent(speaker, ask, provider, model)).toThrow(Refusal)
      }
    })
  }

  it('of Gemini reaches the others', () => {
    const ask = { tools: [{ googleSearch: {} }] }
    expect(sent('gemini', ask, anthropic, 'claude-opus-4-8').body.tools).toMatchObject([
      { name: 'web_search' },
    ])
    expect(sent('gemini', ask, openAiResponses, 'gpt-5.5').body.tools).toEqual([{ type: 'web_search' }])
  })

  it('keeps its limits where the other has them, and names them where not', () => {
    const tool = { type: 'web_search_20250305', name: 'web_search', max_uses: 3, allowed_domains: ['x.test'] }
    const { body, dropped } = sent('anthropic-messages', { tools: [tool] }, openAiResponses, 'gpt-5.5')
    expect(body).toMatchObject({
      max_tool_calls: 3,
      tools: [{ type: 'web_search', filters: { allowed_domains: ['x.test'] } }],
    })
    expect(dropped).toEqual([])
    const google3 = sent('anthropic-messages', { tools: [tool] }, google, 'gemini-3-pro-preview')
    expect(google3.dropped).toEqual(['tools[].max_uses', 'tools[].allowed_domains'])
  })

  it('can be forced where the other knows that', () => {
    const ask = { ...asks['openai-responses'], tool_choice: { type: 'web_search' } }
    const { body } = sent('openai-responses', ask, anthropic, 'claude-sonnet-4-5')
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'web_search' })
    const forced = { ...asks['anthropic-messages'], tool_choice: { type: 'tool', name: 'web_search' } }
    const back = sent('anthropic-messages', forced, openAiResponses, 'gpt-5.5')
    expect(back.body.tool_choice).toEqual({ type: 'web_search' })
    expect(() => sent('anthropic-messages', forced, google, 'gemini-3-pro-preview')).toThrow(Refusal)
  })

  it('that may not leave what OpenAI has kept is no other search', () => {
    const cached = { tools: [{ type: 'web_search', external_web_access: false }] }
    expect(() => sent('openai-responses', cached, anthropic, 'claude-opus-4-8')).toThrow(Refusal)
    const live = { tools: [{ type: 'web_search', external_web_access: true }] }
    expect(sent('openai-responses', live, anthropic, 'claude-opus-4-8').dropped).toEqual([])
  })

  it('beside functions is refused for Gemini, which takes one or the other', () => {
    const functions = [{ type: 'function', name: 'find', parameters: { type: 'object', properties: {} } }]
    const ask = { tools: [...functions, { type: 'web_search' }] }
    expect(() => sent('openai-responses', ask, google, 'gemini-3-pro-preview')).toThrow(Refusal)
    expect(sent('openai-responses', ask, anthropic, 'claude-opus-4-8').body.tools).toHaveLength(2)
  })
})

it('a search of Gemini that every event says again is told once, and what is new of it then', () => {
  const { provider, events } = geminiAnswer()
  const grounded = (metadata: Json, text: string) =>
    json({ responseId: 'r1', candidates: [{ content: { parts: [{ text }] }, groundingMetadata: metadata }] })
  const said = json({ webSearchQueries: ['sky'], groundingChunks: [{ web: { uri: 'https://a.example/' } }] })
  const more = json({ ...said, webSearchQueries: ['sky', 'sea'] })
  const [first = {}, ...rest] = events
  const all = decoded(provider, [grounded(said, ''), grounded(said, ''), first, grounded(more, ''), ...rest])
  const searches = all.flatMap((delta) => (delta.type === 'search' ? [delta.search] : []))
  expect(searches.map(({ queries }) => queries)).toEqual([['sky'], ['sea']])
  expect(new Set(searches.map(({ id }) => id)).size).toBe(2)
  expect(all.filter(({ type }) => type === 'citation')).toHaveLength(1)
})
