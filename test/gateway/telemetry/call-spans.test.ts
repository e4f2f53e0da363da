import { createTraceState } from '@opentelemetry/api'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { describe, expect, it } from 'vitest'
import { selectConventions } from '../../../gateway/telemetry/attributes.ts'
import { type SpanSurroundings, spansOf } from '../../../gateway/telemetry/call-spans.ts'
import { createSampler } from '../../../gateway/telemetry/sampler.ts'
import { finishedCall } from './finished-call.ts'

const around = (optIn = ''): SpanSurroundings => ({
  origin: { resource: resourceFromAttributes({}), scope: { name: 'signalbox' } },
  conventions: selectConventions(optIn),
  upstreamOf: () => ({ provider: 'openai', address: 'api.openai.com', port: 443 }),
  parseTraceState: createTraceState,
})

describe('the spans of a call', () => {
  it('nest in time and in the trace', () => {
    const call = finishedCall()
    const [server, policy, attempt] = spansOf(call, around())
    expect(server?.spanContext()).toMatchObject({ traceId: call.traceId, spanId: call.spanId, traceFlags: 1 })
    expect(server?.startTime).toEqual([1_800_000_000, 500_000])
    expect(policy?.parentSpanContext?.spanId).toBe(call.spanId)
    expect(attempt?.parentSpanContext?.spanId).toBe(call.spanId)
    expect(new Set([server, policy, attempt].map((span) => span?.spanContext().spanId)).size).toBe(3)
    expect(attempt?.attributes).toMatchObject({ 'server.address': 'api.openai.com', 'server.port': 443 })
  })

  it('count what a cache gave and took as input, and name it as the chosen conventions do', () => {
    const usage = { input: 10, cacheRead: 100, cacheWrite5m: 5, cacheWrite1h: 2, output: 7, reasoning: 3 }
    const call = finishedCall({ usage }, { usage })
    expect(spansOf(call, around())[2]?.attributes).toMatchObject({
      'gen_ai.usage.input_tokens': 117,
      'gen_ai.usage.output_tokens': 7,
      'gen_ai.usage.cache_read.input_tokens': 100,
      'gen_ai.usage.cache_creation.input_tokens': 7,
      'gen_ai.usage.reasoning.output_tokens': 3,
    })
    const latest = spansOf(call, around('http, gen_ai_latest_experimental'))[2]?.attributes
    expect(latest).toMatchObject({ 'gen_ai.usage.cache_write.input_tokens': 7 })
    expect(latest).not.toHaveProperty('gen_ai.usage.cache_creation.input_tokens')
  })

  it('leave out what is not known instead of saying 0', () => {
    const call = finishedCall({ usage: {} }, { usage: {}, evidence: 'none' })
    const names = spansOf(call, around()).flatMap((span) => Object.keys(span.attributes))
    expect(names.filter((name) => name.startsWith('gen_ai.usage'))).toEqual([])
    for (const span of spansOf(call, around())) {
      for (const value of Object.values(span.attributes)) expect(value).toBeDefined()
    }
  })

  it('say how an attempt failed, and that the call did', () => {
    const row = { status: 502, errorCode: 'upstream_reset' }
    const spans = spansOf(finishedCall(row, { outcome: 'reset', winner: false }), around())
    expect(spans[0]).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'upstream_reset' } })
    expect(spans[2]).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'reset' } })
  })

  it('do not blame the gateway for what a policy denied', () => {
    const denied = finishedCall({ status: 403, effect: 'deny', errorCode: 'TIER_BLOCKED' })
    expect(spansOf(denied, around())[0]?.status.code).toBe(0)
  })
})

describe('the sampler', () => {
  const calls = Array.from({ length: 4000 }, () => finishedCall())
  const share = (name: Parameters<typeof createSampler>[0], ratio: number): number =>
    calls.filter(createSampler(name, ratio)).length / calls.length

  it('passes the share it is told to, the same one for the same trace', () => {
    expect(share('always_on', 0)).toBe(1)
    expect(share('always_off', 1)).toBe(0)
    expect(share('traceidratio', 0.25)).toBeGreaterThan(0.2)
    expect(share('traceidratio', 0.25)).toBeLessThan(0.3)
    expect(share('parentbased_traceidratio', 1)).toBe(1)
    const half = calls.filter(createSampler('traceidratio', 0.5))
    expect(calls.filter(createSampler('parentbased_traceidratio', 0.5))).toEqual(half)
  })

  it('follows a sampled parent, and passes over an unsampled one', () => {
    const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }
    const sampled = finishedCall({}, {}, { parent: { ...parent, sampled: true } })
    const unsampled = finishedCall({}, {}, { parent: { ...parent, sampled: false } })
    expect(createSampler('parentbased_always_off', 1)(sampled)).toBe(true)
    expect(createSampler('parentbased_always_on', 1)(unsampled)).toBe(true)
    expect(createSampler('always_off', 1)(sampled)).toBe(false)
  })

  it('passes denials, errors, fallbacks and cut answers at any ratio', () => {
    const never = createSampler('always_off', 0)
    expect(never(finishedCall({ effect: 'deny', status: 403 }))).toBe(true)
    expect(never(finishedCall({ effect: 'error', status: 503 }))).toBe(true)
    expect(never(finishedCall({ status: 502 }))).toBe(true)
    expect(never(finishedCall({ attempts: 2 }))).toBe(true)
    expect(never(finishedCall({ truncated: true }))).toBe(true)
    expect(never(finishedCall())).toBe(false)
  })
})
