import { resolve } from 'node:path'
import { type AddressRanges, loadConfig as load, parseRanges, type Setting } from '@signalbox/sdk/node'
import { type Static, Type } from 'typebox'
import { parseRoleMapping, type RoleRule } from './identity/role-mapping.ts'
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
    databaseOwnerUrl: Type.Optional(
      Type.String({
        pattern: '^postgres(ql)?://',
        description: 'The role that owns the tables: migrates, and keeps the ledger from the program.',
      }),
    ),
    environment: Type.String({
      pattern: '^[a-z0-9][a-z0-9._-]{0,62}$',
      default: 'development',
      description: 'What a request means that names no environment.',
    }),
    rootKey: Type.Optional(
      Type.String({ minLength: 16, maxLength: 512, pattern: '^\\S+$', description: 'Token of role owner.' }),
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
    trustedProxies: Type.Optional(
      Type.String({
        description: 'Addresses and ranges of proxies that end TLS and say whom they forward for.',
      }),
    ),
    publicUrl: Type.Optional(
      Type.String({ pattern: '^https?://[^/]+/?$', description: 'Where browsers reach the console.' }),
    ),
    oidcIssuer: Type.Optional(Type.String({ pattern: '^https?://', description: 'The identity provider.' })),
    oidcClientId: Type.Optional(Type.String({ minLength: 1 })),
    oidcClientSecret: Type.Optional(Type.String({ minLength: 1 })),
    oidcName: Type.String({ minLength: 1, maxLength: 64, default: 'single sign-on' }),
    oidcScopes: Type.String({ pattern: '(^| )openid( |$)', default: 'openid profile email' }),
    oidcRoleClaim: Type.String({ minLength: 1, maxLength: 128, default: 'groups' }),
    oidcRoles: Type.String({ default: '', description: 'Who gets which role, by values of the claim.' }),
    logLevel: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
    traceUrlTemplate: Type.Optional(
      Type.String({
        pattern: '^https?://.*\\{traceId\\}',
        description: 'Where a trace can be looked at: an address with `{traceId}` in it.',
      }),
    ),
    webhookHosts: Type.String({
      default: '',
      pattern: '^[A-Za-z0-9.:[\\], -]*$',
      maxLength: 4096,
      description:
        'Hosts (`name` or `name:port`, with commas) that webhooks may go to though they are private.',
    }),
    mirrorDir: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'Folder where signed documents are laid down for gateways that cannot reach us.',
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
type Settings = Readonly<Static<typeof ConfigSchema>>
export interface Config extends Settings {
  readonly proxies: AddressRanges | undefined
  readonly roleMapping: readonly RoleRule[]
}

const settings: Readonly<Record<keyof Settings, Setting>> = {
  host: { variable: 'SIGNALBOX_HOST', parse: 'string' },
  port: { variable: 'SIGNALBOX_CONTROL_PLANE_PORT', parse: 'integer' },
  dataDir: { variable: 'SIGNALBOX_DATA_DIR', parse: 'string' },
  databaseUrl: { variable: 'DATABASE_URL', parse: 'string' },
  databaseOwnerUrl: { variable: 'DATABASE_OWNER_URL', parse: 'string' },
  environment: { variable: 'SIGNALBOX_ENVIRONMENT', parse: 'string' },
  rootKey: { variable: 'SIGNALBOX_ROOT_KEY', parse: 'string' },
  secretKey: { variable: 'SIGNALBOX_SECRET_KEY', parse: 'string' },
  tlsCert: { variable: 'SIGNALBOX_TLS_CERT', parse: 'string' },
  tlsKey: { variable: 'SIGNALBOX_TLS_KEY', parse: 'string' },
  trustedProxies: { variable: 'SIGNALBOX_TRUSTED_PROXIES', parse: 'string' },
  publicUrl: { variable: 'SIGNALBOX_PUBLIC_URL', parse: 'string' },
  oidcIssuer: { variable: 'SIGNALBOX_OIDC_ISSUER', parse: 'string' },
  oidcClientId: { variable: 'SIGNALBOX_OIDC_CLIENT_ID', parse: 'string' },
  oidcClientSecret: { variable: 'SIGNALBOX_OIDC_CLIENT_SECRET', parse: 'string' },
  oidcName: { variable: 'SIGNALBOX_OIDC_NAME', parse: 'string' },
  oidcScopes: { variable: 'SIGNALBOX_OIDC_SCOPES', parse: 'string' },
  oidcRoleClaim: { variable: 'SIGNALBOX_OIDC_ROLE_CLAIM', parse: 'string' },
  oidcRoles: { variable: 'SIGNALBOX_OIDC_ROLES', parse: 'string' },
  logLevel: { variable: 'SIGNALBOX_LOG_LEVEL', parse: 'string' },
  traceUrlTemplate: { variable: 'SIGNALBOX_TRACE_URL', parse: 'string' },
  webhookHosts: { variable: 'SIGNALBOX_WEBHOOK_HOSTS', parse: 'string' },
  mirrorDir: { variable: 'SIGNALBOX_MIRROR_DIR', parse: 'string' },
  drainTimeoutMs: { variable: 'SIGNALBOX_DRAIN_TIMEOUT_MS', parse: 'integer' },
  verifyReplies: { variable: 'SIGNALBOX_VERIFY_REPLIES', parse: 'boolean' },
}

/** What stands in examples and is tried first, and what is no secret for its form. */
const poorSecret = /^(change[-_ ]?me|changeit|default|password|secret|signalbox|test|example|your[-_ ])/i
const lettersMin = 6

/** Why a secret that somebody set is none; its own text is never said. */
function faultOf(variable: string, environment: NodeJS.ProcessEnv, values: readonly string[]): string[] {
  const file = environment[`${variable}_FILE`]
  if (environment[variable]?.trim() === '' && (file === undefined || file === '')) {
    return [`${variable} is empty: leave it out, or set a long random value (openssl rand -hex 32)`]
  }
  const poor = values.some((each) => poorSecret.test(each) || new Set(each).size < lettersMin)
  return poor
    ? [`${variable} is a default or too simple: set a long random value (openssl rand -hex 32)`]
    : []
}

function oidcFaults(config: Settings): string[] {
  const { oidcIssuer, oidcClientId, publicUrl } = config
  if (oidcIssuer === undefined) {
    return oidcClientId === undefined ? [] : ['SIGNALBOX_OIDC_CLIENT_ID needs SIGNALBOX_OIDC_ISSUER']
  }
  return [
    ...(oidcClientId === undefined ? ['SIGNALBOX_OIDC_ISSUER needs SIGNALBOX_OIDC_CLIENT_ID'] : []),
    ...(publicUrl === undefined ? ['SIGNALBOX_OIDC_ISSUER needs SIGNALBOX_PUBLIC_URL'] : []),
    ...(config.oidcRoles === ''
      ? ['SIGNALBOX_OIDC_ISSUER needs SIGNALBOX_OIDC_ROLES: nobody would have a role']
      : []),
  ]
}

/** The value, or what is wrong with it under its variable. */
function parsed<T>(variable: string, faults: string[], parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    faults.push(`${variable}: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** @throws Error that names every variable that is wrong, never its value where that is a secret. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const config = load(ConfigSchema, settings, environment)
  const faults = [
    ...faultOf('SIGNALBOX_ROOT_KEY', environment, config.rootKey === undefined ? [] : [config.rootKey]),
    ...faultOf('SIGNALBOX_SECRET_KEY', environment, config.secretKey?.split(',') ?? []),
    ...oidcFaults(config),
  ]
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined)) {
    faults.push('SIGNALBOX_TLS_CERT and SIGNALBOX_TLS_KEY go together')
  }
  if (config.databaseOwnerUrl !== undefined && config.databaseUrl === undefined) {
    faults.push('DATABASE_OWNER_URL needs DATABASE_URL: the role that the program itself uses')
  }
  const { trustedProxies } = config
  const proxies = parsed('SIGNALBOX_TRUSTED_PROXIES', faults, () =>
    trustedProxies === undefined ? undefined : parseRanges(trustedProxies),
  )
  const roleMapping = parsed('SIGNALBOX_OIDC_ROLES', faults, () => parseRoleMapping(config.oidcRoles)) ?? []
  if (faults.length > 0) throw new Error(`The settings are not valid: ${faults.join('; ')}`)
  return Object.freeze({ ...config, proxies, roleMapping, dataDir: resolve(config.dataDir) })
}
