import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from '@signalbox/sdk/node'
import type { Clock } from '../clock.ts'
import type { GatewayConfig } from '../config.ts'
import { schemaUrls, selectConventions } from './attributes.ts'
import { CallMetrics } from './call-metrics.ts'
import { type SpanSurroundings, spansOf } from './call-spans.ts'
import { MetricRegistry } from './metric-registry.ts'
import { type Otlp, startOtlp } from './otlp.ts'
import { ProcessMetrics } from './process-metrics.ts'
import { createMetricsDoor } from './prometheus.ts'
import { createSampler, type Sampler } from './sampler.ts'
import type { SpanQueue, SpanQueueOptions } from './span-queue.ts'
import type { FinishedCall, Telemetry } from './telemetry.ts'

/** A collector that is slow or gone holds the end of the program up for this long at most. */
const shutdownTimeoutMs = 5000

export interface TelemetryOptions {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly log: Logger
  readonly instanceId: string
  readonly version: string
  /** `gen_ai.provider.name` of a provider adapter. */
  readonly providerName: (provider: string) => string
  /** Host and port behind a target; undefined where no connection of that name is known. */
  readonly serverOf: (target: string) => { readonly address: string; readonly port: number } | undefined
  /** Whether a target is one that the workspace or the catalogue names; metrics call others `other`. */
  readonly isKnownTarget: (target: string) => boolean
}

/** Telemetry, and where others add what they can say. */
export interface RunningTelemetry extends Telemetry {
  readonly registry: MetricRegistry
  /** Undefined where traces are not exported. */
  readonly spans: SpanQueue | undefined
  /** Answers `GET /metrics`. */
  readonly metrics: (request: IncomingMessage, response: ServerResponse) => void
}

/** Which signals leave by OTLP: those with an endpoint, or asked for by name. */
function exportedSignals(config: GatewayConfig): { traces: boolean; metrics: boolean } {
  const isOn = (exporter: 'otlp' | 'none' | undefined, endpoint: string | undefined): boolean =>
    !config.otelDisabled &&
    exporter !== 'none' &&
    (exporter === 'otlp' || (endpoint ?? config.otlpEndpoint) !== undefined)
  return {
    traces: isOn(config.tracesExporter, config.otlpTracesEndpoint),
    metrics: isOn(config.metricsExporter, config.otlpMetricsEndpoint),
  }
}

/** Starts telemetry: metrics are always counted, spans only made where they are exported. */
export async function startTelemetry(options: TelemetryOptions): Promise<RunningTelemetry> {
  const { config, clock } = options
  const conventions = selectConventions(config.semconvOptIn)
  const registry = new MetricRegistry(clock.nowMs())
  const processMetrics = new ProcessMetrics(registry)
  const metrics = new CallMetrics({ ...options, registry, conventions })
  const signals = exportedSignals(config)
  const otlp =
    signals.traces || signals.metrics
      ? await startOtlp({
          ...config,
          serviceVersion: options.version,
          instanceId: options.instanceId,
          schemaUrl: schemaUrls[conventions],
          spans: signals.traces ? queueOptions(config) : undefined,
          registry: signals.metrics ? registry : undefined,
          nowMs: () => clock.nowMs(),
        })
      : undefined
  const traceCall = otlp?.spans === undefined ? undefined : await createTracer(options, otlp.spans, otlp)
  return {
    registry,
    spans: otlp?.spans,
    metrics: createMetricsDoor(registry, () => clock.nowMs()),
    callEnded(call) {
      try {
        metrics.count(call)
        traceCall?.(call)
      } catch (error) {
        options.log.error({ err: error }, 'telemetry of a call failed')
      }
    },
    async shutdown() {
      processMetrics.close()
      await withTimeLimit(otlp?.shutdown(), options.log)
    },
  }
}

function queueOptions(config: GatewayConfig): SpanQueueOptions {
  const {
    spanQueueLengthMax: lengthMax,
    spanBatchLengthMax: batchLengthMax,
    spanExportDelayMs: delayMs,
  } = config
  return { lengthMax, batchLengthMax, delayMs }
}

async function createTracer(
  options: TelemetryOptions,
  spans: SpanQueue,
  otlp: Otlp,
): Promise<(call: FinishedCall) => void> {
  const { createTraceState } = await import('@opentelemetry/api')
  const { config, providerName, serverOf } = options
  const sampler: Sampler = createSampler(config.tracesSampler, Number(config.tracesSamplerArgument))
  const around: SpanSurroundings = {
    origin: otlp.origin,
    conventions: selectConventions(config.semconvOptIn),
    upstreamOf: ({ provider, target }) => {
      const server = serverOf(target)
      return { provider: providerName(provider), address: server?.address, port: server?.port }
    },
    parseTraceState: createTraceState,
  }
  return (call) => {
    if (sampler(call)) spans.add(spansOf(call, around))
  }
}

async function withTimeLimit(work: Promise<void> | undefined, log: Logger): Promise<void> {
  if (work === undefined) return
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), shutdownTimeoutMs)
  })
  const ended = await Promise.race([work, late]).catch((error: unknown) => {
    log.warn({ err: error }, 'telemetry did not end well')
  })
  clearTimeout(timer)
  if (ended === 'late') log.warn('the telemetry collector did not take everything in time')
}
