import { expect, it } from 'vitest'
import type { Call, Reply } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { describeWith } from '../../support/needs.ts'
import { assemble, decodeStream, encodeStream } from './assembled.ts'
import {
  parseOr,
  replyToAnthropic,
  replyToOpenAi,
  type Seen,
  streamToAnthropic,
  streamToOpenAi,
} from './official-clients.ts'
import { chatSources, type Exchange, loadExchanges } from './recorded.ts'

function callOf(dialect: Dialect): Call {
  const body = {
    model: 'm',
    max_tokens: 1,
    messages: [{ role: 'user', content: 'x' }],
    stream_options: { include_usage: true },
  }
  return dialect.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat')
}

const finishes = {
  'openai-chat': {
    stop: 'stop',
    length: 'length',
    toolCalls: 'tool_calls',
    contentFilter: 'content_filter',
    other: 'stop',
    error: 'stop',
  },
  'anthropic-messages': {
    stop: 'end_turn',
    length: 'max_tokens',
    toolCalls: 'tool_use',
    contentFilter: 'refusal',
    other: 'end_turn',
    error: 'end_turn',
  },
} as const

/**
 * What the client of the other format should see. A call that the limit cut is compared by its name alone.
 */
function expected(reply: Reply, to: keyof typeof finishes): Seen {
  const { usage, blocks } = reply
  const isRefusal =
    to === 'anthropic-messages' && blocks.some(({ type }) => type === 'refusal') && reply.finish === 'stop'
  return {
    text: blocks
      .map((block) => (block.type === 'text' || block.type === 'refusal' ? block.text : ''))
      .join(''),
    toolCalls: blocks.flatMap((block) =>
      block.type === 'toolCall'
        ? [{ id: block.id, name: block.name, arguments: parseOr(block.arguments || '{}') ?? {} }]
        : [],
    ),
    finish: isRefusal ? 'refusal' : finishes[to][reply.finish],
    inputTokens:
      (usage.input ?? 0) +
      (usage.cacheRead ?? 0) +
      (usage.cacheWrite5m ?? 0) +
      (usage.cacheWrite1h ?? 0) +
      (usage.audioIn ?? 0),
    outputTokens: usage.output ?? 0,
  }
}
function withoutCutCalls(seen: Seen, reply: Reply): Seen {
  if (reply.finish !== 'length') return seen
  return { ...seen, toolCalls: seen.toolCalls.map((call) => ({ ...call, arguments: null })) }
}

async function compare(exchange: Exchange): Promise<void> {
  const isChat = exchange.format === 'openai-chat'
  const [provider, dialect] = isChat ? [compatible, messages] : [anthropic, chat]
  const to = isChat ? 'anthropic-messages' : 'openai-chat'
  let reply: Reply
  let seen: Seen
  if (exchange.isStream) {
    const { deltas } = decodeStream(provider.createDecoder(), [exchange.body])
    reply = assemble(deltas)
    const text = encodeStream(dialect.createEncoder(callOf(dialect), 0), deltas)
    seen = await (isChat ? streamToAnthropic(text) : streamToOpenAi(text))
  } else {
    reply = provider.decodeReply(JSON.parse(exchange.body.toString()))
    const text = JSON.stringify(dialect.encodeReply(reply, callOf(dialect), 0).body)
    seen = await (isChat ? replyToAnthropic(text) : replyToOpenAi(text))
  }
  const wanted = { ...expected(reply, to), ...(reply.stopSequence && !isChat && { finish: 'stop' }) }
  expect(withoutCutCalls(seen, reply), exchange.name).toEqual(withoutCutCalls(wanted, reply))
}

describeWith('recordings', 'recorded answers, translated, in the official clients', () => {
  const chatAnswers = loadExchanges('openai-chat', chatSources).filter(({ status }) => status === 200)
  const messagesAnswers = loadExchanges('anthropic-messages', ['anthropic']).filter(
    ({ status }) => status === 200,
  )

  it('are what the Anthropic client sees of Chat Completions streams', async () => {
    const streams = chatAnswers.filter(({ isStream }) => isStream)
    expect(streams.length).toBeGreaterThan(300)
    for (const exchange of streams) await compare(exchange)
  })

  it('are what the Anthropic client sees of plain Chat Completions answers', async () => {
    for (const exchange of chatAnswers.filter(({ isStream }) => !isStream)) await compare(exchange)
  })

  it('are what the OpenAI client sees of Messages streams', async () => {
    const streams = messagesAnswers.filter(({ isStream }) => isStream)
    expect(streams.length).toBeGreaterThan(100)
    for (const exchange of streams) await compare(exchange)
  })

  it('are what the OpenAI client sees of plain Messages answers', async () => {
    for (const exchange of messagesAnswers.filter(({ isStream }) => !isStream)) await compare(exchange)
  })
})
