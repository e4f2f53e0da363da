import { expect, it } from 'vitest'
import type { Call, Reply } from '../../../gateway/call.ts'
import type { Dialect, RequestHead } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as gemini } from '../../../gateway/dialects/gemini.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as google } from '../../../gateway/providers/gemini.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { GeminiStreamReader } from '../../../gateway/wire/gemini/read-stream.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { describeWith } from '../../support/needs.ts'
import { assemble, decodeStream, encodeStream } from './assembled.ts'
import { parseOr, replyToGemini, streamToGemini } from './official-clients.ts'
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

const headOf = (url: string): RequestHead => ({ method: 'POST', url, headers: {} })

type Json = Record<string, unknown>
const nowMs = 1_700_000_000_500
const options: EncodeOptions = { model: 'gemini-3-flash', caps: {}, headers: {} }
const respond = openai.otherFormats?.['openai-responses'] as Provider
const object = (value: unknown): Json => Object(value ?? {})

function callOf(dialect: Dialect): Call {
  const body = {
    model: 'm',
    max_tokens: 1,
    input: 'x',
    messages: [{ role: 'user', content: 'x' }],
    contents: [{ parts: [{ text: 'x' }] }],
    stream_options: { include_usage: true },
  }
  const raw = Buffer.from(JSON.stringify(body))
  return dialect.decodeRequest(raw, body, 'chat', headOf('/v1beta/models/m:generateContent'))
}

/** What a client that parses everything finds in the last event: the prompt, what was cached, the output. */
function oracle(events: readonly Json[]) {
  const usage = object(events.findLast((event) => event.usageMetadata !== undefined)?.usageMetadata)
  const count = (name: string): number => Number(usage[name] ?? 0)
  const reasons = events.flatMap((event) =>
    Array.isArray(event.candidates) ? [object(event.candidates[0]).finishReason] : [],
  )
  return {
    prompt: count('promptTokenCount') + count('toolUsePromptTokenCount'),
    cached: count('cachedContentTokenCount'),
    output: count('candidatesTokenCount') + count('thoughtsTokenCount'),
    thoughts: count('thoughtsTokenCount'),
    finish: reasons.findLast((reason) => reason !== undefined),
  }
}
function counted(usage: Reply['usage'] = {}) {
  const { input = 0, cacheRead = 0, audioIn = 0, output = 0, audioOut = 0, reasoning = 0 } = usage
  return {
    prompt: input + cacheRead + audioIn,
    cached: cacheRead,
    output: output + audioOut,
    thoughts: reasoning,
  }
}

/** What a reader of an answer goes by; a refusal is text to Anthropic and Google. */
function essence(reply: Reply) {
  const { usage, blocks } = reply
  const said = blocks.map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : ''))
  const calls = blocks.filter((block) => block.type === 'toolCall')
  return {
    id: reply.id,
    model: reply.model,
    text: said.join(''),
    toolCalls: calls.map((block) => ({
      id: block.id,
      name: block.name,
      arguments: parseOr(block.arguments || '{}') ?? {},
    })),
    thinking: blocks.map((block) => (block.type === 'reasoning' ? block.text : '')).join(''),
    input: (usage.input ?? 0) + (usage.audioIn ?? 0) + (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0),
    cacheRead: usage.cacheRead ?? 0,
    output: usage.output ?? 0,
    reasoning: usage.reasoning ?? 0,
  }
}

function readThrough(pieces: readonly Buffer[]) {
  const splitter = new SseSplitter()
  const reader = new GeminiStreamReader()
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  if (rest !== undefined) frames.push(rest)
  let last: { usage?: Reply['usage']; nativeFinish?: string } = {}
  for (const frame of frames) last = { ...last, ...reader.read(frame) }
  return { bytes: Buffer.concat(frames.map(({ bytes }) => bytes)), last, complete: reader.finish().complete }
}

const replyOf = (provider: Provider, exchange: Exchange): Reply =>
  provider.decodeReply(JSON.parse(exchange.body.toString()), exchange.body)

describeWith('recordings', 'recorded Gemini', () => {
  const all = loadExchanges('gemini', ['gemini'])
  const good = all.filter(({ status }) => status === 200)
  const streams = good.filter(({ isStream }) => isStream)
  const plain = good.filter(({ isStream }) => !isStream)
  const decode = (exchange: Exchange): Call => {
    const raw = Buffer.from(exchange.request)
    return gemini.decodeRequest(raw, JSON.parse(exchange.request), 'chat', headOf(exchange.path))
  }

  it('are all of them', () => {
    expect([plain.length, streams.length, all.length - good.length]).toEqual([201, 111, 4])
  })

  it('pass byte for byte as requests, to the same path without the key', () => {
    for (const exchange of all) {
      const call = decode(exchange)
      const request = google.encodeRequest(call, { ...options, model: call.model })
      expect(request.body.equals(Buffer.from(exchange.request)), exchange.name).toBe(true)
      expect(request.dropped, exchange.name).toEqual([])
      expect(request.path, exchange.name).toBe(exchange.path.replace(/[?&]key=[^&]*/, ''))
    }
  })

  it('pass byte for byte as streams and give usage and finish, cut at random places', () => {
    const dice = createDice(7)
    for (const exchange of streams) {
      const { finish, ...tokens } = oracle(plainEvents(exchange.body))
      for (const count of [1, 3, 40]) {
        const read = readThrough(cutAnywhere(exchange.body, count, dice))
        expect(read.bytes.equals(exchange.body), exchange.name).toBe(true)
        expect(read.complete, exchange.name).toBe(true)
        expect(counted(read.last.usage), exchange.name).toEqual(tokens)
        expect(read.last.nativeFinish, exchange.name).toBe(finish)
      }
    }
  })

  it('give usage and finish of plain answers', () => {
    for (const exchange of plain) {
      const json = JSON.parse(exchange.body.toString())
      const { finish, ...tokens } = oracle([json])
      expect(counted(google.readUsage(json)), exchange.name).toEqual(tokens)
      expect(google.decodeReply(json).nativeFinish, exchange.name).toBe(finish)
    }
  })

  it('do not count as complete when they are cut short', () => {
    const dice = createDice(11)
    for (const exchange of streams) {
      const text = exchange.body.toString('latin1')
      const end = text.indexOf('"finishReason"')
      const cut = exchange.body.subarray(0, dice(end))
      const splitter = new SseSplitter()
      const reader = new GeminiStreamReader()
      for (const frame of splitter.push(cut)) reader.read(frame)
      expect(reader.finish().complete, exchange.name).toBe(false)
      expect(decodeStream(google.createDecoder(), [cut]).complete, exchange.name).toBe(false)
    }
  })

  it.each([
    ['Chat Completions', chat, compatible],
    ['Messages', messages, anthropic],
    ['Responses', responses, respond],
  ] as const)('keep all that counts on the way to %s and back', (_name, other, back) => {
    const dice = createDice(3)
    for (const exchange of good) {
      const { deltas } = decodeStream(google.createDecoder(), cutAnywhere(exchange.body, 9, dice))
      const reply = exchange.isStream ? assemble(deltas) : replyOf(google, exchange)
      if (reply.finish === 'error') continue
      let again: Reply
      if (exchange.isStream) {
        const text = encodeStream(other.createEncoder(callOf(other), nowMs), deltas)
        again = assemble(decodeStream(back.createDecoder(), [Buffer.from(text)]).deltas)
      } else {
        const text = JSON.stringify(other.encodeReply(reply, callOf(other), nowMs).body)
        again = back.decodeReply(JSON.parse(text), Buffer.from(text))
      }
      expect(essence(again), exchange.name).toEqual(essence(reply))
    }
  })

  it('lose only what is named, which nobody gets unasked', () => {
    const lost = good.flatMap((exchange) =>
      exchange.isStream
        ? assemble(decodeStream(google.createDecoder(), [exchange.body]).deltas).lost
        : replyOf(google, exchange).lost,
    )
    expect([...new Set(lost)].sort()).toMatchInlineSnapshot(`
      [
        "response.candidates[]",
        "response.candidates[].content.parts[].codeExecutionResult",
        "response.candidates[].content.parts[].executableCode",
      ]
    `)
  })

  it('reach every other format as requests, with what that has no place for named', () => {
    const dropped = new Set<string>()
    for (const exchange of all) {
      const call = decode(exchange)
      for (const provider of [compatible, respond, anthropic]) {
        const model = provider === anthropic ? 'claude-sonnet-4-5' : 'gpt-5.2'
        const request = provider.encodeRequest(call, { ...options, model, fidelity: 'lossy' })
        for (const path of request.dropped) dropped.add(path)
      }
    }
    expect([...dropped].sort()).toMatchInlineSnapshot(`
      [
        "cachedContent",
        "contents[].parts[].inlineData",
        "contents[].parts[].thought",
        "contents[].parts[].thoughtSignature",
        "generationConfig.candidateCount",
        "generationConfig.temperature",
        "generationConfig.thinkingConfig",
        "messages[].role",
        "tools[].codeExecution",
      ]
    `)
  })

  it('that are errors are classified by status, name and reason', () => {
    const classes = all
      .filter(({ status }) => status >= 400)
      .map(({ status, body }) => {
        const { errorClass, code } = google.classifyFailure(status, parseOr(body.toString()))
        return `${status} ${code} ${errorClass}`
      })
    expect([...new Set(classes)].sort()).toMatchInlineSnapshot(`
      [
        "400 API_KEY_INVALID unavailable",
        "404 NOT_FOUND unavailable",
      ]
    `)
  })
})

describeWith('recordings', 'recorded answers of other formats, as Gemini', () => {
  const from = ({ format }: Exchange): Provider => {
    if (format === 'openai-responses') return respond
    return format === 'openai-chat' ? compatible : anthropic
  }
  const all = [
    ...loadExchanges('openai-chat', chatSources),
    ...loadExchanges('openai-responses', responsesSources),
    ...loadExchanges('anthropic-messages', messagesSources),
  ].filter(({ status }) => status === 200)
  const answers = all.flatMap((exchange) => {
    const { deltas } = decodeStream(from(exchange).createDecoder(), [exchange.body])
    const reply = exchange.isStream ? assemble(deltas) : replyOf(from(exchange), exchange)
    if (reply.finish === 'error') return []
    const call = callOf(gemini)
    const text = exchange.isStream
      ? encodeStream(gemini.createEncoder(call, nowMs), deltas)
      : JSON.stringify(gemini.encodeReply(reply, call, nowMs).body)
    return [{ exchange, reply, text }]
  })

  it('come back the same, plain and streamed', () => {
    for (const { exchange, reply, text } of answers) {
      const again = exchange.isStream
        ? assemble(decodeStream(google.createDecoder(), [Buffer.from(text)]).deltas)
        : google.decodeReply(JSON.parse(text), Buffer.from(text))
      // A call that the limit cut is not shown in a stream.
      const { toolCalls, ...wanted } = essence(reply)
      const { toolCalls: seen, ...rest } = essence(again)
      expect(rest, exchange.name).toEqual(wanted)
      if (reply.finish !== 'length') expect(seen, exchange.name).toEqual(toolCalls)
    }
  })

  it('are what the official client sees', async () => {
    for (const { exchange, reply, text } of answers.filter((_, index) => index % 12 === 0)) {
      const seen = exchange.isStream ? await streamToGemini(text) : await replyToGemini(text)
      const { text: wanted, toolCalls } = essence(reply)
      expect(seen.text, exchange.name).toBe(wanted)
      if (reply.finish !== 'length') expect(seen.toolCalls, exchange.name).toEqual(toolCalls)
    }
  })
})
