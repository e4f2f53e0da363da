import { loadConfig, type Setting } from '@signalbox/sdk/node'
import { Type } from 'typebox'

const Config = Type.Object({
  gatewayPort: Type.Integer({ minimum: 0, maximum: 65_535, default: 8787 }),
  controlPlanePort: Type.Integer({ minimum: 0, maximum: 65_535, default: 8788 }),
  host: Type.String({ default: '127.0.0.1' }),
  dataDir: Type.String({ default: '.signalbox' }),
  tlsCertificateFile: Type.Optional(Type.String()),
  workspace: Type.Optional(Type.String()),
  environment: Type.String({ default: 'development' }),
  controlPlaneUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
  token: Type.Optional(Type.String()),
  rootKey: Type.Optional(Type.String()),
  localServers: Type.Optional(Type.String()),
  authorKey: Type.Optional(Type.String()),
  idToken: Type.Optional(Type.String()),
  noColour: Type.Optional(Type.String()),
  ci: Type.Optional(Type.String()),
})

const settings: Readonly<Record<string, Setting>> = {
  gatewayPort: { variable: 'SIGNALBOX_GATEWAY_PORT', parse: 'integer' },
  controlPlanePort: { variable: 'SIGNALBOX_CONTROL_PLANE_PORT', parse: 'integer' },
  host: { variable: 'SIGNALBOX_HOST', parse: 'string' },
  dataDir: { variable: 'SIGNALBOX_DATA_DIR', parse: 'string' },
  tlsCertificateFile: { variable: 'SIGNALBOX_TLS_CERT', parse: 'string' },
  workspace: { variable: 'SIGNALBOX_WORKSPACE', parse: 'string' },
  environment: { variable: 'SIGNALBOX_ENVIRONMENT', parse: 'string' },
  controlPlaneUrl: { variable: 'SIGNALBOX_CONTROL_PLANE_URL', parse: 'string' },
  token: { variable: 'SIGNALBOX_TOKEN', parse: 'string' },
  rootKey: { variable: 'SIGNALBOX_ROOT_KEY', parse: 'string' },
  localServers: { variable: 'SIGNALBOX_LOCAL_SERVERS', parse: 'string' },
  authorKey: { variable: 'SIGNALBOX_AUTHOR_KEY', parse: 'string' },
  idToken: { variable: 'SIGNALBOX_ID_TOKEN', parse: 'string' },
  noColour: { variable: 'NO_COLOR', parse: 'string' },
  ci: { variable: 'CI', parse: 'string' },
}

export interface CliConfig {
  readonly gatewayPort: number
  readonly controlPlanePort: number
  readonly host: string
  /** Folder of everything local; a relative one is below the working folder. */
  readonly dataDir: string
  /** What both programs of a local start speak TLS with. */
  readonly tlsCertificateFile?: string
  readonly workspace?: string
  readonly environment: string
  readonly controlPlaneUrl?: string
  readonly token?: string
  readonly rootKey?: string
  /** Model servers of this machine, by id; `off` for none. Absent: `start` looks for them. */
  readonly localServers?: string
  /** Signing key of CI, as `trust key` wrote it. */
  readonly authorKey?: string
  /** Identity of a CI job, where its service puts it into a variable. */
  readonly idToken?: string
  readonly colour: boolean
  /** `CI` is set, as all CI services do: nothing is written that a person should look at first. */
  readonly inCi: boolean
  /** The whole environment, for the child processes of `start`. */
  readonly inherited: NodeJS.ProcessEnv
}

/** The settings of the CLI. @throws Error that names every variable that is wrong. */
export function loadCliConfig(): CliConfig {
  const { noColour, ci, ...config } = loadConfig(Config, settings, process.env)
  return {
    ...config,
    colour: noColour === undefined && process.stdout.isTTY === true,
    inCi: ci !== undefined && ci !== 'false' && ci !== '0',
    inherited: process.env,
  }
}
