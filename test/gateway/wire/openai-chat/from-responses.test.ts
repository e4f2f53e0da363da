import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionOf, memorySnapshot } from '../../../support/memory-snapshot.ts'
import { type RunningGateway, startGateway } from '../../../support/running-gateway.ts'
import {
  chatCompletion,
  chatStream,
  message,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../../../support/scripted-upstream.ts'

/** As Cursor sends it to Chat Completions: the shape stands in forum.cursor.com/t/159298. */
const cursorBody = {
  model: 'openai/gpt-5.5',
  input: [
    { role: 'system', content: 'You are in Cursor.' },
    { role: 'user', content: [{ type: 'input_text', text: 'Read it' }] },
    { type: 'function_call', call_id: 'call_1', name: 'read_file', arguments: '{"path":"a"}' },
    { type: 'function_call_output', call_id: 'call_1', output: 'text of a' },
  ],
  tools: [{ type: 'function', name: 'read_file', parameters: { type: 'object', properties: {} } }],
  stream: true,
  include: ['reasoning.encrypted_content'],
  reasoning: { effort: 'medium', summary: 'auto' },
  text: { verbosity: 'low' },
  stream_options: { include_usage: true },
  prompt_cache_key: 'one',
  truncation: 'auto',
}

let upstream: ScriptedUpstream
let gateway: RunningGateway

beforeAll(async () => {
  upstream = await startScriptedUpstream()
  const baseUrl = upstream.url
  const connections = [connectionOf('openai', { baseUrl }), connectionOf('anthropic', { baseUrl })]
  gateway = await startGateway({ snapshot: memorySnapshot({ connections }) })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

describe('what Cursor sends to Chat Completions', () => {
  it('is read though it has the form of Responses, and answered as Chat Completions', async () => {
    upstream.play((turn) => {
      turn.events(chatStream('Hel', 'lo').join(''))
      turn.response.end()
    })
    const response = await gateway.send('/v1/chat/completions', cursorBody)
    const text = await response.text()
    expect(text).toContain('"object":"chat.completion.chunk"')
    expect(text).toContain('"total_tokens":15')
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(upstream.requests.at(-1)).toMatchObject({
      path: '/chat/completions',
      json: {
        model: 'gpt-5.5',
        messages: [
          { role: 'system', content: 'You are in Cursor.' },
          { role: 'user' },
          { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'read_file' } }] },
          { role: 'tool', tool_call_id: 'call_1', content: 'text of a' },
        ],
        tools: [{ type: 'function', function: { name: 'read_file' } }],
        reasoning_effort: 'medium',
        verbosity: 'low',
        prompt_cache_key: 'one',
        stream: true,
      },
    })
    expect(upstream.requests.at(-1)?.json).not.toHaveProperty('include')
    expect(response.headers.get('x-signalbox-dropped')).toContain('truncation')
  })

  it('reaches other providers', async () => {
    upstream.play((turn) => turn.json(200, message('Hello')))
    const body = { ...cursorBody, model: 'anthropic/claude-sonnet-4-5', stream: false, stream_options: null }
    const response = await gateway.send('/v1/chat/completions', body)
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] })
    expect(upstream.requests.at(-1)?.json.messages).toHaveLength(3)
  })

  it('is refused in the words of Chat Completions where it is wrong', async () => {
    const response = await gateway.send('/v1/chat/completions', {
      ...cursorBody,
      input: [{ role: 'nobody' }],
    })
    expect(response.status).toBe(400)
    expect(JSON.stringify(await response.json())).toContain('input[0].role')
  })

  it('may mark blocks for caching, and leave out what a model thought', async () => {
    upstream.play((turn) => turn.json(200, chatCompletion('Hello')))
    const mark = { cache_control: { type: 'ephemeral' } }
    const response = await gateway.send('/v1/chat/completions', {
      model: 'anthropic/claude-sonnet-4-5',
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'You are in Cursor.', ...mark }] },
        { role: 'user', content: 'Read it', ...mark },
        { role: 'assistant', content: null, tool_calls: [toolCall] },
        { role: 'tool', tool_call_id: 'call_1', content: 'text of a', ...mark },
      ],
      tools: [{ type: 'function', function: { name: 'read_file', parameters: {} }, ...mark }],
    })
    await response.text()
    expect(response.headers.get('x-signalbox-dropped')).toBeNull()
    const marks = upstream.requests.at(-1)?.text.match(/"cache_control":\{"type":"ephemeral"\}/g)
    expect(marks).toHaveLength(4)
  })
})

const toolCall = { id: 'call_1', type: 'function', function: { name: 'read_file', arguments: '{}' } }
