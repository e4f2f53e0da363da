import { describe, expect, it } from 'vitest'
import type { Call, Delta } from '../../../gateway/call.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { assemble, decodeStream, encodeStream } from './assembled.ts'

type Json = Record<string, unknown>
const options: EncodeOptions = { model: 'gpt-5.2', caps: {}, headers: {} }
const claude: EncodeOptions = { ...options, model: 'claude-sonnet-4-5' }
const upstream = openai.otherFormats?.['openai-responses'] as Provider

function callOf(dialect: { decodeRequest: typeof chat.decodeRequest }, body: Json): Call {
  return dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat')
}
function sent(provider: Provider, call: Call, to: EncodeOptions): Json {
  return JSON.parse(provider.encodeRequest(call, to).body.toString())
}

/** A tool loop's first answer as OpenAI gives it. */
const thought = {
  id: 'resp_1',
  model: 'gpt-5.2',
  status: 'completed',
  output: [
    {
      id: 'rs_1',
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: 'Look it up.' }],
      encrypted_content: 'gAAAA:x',
    },
    { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: 'find', arguments: '{"q":"x"}' },
  ],
}
const reasoning = thought.output[0]
const reply = upstream.decodeReply(thought)
const deltas: Delta[] = [
  { type: 'start', id: 'resp_1', model: 'gpt-5.2' },
  { type: 'blockStart', index: 0, block: { type: 'reasoning', origin: 'openai-responses' } },
  { type: 'blockDelta', index: 0, text: 'Look it up.' },
  { type: 'blockDelta', index: 0, signature: 'rs_1', encrypted: 'gAAAA:x' },
  { type: 'blockEnd', index: 0 },
  { type: 'end', finish: 'stop', nativeFinish: 'completed' },
]

describe('thinking of OpenAI in the hands of a Messages client', () => {
  const ask = callOf(messages, { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'q' }] })
  const plain = (messages.encodeReply(reply, ask, 0).body as { content: Json[] }).content
  const next = (content: readonly Json[]): Call =>
    callOf(messages, {
      model: 'm',
      max_tokens: 9000,
      thinking: { type: 'enabled', budget_tokens: 2000 },
      messages: [
        { role: 'user', content: 'q' },
        { role: 'assistant', content },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'found' }] },
      ],
    })

  it('comes back to OpenAI as it was, in its tool loop', () => {
    const { input, reasoning: wanted } = sent(upstream, next(plain), options)
    expect((input as Json[]).slice(1)).toEqual([
      reasoning,
      { type: 'function_call', call_id: 'call_1', name: 'find', arguments: '{"q":"x"}' },
      { type: 'function_call_output', call_id: 'call_1', output: 'found' },
    ])
    expect(wanted).toEqual({ effort: 'low', summary: 'auto' })
  })

  it('is the same thinking from a stream', () => {
    const text = encodeStream(messages.createEncoder(ask, 0), deltas)
    const { deltas: again } = decodeStream(anthropic.createDecoder(), [Buffer.from(text)])
    const [block] = assemble(again).blocks
    if (block?.type !== 'reasoning') throw new Error('no thinking')
    expect({ type: 'thinking', thinking: block.text, signature: block.signature }).toEqual(plain[0])
  })

  it('goes neither to Anthropic nor to a chat server', () => {
    for (const [provider, to] of [
      [anthropic, claude],
      [openai, options],
    ] as const) {
      const request = provider.encodeRequest(next(plain), to)
      expect(request.body.toString()).not.toMatch(/gAAAA|Look it up/)
      expect(request.dropped).toContain('messages[].content[].thinking')
    }
  })
})

describe('thinking of OpenAI in the hands of a Chat Completions client', () => {
  const ask = callOf(chat, { model: 'm', messages: [{ role: 'user', content: 'q' }] })
  const { choices } = chat.encodeReply(reply, ask, 0).body as { choices: { message: Json }[] }
  const message = choices[0]?.message ?? {}
  const next = (answer: Json): Call =>
    callOf(chat, {
      model: 'm',
      messages: [
        { role: 'user', content: 'q' },
        answer,
        { role: 'tool', tool_call_id: 'call_1', content: 'found' },
      ],
    })

  it('is shown, and comes back to OpenAI with its proof', () => {
    expect(message.reasoning_content).toBe('Look it up.')
    const { input } = sent(upstream, next(message), options)
    expect((input as Json[])[1]).toEqual({ ...reasoning, summary: [] })
  })

  it('is the same from a stream', () => {
    const text = encodeStream(chat.createEncoder(ask, 0), deltas)
    expect(text).toContain('"reasoning_content":"Look it up."')
    expect(text).toContain(JSON.stringify(message.reasoning_details))
  })

  it('goes to no chat server', () => {
    for (const provider of [openai, compatible]) {
      expect(provider.encodeRequest(next(message), options).body.toString()).not.toContain('gAAAA')
    }
  })
})

describe('thinking of Claude in the hands of a Responses client', () => {
  const content = [
    { type: 'thinking', thinking: 'First, look it up.', signature: 'EqQB+/=' },
    { type: 'redacted_thinking', data: 'ENC:1' },
    { type: 'text', text: 'I look it up.' },
    { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x' } },
  ]
  const ask = callOf(responses, { model: 'm', input: 'q' })
  const answered = anthropic.decodeReply({ id: 'msg_1', model: 'c', content, stop_reason: 'tool_use' })
  const { output } = responses.encodeReply(answered, ask, 0).body as { output: Json[] }
  const next = callOf(responses, {
    model: 'm',
    max_output_tokens: 5000,
    reasoning: { effort: 'high' },
    input: [
      { role: 'user', content: 'q' },
      ...output,
      { type: 'function_call_output', call_id: 'toolu_1', output: 'found' },
    ],
  })

  it('comes back to Claude signed and in order', () => {
    const { messages: turns } = sent(anthropic, next, claude) as { messages: Json[] }
    expect(turns[1]).toEqual({ role: 'assistant', content })
    expect(turns[2]).toMatchObject({ content: [{ type: 'tool_result', tool_use_id: 'toolu_1' }] })
  })

  it('does not go to OpenAI, which could not open it', () => {
    const request = upstream.encodeRequest(next, options)
    expect(request.body.toString()).not.toMatch(/EqQB|ENC:1|First, look/)
    expect(request.dropped).toEqual(['input[].encrypted_content'])
  })

  it('comes back the same from a stream', () => {
    const events: Delta[] = answered.blocks.flatMap((block, index): Delta[] => {
      if (block.type !== 'reasoning') return []
      const { type, origin, text, ...proof } = block
      return [
        { type: 'blockStart', index, block: { type, origin } },
        ...(text === '' ? [] : [{ type: 'blockDelta', index, text } as const]),
        { type: 'blockDelta', index, ...proof },
        { type: 'blockEnd', index },
      ]
    })
    const all: Delta[] = [
      { type: 'start', id: 'msg_1', model: 'c' },
      ...events,
      { type: 'end', finish: 'stop', nativeFinish: 'end_turn' },
    ]
    const text = encodeStream(responses.createEncoder(ask, 0), all)
    const last = text.trim().split('\n').at(-1)?.slice('data: '.length) ?? ''
    const { response } = JSON.parse(last) as { response: { output: Json[] } }
    expect(response.output).toEqual(output.slice(0, 2))
  })
})

describe('thinking of a chat server in the hands of a Responses client', () => {
  it('comes back to such a server where it stood', () => {
    const answered = compatible.decodeReply({
      id: 'c1',
      model: 'deepseek',
      choices: [{ index: 0, message: { content: 'Hi', reasoning_content: 'Greet.' }, finish_reason: 'stop' }],
    })
    const ask = callOf(responses, { model: 'm', input: 'q' })
    const { output } = responses.encodeReply(answered, ask, 0).body as { output: Json[] }
    const next = callOf(responses, { model: 'm', input: [...output, { role: 'user', content: 'more' }] })
    const { messages: turns } = sent(compatible, next, options) as { messages: Json[] }
    expect(turns[0]).toEqual({ role: 'assistant', content: 'Hi', reasoning_content: 'Greet.' })
  })
})
