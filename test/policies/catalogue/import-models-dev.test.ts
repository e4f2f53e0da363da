import { describe, expect, it } from 'vitest'
import { convertModelsDev } from '../../../policies/catalogue/import-models-dev.ts'

const model = (id: string, rest: object = {}) => ({ [id]: { id, ...rest } })

describe('convertModelsDev', () => {
  it('keeps limits, capabilities and prices, and our names of hosts', () => {
    const cost = {
      input: 1,
      output: 2,
      cached: 'x',
      tiers: [{ tier: { size: 200_000 }, input: 2, output: 4 }],
    }
    const lines = convertModelsDev({
      togetherai: { models: model('b', { tool_call: true, limit: { context: 10, output: 5 }, cost }) },
    })
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      {
        host: 'together',
        id: 'b',
        cost: { input: 1, output: 2, tiers: [{ over: 200_000, input: 2, output: 4 }] },
        context: 10,
        output: 5,
        capabilities: ['tools'],
      },
    ])
  })

  it('takes no price of nothing for a price, unless the model is called free, and no plan for a host', () => {
    const zero = { cost: { input: 0, output: 0 } }
    const lines = convertModelsDev({
      h: { models: { ...model('a', zero), ...model('a:free', zero) } },
      'zai-coding-plan': { models: model('c', zero) },
    })
    const costs = lines.map((line) => (JSON.parse(line) as { id: string; cost?: object }).cost)
    expect(costs).toEqual([undefined, { input: 0, output: 0 }])
  })
})
