import { describe, expect, it } from 'vitest'
import type { Call } from '../../../gateway/call.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import type { EncodeOptions } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'

type Json = Record<string, unknown>
const claude: EncodeOptions = { model: 'claude-sonnet-4-5', caps: {}, headers: {} }
const bigInteger = '12345678901234567890'

function chatCall(body: Json): Call {
  return chat.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat')
}
function messagesCall(raw: string): Call {
  return messages.decodeRequest(Buffer.from(raw), JSON.parse(raw), 'chat')
}

/** An answer of Claude that thinks twice and calls a tool. */
const thought = {
  id: 'msg_1',
  model: 'claude-sonnet-4-5',
  content: [
    { type: 'thinking', thinking: 'First, look it up.', signature: 'EqQB' },
    { type: 'redacted_thinking', data: 'ENC' },
    { type: 'text', text: 'I look it up.' },
    { type: 'tool_use', id: 'toolu_1', name: 'find', input: { q: 'x' } },
  ],
  stop_reason: 'tool_use',
  usage: { input_tokens: 1, output_tokens: 2 },
}
const tools = [
  { type: 'function', function: { name: 'find', parameters: { type: 'object', properties: {} } } },
]

function nextTurn(answer: Json): Json {
  const question = { role: 'user', content: 'q' }
  const result = { role: 'tool', tool_call_id: 'toolu_1', content: 'found' }
  return {
    model: 'm',
    reasoning_effort: 'high',
    max_tokens: 5000,
    tools,
    messages: [question, answer, result],
  }
}
function messageOf(body: unknown): Json {
  const { choices } = body as { choices: { message: Json }[] }
  return choices[0]?.message ?? {}
}

describe('thinking of Claude in the hands of a Chat Completions client', () => {
  const call = chatCall({ model: 'm', messages: [{ role: 'user', content: 'q' }] })
  const answer = messageOf(chat.encodeReply(anthropic.decodeReply(thought), call, 0).body)

  it('comes back to Claude signed and in order', () => {
    const { messages: turns } = JSON.parse(
      anthropic.encodeRequest(chatCall(nextTurn(answer)), claude).body.toString(),
    )
    expect(turns[1]).toEqual({ role: 'assistant', content: thought.content })
  })

  it('comes back the same from a client that kept the pieces of a stream', () => {
    const pieces = [
      { type: 'reasoning.text', text: 'First, ', format: 'anthropic-claude-v1', id: 'signalbox-0', index: 0 },
      {
        type: 'reasoning.text',
        text: 'look it up.',
        format: 'anthropic-claude-v1',
        id: 'signalbox-0',
        index: 0,
      },
      {
        type: 'reasoning.text',
        signature: 'EqQB',
        format: 'anthropic-claude-v1',
        id: 'signalbox-0',
        index: 0,
      },
      {
        type: 'reasoning.encrypted',
        data: 'ENC',
        format: 'anthropic-claude-v1',
        id: 'signalbox-1',
        index: 1,
      },
    ]
    const turn = chatCall(nextTurn({ ...answer, reasoning_details: pieces }))
    const { messages: turns } = JSON.parse(anthropic.encodeRequest(turn, claude).body.toString())
    expect(turns[1]).toEqual({ role: 'assistant', content: thought.content })
  })

  it('goes to no other provider when the next turn is served by one', () => {
    const request = openai.encodeRequest(chatCall(nextTurn(answer)), { ...claude, model: 'gpt-5.2' })
    const text = request.body.toString()
    expect(text).not.toMatch(/EqQB|ENC|First, look/)
    expect(text).toContain('I look it up.')
    expect(request.dropped).toEqual(['messages[].reasoning_details'])
  })

  it('is dropped, and the call goes on without, from a client that lost it', () => {
    const { reasoning_content: _text, reasoning_details: _details, ...bare } = answer
    const request = anthropic.encodeRequest(chatCall(nextTurn(bare)), claude)
    expect(JSON.parse(request.body.toString()).thinking).toBeUndefined()
    expect(request.dropped).toEqual(['reasoning_effort'])
  })
})

describe('thinking of a Chat Completions server in the hands of a Messages client', () => {
  const reply = {
    id: 'c1',
    model: 'deepseek',
    choices: [{ index: 0, message: { content: 'Hi', reasoning_content: 'Greet.' }, finish_reason: 'stop' }],
  }
  const ask = messagesCall('{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"q"}]}')
  const answer = messages.encodeReply(compatible.decodeReply(reply), ask, 0).body as { content: unknown[] }
  const next = messagesCall(
    JSON.stringify({
      model: 'claude-opus-4-8',
      max_tokens: 9,
      messages: [
        { role: 'user', content: 'q' },
        { role: 'assistant', content: answer.content },
        { role: 'user', content: 'more' },
      ],
    }),
  )

  it('comes back to such a server where it stood', () => {
    const body = JSON.parse(compatible.encodeRequest(next, { ...claude, model: 'deepseek' }).body.toString())
    expect(body.messages[1]).toEqual({ role: 'assistant', content: 'Hi', reasoning_content: 'Greet.' })
  })

  it('does not go to Anthropic, which would refuse it unsigned', () => {
    const request = anthropic.encodeRequest(next, { ...claude, model: 'claude-opus-4-8' })
    expect(request.body.toString()).not.toContain('Greet.')
    expect(request.dropped).toEqual(['messages[].content[].thinking'])
  })

  it('does not go to OpenAI, which takes none back', () => {
    const request = openai.encodeRequest(next, { ...claude, model: 'gpt-5.2' })
    expect(request.body.toString()).not.toContain('Greet.')
    expect(request.dropped).toEqual(['messages[].content[].thinking'])
  })
})

describe('integers that a double cannot hold', () => {
  it('reach Anthropic in arguments of a chat turn as they were', () => {
    const called = { id: 'c', type: 'function', function: { name: 'f', arguments: `{"id": ${bigInteger}}` } }
    const turn = chatCall({ model: 'm', messages: [{ role: 'assistant', tool_calls: [called] }] })
    expect(anthropic.encodeRequest(turn, claude).body.toString()).toContain(`"input":{"id":${bigInteger}}`)
  })

  it('reach a chat server in the input of a Messages turn as they were', () => {
    const block = `{"type":"tool_use","id":"t","name":"f","input":{"id":${bigInteger}}}`
    const raw = `{"model":"m","max_tokens":9,"messages":[{"role":"assistant","content":[${block}]}]}`
    const body = JSON.parse(openai.encodeRequest(messagesCall(raw), claude).body.toString())
    expect(body.messages[0].tool_calls[0].function.arguments).toBe(`{"id":${bigInteger}}`)
  })

  it('reach the caller in a translated answer as they were', () => {
    const raw = Buffer.from(
      `{"id":"m","model":"m","content":[{"type":"tool_use","id":"t","name":"f","input":{"id":${bigInteger}}}]}`,
    )
    const reply = anthropic.decodeReply(JSON.parse(raw.toString()), raw)
    const call = chatCall({ model: 'm', messages: [{ role: 'user' }] })
    const message = messageOf(chat.encodeReply(reply, call, 0).body)
    expect(JSON.stringify(message)).toContain(`{\\"id\\":${bigInteger}}`)
    expect(JSON.stringify(messages.encodeReply(reply, call, 0).body)).toContain(
      `"input":{"id":${bigInteger}}`,
    )
  })
})

describe('tool names longer than Chat Completions takes', () => {
  const long = `mcp__some_server_of_ours__${'x'.repeat(80)}`
  const twin = `${long}_y`
  const tool = (name: string) => ({ name, input_schema: { type: 'object' } })
  const called = { role: 'assistant', content: [{ type: 'tool_use', id: 't', name: long, input: {} }] }
  const ask = messagesCall(
    JSON.stringify({
      model: 'm',
      max_tokens: 9,
      messages: [called],
      tools: [tool(long), tool(twin), tool('short')],
      tool_choice: { type: 'tool', name: twin },
    }),
  )
  const body = JSON.parse(openai.encodeRequest(ask, claude).body.toString())
  const names: string[] = body.tools.map((each: { function: { name: string } }) => each.function.name)

  it('are shortened to different names wherever they stand', () => {
    expect(names.every((name) => /^[\w-]{1,64}$/.test(name))).toBe(true)
    expect(new Set(names).size).toBe(3)
    expect(body.messages[0].tool_calls[0].function.name).toBe(names[0])
    expect(body.tool_choice.function.name).toBe(names[1])
    expect(names[2]).toBe('short')
  })

  it('are the caller’s own again in the answer, plain or streamed', () => {
    const block = { type: 'toolCall', id: 'c', name: names[1] ?? '' } as const
    const call = { ...block, arguments: '{}' }
    const reply = {
      id: '',
      model: '',
      blocks: [call],
      finish: 'toolCalls',
      nativeFinish: '',
      usage: {},
      lost: [],
    } as const
    expect(messages.encodeReply(reply, ask, 0).body).toMatchObject({ content: [{ name: twin }] })
    const encoder = messages.createEncoder(ask, 0)
    expect(encoder.push({ type: 'blockStart', index: 0, block })).toContain(`"name":"${twin}"`)
  })
})

describe('a body of many megabytes', () => {
  const messagesOfMany = Array.from({ length: 2000 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: [{ type: 'text', text: 'word "quoted" \\ '.repeat(250) }],
  }))
  const body = { model: 'gpt-5.2', max_tokens: 100, messages: messagesOfMany }
  const raw = Buffer.from(JSON.stringify(body))

  it('is read and spliced in time that a caller does not notice', () => {
    const start = performance.now()
    const call = chat.decodeRequest(raw, body, 'chat')
    const request = openai.encodeRequest(call, { ...claude, model: 'gpt-5.2-2026-01-01' })
    expect(performance.now() - start).toBeLessThan(500)
    expect(request.body.length).toBe(raw.length + '-2026-01-01'.length)
    expect(call.summary.messages.chars).toBe(2000 * 250 * 16)
  })
})
