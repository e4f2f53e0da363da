import { describe, expect, it } from 'vitest'
import { retryWaitMs } from '../../../gateway/attempts/retry.ts'
import { failureOfExchange } from '../../../gateway/upstream/judge-failure.ts'
import { chatChunk, chatStream, type Script } from '../../support/scripted-upstream.ts'
import { buildLine } from '../line.ts'
import { answers, contentOf, outcomesOf, primary, refuses, sendPlan, spare } from './line.ts'

const line = buildLine({ defaults: { firstTokenMs: 300, idleMs: 300, plainMs: 600, streamMs: 3000 } })
const twice = { target: primary, retries: 2 }

describe('retries', () => {
  it('try the same target again, as often as the plan says, with a record of each', async () => {
    line.upstream.play(refuses(500), refuses(503), answers('at last'))
    const { response, text, record } = await sendPlan(line, twice)
    expect([response.status, contentOf(text)]).toEqual([200, 'at last'])
    expect(outcomesOf(record)).toEqual([`${primary} error`, `${primary} error retry`, `${primary} ok retry`])
    expect(record.body.attempts[0]?.errorClass).toBe('unavailable')
  })

  it('are none where the plan does not say so', async () => {
    line.upstream.play(refuses(500), answers('never asked'))
    const { response, record } = await sendPlan(line, { target: primary })
    expect([response.status, record.row.attempts]).toEqual([500, 1])
  })

  it.each<[string, Script]>([
    ['a wrong key', refuses(401)],
    ['what the provider says is final', refuses(503, { 'x-should-retry': 'false' })],
    ["the caller's mistake", refuses(400)],
  ])('do not repeat %s', async (_name, script) => {
    line.upstream.play(script)
    const { record } = await sendPlan(line, twice)
    expect(record.row.attempts).toBe(1)
  })

  it('repeat what the provider says will pass', async () => {
    line.upstream.play(refuses(409, { 'x-should-retry': 'true' }), answers('now'))
    const { text } = await sendPlan(line, twice)
    expect(contentOf(text)).toBe('now')
  })

  it('never come earlier than the provider allows, and do not wait where another target is left', async () => {
    line.upstream.play(refuses(429, { 'retry-after': '1' }), answers('after a second'))
    const { ms } = await sendPlan(line, twice)
    expect(ms).toBeGreaterThanOrEqual(1000)

    line.gateway.health.clear()
    line.upstream.play(refuses(429, { 'retry-after': '5' }))
    line.spare.play(answers('from the spare'))
    const both = { strategy: 'ordered', of: [twice, { target: spare }] } as const
    const quick = await sendPlan(line, { ...both, of: [...both.of] })
    expect(contentOf(quick.text)).toBe('from the spare')
    expect(quick.ms).toBeLessThan(900)
  })

  it('wait no longer than the caller does', async () => {
    line.upstream.play(refuses(429, { 'retry-after': '2' }))
    const { response, ms } = await sendPlan(line, twice, { headers: { 'x-signalbox-timeout-ms': '500' } })
    expect(response.status).toBe(429)
    expect(ms).toBeLessThan(500)
  })

  it('draw their waits from a time that doubles', () => {
    const failure = failureOfExchange({ kind: 'reset', detail: 'x' })
    const waits = [0, 1, 2, 3].map((retry) => retryWaitMs(failure, { retry, random: 0.5, isLast: true }))
    expect(waits).toEqual([125, 250, 500, 1000])
    expect(retryWaitMs(failure, { retry: 12, random: 1, isLast: true })).toBe(8000)
  })
})

describe('what a failure is', () => {
  it('may lead to a plan of its own, even where no other target would be tried', async () => {
    line.upstream.play((turn) =>
      turn.json(400, { error: { message: 'too long', code: 'content_filter', type: 'x' } }),
    )
    line.spare.play(answers('from the spare'))
    const rest = { onErrorClass: { contentPolicy: { target: spare } } }
    const { text, record } = await sendPlan(line, { target: primary }, { rest })
    expect(contentOf(text)).toBe('from the spare')
    expect(outcomesOf(record)).toEqual([`${primary} error`, `${spare} ok onErrorClass`])
    expect(record.body.attempts[0]?.errorClass).toBe('contentPolicy')
  })

  it('leads there in place of the rest of the plan, and only once', async () => {
    line.upstream.play(refuses(529))
    line.spare.play(refuses(529))
    const of = [{ target: primary }, { target: primary }, { target: primary }]
    const rest = { onErrorClass: { overload: { target: spare }, rateLimit: { target: primary } } }
    const { record } = await sendPlan(line, { strategy: 'ordered', of }, { rest })
    expect(outcomesOf(record)).toEqual([`${primary} error`, `${spare} error onErrorClass`])
  })
})

describe('the least speed of a stream', () => {
  const plan = (minBytesPerS: number) => ({
    strategy: 'ordered' as const,
    of: [{ target: primary, timeouts: { minBytesPerS, speedWindowMs: 100 } }, { target: spare }],
  })
  const trickle: Script = async (turn) => {
    turn.events(chatChunk({ role: 'assistant', content: '' }))
    await turn.closed()
  }
  it('gives up one that begins slower, before the caller has anything of it', async () => {
    line.upstream.play(trickle)
    line.spare.play(answers('from the spare'))
    const { text, record } = await sendPlan(line, plan(100_000), { body: { stream: true } })
    expect(text).toContain('from the spare')
    expect(text.match(/"role":"assistant"/g)).toHaveLength(1)
    expect(outcomesOf(record)).toEqual([`${primary} timeout`, `${spare} ok fallback`])
    expect(record.row.truncated).toBe(false)
  })

  it('lets one pass that is fast enough, at once, byte for byte', async () => {
    line.upstream.play(answers('quick'))
    const { text, record, ms } = await sendPlan(line, plan(50), { body: { stream: true } })
    expect(text).toBe(
      chatStream('quick')
        .filter((event) => !event.includes('prompt_tokens'))
        .join(''),
    )
    expect(record.row.attempts).toBe(1)
    expect(ms).toBeLessThan(100)
  })
})
