import type { SpanOrigin } from './call-spans.ts'
import { collectMetrics } from './metric-data.ts'
import type { MetricRegistry } from './metric-registry.ts'
import { encodeTraceRequest } from './span-encoder.ts'
import { type SpanBatch, SpanQueue, type SpanQueueOptions } from './span-queue.ts'

export interface OtlpOptions {
  readonly serviceName: string
  readonly serviceVersion: string
  /** Tells this run of the program from all others. */
  readonly instanceId: string
  readonly schemaUrl: string | undefined
  /** How spans wait; absent where traces are not exported. */
  readonly spans: SpanQueueOptions | undefined
  /** Absent where metrics are not exported. */
  readonly registry: MetricRegistry | undefined
  readonly metricExportIntervalMs: number
  readonly nowMs: () => number
}
/** OpenTelemetry, running. */
export interface Otlp {
  readonly origin: SpanOrigin
  /** Absent where traces are not exported. */
  readonly spans: SpanQueue | undefined
  /** Sends what waits; the caller sets the time limit. */
  shutdown(): Promise<void>
}

/** What the program says of itself; `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` have the last word. */
async function describeProgram(options: OtlpOptions) {
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = await import(
    '@opentelemetry/resources'
  )
  const own = resourceFromAttributes({
    'service.name': options.serviceName,
    'service.version': options.serviceVersion,
    'service.instance.id': options.instanceId,
  })
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }))
}

/**
 * Starts the exporters of OpenTelemetry (OTLP, http/protobuf, as `OTEL_EXPORTER_OTLP_…` say). Loading it takes some
 * 300 ms and 45 MB, so it is loaded only where something is exported.
 */
export async function startOtlp(options: OtlpOptions): Promise<Otlp> {
  const [{ NodeSDK }, { OTLPMetricExporter }, { PeriodicExportingMetricReader }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-metrics-otlp-proto'),
    import('@opentelemetry/sdk-metrics'),
  ])
  const resource = await describeProgram(options)
  const { schemaUrl, registry, nowMs } = options
  const origin = { resource, scope: { name: 'signalbox', ...(schemaUrl !== undefined && { schemaUrl }) } }
  const sender = options.spans === undefined ? undefined : await createSender(origin)
  const spans =
    options.spans === undefined || sender === undefined
      ? undefined
      : new SpanQueue(options.spans, sender.send)
  const producer = {
    collect: async () => ({
      resourceMetrics: {
        resource,
        scopeMetrics: registry === undefined ? [] : [collectMetrics(registry, nowMs())],
      },
      errors: [],
    }),
  }
  const reader = () =>
    new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter(),
      exportIntervalMillis: options.metricExportIntervalMs,
      exportTimeoutMillis: Math.min(30_000, options.metricExportIntervalMs),
      metricProducers: [producer],
    })
  const sdk = new NodeSDK({
    resource,
    autoDetectResources: false,
    instrumentations: [],
    textMapPropagator: null,
    spanProcessors: [],
    logRecordProcessors: [],
    metricReaders: registry === undefined ? [] : [reader()],
  })
  sdk.start()
  return {
    origin,
    spans,
    async shutdown() {
      await spans?.flush()
      await Promise.all([sdk.shutdown(), sender?.shutdown()])
    },
  }
}

/**
 * The library's way out for traces: endpoint, headers, certificates, compression, timeout and retries as the standard
 * variables say. Only the encoding is our own.
 */
async function createSender(origin: SpanOrigin) {
  const { convertLegacyHttpOptions, createOtlpHttpExportDelegate } = await import(
    '@opentelemetry/otlp-exporter-base/node-http'
  )
  const protobuf = { 'Content-Type': 'application/x-protobuf' }
  const delegate = createOtlpHttpExportDelegate(
    convertLegacyHttpOptions({}, 'TRACES', 'v1/traces', protobuf),
    {
      serializeRequest: (batch: SpanBatch) => encodeTraceRequest(batch.bytes, origin),
      deserializeResponse: () => ({}),
    },
    'otlp_http_span_exporter',
    { name: 'span', countItems: (batch: SpanBatch) => batch.spans },
    undefined,
  )
  return {
    send: (batch: SpanBatch, done: (arrived: boolean) => void) =>
      delegate.export(batch, ({ code }) => done(code === 0)),
    shutdown: () => delegate.shutdown(),
  }
}
