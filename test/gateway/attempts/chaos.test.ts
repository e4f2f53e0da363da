import { describe, expect, it } from 'vitest'
import { runChaos } from './chaos.ts'

/** `node test/bench/chaos.ts` does the same with 10,000 calls. */
describe('chaos', () => {
  it('before the first byte costs no answer where two targets are well, and every selection replays', async () => {
    const report = await runChaos({ calls: 300, atOnce: 16, seed: 1, late: false, breakers: true })
    expect(report).toMatchObject({ answered: 300, typedErrors: 0, silent: 0, records: 300, misreplayed: 0 })
    expect(report.attempts).toBeGreaterThan(300)
  })

  it('in the middle of answers ends in an answer or a typed error, never in silence', async () => {
    const report = await runChaos({ calls: 200, atOnce: 16, seed: 2, late: true, breakers: false })
    expect(report).toMatchObject({ silent: 0, records: 200, misreplayed: 0 })
    expect(report.answered + report.typedErrors).toBe(200)
    expect(report.typedErrors).toBeGreaterThan(0)
  })
})
