import { describe, expect, it } from 'vitest'
import { indexCatalogue } from '../../../policies/catalogue/index-catalogue.ts'
import { loadCatalogue } from '../../../policies/catalogue/load-catalogue.ts'
import { matches, readPriceData } from '../../../policies/catalogue/price-data.ts'
import { vendors } from '../../../policies/catalogue/vendors.ts'

const { catalogue } = loadCatalogue()
const index = indexCatalogue(catalogue)
const idOf = (vendor: string | undefined, name: string): string | undefined => index.find(vendor, name)?.id

describe('spellings', () => {
  it('mean exactly one model of a vendor each', () => {
    const owners = new Map<string, string[]>()
    for (const model of catalogue.models) {
      for (const name of [model.id, ...model.spellings]) {
        const key = `${model.provider} ${name.toLowerCase()}`
        owners.set(key, [...(owners.get(key) ?? []), model.id])
      }
    }
    expect([...owners].filter(([, ids]) => ids.length > 1)).toEqual([])
    expect(owners.size).toBeGreaterThan(1500)
  })

  // Where the list of hosts says a dearer price, that one counts.
  it('never contradict the match clauses of the data', () => {
    const contradictions = vendors.flatMap((vendor) => {
      const data = readPriceData(vendor.dataId)
      return index.list(vendor.name).flatMap((model) =>
        [model.id, ...model.spellings].flatMap((name) => {
          const sample = name.replace('-########', '-20260101').replace('-####-##-##', '-2026-01-01')
          const exact = sample.replace('####', '0514').replace('-0##', '-001')
          const takers = data.filter((each) => matches(each.match, exact))
          const agrees = takers.length === 0 || takers.some((each) => samePrices(each.id))
          return agrees ? [] : [`${vendor.name}/${name} is ${model.id}, data say ${takers[0]?.id}`]
          function samePrices(id: string): boolean {
            const listed = index.find(vendor.name, id)
            const output = (of: typeof listed): number => of?.prices?.[0]?.units.output ?? -1
            return (
              output(model) > output(listed) ||
              JSON.stringify(listed?.prices) === JSON.stringify(model.prices)
            )
          }
        }),
      )
    })
    expect(contradictions).toEqual([])
  })
})

describe('indexCatalogue', () => {
  it('finds the models of the guides', () => {
    expect(idOf('openai', 'gpt-5.2')).toBe('gpt-5.2')
    expect(idOf('openai', 'gpt-5-mini')).toBe('gpt-5-mini')
    expect(idOf('openai', 'gpt-5.5')).toBe('gpt-5.5')
    expect(idOf('anthropic', 'claude-sonnet-4.5')).toBe('claude-sonnet-4-5')
    expect(idOf('anthropic', 'claude-opus-4-8')).toBe('claude-opus-4-8')
  })

  it('takes dots and dashes, other word orders and any case for the same Anthropic model', () => {
    for (const name of ['claude-opus-4.8', 'claude-4-8-opus', 'claude-4.8-opus', 'Claude-Opus-4-8']) {
      expect(idOf('anthropic', name)).toBe('claude-opus-4-8')
    }
    expect(idOf('anthropic', 'claude-fable-5.1')).toBe('claude-fable-5-1')
    expect(idOf('anthropic', 'claude-3-5-haiku')).toBe('claude-3-5-haiku-latest')
  })

  it('finds dated snapshots under their own id, with the prices of the model', () => {
    const snapshot = index.find('anthropic', 'claude-sonnet-4.5-20250929')
    expect(snapshot?.id).toBe('claude-sonnet-4-5-20250929')
    expect(snapshot?.prices).toEqual(index.find('anthropic', 'claude-sonnet-4-5')?.prices)
    expect(idOf('openai', 'gpt-5.2-2025-12-11')).toBe('gpt-5.2-2025-12-11')
    expect(idOf('openai', 'gpt-5.6-sol-2026-10-01')).toBe('gpt-5.6-sol-2026-10-01')
    expect(idOf('anthropic', 'claude-opus-4-20250514')).toBe('claude-opus-4-20250514')
    expect(idOf('google', 'gemini-2.0-flash-001')).toBe('gemini-2.0-flash-001')
  })

  it('does not take models of one price for one model', () => {
    expect(idOf('openai', 'gpt-5.2-codex')).toBe('gpt-5.2-codex')
    expect(idOf('openai', 'gpt-5-chat-latest')).toBe('gpt-5-chat-latest')
    expect(idOf('openai', 'gpt-5.5-2026-04-23')).toBe('gpt-5.5-2026-04-23')
  })

  it('never guesses', () => {
    for (const name of [
      'claude-sonnet-5-5',
      'claude-opus-4-9',
      'claude-opus-4-8-fast',
      'claude-opus-4-8-2026',
    ]) {
      expect(idOf('anthropic', name)).toBeUndefined()
    }
    for (const name of ['gpt-5.9', 'gpt-5.2-2026-02-30-x', 'gpt-4o-2030-01-01', 'gpt', '']) {
      expect(idOf('openai', name)).toBeUndefined()
    }
    expect(idOf('nobody', 'gpt-5.2')).toBeUndefined()
  })

  it('searches all vendors where none is named, makers of models first', () => {
    expect(index.find(undefined, 'gpt-5.2')).toMatchObject({ provider: 'openai', id: 'gpt-5.2' })
    expect(index.find(undefined, 'claude-opus-4.8')?.provider).toBe('anthropic')
    expect(index.find(undefined, 'openai/gpt-5.2')?.provider).toBe('openrouter')
    expect(index.find(undefined, 'nothing-like-it')).toBeUndefined()
  })

  it('lists the models of a vendor by id', () => {
    const ids = index.list('anthropic').map((model) => model.id)
    expect(ids).toContain('claude-opus-4-8')
    expect(ids).toEqual([...ids].sort())
    expect(index.list('nobody')).toEqual([])
  })
})
