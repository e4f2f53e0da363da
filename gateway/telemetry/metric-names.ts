import type { ConventionVersion } from './attributes.ts'

/** Metrics of the gateway, by their OpenTelemetry name; Prometheus reads `.` as `_`, and counters end in `_total`. */
export const metricNames = {
  requestDuration: 'http.server.request.duration',
  tokenUsage: 'gen_ai.client.token.usage',
  calls: 'signalbox.calls',
  callDuration: 'signalbox.call.duration',
  firstToken: 'signalbox.call.time_to_first_token',
  attempts: 'signalbox.attempts',
  fallbacks: 'signalbox.fallbacks',
  tokens: 'signalbox.tokens',
  cost: 'signalbox.cost',
  policyDuration: 'signalbox.policy.duration',
  policyFuel: 'signalbox.policy.fuel',
  undeclaredLoss: 'signalbox.undeclared_loss',
  callsInFlight: 'signalbox.calls.in_flight',
  streamsInFlight: 'signalbox.streams.in_flight',
  ready: 'signalbox.ready',
  degraded: 'signalbox.degraded',
  connected: 'signalbox.control_plane.connected',
  documentSequence: 'signalbox.documents.sequence',
  documentRejections: 'signalbox.documents.rejections',
  stateAge: 'signalbox.state.age',
  journalBytes: 'signalbox.journal.size',
  journalSegments: 'signalbox.journal.segments',
  journalRecords: 'signalbox.journal.records',
  journalUploaded: 'signalbox.journal.uploaded_records',
  journalLost: 'signalbox.journal.lost_records',
  journalFailures: 'signalbox.journal.upload_failures',
  journalRestarts: 'signalbox.journal.thread_restarts',
  spansDropped: 'signalbox.telemetry.dropped_spans',
  spansExported: 'signalbox.telemetry.exported_spans',
  unhandledErrors: 'signalbox.unhandled_errors',
  eventLoopLag: 'signalbox.event_loop.lag',
  eventLoopUtilization: 'nodejs.eventloop.utilization',
  memory: 'process.memory.usage',
  cpu: 'process.cpu.time',
} as const

/** Metrics that the versions of the conventions call by different names. */
export const conventionMetrics: Readonly<
  Record<ConventionVersion, { readonly operationDuration: string; readonly timeToFirstChunk: string }>
> = {
  '1.41': {
    operationDuration: 'gen_ai.client.operation.duration',
    timeToFirstChunk: 'gen_ai.client.operation.time_to_first_chunk',
  },
  latest: {
    operationDuration: 'gen_ai.client.inference.duration',
    timeToFirstChunk: 'gen_ai.client.inference.time_to_first_chunk',
  },
}

/** Attributes of metrics. Each has few values: names that callers make up are counted as `other`. */
export const labels = {
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  errorType: 'error.type',
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  tokenType: 'gen_ai.token.type',
  dialect: 'signalbox.dialect',
  stream: 'signalbox.stream',
  effect: 'signalbox.policy.effect',
  target: 'signalbox.target',
  outcome: 'signalbox.outcome',
  unit: 'signalbox.usage.unit',
  documentKind: 'signalbox.document.kind',
} as const
