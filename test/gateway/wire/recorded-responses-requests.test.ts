import { Refusal } from '@signalbox/sdk/contract'
import { expect, it } from 'vitest'
import type { Call, ChatPayload } from '../../../gateway/call.ts'
import type { Dialect } from '../../../gateway/dialect.ts'
import { dialect as messages } from '../../../gateway/dialects/anthropic-messages.ts'
import { dialect as chat } from '../../../gateway/dialects/openai-chat.ts'
import { dialect as responses } from '../../../gateway/dialects/openai-responses.ts'
import type { EncodeOptions, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { describeWith } from '../../support/needs.ts'
import { parseOr } from './official-clients.ts'
import { chatSources, type Exchange, loadExchanges, messagesSources, responsesSources } from './recorded.ts'

const options: EncodeOptions = { model: 'gpt-5.2', caps: {}, headers: {} }
const claude: EncodeOptions = { ...options, model: 'claude-sonnet-4-6' }
const upstream = openai.otherFormats?.['openai-responses'] as Provider

function callsOf(dialect: Dialect, exchanges: readonly Exchange[]): [string, Call][] {
  return exchanges.flatMap((exchange): [string, Call][] => {
    try {
      const json = JSON.parse(exchange.request)
      return [[exchange.name, dialect.decodeRequest(Buffer.from(exchange.request), json, 'chat')]]
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return []
    }
  })
}

/** Every text, id, name and argument of a conversation, in order: what may never vanish without a name. */
function contents(payload: ChatPayload): string[] {
  const found: string[] = []
  const visit = (value: unknown): void => {
    if (typeof value === 'string') found.push(value)
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(visit)
  }
  for (const { blocks } of payload.messages) {
    for (const block of blocks) {
      if (block.type === 'text') found.push(block.text)
      if (block.type === 'toolCall') {
        found.push(block.id, block.name)
        visit(parseOr(block.arguments))
      }
      if (block.type === 'toolResult') {
        found.push(block.toolCallId)
        for (const inner of block.blocks) if (inner.type === 'text') found.push(inner.text)
      }
      if (block.type === 'image') found.push(block.base64 ?? block.url ?? '')
      if (block.type === 'document') found.push(block.base64 ?? block.url ?? block.text ?? '')
    }
  }
  // To a format that cannot name the allowed tools, only those are offered.
  const { toolChoice } = payload
  const isOffered = (name: string) => toolChoice?.type !== 'allowed' || toolChoice.names.includes(name)
  for (const tool of payload.tools) {
    if (isOffered(tool.name)) found.push(tool.name, tool.description ?? '')
  }
  return found.filter((text) => text.trim() !== '')
}

/** Texts one after the other, without what marks a system message among a user's texts. */
const flat = (payload: ChatPayload): string =>
  contents(payload).join('\n').replace(/\n+/g, '\n').replaceAll('[system] ', '')

/** Claude cannot be made to call a tool while it thinks. */
const isForcedToThink = ({ raw, summary }: Call): boolean =>
  raw.includes('"tool_choice":"required"') && summary.reasoningLevel !== undefined

interface Outcome {
  readonly missing: readonly string[]
  readonly dropped: readonly string[]
}
/** What a hop to another format leaves out of a conversation; undefined where it is refused by name. */
function hop(call: Call, provider: Provider, to: EncodeOptions, dialect: Dialect): Outcome | undefined {
  try {
    const { body, dropped } = provider.encodeRequest(call, to)
    const arrived = dialect.decodeRequest(body, JSON.parse(body.toString()), 'chat').payload()
    const all = contents(arrived).join('\u0000')
    return { missing: contents(call.payload()).filter((text) => !all.includes(text)), dropped }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    expect(error.code).toBe('unsupported_feature')
    return undefined
  }
}

describeWith('recordings', 'recorded Responses requests', () => {
  const calls = callsOf(responses, loadExchanges('openai-responses', responsesSources))

  it.each([
    ['Messages', anthropic, claude, messages],
    ['Chat Completions', compatible, options, chat],
  ] as const)('reach %s whole, or with every loss named, or are refused by name', (_name, provider, to, dialect) => {
    const refused: string[] = []
    const lost = new Set<string>()
    for (const [name, call] of calls) {
      const outcome = hop(call, provider, to, dialect)
      if (outcome === undefined) refused.push(name)
      else expect(outcome.missing, name).toEqual([])
      for (const path of outcome?.dropped ?? []) lost.add(path)
    }
    // Those that go on from a stored answer, and a file that a chat server would have to fetch.
    const isRefused = (call: Call): boolean =>
      call.stored !== undefined ||
      (provider === compatible ? call.raw.includes('"file_url"') : isForcedToThink(call))
    expect(refused).toEqual(calls.filter(([, call]) => isRefused(call)).map(([name]) => name))
    expect([...lost].every((path) => /^[a-z_]+(\[\])?(\.[a-z_]+(\[\])?)*$/.test(path))).toBe(true)
  })

  it('mean the same on the way to Messages and from there to Responses', () => {
    const served = calls.filter(([, call]) => call.stored === undefined && !isForcedToThink(call))
    for (const [name, call] of served) {
      const there = anthropic.encodeRequest(call, claude).body
      const between = messages.decodeRequest(there, JSON.parse(there.toString()), 'chat')
      const { body } = upstream.encodeRequest(between, options)
      const again = responses.decodeRequest(body, JSON.parse(body.toString()), 'chat').payload()
      const before = call.payload()
      expect(flat(again), name).toBe(flat(before))
      const wanted = before.toolChoice?.type === 'allowed' ? before.toolChoice.mode : before.toolChoice?.type
      const isAsked = before.tools.length > 0 && wanted !== undefined
      expect(again.toolChoice?.type ?? 'auto', name).toBe(isAsked ? wanted : 'auto')
      expect(again.messages.map(({ role }) => role).filter((role) => role === 'assistant').length, name).toBe(
        before.messages.filter(({ role, blocks }) => role === 'assistant' && !isThinking(blocks)).length,
      )
    }
  })
})

const isThinking = (blocks: ChatPayload['messages'][number]['blocks']): boolean =>
  blocks.every(({ type }) => type === 'reasoning')

describeWith('recordings', 'recorded requests of other formats at a server that speaks Responses', () => {
  it.each([
    ['Chat Completions', chat, 'openai-chat', chatSources],
    ['Messages', messages, 'anthropic-messages', messagesSources],
  ] as const)('arrive whole, or with every loss named, or are refused by name: %s', (_name, dialect, format, from) => {
    const outcomes = { served: 0, refused: 0 }
    for (const [name, call] of callsOf(dialect, loadExchanges(format, from))) {
      const outcome = hop(call, upstream, options, responses)
      if (outcome === undefined) outcomes.refused++
      else {
        outcomes.served++
        expect(outcome.missing, name).toEqual([])
      }
    }
    expect(outcomes.served).toBeGreaterThan(300)
    expect(outcomes.refused).toBeLessThan(150)
  })
})
