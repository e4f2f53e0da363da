import { expect, it } from 'vitest'
import type { Call, Reply } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import type { Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { describeWith } from '../../support/needs.ts'
import { assemble, decodeStream, encodeStream } from './assembled.ts'
import {
  chatSources,
  createDice,
  cutAnywhere,
  type Exchange,
  loadExchanges,
  messagesSources,
} from './recorded.ts'

const nowMs = 1_700_000_000_500

function callOf(dialect: Dialect): Call {
  const body = {
    model: 'm',
    max_tokens: 1,
    messages: [{ role: 'user', content: 'x' }],
    stream_options: { include_usage: true },
  }
  return dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat')
}

/** The provider that answered, and the dialect of a caller who speaks the other format. */
function sidesOf({ format }: Exchange): { from: Provider; back: Provider; other: Dialect; own: Dialect } {
  return format === 'openai-chat'
    ? { from: compatible, back: anthropic, other: messages, own: chat }
    : { from: anthropic, back: compatible, other: chat, own: messages }
}

/** What a reader of an answer goes by. Texts next to each other are one; a refusal is text to Anthropic. */
function essence(reply: Reply, exchange: Exchange) {
  const { usage, blocks } = reply
  const cacheWrite = (usage.cacheWrite5m ?? 0) + (usage.cacheWrite1h ?? 0)
  const reasoning = blocks.filter((block) => block.type === 'reasoning')
  const hasRefusal = blocks.some(({ type }) => type === 'refusal')
  return {
    id: reply.id,
    model: reply.model,
    text: blocks
      .map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : ''))
      .join(''),
    toolCalls: blocks
      .filter((block) => block.type === 'toolCall')
      .map((block) => ({ id: block.id, name: block.name, arguments: normal(block.arguments) })),
    reasoning: reasoning.map(({ text }) => text).join(''),
    signatures:
      exchange.format === 'anthropic-messages'
        ? reasoning.map((block) => block.signature ?? block.encrypted)
        : [],
    finish: hasRefusal && reply.finish === 'stop' ? 'contentFilter' : reply.finish,
    usage: {
      input: (usage.input ?? 0) + (usage.audioIn ?? 0),
      cacheRead: usage.cacheRead ?? 0,
      cacheWrite,
      output: usage.output ?? 0,
      reasoning: usage.reasoning ?? 0,
    },
  }
}
function normal(text: string): string {
  if (text === '' || text === 'null') return '{}'
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

describeWith('recordings', 'recorded answers', () => {
  const all = [
    ...loadExchanges('openai-chat', chatSources),
    ...loadExchanges('anthropic-messages', messagesSources),
  ].filter(({ status }) => status === 200)
  const plain = all.filter(({ isStream }) => !isStream)
  const streams = all.filter(({ isStream }) => isStream)

  it('keep text, tool calls, thinking, finish and usage on the way to the other format and back', () => {
    expect(plain.length).toBeGreaterThan(800)
    for (const exchange of plain) {
      const { from, back, other, own } = sidesOf(exchange)
      const json = JSON.parse(exchange.body.toString())
      const reply = from.decodeReply(json, exchange.body)
      const translated = JSON.stringify(other.encodeReply(reply, callOf(other), nowMs).body)
      const again = back.decodeReply(JSON.parse(translated), Buffer.from(translated))
      expect(essence(again, exchange), exchange.name).toEqual(essence(reply, exchange))
      const home = JSON.stringify(own.encodeReply(again, callOf(own), nowMs).body)
      const last = from.decodeReply(JSON.parse(home), Buffer.from(home))
      expect(essence(last, exchange), exchange.name).toEqual(essence(reply, exchange))
      expect(from.readUsage(json), exchange.name).toEqual(reply.usage)
    }
  })

  it('keep the same when they are streams, cut anywhere', () => {
    const dice = createDice(3)
    for (const exchange of streams) {
      const { from, back, other, own } = sidesOf(exchange)
      const whole = decodeStream(from.createDecoder(), cutAnywhere(exchange.body, 9, dice))
      expect(whole.complete, exchange.name).toBe(true)
      const reply = assemble(whole.deltas)
      const translated = encodeStream(other.createEncoder(callOf(other), nowMs), whole.deltas)
      const again = decodeStream(back.createDecoder(), cutAnywhere(Buffer.from(translated), 9, dice))
      expect(again.complete, exchange.name).toBe(true)
      expect(essence(assemble(again.deltas), exchange), exchange.name).toEqual(essence(reply, exchange))
      const home = encodeStream(own.createEncoder(callOf(own), nowMs), again.deltas)
      const last = decodeStream(from.createDecoder(), [Buffer.from(home)])
      expect(essence(assemble(last.deltas), exchange), exchange.name).toEqual(essence(reply, exchange))
    }
  })

  it('lose only what is named, and nothing of most', () => {
    const lost = all.flatMap((exchange) => {
      const { from } = sidesOf(exchange)
      if (!exchange.isStream) return from.decodeReply(JSON.parse(exchange.body.toString())).lost
      return assemble(decodeStream(from.createDecoder(), [exchange.body]).deltas).lost
    })
    expect([...new Set(lost)].sort()).toMatchInlineSnapshot(`
      [
        "response.choices[]",
        "response.choices[].logprobs",
        "response.choices[].message.reasoning_details",
        "response.container",
        "response.content[].citations",
        "response.content[].code_execution_tool_result",
        "response.content[].server_tool_use",
        "response.related_questions",
        "response.thinking.signature",
      ]
    `)
    expect(lost.every((path) => /^response\.[\w[\].]+$/.test(path))).toBe(true)
  })

  it('that are errors are classified by status and code', () => {
    const errors = [
      ...loadExchanges('openai-chat', chatSources),
      ...loadExchanges('anthropic-messages', messagesSources),
    ].filter(({ status }) => status >= 400)
    const classes = errors.map((exchange) => {
      const { from } = sidesOf(exchange)
      let body: unknown
      try {
        body = JSON.parse(exchange.body.toString())
      } catch {}
      const { errorClass, fallback, message } = from.classifyFailure(exchange.status, body)
      expect(typeof message, exchange.name).toBe('string')
      return `${exchange.status} ${errorClass}${fallback ? ' fallback' : ''}`
    })
    expect(errors.length).toBeGreaterThan(40)
    expect([...new Set(classes)].sort()).toMatchInlineSnapshot(`
      [
        "400 contextWindow fallback",
        "400 invalid",
        "401 unavailable fallback",
        "404 unavailable fallback",
        "500 unavailable fallback",
      ]
    `)
  })
})
