import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts'
import type { Program } from '../../support/programs.ts'
import { GatewayBench, team } from '../gateway-bench.ts'

const bench = new GatewayBench()
const receiver = new OtlpReceiver()
beforeAll(async () => {
  await Promise.all([bench.open(), receiver.start()])
})
afterAll(async () => {
  await Promise.all([bench.close(), receiver.stop()])
})

describe('what the gateway shows', () => {
  const spansOf = (traceId: string): ReceivedSpan[] =>
    receiver.spans.filter((span) => span.traceId === traceId)
  const exporting = {
    OTEL_EXPORTER_OTLP_ENDPOINT: '',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_METRIC_EXPORT_INTERVAL: '200',
  }
  let program: Program
  beforeAll(async () => {
    program = await bench.startReady({ ...exporting, OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url })
  })

  async function spansOfDecision(id: string | null): Promise<ReceivedSpan[]> {
    return await eventually(() => {
      const server = receiver.spans.find((span) => span.attributes['signalbox.decision.id'] === id)
      expect(server).toBeDefined()
      return spansOf(server?.traceId ?? '')
    })
  }

  it('is a trace of each call: the request, the policies, each attempt', async () => {
    const response = await bench.call(program, { headers: { 'x-signalbox-metadata': '{"tier":"paid"}' } })
    const spans = await spansOfDecision(response.headers.get('x-signalbox-decision'))
    const [server, policy, attempt] = [2, 1, 3].map((kind) => spans.find((span) => span.kind === kind))
    expect(server).toMatchObject({
      name: 'POST /v1/chat/completions',
      parentSpanId: '',
      links: [],
      status: 0,
    })
    expect(server?.attributes).toMatchObject({
      'http.request.method': 'POST',
      'http.route': '/v1/chat/completions',
      'http.response.status_code': 200,
      'signalbox.policy.effect': 'allow',
      'signalbox.version': 12,
      'signalbox.node.id': team.id,
      'signalbox.target': 'simulated/gpt-5.2',
      'signalbox.attempts': 1,
      'signalbox.metadata.tier': 'paid',
    })
    expect(policy).toMatchObject({ name: 'policy.evaluate', parentSpanId: server?.spanId })
    expect(policy?.attributes).toMatchObject({
      'signalbox.policy.effect': 'allow',
      'signalbox.policy.outcomes': ['no-free:noEffect'],
    })
    expect(attempt).toMatchObject({ name: 'chat gpt-5.2', parentSpanId: server?.spanId, status: 0 })
    expect(attempt?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-5.2',
      'gen_ai.usage.input_tokens': expect.any(Number),
      'gen_ai.usage.output_tokens': expect.any(Number),
      'signalbox.attempt': 0,
      'signalbox.winner': true,
    })
    expect(server?.resource).toMatchObject({ 'service.name': 'signalbox-gateway' })
    expect(server?.schemaUrl).toContain('/1.41.0')
    for (const span of spans) {
      expect(span.endMs).toBeGreaterThanOrEqual(span.startMs)
      expect(JSON.stringify(span)).not.toContain('write this down')
    }
  })

  it('continues a caller’s sampled trace', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`
    await bench.call(program, { headers: { traceparent, tracestate: 'vendor=1' } })
    const server = await eventually(() => {
      const found = spansOf(traceId).find((span) => span.kind === 2)
      expect(found).toBeDefined()
      return found
    })
    expect(server).toMatchObject({ parentSpanId: 'b7ad6b7169203331', links: [], traceState: 'vendor=1' })
  })

  it('is not hidden by a caller’s unsampled trace: a trace of its own is linked to it', async () => {
    const traceId = '1af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${traceId}-b7ad6b7169203332-00`
    const response = await bench.call(program, { headers: { traceparent } })
    const spans = await spansOfDecision(response.headers.get('x-signalbox-decision'))
    const server = spans.find((span) => span.kind === 2)
    expect(server?.traceId).not.toBe(traceId)
    expect(server).toMatchObject({ parentSpanId: '', links: [{ traceId, spanId: 'b7ad6b7169203332' }] })
    expect(server?.attributes['signalbox.policy.effect']).toBe('allow')
  })

  it('shows a denied call at any sampling ratio, with the policy, its rule and the reason', async () => {
    const sampling = await bench.startReady({
      ...exporting,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: 'always_off',
      SIGNALBOX_DATA_DIR: join(bench.dataDir, 'sampling'),
    })
    const allowed = await bench.call(sampling)
    const denied = await bench.call(sampling, { headers: { 'x-signalbox-metadata': '{"tier":"free"}' } })
    expect(denied.status).toBe(403)
    const spans = await spansOfDecision(denied.headers.get('x-signalbox-decision'))
    expect(spans.find((span) => span.kind === 2)?.attributes).toMatchObject({
      'signalbox.policy.effect': 'deny',
      'signalbox.policy.id': 'no-free',
      'signalbox.policy.rule': 'free',
      'signalbox.policy.reason_codes': ['TIER_BLOCKED'],
      'http.response.status_code': 403,
      'error.type': 'TIER_BLOCKED',
    })
    expect(spans.some((span) => span.kind === 3)).toBe(false)
    const id = allowed.headers.get('x-signalbox-decision')
    expect(receiver.spans.some((span) => span.attributes['signalbox.decision.id'] === id)).toBe(false)
  })

  it('is also /metrics, whose labels callers cannot multiply', async () => {
    for (let index = 0; index < 20; index++)
      await bench.call(program, { body: { model: `openai/made-up-${index}` } })
    await bench.call(program)
    const read = () => fetch(`${program.url}/metrics`)
    expect((await read()).headers.get('content-type')).toContain('text/plain')
    // Calls are counted a moment after they end.
    const counted = /^signalbox_calls_total\{.*signalbox_target="other".*\} 20$/m
    const text = await eventually(async () => {
      const metrics = await (await read()).text()
      expect(metrics).toMatch(counted)
      return metrics
    })
    for (const line of text.trim().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE|UNIT) \w+ .+|\w+(\{(\w+="[^"]*",?)*\})? [-+\d.eInf]+|)$/)
    }
    expect(text).toMatch(/^signalbox_calls_total\{.*signalbox_target="simulated\/gpt-5.2".*\} \d+$/m)
    expect(text).not.toContain('made-up')
    expect(text).toMatch(/^signalbox_documents_sequence\{signalbox_document_kind="release"\} 1$/m)
    expect(text).toMatch(/^signalbox_ready 1$/m)
    expect(text).toMatch(/^signalbox_policy_duration_count\{.*\} \d+$/m)
    await eventually(() => expect(receiver.metricNames).toContain('signalbox.calls'))
    expect(receiver.metricNames).toContain('gen_ai.client.operation.duration')
  })

  it('does not hold up the end of the program where the collector hangs', async () => {
    receiver.hangs = true
    await bench.call(program)
    const startMs = performance.now()
    expect(await program.stop()).toBe(0)
    expect(performance.now() - startMs).toBeLessThan(8000)
    receiver.hangs = false
  })
})
