import { Refusal } from '@signalbox/sdk/contract'
import { expect, it } from 'vitest'
import type { UsageCounts } from '../../../gateway/call.ts'
import type { FrameReading, Provider } from '../../../gateway/provider.ts'
import { provider as anthropic } from '../../../gateway/providers/anthropic.ts'
import { provider as openai } from '../../../gateway/providers/openai.ts'
import { provider as compatible } from '../../../gateway/providers/openai-compatible.ts'
import { SseSplitter } from '../../../gateway/wire/sse.ts'
import { describeWith } from '../../support/needs.ts'
import {
  chatSources,
  createDice,
  cutAnywhere,
  type Exchange,
  loadExchanges,
  messagesSources,
  plainEvents,
} from './recorded.ts'

type Json = Record<string, unknown>
interface Oracle {
  readonly tokens: readonly (number | undefined)[]
  readonly finish: unknown
}

function object(value: unknown): Json {
  return Object(value ?? {})
}
function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

/** What a client that simply parses everything would find: total input, cache read, output, reasoning. */
function chatOracle(exchange: Exchange): Oracle {
  let usage: Json | undefined
  let finish: unknown
  for (const event of plainEvents(exchange.body)) {
    if (event.usage) usage = object(event.usage)
    for (const choice of (event.choices ?? []) as Json[]) finish = choice.finish_reason ?? finish
  }
  const input = object(usage?.prompt_tokens_details)
  const output = object(usage?.completion_tokens_details)
  // The total tells where a server counts audio beside the prompt.
  const prompt = Number(usage?.total_tokens) - Number(usage?.completion_tokens)
  const tokens = usage
    ? [prompt, input.cached_tokens, usage.completion_tokens, output.reasoning_tokens].map(number)
    : []
  return { tokens, finish }
}
function messagesOracle(exchange: Exchange): Oracle {
  const merged: Json = {}
  let finish: unknown
  for (const event of plainEvents(exchange.body)) {
    const usage = object(event.type === 'message_start' ? object(event.message).usage : event.usage)
    for (const [name, value] of Object.entries(usage)) if (value !== null) merged[name] = value
    finish = object(event.delta).stop_reason ?? finish
  }
  const { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: write } = merged
  const total = Number(fresh) + Number(read ?? 0) + Number(write ?? 0)
  const details = object(merged.output_tokens_details)
  return { tokens: [total, read, merged.output_tokens, details.thinking_tokens].map(number), finish }
}

/** Our units in the terms of the oracles. */
function tokensOf(usage: UsageCounts | undefined): (number | undefined)[] {
  if (usage === undefined) return []
  const { input = 0, cacheRead, cacheWrite5m = 0, cacheWrite1h = 0, audioIn = 0, audioOut = 0 } = usage
  const total = input + (cacheRead ?? 0) + cacheWrite5m + cacheWrite1h + audioIn
  return [total, cacheRead, (usage.output ?? 0) + audioOut, usage.reasoning]
}

function readThrough(provider: Provider, pieces: readonly Buffer[]) {
  const splitter = new SseSplitter()
  const reader = provider.createReader({ addedUsage: true })
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  if (rest !== undefined) frames.push(rest)
  let last: Partial<FrameReading> = {}
  const withheld: string[] = []
  for (const frame of frames) {
    const reading = reader.read(frame)
    last = { ...last, ...reading }
    if (reading.withhold) withheld.push(frame.data)
  }
  return { bytes: Buffer.concat(frames.map((frame) => frame.bytes)), last, withheld, ...reader.finish() }
}

function providerOf(exchange: Exchange): Provider {
  if (exchange.format === 'anthropic-messages') return anthropic
  return exchange.source === 'openai' ? openai : compatible
}

describeWith('recordings', 'reading recorded streams as they pass', () => {
  const streams = [
    ...loadExchanges('openai-chat', chatSources),
    ...loadExchanges('anthropic-messages', messagesSources),
  ].filter(({ isStream, status }) => isStream && status === 200)

  it('has streams of both formats to read', () => {
    expect(streams.filter(({ format }) => format === 'openai-chat').length).toBeGreaterThan(300)
    expect(streams.filter(({ format }) => format === 'anthropic-messages').length).toBeGreaterThan(100)
  })

  it('gives back every byte and finds usage and finish, cut at random places', () => {
    const dice = createDice(7)
    for (const exchange of streams) {
      const oracle = exchange.format === 'openai-chat' ? chatOracle(exchange) : messagesOracle(exchange)
      for (const count of [1, 3, 40]) {
        const read = readThrough(providerOf(exchange), cutAnywhere(exchange.body, count, dice))
        expect(read.bytes.equals(exchange.body), exchange.name).toBe(true)
        expect(tokensOf(read.last.usage), exchange.name).toEqual(oracle.tokens)
        expect(read.last.nativeFinish, exchange.name).toBe(oracle.finish)
        expect(read.complete, exchange.name).toBe(true)
      }
    }
  })

  it('gives back every byte, cut into single bytes', () => {
    for (const exchange of streams.filter((_, index) => index % 25 === 0)) {
      const pieces = [...exchange.body].map((byte) => Buffer.from([byte]))
      expect(readThrough(providerOf(exchange), pieces).bytes.equals(exchange.body), exchange.name).toBe(true)
    }
  })

  it('withholds only chunks that are nothing but usage', () => {
    for (const exchange of streams) {
      const { withheld } = readThrough(providerOf(exchange), [exchange.body])
      const usageOnly = plainEvents(exchange.body).filter(
        ({ choices, usage }) => Array.isArray(choices) && choices.length === 0 && usage,
      )
      expect(
        withheld.map((data) => JSON.parse(data)),
        exchange.name,
      ).toEqual(usageOnly)
    }
  })

  it('does not take a stream that was cut short for complete', () => {
    const dice = createDice(11)
    for (const exchange of streams) {
      // The end marker, and for servers that send none the finish reason, lies in the last quarter.
      const cut = exchange.body.subarray(0, dice(Math.floor(exchange.body.length * 0.5)))
      const reader = providerOf(exchange).createReader({ addedUsage: false })
      const splitter = new SseSplitter()
      for (const frame of splitter.push(cut)) reader.read(frame)
      const rest = splitter.end()
      if (rest !== undefined) expect(() => reader.read(rest), exchange.name).toThrow(Refusal)
      expect(reader.finish().complete, exchange.name).toBe(false)
    }
  })

  it('decodes to the same usage and finish as it reads', () => {
    for (const exchange of streams) {
      const provider = providerOf(exchange)
      const { last } = readThrough(provider, [exchange.body])
      const decoder = provider.createDecoder()
      const deltas = new SseSplitter().push(exchange.body).flatMap((frame) => decoder.push(frame))
      const end = decoder.finish()
      deltas.push(...end.deltas)
      expect(end.complete, exchange.name).toBe(true)
      expect(
        deltas.findLast(({ type }) => type === 'usage'),
        exchange.name,
      ).toEqual(last.usage && { type: 'usage', usage: last.usage })
      expect(deltas.at(-1), exchange.name).toMatchObject({ type: 'end', nativeFinish: last.nativeFinish })
    }
  })
})
