import { type AddressRanges, loadConfig, parseRanges, type Setting } from '@signalbox/sdk/node'
import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const
const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
/** Names of the standard variable `OTEL_TRACES_SAMPLER`. */
export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const
const url = (description: string) => Type.String({ pattern: '^https?://', maxLength: 2048, description })
const count = (description: string, standard: number) =>
  Type.Integer({ minimum: 1, maximum: 10_000_000, default: standard, description })

/** Settings of a gateway: the field's schema, and below the variable it is read from. */
const GatewaySettings = Type.Object(
  {
    port: Type.Integer({ minimum: 0, maximum: 65_535, default: 8787, description: '0 takes a free one.' }),
    host: Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1' }),
    dataDir: Type.String({ minLength: 1, default: '.signalbox' }),
    controlPlaneUrl: Type.String({
      pattern: '^https?://',
      maxLength: 2048,
      default: 'http://127.0.0.1:8788',
    }),
    gatewayToken: Type.String({ pattern: '^sbg_', description: 'From `signalbox gateways enroll`.' }),
    trustRoot: Type.String({ minLength: 1, description: 'From `signalbox gateways enroll`.' }),
    gatewayKey: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z0-9_-]{43}$',
        description: 'X25519 private key that credentials are sealed to, raw, base64url.',
      }),
    ),
    mirror: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2048,
        description:
          'Folder or address with a copy of the signed documents, for when the control plane is away.',
      }),
    ),
    tlsCertificateFile: Type.Optional(Type.String({ minLength: 1 })),
    tlsKeyFile: Type.Optional(Type.String({ minLength: 1 })),
    trustedProxies: Type.Optional(
      Type.String({
        description: 'Addresses and ranges of proxies that end TLS and say whom they forward for.',
      }),
    ),
    logLevel: Type.Enum([...logLevels], { default: 'info' }),
    readyRelease: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Release that must be in use before the gateway is ready.' }),
    ),
    drainTimeoutMs: Type.Integer({ minimum: 0, maximum: 3_600_000, default: 120_000 }),
    journalBytesMax: Type.Integer({ minimum: 1_048_576, maximum: 1_099_511_627_776, default: 268_435_456 }),
    cacheBytesMax: Type.Integer({ minimum: 0, maximum: 68_719_476_736, default: 67_108_864 }),
    redisUrl: Type.Optional(
      Type.String({
        pattern: '^rediss?://',
        maxLength: 2048,
        description: 'Redis or Valkey that gateways share.',
      }),
    ),
    otelDisabled: Type.Boolean({ default: false }),
    otlpEndpoint: Type.Optional(url('Base of the collector: traces and metrics.')),
    otlpTracesEndpoint: Type.Optional(url('Whole URL for traces.')),
    otlpMetricsEndpoint: Type.Optional(url('Whole URL for metrics.')),
    otlpProtocol: Type.Enum(['http/protobuf'], { default: 'http/protobuf' }),
    otlpTracesProtocol: Type.Enum(['http/protobuf'], { default: 'http/protobuf' }),
    otlpMetricsProtocol: Type.Enum(['http/protobuf'], { default: 'http/protobuf' }),
    tracesExporter: Type.Optional(Type.Enum(['otlp', 'none'])),
    metricsExporter: Type.Optional(Type.Enum(['otlp', 'none'])),
    tracesSampler: Type.Enum([...samplerNames], { default: 'parentbased_always_on' }),
    tracesSamplerArgument: Type.String({ pattern: '^(0(\\.[0-9]+)?|1(\\.0+)?)$', default: '1' }),
    serviceName: Type.String({ minLength: 1, maxLength: 255, default: 'signalbox-gateway' }),
    resourceAttributes: Type.String({ maxLength: 8192, default: '' }),
    semconvOptIn: Type.String({ maxLength: 1024, default: '' }),
    spanQueueLengthMax: count('Spans that wait for export; more are dropped and counted.', 16_384),
    spanBatchLengthMax: count('Spans of one export.', 256),
    spanExportDelayMs: count('How long a span waits for others.', 1000),
    metricExportIntervalMs: count('Between two exports of metrics.', 60_000),
  },
  closed,
)
export type GatewayConfig = Readonly<Static<typeof GatewaySettings>>

const text = (variable: string): Setting => ({ variable, parse: 'string' })
const integer = (variable: string): Setting => ({ variable, parse: 'integer' })

const settings: Readonly<Record<keyof GatewayConfig, Setting>> = {
  port: integer('SIGNALBOX_GATEWAY_PORT'),
  host: text('SIGNALBOX_HOST'),
  dataDir: text('SIGNALBOX_DATA_DIR'),
  controlPlaneUrl: text('SIGNALBOX_CONTROL_PLANE_URL'),
  gatewayToken: text('SIGNALBOX_GATEWAY_TOKEN'),
  trustRoot: text('SIGNALBOX_TRUST_ROOT'),
  gatewayKey: text('SIGNALBOX_GATEWAY_KEY'),
  mirror: text('SIGNALBOX_MIRROR'),
  tlsCertificateFile: text('SIGNALBOX_TLS_CERT'),
  tlsKeyFile: text('SIGNALBOX_TLS_KEY'),
  trustedProxies: text('SIGNALBOX_TRUSTED_PROXIES'),
  logLevel: text('SIGNALBOX_LOG_LEVEL'),
  readyRelease: integer('SIGNALBOX_READY_RELEASE'),
  drainTimeoutMs: integer('SIGNALBOX_DRAIN_TIMEOUT_MS'),
  journalBytesMax: integer('SIGNALBOX_JOURNAL_BYTES_MAX'),
  cacheBytesMax: integer('SIGNALBOX_CACHE_BYTES_MAX'),
  redisUrl: text('REDIS_URL'),
  otelDisabled: { variable: 'OTEL_SDK_DISABLED', parse: 'boolean' },
  otlpEndpoint: text('OTEL_EXPORTER_OTLP_ENDPOINT'),
  otlpTracesEndpoint: text('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'),
  otlpMetricsEndpoint: text('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'),
  otlpProtocol: text('OTEL_EXPORTER_OTLP_PROTOCOL'),
  otlpTracesProtocol: text('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'),
  otlpMetricsProtocol: text('OTEL_EXPORTER_OTLP_METRICS_PROTOCOL'),
  tracesExporter: text('OTEL_TRACES_EXPORTER'),
  metricsExporter: text('OTEL_METRICS_EXPORTER'),
  tracesSampler: text('OTEL_TRACES_SAMPLER'),
  tracesSamplerArgument: text('OTEL_TRACES_SAMPLER_ARG'),
  serviceName: text('OTEL_SERVICE_NAME'),
  resourceAttributes: text('OTEL_RESOURCE_ATTRIBUTES'),
  semconvOptIn: text('OTEL_SEMCONV_STABILITY_OPT_IN'),
  spanQueueLengthMax: integer('OTEL_BSP_MAX_QUEUE_SIZE'),
  spanBatchLengthMax: integer('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
  spanExportDelayMs: integer('OTEL_BSP_SCHEDULE_DELAY'),
  metricExportIntervalMs: integer('OTEL_METRIC_EXPORT_INTERVAL'),
}

/** Variables of Signalbox's other programs; a gateway started beside them sees these too. */
const foreignVariables = [
  'SIGNALBOX_AUTHOR_KEY',
  'SIGNALBOX_ID_TOKEN',
  'SIGNALBOX_MIRROR_DIR',
  'SIGNALBOX_CONTROL_PLANE_PORT',
  'SIGNALBOX_WORKSPACE',
  'SIGNALBOX_ENVIRONMENT',
  'SIGNALBOX_ROOT_KEY',
  'SIGNALBOX_TOKEN',
  'SIGNALBOX_SECRET_KEY',
  'SIGNALBOX_TRACE_URL',
  'SIGNALBOX_VERIFY_REPLIES',
  'SIGNALBOX_LOCAL_SERVERS',
  'SIGNALBOX_WEBHOOK_HOSTS',
  'SIGNALBOX_PUBLIC_URL',
  'SIGNALBOX_OIDC_ISSUER',
  'SIGNALBOX_OIDC_CLIENT_ID',
  'SIGNALBOX_OIDC_CLIENT_SECRET',
  'SIGNALBOX_OIDC_NAME',
  'SIGNALBOX_OIDC_SCOPES',
  'SIGNALBOX_OIDC_ROLE_CLAIM',
  'SIGNALBOX_OIDC_ROLES',
]

/** What a gateway is started with, and how it looks up what `env:NAME` of a connection means. */
export interface LoadedConfig {
  readonly config: GatewayConfig
  readonly proxies: AddressRanges | undefined
  /** A variable's value without the white space around it; undefined where it is not set or empty. */
  readonly readVariable: (name: string) => string | undefined
  /** `SIGNALBOX_…` variables that no program knows: most likely a typing error. */
  readonly unknownVariables: readonly string[]
}

function proxiesOf({ trustedProxies }: GatewayConfig): AddressRanges | undefined {
  try {
    return trustedProxies === undefined ? undefined : parseRanges(trustedProxies)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`The settings are not valid: SIGNALBOX_TRUSTED_PROXIES: ${message}`, { cause })
  }
}

/**
 * Reads the gateway's settings; the only place in the gateway that sees the environment.
 * @throws Error that names every variable that is missing or wrong, never a value.
 */
export function loadGatewayConfig(environment: NodeJS.ProcessEnv = process.env): LoadedConfig {
  const config = loadConfig(GatewaySettings, settings, environment)
  if ((config.tlsCertificateFile === undefined) !== (config.tlsKeyFile === undefined)) {
    throw new Error('The settings are not valid: SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY go together')
  }
  const known = new Set([...Object.values(settings).map((each) => each.variable), ...foreignVariables])
  const unknownVariables = Object.keys(environment).filter(
    (name) => name.startsWith('SIGNALBOX_') && !known.has(name.replace(/_FILE$/, '')),
  )
  const readVariable = (name: string): string | undefined => {
    const value = environment[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }
  return { config, proxies: proxiesOf(config), readVariable, unknownVariables }
}
