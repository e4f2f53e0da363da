import type { Decision } from '@signalbox/sdk/contract'
import OpenAI from 'openai'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AnswerCache } from '../../../gateway/cache/answer-cache.ts'
import type { CachedAnswer } from '../../../gateway/cache/cached-answer.ts'
import { eventually } from '../../support/eventually.ts'
import { allow, memoryKey } from '../../support/memory-snapshot.ts'
import { chatCompletion, chatStream, message, messageStream } from '../../support/scripted-upstream.ts'
import { buildLine, chat, messages } from '../line.ts'

const line = buildLine()
const ttl = { 'x-signalbox-cache': 'ttl=60' }
let asked = 0

beforeEach(() => {
  asked++
  line.upstream.requests.length = 0
  line.upstream.play((turn) => turn.json(200, chatCompletion('hello')))
})
afterEach(() => {
  line.gateway.records.length = 0
})

/** A question that no test before has asked. */
const fresh = (body: object = {}): object => ({ ...chat, seed: asked, ...body })
async function ask(body: object, headers: Record<string, string> = ttl, path = '/v1/chat/completions') {
  const response = await line.gateway.send(path, body, { headers })
  const text = await response.text()
  return { response, text, cache: response.headers.get('x-signalbox-cache') }
}
const plays = (text: string): void =>
  line.upstream.play((turn) => {
    if (turn.request.json.stream !== true) return turn.json(200, chatCompletion(text))
    turn.events(chatStream(...text).join(''))
    turn.response.end()
  })
const decided = (rest: Partial<Decision>) =>
  line.snapshotOf({ decide: () => allow({ target: 'openai/gpt-5.2' }, rest) })

describe('The cache', () => {
  it('answers a call like an earlier one with the same bytes, at no cost, and says so', async () => {
    const first = await ask(fresh())
    expect(first.cache).toBe('miss')
    const second = await ask(fresh())
    expect(second.cache).toBe('hit')
    expect(second.text).toBe(first.text)
    expect(second.response.headers.get('x-signalbox-cost-usd')).toBe('0')
    expect(second.response.headers.get('age')).toBe('0')
    expect(second.response.headers.get('x-signalbox-target')).toBe('openai/gpt-5.2')
    expect(line.upstream.requests).toHaveLength(1)
    const { row, body } = await line.gateway.lastRecord(2)
    expect(row).toMatchObject({
      cache: 'hit',
      attempts: 0,
      costNanoUsd: '0',
      usage: {},
      target: 'openai/gpt-5.2',
    })
    expect(body.cached).toMatchObject({ recordId: line.gateway.records[0]?.row.id, savedNanoUsd: '20000' })
  })

  it('has no part in a call that nobody wants it for', async () => {
    for (const headers of [{}, { 'x-signalbox-cache': 'off' }]) {
      expect((await ask(fresh(), headers)).cache).toBe('off')
      expect((await ask(fresh(), headers)).cache).toBe('off')
    }
    expect(line.upstream.requests).toHaveLength(4)
  })

  it('tells calls apart by everything that changes the answer, and not by who asks', async () => {
    await ask(fresh({ user: 'ann' }))
    expect((await ask(fresh({ user: 'bob' }))).cache).toBe('hit')
    for (const other of [{ temperature: 0.5 }, { model: 'openai/gpt-5-mini' }, { max_tokens: 7 }]) {
      expect((await ask(fresh(other))).cache).toBe('miss')
    }
    expect((await ask(fresh(), { ...ttl, 'openai-beta': 'x' })).cache).toBe('miss')
  })

  it('tells nothing to another node, and nothing that other policies would change', async () => {
    await ask(fresh())
    const elsewhere = line.snapshotOf()
    const key = elsewhere.findKey
    line.gateway.snapshot = {
      ...elsewhere,
      findKey: (hash) => {
        const found = key(hash)
        return typeof found === 'object' ? { ...found, node: 'team-1' } : found
      },
    }
    expect((await ask(fresh())).cache).toBe('miss')
    line.gateway.snapshot = decided({ caps: { maxOutputTokens: 5 } })
    expect((await ask(fresh())).cache).toBe('miss')
    line.gateway.snapshot = decided({})
    expect((await ask(fresh())).cache).toBe('hit')
  })

  it('keeps nothing of a call whose retention is none', async () => {
    const snapshot = line.snapshotOf()
    const unrecorded = { all: true, nodes: [], keys: [] }
    line.gateway.snapshot = { ...snapshot, state: { ...snapshot.state, unrecorded } }
    expect((await ask(fresh())).cache).toBe('off')
    expect((await ask(fresh())).cache).toBe('off')
    expect(line.upstream.requests).toHaveLength(2)
  })

  it('still asks the policies', async () => {
    await ask(fresh())
    line.gateway.snapshot = line.snapshotOf({
      decide: () => ({ ...allow(undefined), effect: 'deny', reasons: [] }),
    })
    expect((await ask(fresh())).response.status).toBe(403)
  })

  it('forgets after the time that was given, and takes no older answer than is wanted', async () => {
    await ask(fresh(), { 'x-signalbox-cache': 'ttl=1' })
    await ask(fresh({ top_p: 0.5 }), ttl)
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect((await ask(fresh(), ttl)).cache).toBe('miss')
    expect((await ask(fresh({ top_p: 0.5 }), { 'x-signalbox-cache': 'ttl=1' })).cache).toBe('miss')
    expect((await ask(fresh({ top_p: 0.5 }), ttl)).cache).toBe('hit')
  })

  it('takes a new answer where a fresh one is wanted', async () => {
    await ask(fresh())
    plays('new')
    expect((await ask(fresh(), { 'x-signalbox-cache': 'refresh' })).cache).toBe('miss')
    expect((await ask(fresh())).text).toContain('new')
  })

  it('follows the policies: they turn it on for all, read only, and off for good', async () => {
    line.gateway.snapshot = decided({ cache: 'read' })
    expect([(await ask(fresh(), {})).cache, (await ask(fresh(), {})).cache]).toEqual(['miss', 'miss'])
    line.gateway.snapshot = decided({ cache: 'readWrite' })
    expect([(await ask(fresh(), {})).cache, (await ask(fresh(), {})).cache]).toEqual(['miss', 'hit'])
    line.gateway.snapshot = decided({ cache: 'off' })
    expect((await ask(fresh())).cache).toBe('off')
    line.gateway.snapshot = decided({ cache: 'read' })
    expect((await ask(fresh(), {})).cache).toBe('hit')
  })

  it('refuses a wish that it does not know', async () => {
    for (const wish of ['on', 'ttl=0', 'ttl=x', 'ttl=99999999']) {
      const { response, text } = await ask(fresh(), { 'x-signalbox-cache': wish })
      expect(response.status).toBe(400)
      expect(text).toContain('x-signalbox-cache')
    }
  })
})

describe('What is not kept', () => {
  it('is an answer that failed, reached a limit, was filtered, or is too large', async () => {
    const cut = chatCompletion('half') as { choices: { finish_reason: string }[] }
    for (const finish of ['length', 'content_filter']) {
      line.upstream.play((turn) =>
        turn.json(200, { ...cut, choices: [{ ...cut.choices[0], finish_reason: finish }] }),
      )
      await ask(fresh({ top_p: finish.length / 100 }))
      expect((await ask(fresh({ top_p: finish.length / 100 }))).cache).toBe('miss')
    }
    line.upstream.play(
      (turn) => turn.json(400, { error: { message: 'no' } }),
      (turn) => turn.json(200, chatCompletion('x'.repeat(1_100_000))),
      (turn) => turn.json(200, chatCompletion('hello')),
    )
    expect((await ask(fresh())).response.status).toBe(400)
    expect((await ask(fresh())).cache).toBe('miss')
    expect((await ask(fresh())).cache).toBe('miss')
    expect((await ask(fresh())).cache).toBe('hit')
  })

  it('is a stream that broke off, or that its caller left', async () => {
    line.upstream.play((turn) => {
      turn.events(chatStream('hel', 'lo').slice(0, 2).join(''))
      turn.reset()
    })
    await ask(fresh({ stream: true })).catch(() => {})
    plays('whole')
    expect((await ask(fresh({ stream: true }))).cache).toBe('miss')
  })

  it('is what a provider keeps, and what goes on from that', async () => {
    await ask(fresh({ store: true }))
    expect((await ask(fresh({ store: true }))).cache).toBe('off')
    line.upstream.play((turn) =>
      turn.json(200, { id: 'resp_1', object: 'response', status: 'completed', output: [] }),
    )
    const response = { model: 'openai/gpt-5.2', input: `hi ${asked}` }
    await ask(response, ttl, '/v1/responses')
    expect((await ask(response, ttl, '/v1/responses')).cache).toBe('off')
  })

  it('is more than there is room for: the longest unused makes room', () => {
    let nowMs = 0
    const cache = new AnswerCache({ clock: () => nowMs, bytesMax: 3 * 1512 })
    const answer: CachedAnswer = {
      form: 'whole',
      streamOptions: '',
      contentType: 'application/json',
      identity: true,
      target: 'a/b',
      recordId: 'r',
      storedMs: 0,
      expiresMs: 1000,
      costNanoUsd: '1',
      usage: {},
      dropped: [],
      body: Buffer.alloc(1000),
    }
    for (const key of ['a', 'b', 'c']) cache.keep(key, answer)
    expect(cache.find('a', 1000)).toBeDefined()
    cache.keep('d', answer)
    expect([cache.find('a', 1000), cache.find('b', 1000)].map((found) => found !== undefined)).toEqual([
      true,
      false,
    ])
    expect(cache.memory.bytes).toBe(3 * 1512)
    nowMs = 1000
    expect(cache.find('a', 5000)).toBeUndefined()
    expect(cache.memory.bytes).toBe(2 * 1512)
  })
})

describe('Streams and the cache', () => {
  it('give a streamed answer again with the same bytes', async () => {
    plays('hello')
    const first = await ask(fresh({ stream: true }), { ...ttl, 'x-signalbox-trailer': 'cost' })
    expect(first.text).toContain(': signalbox cost=0.00002\n\n')
    const second = await ask(fresh({ stream: true }))
    expect(second.cache).toBe('hit')
    expect(second.text).toBe(first.text.replace(/: signalbox cost=.*\n\n/, ''))
    const third = await ask(fresh({ stream: true }), { ...ttl, 'x-signalbox-trailer': 'cost' })
    expect(third.text).toBe(`${second.text}: signalbox cost=0\n\n`)
  })

  it('give a streamed answer whole, and a whole one streamed', async () => {
    plays('hello')
    await ask(fresh({ stream: true }))
    const whole = await ask(fresh())
    expect(whole.cache).toBe('hit')
    expect(JSON.parse(whole.text)).toMatchObject({
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 5 },
    })
    await ask(fresh({ top_p: 0.5 }))
    const client = new OpenAI({ apiKey: memoryKey, baseURL: `${line.gateway.url}/v1`, defaultHeaders: ttl })
    const stream = await client.chat.completions.create({
      ...(fresh({ top_p: 0.5 }) as OpenAI.ChatCompletionCreateParamsNonStreaming),
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let tokens = 0
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      tokens += chunk.usage?.total_tokens ?? 0
    }
    expect([text, tokens]).toEqual(['hello', 15])
    expect(line.upstream.requests).toHaveLength(2)
  })

  it('make another form of an answer once, and keep it beside it, within the room there is', async () => {
    plays('hello')
    await ask(fresh())
    const before = line.gateway.answers.memory.bytes
    const streamed = await ask(fresh({ stream: true }))
    const withUsage = { stream: true, stream_options: { include_usage: true } }
    const counted = await ask(fresh(withUsage))
    const bytes = streamed.text.length + counted.text.length
    expect(counted.text.length).toBeGreaterThan(streamed.text.length)
    expect(line.gateway.answers.memory.bytes - before).toBe(bytes)
    const again = [await ask(fresh({ stream: true })), await ask(fresh(withUsage)), await ask(fresh())]
    expect(again.slice(0, 2).map(({ text }) => text)).toEqual([streamed.text, counted.text])
    expect(JSON.parse(again[2]?.text ?? '')).toMatchObject({ object: 'chat.completion' })
    expect(line.gateway.answers.memory.bytes - before).toBe(bytes)
    expect(line.upstream.requests).toHaveLength(1)
  })

  it('do so for messages of Anthropic too, and where formats differ', async () => {
    line.upstream.play((turn) => {
      if (turn.request.path.endsWith('/chat/completions')) return turn.json(200, chatCompletion('hello'))
      turn.events(messageStream('hel', 'lo').join(''))
      turn.response.end()
    })
    const question = { ...messages, temperature: asked / 1000 }
    await ask({ ...question, stream: true }, ttl, '/v1/messages')
    const whole = await ask(question, ttl, '/v1/messages')
    expect(whole.cache).toBe('hit')
    expect(JSON.parse(whole.text)).toMatchObject({
      ...(message('hello') as object),
      content: [{ type: 'text', text: 'hello' }],
    })
    const translated = { ...question, model: 'openai/gpt-5.2' }
    const first = await ask(translated, ttl, '/v1/messages')
    const second = await ask(translated, ttl, '/v1/messages')
    expect([first.cache, second.cache, second.text]).toEqual(['miss', 'hit', first.text])
  })
})

describe('Calls alike at the same time', () => {
  it('go upstream once, and all get the answer', async () => {
    const gate = Promise.withResolvers<void>()
    line.upstream.play(async (turn) => {
      await gate.promise
      turn.json(200, chatCompletion('hello'))
    })
    const all = Array.from({ length: 8 }, () => ask(fresh()))
    await eventually(() => expect(line.gateway.answers.running.size).toBe(1))
    await new Promise((resolve) => setTimeout(resolve, 50))
    gate.resolve()
    const answers = await Promise.all(all)
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.map(({ cache }) => cache).sort()).toEqual([...Array(7).fill('hit'), 'miss'])
    expect(line.upstream.requests).toHaveLength(1)
    expect(line.gateway.answers.running.size).toBe(0)
  })

  it('go by themselves where the first of them fails', async () => {
    const gate = Promise.withResolvers<void>()
    line.upstream.play(
      async (turn) => {
        await gate.promise
        turn.json(400, { error: { message: 'no' } })
      },
      (turn) => turn.json(200, chatCompletion('hello')),
    )
    const first = ask(fresh())
    await eventually(() => expect(line.upstream.requests).toHaveLength(1))
    const others = [ask(fresh()), ask(fresh())]
    await new Promise((resolve) => setTimeout(resolve, 50))
    gate.resolve()
    expect((await first).response.status).toBe(400)
    expect((await Promise.all(others)).map(({ response }) => response.status)).toEqual([200, 200])
  })
})

describe('Embeddings', () => {
  it('are answered from the cache like conversations', async () => {
    line.upstream.play((turn) =>
      turn.json(200, {
        ...{ object: 'list', model: 'text-embedding-3-small' },
        data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
        usage: { prompt_tokens: 3, total_tokens: 3 },
      }),
    )
    const body = { model: 'openai/text-embedding-3-small', input: `cache ${asked}` }
    const first = await ask(body, ttl, '/v1/embeddings')
    const second = await ask(body, ttl, '/v1/embeddings')
    expect([first.cache, second.cache, second.text]).toEqual(['miss', 'hit', first.text])
  })
})
