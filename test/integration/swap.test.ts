import { expect, it } from 'vitest'
import { runSwaps } from '../bench/parts/swap-rig.ts'

// The whole of it, with its bars for time, is `node test/bench/swap.ts`.
it('releases and states change under calls: none fails, none sees two versions, every gateway follows', async () => {
  const scale = { versions: 2, releases: 4, states: 12, callsPerSecond: 50, quietMs: 100 }
  const result = await runSwaps(scale)
  expect(result.failed).toEqual([])
  expect(result.mixed).toEqual([])
  expect(result.records).toBeGreaterThan(60)
  expect(result.propagation.release.count).toBe(4)
  expect(result.propagation.revocation.count).toBe(3)
}, 120_000)
