import { Refusal } from '@signalbox/sdk/contract'
import { expect, it } from 'vitest'
import type { Call, Reply } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { ResponsesStreamReader } from '../../../gateway/wire/openai-responses/read-stream.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { describeWith } from '../../support/needs.ts'
import { assemble, decodeStream, encodeStream } from './assembled.ts'
import { parseOr, replyToResponses, type Seen, streamToResponses } from './official-clients.ts'
import {
  chatSources,
  createDice,
  cutAnywhere,
  type Exchange,
  loadExchanges,
  messagesSources,
  plainEvents,
  responsesSources,
} from './recorded.ts'

type Json = Record<string, unknown>
const nowMs = 1_700_000_000_500
const provider = openai.otherFormats?.['openai-responses'] as Provider
const options: EncodeOptions = { model: 'gpt-5.2', caps: {}, headers: {} }

function callOf(dialect: Dialect): Call {
  const body = {
    model: 'm',
    max_tokens: 1,
    input: 'x',
    messages: [{ role: 'user', content: 'x' }],
    stream_options: { include_usage: true },
  }
  return dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat')
}

const object = (value: unknown): Json => Object(value ?? {})

/** What a client that parses everything finds in the answer: total input, cache read, output, reasoning; status. */
function oracle(answer: Json) {
  const usage = object(answer.usage)
  const details = object(answer.incomplete_details)
  return {
    tokens: [
      usage.input_tokens,
      object(usage.input_tokens_details).cached_tokens,
      usage.output_tokens,
      object(usage.output_tokens_details).reasoning_tokens,
    ],
    finish: details.reason ?? answer.status,
  }
}
function lastResponse(exchange: Exchange): Json {
  return object(plainEvents(exchange.body).at(-1)?.response)
}

/** What a reader of an answer goes by; a refusal is text to Anthropic. */
function essence(reply: Reply) {
  const { usage, blocks } = reply
  const hasRefusal = blocks.some(({ type }) => type === 'refusal')
  return {
    id: reply.id,
    model: reply.model,
    text: blocks
      .map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : ''))
      .join(''),
    toolCalls: blocks
      .filter((block) => block.type === 'toolCall')
      .map((block) => ({
        id: block.id,
        name: block.name,
        arguments: parseOr(block.arguments || '{}') ?? {},
      })),
    thinking: blocks.map((block) => (block.type === 'reasoning' ? block.text : '')).join(''),
    finish: hasRefusal ? 'refusal' : reply.finish,
    input: (usage.input ?? 0) + (usage.audioIn ?? 0),
    cacheRead: usage.cacheRead ?? 0,
    cacheWrite: (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0),
    output: usage.output ?? 0,
    reasoning: usage.reasoning ?? 0,
  }
}
/** What goes back to OpenAI; it encrypts the same thinking anew each time that it is shown. */
function proofs(reply: Reply): unknown[] {
  return reply.blocks.flatMap((block) =>
    block.type === 'reasoning' ? [[block.origin, block.signature, block.encrypted !== undefined]] : [],
  )
}

function readThrough(pieces: readonly Buffer[]) {
  const splitter = new SseSplitter()
  const reader = new ResponsesStreamReader()
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  if (rest !== undefined) frames.push(rest)
  let last = {}
  for (const frame of frames) last = { ...last, ...reader.read(frame) }
  return { bytes: Buffer.concat(frames.map(({ bytes }) => bytes)), last, complete: reader.finish().complete }
}

describeWith('recordings', 'recorded Responses', () => {
  const all = loadExchanges('openai-responses', responsesSources)
  const good = all.filter(({ status }) => status === 200)
  const streams = good.filter(({ isStream }) => isStream)
  const plain = good.filter(({ isStream }) => !isStream)

  it('are all of them', () => {
    expect([plain.length, streams.length, all.length - good.length]).toEqual([145, 77, 10])
  })

  it('pass byte for byte as requests, and are checked without complaint', () => {
    for (const exchange of all) {
      const raw = Buffer.from(exchange.request)
      const call = responses.decodeRequest(raw, JSON.parse(exchange.request), 'chat')
      const request = provider.encodeRequest(call, { ...options, model: call.model })
      expect(request.body.equals(raw), exchange.name).toBe(true)
      expect(request.dropped, exchange.name).toEqual([])
    }
  })

  it('pass byte for byte as streams and give usage and finish, cut at random places', () => {
    const dice = createDice(7)
    for (const exchange of streams) {
      const { tokens, finish } = oracle(lastResponse(exchange))
      for (const count of [1, 3, 40]) {
        const read = readThrough(cutAnywhere(exchange.body, count, dice))
        expect(read.bytes.equals(exchange.body), exchange.name).toBe(true)
        expect(read.complete, exchange.name).toBe(true)
        const { usage, nativeFinish } = read.last as { usage: Reply['usage']; nativeFinish: string }
        const { input = 0, cacheRead, cacheWrite5m = 0, output, reasoning } = usage
        const found = [input + (cacheRead ?? 0) + cacheWrite5m, cacheRead, output, reasoning]
        expect(found, exchange.name).toEqual(tokens)
        expect(nativeFinish, exchange.name).toBe(finish)
      }
    }
  })

  it('do not count as complete when they are cut short, and end in their own terms', () => {
    const dice = createDice(11)
    for (const exchange of streams) {
      const reader = new ResponsesStreamReader()
      const splitter = new SseSplitter()
      const frames = splitter.push(exchange.body.subarray(0, dice(Math.floor(exchange.body.length * 0.5))))
      for (const frame of frames) reader.read(frame)
      expect(reader.finish().complete, exchange.name).toBe(false)
      const ending = reader.fail(new Refusal('upstream_reset'))
      const [error, failed] = plainEvents(Buffer.from(ending))
      const sent = plainEvents(Buffer.concat(frames.map(({ bytes }) => bytes)))
      expect(error, exchange.name).toMatchObject({ type: 'error', sequence_number: sent.length })
      expect(failed, exchange.name).toMatchObject({
        type: 'response.failed',
        response: { status: 'failed', ...(sent.length > 0 && { id: object(sent[0]?.response).id }) },
      })
    }
  })

  it('mean the same streamed as in their last event, whole', () => {
    for (const exchange of streams) {
      const { deltas, complete } = decodeStream(provider.createDecoder(), [exchange.body])
      expect(complete, exchange.name).toBe(true)
      const reply = assemble(deltas)
      const whole = provider.decodeReply(lastResponse(exchange))
      expect(essence(reply), exchange.name).toEqual(essence(whole))
      expect(proofs(reply), exchange.name).toEqual(proofs(whole))
    }
  })

  it.each([
    ['Chat Completions', chat, compatible],
    ['Messages', messages, anthropic],
  ] as const)('keep all that counts on the way to %s and back', (_name, other, back) => {
    const dice = createDice(3)
    for (const exchange of good) {
      const reply = exchange.isStream
        ? assemble(decodeStream(provider.createDecoder(), cutAnywhere(exchange.body, 9, dice)).deltas)
        : provider.decodeReply(JSON.parse(exchange.body.toString()), exchange.body)
      let again: Reply
      if (exchange.isStream) {
        const { deltas } = decodeStream(provider.createDecoder(), [exchange.body])
        const text = encodeStream(other.createEncoder(callOf(other), nowMs), deltas)
        again = assemble(decodeStream(back.createDecoder(), [Buffer.from(text)]).deltas)
      } else {
        const text = JSON.stringify(other.encodeReply(reply, callOf(other), nowMs).body)
        again = back.decodeReply(JSON.parse(text), Buffer.from(text))
      }
      const { finish: _was, ...wanted } = essence(reply)
      const { finish: _is, ...seen } = essence(again)
      expect(seen, exchange.name).toEqual(wanted)
    }
  })

  it('lose only what is named', () => {
    const lost = plain.flatMap((exchange) => provider.decodeReply(JSON.parse(exchange.body.toString())).lost)
    expect([...new Set(lost)]).toMatchInlineSnapshot(`[]`)
  })

  it('that are errors are classified by status and code', () => {
    const classes = all
      .filter(({ status }) => status >= 400)
      .map(({ status, body }) => {
        const { errorClass, code } = provider.classifyFailure(status, parseOr(body.toString()))
        return `${status} ${code} ${errorClass}`
      })
    expect([...new Set(classes)].sort()).toMatchInlineSnapshot(`
      [
        "400 invalid-argument invalid",
        "400 model_not_found invalid",
        "400 previous_response_not_found invalid",
        "401 invalid_api_key unavailable",
      ]
    `)
  })
})

describeWith('recordings', 'recorded answers of other formats, as Responses', () => {
  const all = [
    ...loadExchanges('openai-chat', chatSources),
    ...loadExchanges('anthropic-messages', messagesSources),
  ].filter(({ status }) => status === 200)
  const from = (exchange: Exchange): Provider => (exchange.format === 'openai-chat' ? compatible : anthropic)

  it('come back the same, plain and streamed', () => {
    for (const exchange of all) {
      const { deltas } = decodeStream(from(exchange).createDecoder(), [exchange.body])
      const reply = exchange.isStream
        ? assemble(deltas)
        : from(exchange).decodeReply(JSON.parse(exchange.body.toString()), exchange.body)
      const text = exchange.isStream
        ? encodeStream(responses.createEncoder(callOf(responses), nowMs), deltas)
        : JSON.stringify(responses.encodeReply(reply, callOf(responses), nowMs).body)
      const isFailed = reply.finish === 'error'
      if (isFailed) continue
      const again = exchange.isStream
        ? assemble(decodeStream(provider.createDecoder(), [Buffer.from(text)]).deltas)
        : provider.decodeReply(JSON.parse(text), Buffer.from(text))
      const { finish: _was, ...wanted } = essence(reply)
      const { finish: _is, ...seen } = essence(again)
      expect(seen, exchange.name).toEqual(wanted)
    }
  })

  it('are what the official client sees', async () => {
    for (const exchange of all.filter((_, index) => index % 4 === 0)) {
      const { deltas } = decodeStream(from(exchange).createDecoder(), [exchange.body])
      const reply = exchange.isStream
        ? assemble(deltas)
        : from(exchange).decodeReply(JSON.parse(exchange.body.toString()), exchange.body)
      if (reply.finish === 'error') continue
      const seen: Seen = exchange.isStream
        ? await streamToResponses(encodeStream(responses.createEncoder(callOf(responses), nowMs), deltas))
        : await replyToResponses(JSON.stringify(responses.encodeReply(reply, callOf(responses), nowMs).body))
      const { text, toolCalls } = essence(reply)
      expect(seen.text, exchange.name).toBe(text)
      if (reply.finish !== 'length') expect(seen.toolCalls, exchange.name).toEqual(toolCalls)
    }
  })
})
