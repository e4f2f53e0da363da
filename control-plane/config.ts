import { resolve } from 'node:path'
import { loadConfig as load, type Setting } from '@signalbox/sdk/node'
import { type Static, Type } from 'typebox'
import { secretKeyLengthMin } from './secret-box.ts'

const closed = { additionalProperties: false } as const
const Port = (preset: number) => Type.Integer({ minimum: 0, maximum: 65_535, default: preset })

/** Settings of the control plane. Each stands in the README under its variable. */
const ConfigSchema = Type.Object(
  {
    host: Type.String({ minLength: 1, default: '127.0.0.1', description: 'Address to listen on.' }),
    port: Port(8788),
    dataDir: Type.String({
      minLength: 1,
      default: '.signalbox',
      description: 'Folder of the embedded database and of generated secrets.',
    }),
    databaseUrl: Type.Optional(
      Type.String({ pattern: '^postgres(ql)?://', description: 'PostgreSQL; embedded where it is not set.' }),
    ),
    environment: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
      default: 'development',
      description: 'What a request means that names no environment.',
    }),
    rootKey: Type.Optional(
      Type.String({ minLength: 16, maxLength: 512, pattern: '^\\S+$', description: 'Token of role admin.' }),
    ),
    secretKey: Type.Optional(
      Type.String({
        minLength: secretKeyLengthMin,
        description:
          'Encrypts stored secrets. Several with a comma between: the first encrypts, all decrypt.',
      }),
    ),
    tlsCert: Type.Optional(Type.String({ minLength: 1, description: 'PEM file.' })),
    tlsKey: Type.Optional(Type.String({ minLength: 1, description: 'PEM file.' })),
    logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
    traceUrlTemplate: Type.Optional(
      Type.String({
        pattern: '^https?://.*\\{traceId\\}',
        description: 'Where a trace can be looked at: an address with `{traceId}` in it.',
      }),
    ),
    drainTimeoutMs: Type.Integer({ minimum: 0, maximum: 600_000, default: 10_000 }),
    verifyReplies: Type.Boolean({
      default: false,
      description: 'Checks each reply against its schema; a wrong one is answered with `internal`.',
    }),
  },
  closed,
)
export type Config = Readonly<Static<typeof ConfigSchema>>

const settings: Readonly<Record<keyof Config, Setting>> = {
  host: { variable: 'SIGNALBOX_HOST', parse: 'string' },
  port: { variable: 'SIGNALBOX_CONTROL_PLANE_PORT', parse: 'integer' },
  dataDir: { variable: 'SIGNALBOX_DATA_DIR', parse: 'string' },
  databaseUrl: { variable: 'DATABASE_URL', parse: 'string' },
  environment: { variable: 'SIGNALBOX_ENVIRONMENT', parse: 'string' },
  rootKey: { variable: 'SIGNALBOX_ROOT_KEY', parse: 'string' },
  secretKey: { variable: 'SIGNALBOX_SECRET_KEY', parse: 'string' },
  tlsCert: { variable: 'SIGNALBOX_TLS_CERT', parse: 'string' },
  tlsKey: { variable: 'SIGNALBOX_TLS_KEY', parse: 'string' },
  logLevel: { variable: 'SIGNALBOX_LOG_LEVEL', parse: 'string' },
  traceUrlTemplate: { variable: 'SIGNALBOX_TRACE_URL', parse: 'string' },
  drainTimeoutMs: { variable: 'SIGNALBOX_DRAIN_TIMEOUT_MS', parse: 'integer' },
  verifyReplies: { variable: 'SIGNALBOX_VERIFY_REPLIES', parse: 'boolean' },
}

/** @throws Error that names every variable that is wrong, never its value. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const config = load(ConfigSchema, settings, environment)
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    throw new Error('The settings are not valid: SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY go together')
  }
  return Object.freeze({ ...config, dataDir: resolve(config.dataDir) })
}
