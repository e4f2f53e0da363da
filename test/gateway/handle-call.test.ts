import { describe, expect, it } from 'vitest'
import { memoryKey } from '../support/memory-snapshot.ts'
import { chatCompletion, chatStream, message, messageStream } from '../support/scripted-upstream.ts'
import { buildLine, chat, messages } from './line.ts'

const line = buildLine()

describe('a plain call', () => {
  it('gets the bytes that the upstream sent, and sends it the bytes that came', async () => {
    const body = `{"model":"gpt-5.2",  "messages":[{"role":"user","content":"Hi \\u00e9"}],"x_new":1e3}`
    const answer = `{ "id":"1", "choices":[{"index":0,"message":{"role":"assistant","content":"é"},"finish_reason":"stop"}],
      "usage":{"prompt_tokens":10,"completion_tokens":5}, "new_member":12345678901234567890 }`
    line.upstream.play(({ response }) => {
      response.writeHead(200, { 'content-type': 'application/json', 'openai-version': '2020-10-01' })
      response.end(answer)
    })
    const response = await line.gateway.send('/v1/chat/completions', body)
    expect(await response.text()).toBe(answer)
    expect(response.headers.get('openai-version')).toBe('2020-10-01')
    expect(line.upstream.requests.at(-1)?.text).toBe(body)
    expect(line.upstream.requests.at(-1)?.path).toBe('/v1/chat/completions')
  })

  it('tells how it was served', async () => {
    line.upstream.play((turn) => turn.json(200, chatCompletion('Hi'), { 'x-request-id': 'req-upstream-1' }))
    const response = await line.gateway.send('/v1/chat/completions', chat, {
      headers: { 'x-request-id': 'mine-1' },
    })
    const record = await line.gateway.lastRecord()
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'x-request-id': 'mine-1',
      'x-signalbox-decision': record.row.id,
      'x-signalbox-target': 'openai/gpt-5.2',
      'x-signalbox-attempts': '1',
      'x-signalbox-cache': 'off',
      'x-signalbox-version': 'v12',
      'x-signalbox-cost-usd': '0.00002',
      'x-signalbox-upstream-request-id': 'req-upstream-1',
    })
    expect(record.row).toMatchObject({
      status: 200,
      effect: 'allow',
      costNanoUsd: '20000',
      evidence: 'reported',
      usage: { input: 10, output: 5 },
      identity: true,
      keyId: 'key-1',
      nodeId: 'project-1',
      version: 12,
      releaseSequence: 3,
      stateSequence: 7,
      truncated: false,
    })
    expect(line.gateway.finished.at(-1)).toMatchObject({
      httpRoute: '/v1/chat/completions',
      method: 'POST',
      record,
    })
  })

  it('does not repeat an id that could do harm', async () => {
    line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    for (const id of ['x'.repeat(129), 'a b', '<script>']) {
      const response = await line.gateway.send('/v1/chat/completions', chat, {
        headers: { 'x-request-id': id },
      })
      expect(response.headers.get('x-request-id')).toBe(response.headers.get('x-signalbox-decision'))
    }
  })

  it('shows an upstream nothing of the caller but what belongs to the format', async () => {
    line.upstream.play((turn) => turn.json(200, message('Hi')))
    await line.gateway.send('/v1/messages', messages, {
      headers: {
        'anthropic-version': '2026-10-21',
        'anthropic-beta': 'context-1m',
        cookie: 'session=1',
        'x-signalbox-metadata': '{"a":"b"}',
        'x-forwarded-for': '10.0.0.1',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    })
    const {
      host,
      connection,
      'content-length': length,
      ...headers
    } = line.upstream.requests.at(-1)?.headers ?? {}
    expect(headers).toEqual({
      'content-type': 'application/json',
      accept: 'application/json',
      'accept-encoding': 'identity',
      'anthropic-version': '2026-10-21',
      'anthropic-beta': 'context-1m',
      'x-api-key': 'upstream-secret-0123456789',
    })
    expect(JSON.stringify(line.upstream.requests.at(-1))).not.toContain(memoryKey)
  })

  it('keeps headers of the connection, cookies, limits of the account and CORS from the caller', async () => {
    line.upstream.play((turn) =>
      turn.json(200, chatCompletion('Hi'), {
        'set-cookie': 'a=b',
        'x-ratelimit-remaining-tokens': '5',
        'anthropic-ratelimit-requests-limit': '5',
        'access-control-allow-origin': '*',
        'x-signalbox-target': 'forged/x',
        connection: 'keep-alive, x-secret-hop',
        'x-secret-hop': '1',
        'x-kept': 'yes',
      }),
    )
    const { headers } = await line.gateway.send('/v1/chat/completions', chat)
    for (const name of [
      'set-cookie',
      'x-ratelimit-remaining-tokens',
      'access-control-allow-origin',
      'x-secret-hop',
    ]) {
      expect(headers.get(name)).toBeNull()
    }
    expect(headers.get('anthropic-ratelimit-requests-limit')).toBeNull()
    expect(headers.get('x-signalbox-target')).toBe('openai/gpt-5.2')
    expect(headers.get('x-kept')).toBe('yes')
  })

  it('is translated where caller and provider speak different formats, and says what was lost', async () => {
    line.upstream.play((turn) => turn.json(200, message('Bonjour')))
    const body = { ...chat, model: 'anthropic/claude-sonnet-4.5', logit_bias: { 5: 1 } }
    const response = await line.gateway.send('/v1/chat/completions', body)
    const answer = await response.json()
    expect(answer).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { content: 'Bonjour' } }],
    })
    expect(response.headers.get('x-signalbox-dropped')).toContain('logit_bias')
    expect(line.upstream.requests.at(-1)).toMatchObject({
      path: '/v1/messages',
      json: { model: 'claude-sonnet-4-5' },
    })
    expect((await line.gateway.lastRecord()).row).toMatchObject({
      identity: false,
      usage: { input: 10, output: 5 },
    })
  })

  it('of an unpriced model has no cost, not a cost of nothing', async () => {
    line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, model: 'openai/unheard-of' })
    expect(response.headers.get('x-signalbox-cost-usd')).toBeNull()
    expect((await line.gateway.lastRecord()).row.costNanoUsd).toBeUndefined()
  })

  it('has the prices of its workspace', async () => {
    line.gateway.snapshot = line.snapshotOf({
      workspace: { catalogue: { 'openai/unheard-of': { input: 0, output: 100 } } },
    })
    line.upstream.play((turn) => turn.json(200, chatCompletion('Hi')))
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, model: 'openai/unheard-of' })
    expect(response.headers.get('x-signalbox-cost-usd')).toBe('0.0005')
  })

  it('that reports no usage is estimated', async () => {
    line.upstream.play((turn) => turn.json(200, { choices: [{ message: { content: 'x'.repeat(400) } }] }))
    await line.gateway.send('/v1/chat/completions', chat)
    const { row } = await line.gateway.lastRecord()
    expect(row.evidence).toBe('estimated')
    expect(row.usage.output).toBeGreaterThan(100)
  })
})

describe('a stream', () => {
  const events = chatStream('Hel', 'lo')

  it('passes byte for byte where the caller asked for its usage', async () => {
    line.upstream.play((turn) => {
      turn.events(events.join(''))
      turn.response.end()
    })
    const body = { ...chat, stream: true, stream_options: { include_usage: true } }
    const response = await line.gateway.send('/v1/chat/completions', body)
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    expect(await response.text()).toBe(events.join(''))
    expect((await line.gateway.lastRecord()).row).toMatchObject({
      stream: true,
      costNanoUsd: '20000',
      identity: true,
    })
  })

  it('is asked for its usage, which is withheld from a caller who did not ask', async () => {
    line.upstream.play((turn) => {
      turn.events(events.join(''))
      turn.response.end()
    })
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, stream: true })
    expect(line.upstream.requests.at(-1)?.json).toMatchObject({ stream_options: { include_usage: true } })
    expect(await response.text()).toBe(events.filter((event) => !event.includes('prompt_tokens')).join(''))
    expect((await line.gateway.lastRecord()).row.usage).toEqual({ input: 10, output: 5 })
  })

  it.each([1, 7, 64])('is the same in pieces of %i bytes', async (size) => {
    const bytes = Buffer.from(`: hello\n\n${chatStream('žluť', '🚂').join('')}`)
    line.upstream.play(async (turn) => {
      turn.events('')
      for (let at = 0; at < bytes.length; at += size) {
        turn.response.write(bytes.subarray(at, at + size))
        if (at % 256 < size) await new Promise((resolve) => setImmediate(resolve))
      }
      turn.response.end()
    })
    const body = { ...chat, stream: true, stream_options: { include_usage: true } }
    const response = await line.gateway.send('/v1/chat/completions', body)
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
  })

  it('is translated event by event', async () => {
    line.upstream.play((turn) => {
      turn.events(messageStream('Bon', 'jour').join(''))
      turn.response.end()
    })
    const response = await line.gateway.send('/v1/chat/completions', {
      ...chat,
      model: 'claude-sonnet-4-5',
      stream: true,
    })
    const text = await response.text()
    expect(text).toContain('"content":"Bon"')
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect((await line.gateway.lastRecord()).row).toMatchObject({
      identity: false,
      usage: { output: 5 },
      truncated: false,
    })
  })

  it('begins when the first event is there, not when the answer is', async () => {
    let finish: () => void = () => {}
    line.upstream.play((turn) => {
      turn.events(events[0] ?? '')
      finish = () => turn.response.end(events.slice(1).join(''))
    })
    const response = await line.gateway.send('/v1/chat/completions', { ...chat, stream: true })
    const reader = response.body?.getReader()
    const first = await reader?.read()
    expect(Buffer.from(first?.value ?? []).toString()).toBe(events[0])
    finish()
    while ((await reader?.read())?.done === false);
    const { row } = await line.gateway.lastRecord()
    expect(row.firstTokenMs).toBeLessThanOrEqual(row.durationMs)
  })

  it('tells its cost after the last event, where that was asked for', async () => {
    line.upstream.play((turn) => {
      turn.events(messageStream('Hi').join(''))
      turn.response.end()
    })
    const headers = { 'x-signalbox-trailer': 'cost' }
    const response = await line.gateway.send('/v1/messages', { ...messages, stream: true }, { headers })
    expect(
      (await response.text()).endsWith(
        'event: message_stop\ndata: {"type":"message_stop"}\n\n: signalbox cost=0.00002\n\n',
      ),
    ).toBe(true)
  })
})
