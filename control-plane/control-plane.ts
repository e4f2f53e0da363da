import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createEngine, loadCatalogue, WarmThread } from '@signalbox/policies'
import { createSecret, type Logger } from '@signalbox/sdk/node'
import { type App, createApp } from './app.ts'
import { authenticate } from './authenticate.ts'
import { bootstrap } from './bootstrap.ts'
import type { Config } from './config.ts'
import { claimFolder, loadOrStoreSecret } from './data-folder.ts'
import { type Connection, connectDatabase } from './db/connect.ts'
import { migrateDatabase } from './db/migrate.ts'
import { createPartitions, keepPartitionsAhead } from './db/partitions.ts'
import type { Dependencies } from './dependencies.ts'
import { createGate } from './gate.ts'
import { createAccessHandlers } from './handlers/access.ts'
import { createGatewayHandlers } from './handlers/gateway.ts'
import { createRecordHandlers } from './handlers/records.ts'
import { createStatusHandlers } from './handlers/status.ts'
import { createVersionHandlers } from './handlers/versions.ts'
import { ingestLimits } from './ingest.ts'
import { startPostgres } from './postgres/start.ts'
import { buildLimits } from './publish.ts'
import { type Publishing, startPublishing } from './publishing.ts'
import { createSecretBox, type SecretBox } from './secret-box.ts'
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
    const server = await listen(config, app)
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
  const tryThread = new WarmThread()
  started.defer(() => tryThread.close())
  const gates = { buildGate: createGate(buildLimits), tryGate: createGate(tryLimits) }
  return createApp({
    handlers: {
      ...createAccessHandlers(common),
      ...createStatusHandlers(common),
      ...createVersionHandlers({ ...tools, ...gates, catalogue: loadCatalogue(), tryThread }),
      ...createRecordHandlers({ ...tools, engine, traceUrlTemplate: config.traceUrlTemplate }),
      ...createGatewayHandlers({ ...tools, partitions, gate: createGate(ingestLimits) }),
    },
    ...surroundings,
    authenticate: (authorization) => authenticate(common, authorization),
    overloaded: () => pool.waitingCount > waitingQueriesMax,
    verifyReplies: config.verifyReplies,
    isReady: async () => {
      const answered = pool.query('select 1').then(
        () => true,
        () => false,
      )
      return Promise.race([answered, sleep(readyTimeoutMs, false, { ref: false })])
    },
    openApiFile,
    consoleFolder,
  })
}

/** @throws Error that names the port where it is in use. */
async function listen(config: Config, app: App): Promise<Server> {
  const server =
    config.tlsCert === undefined || config.tlsKey === undefined
      ? createPlainServer(serverLimits, app.express)
      : createTlsServer(
          { ...serverLimits, cert: readFileSync(config.tlsCert), key: readFileSync(config.tlsKey) },
          app.express,
        )
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
