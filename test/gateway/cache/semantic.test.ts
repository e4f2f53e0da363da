import type { Decision } from '@signalbox/sdk/contract'
import { beforeEach, describe, expect, it } from 'vitest'
import { normalised, QuestionIndex } from '../../../gateway/cache/question-index.ts'
import { allow, connectionOf } from '../../support/memory-snapshot.ts'
import { chatCompletion, chatStream, message, type UpstreamTurn } from '../../support/scripted-upstream.ts'
import { buildLine } from '../line.ts'

const line = buildLine()
const model = 'openai/gpt-5.2'
const embedder = 'spare/text-embedding-3-small'
let asked = 0

/** Points of texts by their words: those with the same words, in whatever order, lie close together. */
function embed(turn: UpstreamTurn): void {
  const words = String(turn.request.json.input).toLowerCase().match(/\w+/g) ?? []
  const embedding = Array.from({ length: 64 }, () => 0.01)
  for (const word of words) {
    const at = [...word].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 64, 7)
    embedding[at] = (embedding[at] ?? 0) + 1
  }
  const usage = { prompt_tokens: 1000, total_tokens: 1000 }
  turn.json(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding }], usage })
}

beforeEach(() => {
  asked++
  line.upstream.requests.length = 0
  line.spare.requests.length = 0
  line.upstream.play((turn) => {
    if (turn.request.path.endsWith('/messages')) turn.json(200, message('hello'))
    else if (turn.request.json.stream !== true) turn.json(200, chatCompletion('hello'))
    else {
      turn.events(chatStream('hello').join(''))
      turn.response.end()
    }
  })
  line.spare.play(embed)
  decide({})
})

function snapshotOf(rest: Partial<Decision>, thresholdPpm = 900_000) {
  const semantic = { cache: 'readWrite', semanticCache: { model: embedder, thresholdPpm } } as const
  return line.snapshotOf({ decide: () => allow({ target: model }, { ...semantic, ...rest }) })
}
function decide(rest: Partial<Decision>, thresholdPpm?: number): void {
  line.gateway.snapshot = snapshotOf(rest, thresholdPpm)
}

const say = (text: string, system = 'Be brief.') => [
  { role: 'system', content: `${system} ${asked}` },
  { role: 'user', content: text },
]
async function ask(messages: readonly object[], body: object = {}, headers: Record<string, string> = {}) {
  const count = line.gateway.records.length + 1
  const response = await line.gateway.send('/v1/chat/completions', { model, messages, ...body }, { headers })
  const text = await response.text()
  const cost = response.headers.get('x-signalbox-cost-usd')
  return {
    text,
    cost,
    cache: response.headers.get('x-signalbox-cache'),
    record: await line.gateway.lastRecord(count),
  }
}
const question = 'How do I reset my password?'
const alike = 'My password: how do I reset?'
const other = 'What is the capital of France?'

describe('The cache, asked by meaning', () => {
  it('answers a question that means the same as an earlier one, and says how alike they are', async () => {
    const first = await ask(say(question))
    const second = await ask(say(alike))
    const third = await ask(say(other))
    expect([first.cache, second.cache, third.cache]).toEqual(['miss', 'hit', 'miss'])
    expect(second.text).toBe(first.text)
    expect(line.upstream.requests).toHaveLength(2)
    const { row, body } = second.record
    expect(body.cached).toMatchObject({ recordId: first.record.row.id, savedNanoUsd: '20000' })
    expect(body.cached?.similarityPpm).toBeGreaterThan(900_000)
    expect(row).toMatchObject({ cache: 'hit', attempts: 0, target: model })
    expect(first.record.row).toMatchObject({ attempts: 1, target: model })
    expect(third.record.body.cached).toBeUndefined()
    const { hits, similar } = line.gateway.answers.counts
    expect([hits, similar]).toEqual([1, 1])
  })

  it('counts the embedding as an attempt of its own, and asks for none where the question is the same', async () => {
    const first = await ask(say(question))
    expect(
      first.record.body.attempts.map(({ target, purpose, winner }) => [target, purpose, winner]),
    ).toEqual([
      [model, undefined, true],
      [embedder, 'cache', false],
    ])
    expect((await ask(say(question))).record.body.attempts).toEqual([])
    const { body, row } = (await ask(say(alike))).record
    expect(body.attempts).toMatchObject([
      { target: embedder, purpose: 'cache', outcome: 'ok', evidence: 'reported', usage: { input: 1000 } },
    ])
    expect(row.costNanoUsd).toBe(body.attempts[0]?.costNanoUsd ?? '0')
    expect(line.spare.requests.map(({ path, json }) => [path, json.model, json.input])).toEqual([
      ['/v1/embeddings', 'text-embedding-3-small', question],
      ['/v1/embeddings', 'text-embedding-3-small', alike],
    ])
  })

  it('compares nothing but the last text: instructions, turns, tools and settings have to be the same', async () => {
    await ask(say(question))
    const [system, last] = say(alike)
    const turns = [system, { role: 'user', content: 'Hi' }, { role: 'assistant', content: 'Hello' }, last]
    expect((await ask(say(alike, 'Be rude.'))).cache).toBe('miss')
    expect((await ask(turns as object[])).cache).toBe('miss')
    expect((await ask(say(alike), { temperature: 0.5 })).cache).toBe('miss')
    expect((await ask(say(alike), { max_tokens: 5 })).cache).toBe('miss')
    expect((await ask(say(alike))).cache).toBe('hit')
  })

  it('tells nothing to another node', async () => {
    await ask(say(question))
    const here = snapshotOf({})
    line.gateway.snapshot = {
      ...here,
      findKey: (hash) => {
        const found = here.findKey(hash)
        return typeof found === 'object' ? { ...found, node: 'team-1' } : found
      },
    }
    expect((await ask(say(alike))).cache).toBe('miss')
    expect((await ask(say(alike))).cache).toBe('hit')
  })

  it('goes by the threshold', async () => {
    await ask(say(question))
    decide({}, 1_000_000)
    expect((await ask(say('How do I reset a password?'))).cache).toBe('miss')
    decide({}, 600_000)
    expect((await ask(say('How could I reset my password?'))).cache).toBe('hit')
  })

  it('gives a stream where one is asked for, and the other way round', async () => {
    await ask(say(question))
    const streamed = await ask(say(alike), { stream: true })
    expect([streamed.cache, streamed.text.includes('data: [DONE]')]).toEqual(['hit', true])
  })

  it('leaves out questions with more than text, and conversations that a tool speaks last in', async () => {
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    await ask([{ role: 'user', content: [{ type: 'text', text: `Look ${asked}` }, image] }])
    const call = { id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }
    await ask([
      { role: 'user', content: `Go ${asked}` },
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c', content: 'done' },
    ])
    expect(line.spare.requests).toHaveLength(0)
  })

  it('lets the call go its way where nothing embeds', async () => {
    line.spare.play((turn) => turn.json(500, { error: { message: 'no' } }))
    const told = await ask(say(question))
    expect([told.cache, told.text.includes('hello')]).toEqual(['miss', true])
    expect(told.record.body.attempts.at(-1)).toMatchObject({
      purpose: 'cache',
      outcome: 'error',
      status: 500,
    })
    const gone = { model: 'nowhere/x', thresholdPpm: 900_000 }
    decide({ semanticCache: gone })
    expect((await ask(say(alike))).cache).toBe('miss')
    line.gateway.snapshot = line.snapshotOf({
      connections: [
        connectionOf('openai', { baseUrl: `${line.upstream.url}/v1` }),
        connectionOf('spare', { baseUrl: 'http://127.0.0.1:1/v1' }),
      ],
      decide: () =>
        allow(
          { target: model },
          { cache: 'readWrite', semanticCache: { model: embedder, thresholdPpm: 900_000 } },
        ),
    })
    expect((await ask(say('And a third one?'))).text).toContain('hello')
  })

  it('speaks to other dialects', async () => {
    const send = async (content: string) => {
      const body = { model, max_tokens: 50, system: `x ${asked}`, messages: [{ role: 'user', content }] }
      const count = line.gateway.records.length + 1
      const response = await line.gateway.send('/v1/messages', body)
      await response.text()
      // The question is kept after its answer is given.
      await line.gateway.lastRecord(count)
      return response.headers.get('x-signalbox-cache')
    }
    expect([await send(question), await send(alike), await send(other)]).toEqual(['miss', 'hit', 'miss'])
  })

  it('has no part where policies or the caller turn the cache off', async () => {
    await ask(say(question))
    expect((await ask(say(alike), {}, { 'x-signalbox-cache': 'off' })).cache).toBe('off')
    expect((await ask(say(alike), {}, { 'x-signalbox-cache': 'refresh' })).cache).toBe('miss')
    decide({ cache: 'off' })
    expect((await ask(say(alike))).cache).toBe('off')
  })
})

describe('The index of questions', () => {
  const point = (...numbers: number[]) => normalised(numbers) ?? new Float32Array()
  const all = { thresholdPpm: 500_000, nowMs: 0 }

  it('keeps to its memory, the oldest making room, and forgets what is over', () => {
    const index = new QuestionIndex(2 * (512 + 8))
    for (const [at, key] of ['a', 'b', 'c'].entries())
      index.set(key, { scope: 's', vector: point(1, at), expiresMs: 100 + at })
    expect([index.size, index.bytes]).toEqual([2, 1040])
    expect(index.find('s', point(1, 1), all).map(({ key }) => key)).toEqual(['b', 'c'])
    expect(index.find('s', point(1, 1), { ...all, nowMs: 101 }).map(({ key }) => key)).toEqual(['c'])
    expect(index.find('s', point(1, 1), { ...all, nowMs: 102 })).toEqual([])
    expect([index.has('s'), index.bytes]).toEqual([false, 0])
  })

  it('never compares scopes, nor vectors of two models', () => {
    const index = new QuestionIndex(10_000)
    index.set('a', { scope: 's', vector: point(1, 0), expiresMs: 1 })
    expect(index.find('other', point(1, 0), all)).toEqual([])
    expect(index.find('s', point(1, 0, 0), all)).toEqual([])
    expect(index.find('s', point(3, 0), all)).toEqual([{ key: 'a', similarityPpm: 1_000_000 }])
  })

  it('takes no vector without a length', () => {
    expect([normalised([]), normalised([0, 0]), normalised([Number.NaN])]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })
})
