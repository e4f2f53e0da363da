import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createPlainServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createEngine, loadCatalogue, WarmThread } from '@signalbox/policies'
import {
  checkListening,
  clientAddress,
  createSecret,
  followTls,
  type Logger,
  loadTls,
} from '@signalbox/sdk/node'
import { startAlerts } from './alerts/watch-budgets.ts'
import { type App, createApp } from './app.ts'
import { authenticate } from './authenticate.ts'
import { createAuthorize } from './authorize.ts'
import { bootstrap } from './bootstrap.ts'
import type { Config } from './config.ts'
import { claimFolder, loadOrStoreSecret } from './data-folder.ts'
import { type Connection, connectDatabase } from './db/connect.ts'
import { migrateDatabase } from './db/migrate.ts'
import { createPartitions, keepPartitionsAhead } from './db/partitions.ts'
import type { Dependencies } from './dependencies.ts'
import { createGate } from './gate.ts'
import { createAccessHandlers } from './handlers/access.ts'
import { createBudgetHandlers } from './handlers/budgets.ts'
import { createGatewayHandlers } from './handlers/gateway.ts'
import { createLimitHandlers } from './handlers/limits.ts'
import { createMoneyHandlers } from './handlers/money.ts'
import { createRecordHandlers } from './handlers/records.ts'
import { createReplayHandlers } from './handlers/replay.ts'
import { createStatusHandlers } from './handlers/status.ts'
import { createVersionHandlers } from './handlers/versions.ts'
import { createWebhookHandlers } from './handlers/webhooks.ts'
import { createReadAudit } from './identity/read-audit.ts'
import { createSignInTools } from './identity/sign-in-tools.ts'
import { ingestLimits } from './ingest.ts'
import { createLedger } from './ledger/ledger.ts'
import { startStranding } from './ledger/strand.ts'
import { startPostgres } from './postgres/start.ts'
import { buildLimits, buildTimeoutMs } from './publish.ts'
import { type Publishing, startPublishing } from './publishing.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'
import { keepSelfChecking } from './self-check.ts'
import { databaseClock } from './stores/ledger-book.ts'
import { tryLimits } from './try-files.ts'

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
const serverLimits = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 } as const
const connectionsMax = 4096

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
    await migrateDatabase(databaseUrl)
    const connection = connectDatabase(databaseUrl, surroundings.log)
    started.defer(() => connection.close())
    const secrets = createSecretBox(secretKeyOf(config))
    const { db } = connection
    await bootstrap({ ...config, ...surroundings, db, secrets, rootToken: rootTokenOf(config) })
    const publishing = await startPublishing({ ...surroundings, db, databaseUrl, secrets })
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

interface Parts {
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
  const { environment } = config
  const common: Dependencies = {
    ...surroundings,
    db,
    secrets,
    stateWriter: publishing.publisher,
    environment,
  }
  const tools = { ...common, ...publishing }
  // Recorded calls are decided again where they are explained.
  const engine = await createEngine()
  started.defer(() => engine.dispose())
  started.defer(keepSelfChecking({ ...surroundings, db, engine }))
  const threads = startThreads(started)
  const gates = { buildGate: createGate(buildLimits), tryGate: createGate(tryLimits) }
  const clock = databaseClock
  const ledger = createLedger({ db, clock })
  started.defer(startStranding({ ledger, log: surroundings.log }))
  const signIn = createSignInTools({ ...signInOptions(config), nowMs: surroundings.nowMs })
  const rules = { trusted: config.webhookHosts.split(',').map((host) => host.trim()) }
  started.defer(startAlerts({ ...common, clock, rules }))
  return createApp({
    handlers: {
      ...createAccessHandlers(common, signIn),
      ...createStatusHandlers(common),
      ...createVersionHandlers({ ...tools, ...gates, ...threads, catalogue: loadCatalogue() }),
      ...createRecordHandlers({ ...tools, engine, traceUrlTemplate: config.traceUrlTemplate }),
      ...createBudgetHandlers({ ...common, clock }),
      ...createLimitHandlers(common),
      ...createMoneyHandlers({ ledger }),
      ...createReplayHandlers(common),
      ...createWebhookHandlers({ ...common, rules }),
      ...createGatewayHandlers({ ...tools, partitions, gate: createGate(ingestLimits) }),
    },
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

/** Threads that versions are built in, apart from what is only tried. */
function startThreads(started: AsyncDisposableStack) {
  const buildThread = new WarmThread({ timeoutMs: buildTimeoutMs })
  const tryThread = new WarmThread()
  for (const thread of [buildThread, tryThread]) started.defer(() => thread.close())
  return { buildThread, tryThread }
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

interface Listening {
  readonly app: App
  readonly log: Logger
  readonly started: AsyncDisposableStack
}

function createServer({ tlsCert, tlsKey }: Config, { app, log, started }: Listening): Server {
  if (tlsCert === undefined || tlsKey === undefined) return createPlainServer(serverLimits, app.express)
  const files = { certFile: tlsCert, keyFile: tlsKey }
  const server = createTlsServer({ ...serverLimits, ...loadTls(files) }, app.express)
  started.defer(followTls(server, files, { log }))
  return server
}

/** @throws Error that names the port where it is in use. */
async function listen(config: Config, listening: Listening): Promise<Server> {
  const server = createServer(config, listening)
  server.maxConnections = connectionsMax
  server.listen({ port: config.port, host: config.host })
  try {
    await once(server, 'listening')
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE')) throw cause
    const message = `port ${config.port} on ${config.host} is in use: set SIGNALBOX_CONTROL_PLANE_PORT to another`
    throw new Error(message, { cause })
  }
  return server
}

/** Lets requests finish, for as long as `timeoutMs`. */
async function drain(server: Server, app: App, timeoutMs: number): Promise<void> {
  app.drain()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  // A connection kept alive is closed as soon as its last reply is out.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const late = setTimeout(() => server.closeAllConnections(), timeoutMs)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
