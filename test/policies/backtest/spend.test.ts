import { describe, expect, it } from 'vitest'
import { addLength, type Lengths } from '../../../policies/backtest/answer-lengths.ts'
import {
  addChange,
  addCosts,
  addSpend,
  bandOf,
  type CallCost,
  changePpmOf,
  emptyCosts,
  emptySpend,
} from '../../../policies/backtest/spend.ts'

const longestTokens = 64_000
/** A call whose answer nobody counted, at so much for a token. */
const uncounted = (target: string, tokenNanoUsd: number): CallCost => ({
  isEstimate: true,
  knownNanoUsd: 0n,
  open: {
    ...{ target, fixedNanoUsd: 1000n, longestNanoUsd: BigInt(tokenNanoUsd * longestTokens) },
    ...{ tokenNanoUsd, tokenSquares: tokenNanoUsd ** 2 },
  },
})
const known = (nanoUsd: bigint): CallCost => ({ isEstimate: false, knownNanoUsd: nanoUsd })

function lengthsOf(count: number, tokensOf: (index: number) => number): Map<string, Lengths> {
  const lengths = new Map<string, Lengths>()
  for (let index = 0; index < count; index++) addLength(lengths, 'a', tokensOf(index))
  return lengths
}
const counted = lengthsOf(1000, (index) => 200 + (index % 5) * 100)

describe('the spend of a backtest', () => {
  it('takes answers that nobody counted to be as long as others, and so is no wider than they differ', () => {
    const spend = emptySpend()
    for (let index = 0; index < 400; index++) addSpend(spend, uncounted('a', 10))
    const { lowNanoUsd, highNanoUsd } = bandOf(spend, counted)
    const expected = 400 * (1000 + 400 * 10)
    expect(Number(lowNanoUsd)).toBeLessThan(expected)
    expect(Number(highNanoUsd)).toBeGreaterThan(expected)
    expect(Number(highNanoUsd - lowNanoUsd)).toBeLessThan(expected * 0.1)
    expect(
      bandOf(
        spend,
        lengthsOf(29, () => 400),
      ),
    ).toEqual({
      lowNanoUsd: 400_000n,
      highNanoUsd: 400n * (1000n + 640_000n),
    })
  })

  it('knows a target by its own answers, and one that gave none by all', () => {
    const lengths = new Map(counted)
    for (let index = 0; index < 100; index++) addLength(lengths, 'b', 10)
    const bandIn = (target: string) => {
      const spend = emptySpend()
      addSpend(spend, uncounted(target, 10))
      return bandOf(spend, lengths)
    }
    expect(bandIn('b')).toEqual({ lowNanoUsd: 1100n, highNanoUsd: 1100n })
    expect(bandIn('c').highNanoUsd).toBeGreaterThan(4000n)
  })

  it('changes by nothing where calls stay where they were, however little is known of them', () => {
    const [before, change] = [emptySpend(), emptyCosts()]
    for (let index = 0; index < 50; index++) {
      addSpend(before, uncounted('a', 10))
      addChange(change, uncounted('a', 10), uncounted('a', 10))
    }
    addSpend(before, known(5000n))
    addChange(change, known(5000n), known(4000n))
    const none = new Map<string, Lengths>()
    const { lowPpm, highPpm } = changePpmOf(bandOf(change, none), bandOf(before, none))
    expect(lowPpm).toBe(highPpm)
    expect(bandOf(change, none)).toEqual({ lowNanoUsd: -1000n, highNanoUsd: -1000n })
  })

  it('says less is spent where calls move to a cheaper target, also of answers that nobody counted', () => {
    const change = emptyCosts()
    for (let index = 0; index < 200; index++) addChange(change, uncounted('a', 10), uncounted('b', 4))
    const { lowNanoUsd, highNanoUsd } = bandOf(change, counted)
    expect(lowNanoUsd).toBeLessThan(highNanoUsd)
    expect(highNanoUsd).toBeLessThan(0n)
    expect(bandOf(change, new Map())).toEqual({ lowNanoUsd: -200n * 6n * 64_000n, highNanoUsd: 0n })
  })

  it('leaves a call without a price out of the change, and counts it', () => {
    const change = emptyCosts()
    addChange(change, known(10n), 'unpriced')
    addChange(change, 'unpriced', 'unpriced')
    addChange(change, undefined, known(3n))
    expect(change).toEqual({ knownNanoUsd: 3n, open: new Map(), unpriced: 1 })
    expect(changePpmOf(bandOf(change, new Map()), { lowNanoUsd: 0n, highNanoUsd: 0n })).toEqual({
      lowPpm: null,
      highPpm: null,
    })
  })

  it('is the same however records are spread over threads', () => {
    const [whole, parts] = [emptyCosts(), [emptyCosts(), emptyCosts()]]
    for (let index = 0; index < 40; index++) {
      const calls = [uncounted('a', 10), uncounted('b', index)] as const
      addChange(whole, ...calls)
      addChange(parts[index % 2] ?? whole, ...calls)
    }
    const sum = emptyCosts()
    for (const part of parts) addCosts(sum, part)
    expect(sum).toEqual(whole)
  })
})
