import { Refusal } from '@signalbox/sdk/contract'
import { expect, it } from 'vitest'
import type { Call, ChatPayload } from '../../../gateway/call.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import type { EncodeOptions } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { encodeMessagesRequest } from '../../../gateway/wire/anthropic-messages/encode-request.ts'
import { namePath } from '../../../gateway/wire/losses.ts'
import { encodeChatRequest } from '../../../gateway/wire/openai-chat/encode-request.ts'
import { openAiQuirks } from '../../../gateway/wire/openai-chat/quirks.ts'
import { describeWith } from '../../support/needs.ts'
import { chatSources, type Exchange, loadExchanges, messagesSources } from './recorded.ts'

const options: EncodeOptions = { model: 'claude-sonnet-4-6', caps: {}, headers: {} }

function decode(exchange: Exchange): Call | Refusal {
  const dialect = exchange.format === 'openai-chat' ? chat : messages
  try {
    return dialect.decodeRequest(Buffer.from(exchange.request), JSON.parse(exchange.request), 'chat')
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
}
function calls(exchanges: readonly Exchange[]): [string, Call][] {
  return exchanges.flatMap((exchange): [string, Call][] => {
    const call = decode(exchange)
    return call instanceof Refusal ? [] : [[exchange.name, call]]
  })
}

/** Every text, id, name and argument of a conversation: what may never vanish without a name. */
function contents(payload: ChatPayload): string[] {
  const found: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value === 'string') found.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  for (const message of payload.messages) {
    for (const block of message.blocks) {
      if (block.type === 'text') found.push(block.text)
      if (block.type === 'toolCall') {
        found.push(block.id, block.name)
        visit(parseOr(block.arguments))
      }
      if (block.type === 'toolResult') found.push(block.toolCallId)
      if (block.type === 'image') found.push(block.base64 ?? block.url ?? '')
      if (block.type === 'document') found.push(block.base64 ?? block.url ?? block.text ?? '')
    }
  }
  for (const tool of payload.tools) found.push(tool.name, tool.description ?? '')
  return found.filter((text) => text.trim() !== '')
}
function parseOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** A payload without what only tells where things stood. */
function bare(payload: ChatPayload): unknown {
  const drop = (key: string, value: unknown): unknown =>
    key === 'path' || key === 'paths' ? undefined : value
  const extra = [...new Set([...payload.extra.keys()].map(namePath))].sort()
  return JSON.parse(JSON.stringify({ ...payload, extra }, drop))
}

/** Top-level members of a body that neither a translated body nor a loss accounts for. */
const carried: Readonly<Record<string, readonly string[]>> = {
  'openai-chat': [
    ...[
      'model',
      'messages',
      'stream',
      'stream_options',
      'tools',
      'tool_choice',
      'parallel_tool_calls',
      'max_tokens',
    ],
    ...[
      'max_completion_tokens',
      'temperature',
      'top_p',
      'top_k',
      'stop',
      'response_format',
      'user',
      'reasoning_effort',
    ],
    ...['reasoning', 'thinking', 'safety_identifier'],
  ],
  'anthropic-messages': [
    ...[
      'model',
      'messages',
      'stream',
      'system',
      'tools',
      'tool_choice',
      'max_tokens',
      'temperature',
      'top_p',
    ],
    ...['stop_sequences', 'output_config', 'metadata', 'thinking'],
  ],
}

describeWith('recordings', 'recorded requests', () => {
  const chatCalls = calls(loadExchanges('openai-chat', chatSources))
  const messagesCalls = calls(loadExchanges('anthropic-messages', messagesSources))

  it('are refused only where the provider itself refused them', () => {
    const refused = [
      ...loadExchanges('openai-chat', chatSources),
      ...loadExchanges('anthropic-messages', messagesSources),
    ]
      .filter((exchange) => decode(exchange) instanceof Refusal)
      .map(({ status }) => status)
    expect(refused.length).toBeLessThan(4)
    expect(refused.every((status) => status === 400)).toBe(true)
    expect(chatCalls.length).toBeGreaterThan(1000)
    expect(messagesCalls.length).toBeGreaterThan(400)
  })

  it('travel byte for byte on a hop of their own format when the decision changes nothing', () => {
    for (const [name, call] of [...chatCalls, ...messagesCalls]) {
      const provider = call.format === 'openai-chat' ? openai : anthropic
      const request = provider.encodeRequest(call, { ...options, model: call.model })
      expect(request.identity, name).toBe(true)
      if (request.addedUsage) {
        const { stream_options: added, ...rest } = JSON.parse(request.body.toString())
        const { stream_options: asked, ...before } = call.json
        expect({ added, rest }, name).toEqual({
          added: { ...Object(asked ?? {}), include_usage: true },
          rest: before,
        })
      } else expect(request.body.equals(call.raw), name).toBe(true)
    }
  })

  it('mean the same after canonical form and back', () => {
    for (const [name, call] of chatCalls) {
      const { body, dropped } = encodeChatRequest(call.payload(), call.stream, options, openAiQuirks)
      const again = chat.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat').payload()
      const { extra: kept, reasoning, ...after } = Object(bare(again))
      const { extra, reasoning: asked, ...before } = Object(bare(call.payload()))
      expect(after, name).toEqual(before)
      expect(reasoning?.level, name).toBe(asked?.level)
      expect([...new Set([...kept, ...dropped])].sort(), name).toEqual(extra)
    }
    for (const [name, call] of messagesCalls) {
      const { body } = encodeMessagesRequest(call.payload(), call.stream, { ...options, model: call.model })
      const again = messages.decodeRequest(Buffer.from(JSON.stringify(body)), body, 'chat').payload()
      expect(contents(again).sort(), name).toEqual(contents(call.payload()).sort())
    }
  })

  it('reach the other format whole, or with every loss named, or refused by name', () => {
    const outcomes = { whole: 0, named: 0, refused: 0 }
    for (const [name, call] of [...chatCalls, ...messagesCalls]) {
      const isChat = call.format === 'openai-chat'
      const [provider, dialect, model] = isChat
        ? ([anthropic, messages, 'claude-sonnet-4-6'] as const)
        : ([openai, chat, 'gpt-5.2'] as const)
      try {
        const request = provider.encodeRequest(call, { ...options, model })
        const json = JSON.parse(request.body.toString())
        const losses = [...request.dropped, ...request.responseDropped]
        const arrived = contents(dialect.decodeRequest(request.body, json, 'chat').payload()).join('\u0000')
        const missing = contents(call.payload()).filter((text) => !arrived.includes(text))
        expect(missing, name).toEqual([])
        const unnamed = Object.keys(call.json).filter((member) => {
          const isCarried = carried[call.format]?.includes(member) === true
          const isNothing = call.json[member] === null || call.json[member] === false
          return !isCarried && !isNothing && !losses.some((path) => path.startsWith(member))
        })
        expect(
          unnamed.filter((member) => !(member === 'n' && call.json.n === 1)),
          name,
        ).toEqual([])
        outcomes[losses.length === 0 ? 'whole' : 'named']++
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        expect(error.code, name).toBe('unsupported_feature')
        expect(error.param, name).toMatch(/^\w/)
        outcomes.refused++
      }
    }
    expect(outcomes.whole).toBeGreaterThan(700)
    expect(outcomes.refused).toBeLessThan(150)
  })

  it('are never refused where losses are allowed, and name what they lose', () => {
    for (const [name, call] of [...chatCalls, ...messagesCalls]) {
      const provider = call.format === 'openai-chat' ? anthropic : openai
      const model = call.format === 'openai-chat' ? 'claude-opus-4-8' : 'gpt-4.1'
      const request = provider.encodeRequest(call, { ...options, model, fidelity: 'lossy' })
      expect(
        request.dropped.every((path) => !/\[\d/.test(path)),
        name,
      ).toBe(true)
      expect(new Set(request.dropped).size, name).toBe(request.dropped.length)
    }
  })

  it('are refused for any loss where the call is strict', () => {
    for (const [name, call] of chatCalls) {
      const lossy = anthropic.encodeRequest(call, { ...options, fidelity: 'lossy' })
      const strict = () => anthropic.encodeRequest(call, { ...options, fidelity: 'strict' })
      if (lossy.dropped.length + lossy.responseDropped.length > 0) expect(strict, name).toThrow(Refusal)
      else expect(strict().body.equals(lossy.body), name).toBe(true)
    }
  })
})
