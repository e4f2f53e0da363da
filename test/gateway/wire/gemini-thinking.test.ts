import { describe, expect, it } from 'vitest'
import type { Call, Delta, Reply } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as google } from '../../../gateway/providers/gemini.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { decodeStream, encodeStream } from './assembled.ts'
import { plainEvents } from './recorded.ts'

type Json = Record<string, unknown>
const options: EncodeOptions = { model: 'gemini-3-flash', caps: {}, headers: {} }
const respond = openai.otherFormats?.['openai-responses'] as Provider
const question = { role: 'user', content: 'q' }

function callOf(dialect: Dialect, rest: Json): Call {
  const body = { model: 'm', max_tokens: 9000, ...rest }
  return dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat', {
    method: 'POST',
    url: '/v1beta/models/m:generateContent',
    headers: {},
  })
}
const bodyOf = (provider: Provider, call: Call, model = 'gemini-3-flash'): string =>
  provider.encodeRequest(call, { ...options, model }).body.toString()

/** What Gemini thought before it called a function, and what it needs back. */
const answer = {
  candidates: [
    {
      content: {
        role: 'model',
        parts: [
          { text: 'I need the weather.', thought: true },
          { text: 'Let me look.' },
          { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'c2lnbmVk' },
          { functionCall: { name: 'f', args: { a: 2 } } },
        ],
      },
      finishReason: 'STOP',
    },
  ],
  responseId: 'r1',
  modelVersion: 'gemini-3-flash',
}
const reply = google.decodeReply(answer)
const { deltas } = decodeStream(google.createDecoder(), [Buffer.from(`data: ${JSON.stringify(answer)}\n\n`)])
const [firstId, secondId] = reply.blocks.flatMap((block) => (block.type === 'toolCall' ? [block.id] : []))

/** The next turn of a caller of each dialect, made from the answer as the dialect writes it, whole or streamed. */
const nextTurns: Readonly<Record<string, (written: Reply) => Call>> = {
  'Chat Completions': (written) => {
    const { body } = chat.encodeReply(written, callOf(chat, { messages: [question] }), 0)
    const [choice] = (body as { choices: { message: Json }[] }).choices
    const results = [firstId, secondId].map((id) => ({ role: 'tool', tool_call_id: id, content: 'Rain' }))
    return callOf(chat, { messages: [question, choice?.message, ...results] })
  },
  Messages: (written) => {
    const { body } = messages.encodeReply(written, callOf(messages, { messages: [question] }), 0)
    const content = [firstId, secondId].map((id) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: 'Rain',
    }))
    const assistant = { role: 'assistant', content: (body as Json).content }
    return callOf(messages, { messages: [question, assistant, { role: 'user', content }] })
  },
  Responses: (written) => {
    const { body } = responses.encodeReply(written, callOf(responses, { input: 'q' }), 0)
    const results = [firstId, secondId].map((id) => ({
      type: 'function_call_output',
      call_id: id,
      output: 'Rain',
    }))
    return callOf(responses, { input: [question, ...((body as Json).output as unknown[]), ...results] })
  },
}

describe.each(
  Object.entries(nextTurns),
)("Gemini's signatures, in the hands of a caller of %s,", (_name, next) => {
  it('go home to the call that they belong to', () => {
    const { contents } = JSON.parse(bodyOf(google, next(reply))) as { contents: { parts: Json[] }[] }
    const calls = contents[1]?.parts.filter((part) => part.functionCall !== undefined)
    expect(calls?.map(({ thoughtSignature }) => thoughtSignature)).toEqual(['c2lnbmVk', undefined])
    const results = contents[2]?.parts.map((part) => part.functionResponse as Json)
    expect(results?.map(({ name, id }) => [name, id])).toEqual([
      ['f', firstId],
      ['f', secondId],
    ])
  })

  it('go to nobody else, and are named', () => {
    const call = next(reply)
    for (const provider of [openai, respond, anthropic]) {
      const request = provider.encodeRequest(call, { ...options, model: 'other' })
      expect(request.body.toString()).not.toContain('c2lnbmVk')
      expect(request.dropped.length).toBeGreaterThan(0)
    }
  })
})

it("Gemini's signatures stream through every dialect", () => {
  for (const [dialect, body] of [
    [chat, { messages: [question] }],
    [messages, { messages: [question] }],
    [responses, { input: 'q' }],
  ] as const) {
    const text = encodeStream(dialect.createEncoder(callOf(dialect, body), 0), deltas)
    expect(text, dialect.id).toContain('c2lnbmVk')
    expect(text, dialect.id).toContain('I need the weather.')
  }
})

describe("another provider's thinking, in the hands of a Gemini caller,", () => {
  const thought = { type: 'reasoning', origin: 'anthropic-messages' } as const
  const said: Delta[] = [
    { type: 'start', id: 'm1', model: 'claude' },
    { type: 'blockStart', index: 0, block: thought },
    { type: 'blockDelta', index: 0, text: 'Let me ' },
    { type: 'blockDelta', index: 0, text: 'think.' },
    { type: 'blockDelta', index: 0, signature: 'SIG' },
    { type: 'blockEnd', index: 0 },
    { type: 'blockStart', index: 1, block: { type: 'toolCall', id: 'toolu_1', name: 'f' } },
    { type: 'blockDelta', index: 1, text: '{"a":1}' },
    { type: 'blockEnd', index: 1 },
    { type: 'end', finish: 'toolCalls', nativeFinish: 'tool_use' },
  ]
  const first = [{ role: 'user', parts: [{ text: 'q' }] }]
  const text = encodeStream(gemini.createEncoder(callOf(gemini, { contents: first }), 0), said)
  const parts = plainEvents(Buffer.from(text)).flatMap(
    (event) => (event.candidates as { content: { parts: Json[] } }[])[0]?.content.parts ?? [],
  )
  const functionResponse = { name: 'f', response: { output: 'Rain' } }
  const contents = [...first, { role: 'model', parts }, { role: 'user', parts: [{ functionResponse }] }]
  const next = callOf(gemini, { contents })

  it('goes home whole, before the call that it led to', () => {
    const { messages: turns } = JSON.parse(bodyOf(anthropic, next, 'claude-sonnet-4-5')) as {
      messages: { content: Json[] }[]
    }
    expect(turns[1]?.content).toEqual([
      { type: 'thinking', thinking: 'Let me think.', signature: 'SIG' },
      { type: 'tool_use', id: 'toolu_1', name: 'f', input: { a: 1 } },
    ])
    expect(turns[2]?.content[0]).toMatchObject({ tool_use_id: 'toolu_1' })
  })

  it('stays away from Google, which is told that the call has no proof', () => {
    const request = google.encodeRequest(next, { ...options, fidelity: 'lossy' })
    const sent = request.body.toString()
    expect(sent).not.toContain('c2lnbmFsYm94')
    expect(sent).toContain('skip_thought_signature_validator')
    expect(request.dropped).toEqual(['contents[].parts[].thoughtSignature'])
  })
})

it('a call that the upstream left incomplete is never shown', () => {
  const cut: Delta[] = [
    { type: 'start', id: 'm1', model: 'm' },
    { type: 'blockStart', index: 0, block: { type: 'toolCall', id: 'c', name: 'f' } },
    { type: 'blockDelta', index: 0, text: '{"path":"/et' },
    { type: 'end', finish: 'length', nativeFinish: 'max_tokens' },
  ]
  const text = encodeStream(gemini.createEncoder(callOf(gemini, { contents: [{}] }), 0), cut)
  expect(text).not.toContain('functionCall')
  expect(text).toContain('"finishReason":"MAX_TOKENS"')
})
