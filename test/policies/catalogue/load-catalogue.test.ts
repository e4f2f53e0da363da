import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Catalogue, type CatalogueModel, nativeConnections } from '@signalbox/sdk/contract'
import { digestOf, violationsOf } from '@signalbox/sdk/node'
import { describe, expect, it } from 'vitest'
import { countUnpriced, loadCatalogue } from '../../../policies/catalogue/load-catalogue.ts'
import { priceDataVersion, readPriceData } from '../../../policies/catalogue/price-data.ts'

const { catalogue, digest, text } = loadCatalogue()
const model = (provider: string, id: string): CatalogueModel | undefined =>
  catalogue.models.find((each) => each.provider === provider && each.id === id)
const prices = (provider: string, id: string) => model(provider, id)?.prices

describe('loadCatalogue', () => {
  it('gives a catalogue of the contract, pinned by the digest of its text', () => {
    expect(violationsOf(Catalogue, catalogue)).toEqual([])
    expect(digestOf(text)).toBe(digest)
    expect(JSON.parse(text)).toEqual(catalogue)
    expect(loadCatalogue()).toBe(loadCatalogue())
  })

  it('has the digest of this release of the data, on every machine', () => {
    const folder = fileURLToPath(new URL('..', import.meta.resolve('@pydantic/genai-prices')))
    expect(JSON.parse(readFileSync(`${folder}package.json`, 'utf8')).version).toBe(priceDataVersion)
    expect(catalogue.source).toBe(
      '@pydantic/genai-prices 0.1.8, prices of 2026-09-23; models.dev f3fc69229967 of 2026-07-02',
    )
    expect(digest).toMatchInlineSnapshot(
      `"sha256:540e09dc6990e49066ca799c467d27163091e84faab73813dfdec0248b81b1d0"`,
    )
  })

  it('knows at least 2,500 models by name', () => {
    const named = new Set(catalogue.models.map(({ provider, id }) => `${provider}/${id}`))
    const ids = new Set(catalogue.models.map(({ id }) => id.toLowerCase()))
    process.stdout.write(`catalogue: ${named.size} models at their hosts, ${ids.size} by name alone\n`)
    expect(named.size).toBe(catalogue.models.length)
    expect(ids.size).toBeGreaterThanOrEqual(2500)
  })

  it('knows limits, capabilities and modalities beside the prices, which stay those of the price data', () => {
    expect(model('openai', 'gpt-5.2')).toMatchObject({
      capabilities: ['tools', 'reasoning', 'structuredOutput'],
      inputs: ['text', 'image'],
      outputTokensMax: 128_000,
      released: '2025-12-11',
    })
    expect(model('groq', 'groq/compound')?.provider).toBe('groq')
  })

  it('calls free only what has a price of zero, and never what is part of a plan', () => {
    const free = catalogue.models.filter((each) => each.free === true)
    expect(free.length).toBeGreaterThan(0)
    for (const each of free) {
      for (const { units } of each.prices ?? [])
        expect(Object.values(units).every((pico) => pico === 0)).toBe(true)
    }
    expect(catalogue.models.some((each) => each.provider.includes('coding-plan'))).toBe(false)
  })

  it('knows the announced ends of models and their successors', () => {
    expect(model('openai', 'gpt-5')).toMatchObject({ retires: '2026-12-11', successor: 'gpt-6.1-sol' })
    expect(model('anthropic', 'claude-opus-4-1')).toMatchObject({
      retires: '2026-08-05',
      successor: 'claude-opus-4-8',
    })
    expect(model('openai', 'gpt-5.2')?.retires).toBeUndefined()
  })

  it('knows the vendors of all native connections by the name of the connection', () => {
    const known = new Set(catalogue.models.map((each) => each.provider))
    expect(Object.keys(nativeConnections).filter((name) => !known.has(name))).toEqual([])
  })

  // Checked by hand against the vendors' price pages as quoted in the data, USD per million × 1e6.
  it('has the prices of OpenAI models, cached input and searches included', () => {
    const gpt52 = { input: 1_750_000, cacheRead: 175_000, output: 14_000_000, searches: 10_000_000_000 }
    expect(prices('openai', 'gpt-5.2')).toEqual([{ units: gpt52 }])
    expect(prices('openai', 'gpt-5-mini')).toEqual([
      { units: { input: 250_000, cacheRead: 25_000, output: 2_000_000, searches: 10_000_000_000 } },
    ])
  })

  it('has the dearer row of long inputs', () => {
    const searches = 10_000_000_000
    expect(prices('openai', 'gpt-5.5')).toEqual([
      { units: { input: 5_000_000, cacheRead: 500_000, output: 30_000_000, searches } },
      {
        inputOver: 271_999,
        units: { input: 10_000_000, cacheRead: 1_000_000, output: 45_000_000, searches },
      },
    ])
    expect(prices('google', 'gemini-2.5-pro')).toEqual([
      { units: { input: 1_250_000, cacheRead: 125_000, output: 10_000_000 } },
      { inputOver: 200_000, units: { input: 2_500_000, cacheRead: 250_000, output: 15_000_000 } },
    ])
  })

  it('has cache writes for five minutes and for an hour', () => {
    const searches = 10_000_000_000
    expect(prices('anthropic', 'claude-opus-4-8')).toEqual([
      {
        units: {
          input: 5_000_000,
          cacheRead: 500_000,
          cacheWrite5m: 6_250_000,
          cacheWrite1h: 10_000_000,
          output: 25_000_000,
          searches,
        },
      },
    ])
    const long = prices('anthropic', 'claude-sonnet-4-5')?.[1]
    expect(long).toEqual({
      inputOver: 200_000,
      units: {
        input: 6_000_000,
        cacheRead: 600_000,
        cacheWrite5m: 7_500_000,
        cacheWrite1h: 12_000_000,
        output: 22_500_000,
        searches,
      },
    })
    expect(prices('anthropic', 'claude-opus-5-5')?.[0]?.units.cacheRead).toBe(200_000)
    expect(prices('openai', 'gpt-5.6-sol')?.[0]?.units.cacheWrite5m).toBe(5_000_000)
  })

  it('has audio, images, requests and prices with a start date', () => {
    expect(prices('openai', 'gpt-realtime')?.[0]?.units).toMatchObject({
      audioIn: 32_000_000,
      audioOut: 64_000_000,
      imageIn: 5_000_000,
    })
    expect(prices('perplexity', 'sonar')?.[0]?.units).toMatchObject({ requests: 12_000_000_000 })
    expect(prices('openai', 'o3')?.[0]?.units).toMatchObject({ input: 2_000_000, output: 8_000_000 })
    expect(prices('anthropic', 'claude-opus-4-6')).toHaveLength(1)
    expect(prices('google', 'gemini-3.6-flash')?.[0]?.units.input).toBe(750_000)
  })

  it('prices every model as the data do, or not at all', () => {
    for (const data of readPriceData('anthropic')) {
      if (Array.isArray(data.prices)) continue
      const input = (data.prices as { input_mtok?: number | { base: number } }).input_mtok
      const usd = typeof input === 'object' ? input.base : input
      expect(prices('anthropic', data.id)?.[0]?.units.input).toBe(Math.round((usd ?? 0) * 1e6))
    }
  })

  it('leaves what it cannot express unpriced and counts it', () => {
    expect(model('deepseek', 'deepseek-chat')).toBeDefined()
    expect(prices('deepseek', 'deepseek-chat')).toBeUndefined()
    expect(prices('google', 'gemini-2.5-flash-image')).toBeUndefined()
    expect(prices('google', 'gemma-4-31b-it')).toBeUndefined()
    const counts = countUnpriced()
    const unpriced = catalogue.models.filter((each) => each.prices === undefined).length
    expect(counts.timeOfDay).toBeGreaterThan(0)
    expect(counts.none + counts.timeOfDay + counts.unknownUnit + counts.inexact).toBe(unpriced)
  })

  it('says how large a model is by its output price, and unknown without one', () => {
    expect(model('openai', 'gpt-5-mini')?.tier).toBe('small')
    expect(model('anthropic', 'claude-haiku-4-5')?.tier).toBe('small')
    expect(model('openai', 'gpt-5.2')?.tier).toBe('mid')
    expect(model('anthropic', 'claude-sonnet-4-5')?.tier).toBe('mid')
    expect(model('anthropic', 'claude-opus-4-8')?.tier).toBe('large')
    expect(model('openai', 'text-embedding-3-small')?.tier).toBe('unknown')
  })

  it('says of whom output can be counted while it streams and who stops billing on abort', () => {
    const flags = (provider: string, id: string) => {
      const { visibleOutput, abortStopsBilling } = model(provider, id) ?? {}
      return [visibleOutput, abortStopsBilling]
    }
    expect(flags('openai', 'gpt-4o')).toEqual([true, true])
    expect(flags('openai', 'gpt-5.2')).toEqual([false, true])
    expect(flags('openai', 'gpt-5.2-chat-latest')).toEqual([true, true])
    expect(flags('openai', 'o3')).toEqual([false, true])
    expect(flags('anthropic', 'claude-opus-4-8')).toEqual([false, true])
    expect(flags('google', 'gemini-2.5-pro')).toEqual([false, false])
    expect(flags('mistral', 'mistral-large-2512')).toEqual([true, false])
    expect(flags('openrouter', 'openai/gpt-5.2')).toEqual([undefined, undefined])
  })

  it('gives context sizes', () => {
    expect(model('openai', 'gpt-5.2')?.contextTokens).toBe(400_000)
    expect(model('anthropic', 'claude-opus-4-8')?.contextTokens).toBe(1_000_000)
  })
})
