import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { checkListening, clientAddress, createSecret, type Logger } from '@signalbox/sdk/node'
import { type App, createApp } from './app.ts'
import { authenticate } from './authenticate.ts'
import { createAuthorize } from './authorize.ts'
import { bootstrap } from './bootstrap.ts'
import type { Config } from './config.ts'
import { createHandlers } from './create-handlers.ts'
import { claimFolder, loadOrStoreSecret } from './data-folder.ts'
import { type Connection, connectDatabase } from './db/connect.ts'
import { migrateDatabase } from './db/migrate.ts'
import { createPartitions, keepPartitionsAhead } from './db/partitions.ts'
import { restrictProgramRole } from './db/program-role.ts'
import type { Dependencies } from './dependencies.ts'
import { createReadAudit } from './identity/read-audit.ts'
import { createSignInTools } from './identity/sign-in-tools.ts'
import { drain, listen } from './listen.ts'
import { startPostgres } from './postgres/start.ts'
import { type Publishing, startPublishing } from './publishing.ts'
import { keepSweeping } from './retention/sweep-records.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'

/** A running control plane. */
export interface ControlPlane {
  /** Where it listens; the port is the real one where 0 was asked for. */
  readonly url: string
  /** Resolves when it cannot go on by itself, with the reason. */
  readonly broken: Promise<string>
  /** Drains: `/readyz` 503, no new connections, requests finish, then all is closed. */
  stop(): Promise<void>
}
/** What the program lives in. */
export interface Surroundings {
  readonly log: Logger
  readonly nowMs: () => number
  readonly newId: () => string
  readonly software: string
}

const fileOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const openApiFile = fileOf('../sdk/openapi.json')
const consoleFolder = fileOf('../web/dist')
/** More requests than this waiting for a database connection: new ones are refused. */
const waitingQueriesMax = 256
const readyTimeoutMs = 1000

/**
 * Starts everything in the order in which one part needs another; `stop` ends it in the opposite order. A start that
 * fails ends what it had begun.
 */
export async function startControlPlane(config: Config, surroundings: Surroundings): Promise<ControlPlane> {
  const { tlsCert, host: at, proxies } = config
  const place = { host: at, tls: tlsCert !== undefined, behindProxy: proxies !== undefined }
  const warning = checkListening(place)
  if (warning !== undefined) surroundings.log.warn(warning)
  const broken = Promise.withResolvers<string>()
  const started = new AsyncDisposableStack()
  try {
    const claim = claimFolder(config.dataDir)
    started.defer(() => claim.release())
    const databaseUrl = await openDatabase(config, {
      started,
      log: surroundings.log,
      breakDown: broken.resolve,
    })
    const { databaseOwnerUrl } = config
    await migrateDatabase(databaseOwnerUrl ?? databaseUrl)
    if (databaseOwnerUrl !== undefined) await restrictProgramRole(databaseOwnerUrl, databaseUrl)
    const connection = connectDatabase(databaseUrl, surroundings.log)
    started.defer(() => connection.close())
    const secrets = createSecretBox(secretKeyOf(config))
    const { db } = connection
    await bootstrap({ ...config, ...surroundings, db, secrets, rootToken: rootTokenOf(config) })
    const publishing = await startPublishing({ ...surroundings, ...config, db, databaseUrl, secrets })
    started.defer(() => publishing.close())
    const app = await openApp(config, surroundings, { connection, publishing, secrets, started })
    const server = await listen(config, { app, started, log: surroundings.log })
    started.defer(() => drain(server, app, config.drainTimeoutMs))
    const { port } = server.address() as AddressInfo
    const host = config.host.includes(':') ? `[${config.host}]` : config.host
    const url = `${config.tlsCert === undefined ? 'http' : 'https'}://${host}:${port}`
    return { url, broken: broken.promise, stop: () => started.disposeAsync() }
  } catch (error) {
    await started.disposeAsync()
    throw error
  }
}

/** The configured database, or our own. */
async function openDatabase(
  config: Config,
  {
    started,
    log,
    breakDown,
  }: {
    readonly started: AsyncDisposableStack
    readonly log: Logger
    readonly breakDown: (reason: string) => void
  },
): Promise<string> {
  if (config.databaseUrl !== undefined) return config.databaseUrl
  const postgres = await startPostgres(join(config.dataDir, 'postgres'), {
    onExit({ restarting, reason }) {
      log.error(
        { err: { message: reason } },
        restarting ? 'PostgreSQL is started again' : 'PostgreSQL is gone',
      )
      if (!restarting) breakDown(reason)
    },
  })
  started.defer(() => postgres.stop())
  return postgres.url
}

function secretKeyOf(config: Config): string {
  if (config.secretKey !== undefined) return config.secretKey
  return loadOrStoreSecret(join(config.dataDir, 'secret-key'), () => randomBytes(32).toString('base64url'))
    .text
}

/** The configured root token, else the one in the data folder, where `npm start` finds it to print. */
function rootTokenOf(config: Config): { secret: string; configured: boolean } {
  if (config.rootKey !== undefined) return { secret: config.rootKey, configured: true }
  const { text } = loadOrStoreSecret(join(config.dataDir, 'root-key'), () => createSecret('root'))
  return { secret: text, configured: false }
}

export interface Parts {
  readonly connection: Connection
  readonly publishing: Publishing
  readonly secrets: SecretBox
  readonly started: AsyncDisposableStack
}

/** The handlers with all that they work with, behind HTTP. */
async function openApp(config: Config, surroundings: Surroundings, parts: Parts): Promise<App> {
  const { connection, publishing, secrets, started } = parts
  const { db, pool } = connection
  const partitions = createPartitions(db)
  await partitions.ensureAhead(surroundings.nowMs())
  const stopPartitions = keepPartitionsAhead(partitions, surroundings)
  started.defer(stopPartitions)
  started.defer(keepSweeping({ ...surroundings, db, partitions }))
  const { environment } = config
  const common: Dependencies = {
    ...surroundings,
    db,
    secrets,
    stateWriter: publishing.publisher,
    environment,
  }
  const signIn = createSignInTools({ ...signInOptions(config), nowMs: surroundings.nowMs })
  const handlers = await createHandlers(config, surroundings, { ...parts, common, partitions, signIn })
  return createApp({
    handlers,
    ...surroundings,
    authenticate: (request) => authenticate({ ...common, cookies: signIn.cookies }, request),
    authorize: createAuthorize(common),
    auditRead: createReadAudit(common),
    addressOf: ({ socket, headers }) =>
      clientAddress(socket.remoteAddress, headers['x-forwarded-for'], config.proxies),
    overloaded: () => pool.waitingCount > waitingQueriesMax,
    verifyReplies: config.verifyReplies,
    isReady: () => answersInTime(pool),
    openApiFile,
    consoleFolder,
  })
}

/** Whether the database answers before somebody who asks for readiness gives up. */
function answersInTime(pool: Connection['pool']): Promise<boolean> {
  const answered = pool.query('select 1').then(
    () => true,
    () => false,
  )
  return Promise.race([answered, sleep(readyTimeoutMs, false, { ref: false })])
}

/** How people sign in, as the settings say. */
function signInOptions(config: Config): Omit<Parameters<typeof createSignInTools>[0], 'nowMs'> {
  const { oidcIssuer, oidcClientId, publicUrl, tlsCert } = config
  const secure = publicUrl === undefined ? tlsCert !== undefined : publicUrl.startsWith('https:')
  if (oidcIssuer === undefined || oidcClientId === undefined || publicUrl === undefined) return { secure }
  const settings = {
    ...{ name: config.oidcName, issuer: oidcIssuer, clientId: oidcClientId, publicUrl },
    ...{ clientSecret: config.oidcClientSecret, scopes: config.oidcScopes, roleClaim: config.oidcRoleClaim },
  }
  return { secure, oidc: { settings, mapping: config.roleMapping } }
}
