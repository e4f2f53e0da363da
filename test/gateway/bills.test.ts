import type { PriceRow } from '@signalbox/sdk/contract'
import { usageUnits } from '@signalbox/sdk/contract'
import { describe, expect, it } from 'vitest'
import type { UsageCounts } from '../../gateway/call.ts'
import { costOf, isPlausibleUsage, picoPerUnit, withOverride } from '../../gateway/prices.ts'
import { readMessagesUsage } from '../../gateway/wire/anthropic-messages/usage.ts'
import { readGeminiUsage } from '../../gateway/wire/gemini/usage.ts'
import { readChatUsage } from '../../gateway/wire/openai-chat/usage.ts'
import { readAnyUsage } from '../../gateway/wire/openai-operations/any-usage.ts'
import { readResponsesUsage } from '../../gateway/wire/openai-responses/usage.ts'

/*
 * Bills added up by hand: what a provider says of a call's usage, in its own words, times its price list, in dollars a
 * million. Each unit of usage stands in at least one of them.
 */
type Prices = Readonly<Record<string, number>>
const rowsOf = (...tiers: readonly (Prices & { inputOver?: number })[]): PriceRow[] =>
  tiers.map(({ inputOver, ...prices }) => ({
    ...(inputOver === undefined ? {} : { inputOver }),
    units: Object.fromEntries(Object.entries(prices).map(([unit, usd]) => [unit, picoPerUnit(usd)])),
  }))

const opus = rowsOf({
  input: 5,
  cacheRead: 0.5,
  cacheWrite5m: 6.25,
  cacheWrite1h: 10,
  output: 25,
  searches: 10_000,
})
const gpt = rowsOf({ input: 1.75, cacheRead: 0.175, output: 14 })
const gemini = rowsOf(
  { input: 1.25, cacheRead: 0.125, output: 10 },
  { inputOver: 200_000, input: 2.5, cacheRead: 0.25, output: 15 },
)
const audio = rowsOf({ input: 2.5, audioIn: 40, output: 10, audioOut: 80 })
const image = rowsOf({ input: 5, imageIn: 8, cacheRead: 1.25, output: 32 })
const rerank = rowsOf({ searches: 2000 })
const reasoner = rowsOf({ input: 0.55, output: 2.19, reasoning: 4.38 })
const feed = rowsOf({ input: 1, output: 1, requests: 5000 })

interface Bill {
  readonly of: string
  readonly usage: UsageCounts | undefined
  readonly rows: readonly PriceRow[]
  /** The arithmetic, in nano-dollars: tokens times dollars a million times a thousand. */
  readonly nanoUsd: bigint
}
const bills: readonly Bill[] = [
  {
    of: 'a message that read and wrote caches of both lifetimes',
    usage: readMessagesUsage({
      usage: {
        ...{ input_tokens: 2095, cache_creation_input_tokens: 3000, cache_read_input_tokens: 20_000 },
        cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
        output_tokens: 503,
      },
    }),
    rows: opus,
    // 2095 × 5,000 + 20,000 × 500 + 1000 × 6,250 + 2000 × 10,000 + 503 × 25,000
    nanoUsd: 10_475_000n + 10_000_000n + 6_250_000n + 20_000_000n + 12_575_000n,
  },
  {
    of: 'a message that searched the web twice, at 10 dollars a thousand',
    usage: readMessagesUsage({
      usage: { input_tokens: 6039, output_tokens: 931, server_tool_use: { web_search_requests: 2 } },
    }),
    rows: opus,
    // 6039 × 5,000 + 931 × 25,000 + 2 × 10,000,000
    nanoUsd: 30_195_000n + 23_275_000n + 20_000_000n,
  },
  {
    of: 'a chat with cached input and reasoning, which is in the output already',
    usage: readChatUsage({
      usage: {
        ...{ prompt_tokens: 2006, completion_tokens: 300, total_tokens: 2306 },
        prompt_tokens_details: { cached_tokens: 1920 },
        completion_tokens_details: { reasoning_tokens: 256 },
      },
    }),
    rows: gpt,
    // 86 × 1,750 + 1920 × 175 + 300 × 14,000
    nanoUsd: 150_500n + 336_000n + 4_200_000n,
  },
  {
    of: 'a response in the other OpenAI format',
    usage: readResponsesUsage({
      usage: {
        input_tokens: 36,
        input_tokens_details: { cached_tokens: 0 },
        output_tokens: 87,
        total_tokens: 123,
      },
    }),
    rows: gpt,
    // 36 × 1,750 + 87 × 14,000
    nanoUsd: 63_000n + 1_218_000n,
  },
  {
    of: 'an answer of Gemini whose thoughts are beside its text',
    usage: readGeminiUsage({
      usageMetadata: {
        ...{ promptTokenCount: 10_000, cachedContentTokenCount: 4000, candidatesTokenCount: 200 },
        ...{ thoughtsTokenCount: 1000, totalTokenCount: 11_200 },
      },
    }),
    rows: gemini,
    // 6000 × 1,250 + 4000 × 125 + 1200 × 10,000
    nanoUsd: 7_500_000n + 500_000n + 12_000_000n,
  },
  {
    of: 'an answer of Gemini above 200,000 tokens: all of it at the higher price',
    usage: readGeminiUsage({
      usageMetadata: {
        promptTokenCount: 250_000,
        cachedContentTokenCount: 50_000,
        candidatesTokenCount: 100,
      },
    }),
    rows: gemini,
    // 200,000 × 2,500 + 50,000 × 250 + 100 × 15,000
    nanoUsd: 500_000_000n + 12_500_000n + 1_500_000n,
  },
  {
    of: 'a spoken answer to a spoken question',
    usage: readChatUsage({
      usage: {
        ...{ prompt_tokens: 120, completion_tokens: 340, total_tokens: 460 },
        prompt_tokens_details: { audio_tokens: 100, cached_tokens: 0 },
        completion_tokens_details: { audio_tokens: 300, reasoning_tokens: 0 },
      },
    }),
    rows: audio,
    // 20 × 2,500 + 100 × 40,000 + 40 × 10,000 + 300 × 80,000
    nanoUsd: 50_000n + 4_000_000n + 400_000n + 24_000_000n,
  },
  {
    of: 'an edited image',
    usage: readAnyUsage({
      usage: {
        ...{ input_tokens: 400, output_tokens: 1056, total_tokens: 1456 },
        input_tokens_details: { text_tokens: 77, image_tokens: 323 },
      },
    }),
    rows: image,
    // 77 × 5,000 + 323 × 8,000 + 1056 × 32,000
    nanoUsd: 385_000n + 2_584_000n + 33_792_000n,
  },
  {
    of: 'a reranking at 2 dollars a thousand searches',
    usage: readAnyUsage({ results: [], meta: { billed_units: { search_units: 3 } } }),
    rows: rerank,
    nanoUsd: 6_000_000n,
  },
  {
    of: 'reasoning at a price of its own',
    usage: readChatUsage({
      usage: {
        ...{ prompt_tokens: 1000, completion_tokens: 500, total_tokens: 1500 },
        completion_tokens_details: { reasoning_tokens: 400 },
      },
    }),
    rows: reasoner,
    // 1000 × 550 + 100 × 2,190 + 400 × 4,380
    nanoUsd: 550_000n + 219_000n + 1_752_000n,
  },
  {
    of: 'an embedding, which writes nothing',
    usage: readAnyUsage({ usage: { prompt_tokens: 8, total_tokens: 8 } }),
    rows: rowsOf({ input: 0.02 }),
    nanoUsd: 160n,
  },
  {
    of: 'a fee for each request beside the tokens',
    usage: { input: 10, output: 10, requests: 1 },
    rows: feed,
    // 10 × 1,000 + 10 × 1,000 + 5,000,000
    nanoUsd: 5_020_000n,
  },
]

describe('a bill added up by hand', () => {
  it.each(bills)('agrees to the nano-dollar: $of', ({ usage, rows, nanoUsd }) => {
    expect(usage).toBeDefined()
    expect(isPlausibleUsage(usage ?? {})).toBe(true)
    expect(costOf(usage ?? {}, rows)).toBe(nanoUsd)
  })

  it('is there for each unit of usage', () => {
    const seen = new Set(bills.flatMap(({ usage }) => Object.keys(usage ?? {})))
    expect(usageUnits.filter((unit) => !seen.has(unit))).toEqual([])
  })

  it('grows with each unit, and is the sum of its attempts but for the rounding of each', () => {
    for (const { usage = {}, rows } of bills) {
      const cost = costOf(usage, rows) ?? 0n
      for (const [unit, count] of Object.entries(usage)) {
        if (unit === 'reasoning') continue
        const more = costOf({ ...usage, [unit]: count + 1 }, rows) ?? 0n
        expect(more >= cost, unit).toBe(true)
      }
    }
  })

  it('counts with the price that a workspace sets, to the digit it was written with', () => {
    const rows = withOverride(gpt, { input: 0.123456 })
    // 1,000,003 × 123.456 = 123,456,370.368 nano-dollars
    expect(costOf({ input: 1_000_003 }, rows)).toBe(123_456_371n)
  })
})
