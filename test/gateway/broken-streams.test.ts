import { setTimeout as wait } from 'node:timers/promises'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { memoryKey } from '../support/memory-snapshot.ts'
import { chatChunk, chatStream, messageStream, type Script } from '../support/scripted-upstream.ts'
import { buildLine, chat, question } from './line.ts'

const line = buildLine({
  defaults: { firstTokenMs: 150, idleMs: 150, plainMs: 400, streamMs: 3000, plainBytesMax: 1_000_000 },
})
const stream = { ...chat, stream: true }

async function send(body: object, headers: Record<string, string> = {}, path = '/v1/chat/completions') {
  const response = await line.gateway.send(path, body, { headers })
  return { response, text: await response.text(), record: await line.gateway.lastRecord() }
}
const errorOf = (text: string): Record<string, unknown> => JSON.parse(text).error

/** Ways to break off after the answer has begun. */
const lateFailures: [string, Script, string][] = [
  [
    'a reset',
    async (turn) => {
      turn.events(chatStream('one').slice(0, 2).join(''))
      await wait(20)
      turn.reset()
    },
    'upstream_reset',
  ],
  [
    'an end without an ending',
    (turn) => {
      turn.events(chatStream('one').slice(0, 2).join(''))
      turn.response.end()
    },
    'upstream_reset',
  ],
  [
    'an end in the middle of an event',
    (turn) => {
      turn.events(chatStream('one').slice(0, 2).join(''))
      turn.response.end('data: {"choices":[{"delta":{"content":"t')
    },
    'upstream_reset',
  ],
  ['standing still', (turn) => turn.events(chatStream('one').slice(0, 2).join('')), 'upstream_timeout'],
  [
    'an event without end',
    async (turn) => {
      turn.events(chatStream('one').slice(0, 2).join(''))
      for (let count = 0; count < 20 && !turn.response.destroyed; count++) {
        turn.response.write('x'.repeat(1_000_000))
        await wait(1)
      }
    },
    'upstream_invalid',
  ],
]

describe('after the answer has begun', () => {
  it.each(lateFailures)('%s ends the stream with an error event', async (_name, script, code) => {
    line.upstream.play(script)
    const { response, text, record } = await send(stream)
    expect(response.status).toBe(200)
    expect(text).toContain('"content":"one"')
    expect(text).not.toContain('[DONE]')
    const last = text.trimEnd().split('\n\n').at(-1) ?? ''
    expect(errorOf(last.replace(/^(event: error\n)?data: /, '')).code).toBe(code)
    expect(record.row).toMatchObject({ status: 200, truncated: true, errorCode: code, evidence: 'estimated' })
    expect(record.row.usage.output).toBeGreaterThan(0)
  })

  it.each(lateFailures)('%s makes the official client throw', async (_name, script) => {
    line.upstream.play(script)
    const client = new OpenAI({ apiKey: memoryKey, baseURL: `${line.gateway.url}/v1`, maxRetries: 0 })
    const chunks: unknown[] = []
    const reading = (async () => {
      const answer = await client.chat.completions.create({
        model: 'openai/gpt-5.2',
        stream: true,
        messages: [{ role: 'user', content: 'Hello' }],
      })
      for await (const chunk of answer) chunks.push(chunk)
    })()
    await expect(reading).rejects.toThrow(OpenAI.APIError)
    expect(chunks.length).toBeGreaterThan(0)
  })

  it('a translated stream ends in its own dialect, its tool call not closed as complete', async () => {
    line.upstream.play((turn) => {
      const tool = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":' } }
      turn.events(chatChunk({ role: 'assistant', content: null }) + chatChunk({ tool_calls: [tool] }))
      turn.response.end()
    })
    const body = { model: 'openai/gpt-5.2', max_tokens: 9, stream: true, ...question }
    const { text, record } = await send(body, {}, '/v1/messages')
    expect(text).toContain('"type":"tool_use"')
    expect(text).toMatch(/event: error\ndata: \{"type":"error"/)
    expect(text).not.toContain('message_stop')
    expect(record.row.truncated).toBe(true)
  })

  it('an event that is no JSON ends a translated stream with an error event', async () => {
    line.upstream.play((turn) => {
      turn.events(
        `${chatStream('one').slice(0, 2).join('')}data: {"choices":[{\n\n${chatStream('two').join('')}`,
      )
      turn.response.end()
    })
    const body = { model: 'openai/gpt-5.2', max_tokens: 9, stream: true, ...question }
    const { text, record } = await send(body, {}, '/v1/messages')
    expect(text).toContain('"text":"one"')
    expect(text).toMatch(/event: error\ndata: \{"type":"error"/)
    expect(text).not.toContain('message_stop')
    expect(record.row).toMatchObject({ truncated: true, errorCode: 'upstream_invalid' })
  })

  it('bytes that are no text pass as they are', async () => {
    const bytes = Buffer.concat([
      Buffer.from('data: {"choices":[{"index":0,"delta":{"content":"'),
      Buffer.from([0xff, 0xc3, 0x28, 0xf0, 0x9f]),
      Buffer.from('"}}]}\r\n\r\nevent: from.the.future\ndata: {"x":1}\n\ndata: [DONE]\n\n'),
    ])
    line.upstream.play(async (turn) => {
      turn.events('')
      for (const byte of bytes) {
        turn.response.write(Buffer.from([byte]))
        if (byte > 0x7f) await wait(1)
      }
      turn.response.end()
    })
    const response = await line.gateway.send('/v1/chat/completions', stream)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
  })

  it("the provider's own error event passes, and the stream counts as failed", async () => {
    const events = `${messageStream('one').slice(0, 3).join('')}event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n`
    line.upstream.play((turn) => {
      turn.events(events)
      turn.response.end()
    })
    const body = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 9, stream: true, ...question }
    const { text, record } = await send(body, {}, '/v1/messages')
    expect(text).toBe(events)
    expect(record.row).toMatchObject({ truncated: true, errorCode: 'upstream_error', evidence: 'estimated' })
    const translated = await send({ ...body, max_tokens: undefined })
    expect(
      errorOf(
        translated.text
          .trimEnd()
          .split('\n\n')
          .at(-1)
          ?.replace(/^data: /, '') ?? '{}',
      ).code,
    ).toBe('upstream_error')
  })

  it('what comes after the ending changes nothing', async () => {
    line.upstream.play((turn) => {
      turn.events(`${messageStream('one').join('')}event: message_stop\ndata: {"type":"message_stop"}\n\n`)
      turn.response.end()
    })
    const { text, record } = await send({ model: 'anthropic/claude-sonnet-4-5', stream: true, ...question })
    expect(text.match(/\[DONE\]/g)).toHaveLength(1)
    expect(record.row).toMatchObject({ truncated: false, usage: { input: 10, output: 5 } })
  })

  it('a stream that is whole but never closed is whole', async () => {
    line.upstream.play((turn) => turn.events(chatStream('one').join('')))
    const { text, record } = await send(stream)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(record.row).toMatchObject({ truncated: false, evidence: 'reported' })
    expect(record.row.errorCode).toBeUndefined()
  })

  it('an ending without its blank line is an ending', async () => {
    line.upstream.play((turn) => {
      turn.events(`${chatStream('one').slice(0, -1).join('')}data: [DONE]`)
      turn.response.end()
    })
    const { text, record } = await send(stream)
    expect(text.endsWith('data: [DONE]')).toBe(true)
    expect(record.row.truncated).toBe(false)
  })

  it('a trickle passes while it lasts, but not for ever', async () => {
    line.upstream.play(async (turn) => {
      turn.events(chatStream('one').slice(0, 2).join(''))
      for (let count = 0; count < 100 && !turn.response.destroyed; count++) {
        turn.response.write(chatChunk({ content: '.' }))
        await wait(20)
      }
    })
    const { text, record } = await send(stream, { 'x-signalbox-timeout-ms': '400' })
    expect(text.match(/"content":"\."/g)?.length).toBeGreaterThan(5)
    expect(record.row).toMatchObject({ truncated: true, errorCode: 'upstream_timeout' })
  })

  it.each([-5, 1e18, 1.5])('usage of %d is not believed', async (count) => {
    const absurd = chatChunk(
      {},
      { choices: [], usage: { prompt_tokens: count, completion_tokens: 5, total_tokens: 1 } },
    )
    line.upstream.play((turn) => {
      turn.events([...chatStream('one').slice(0, 3), absurd, 'data: [DONE]\n\n'].join(''))
      turn.response.end()
    })
    const { record } = await send(stream)
    expect(record.row.evidence).toBe('estimated')
    expect(record.row.usage.input).toBeLessThan(1000)
  })

  it('a stream that is called something else is still a stream', async () => {
    line.upstream.play((turn) => {
      turn.events(chatStream('one').join(''), { 'content-type': 'text/plain' })
      turn.response.end()
    })
    const { response, text } = await send(stream)
    expect(response.headers.get('content-type')).toMatch(/event-stream/)
    expect(text).toContain('"content":"one"')
  })
})
