import { once } from 'node:events'
import { createServer as createPlainServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { followTls, type Logger, loadTls } from '@signalbox/sdk/node'
import type { App } from './app.ts'
import type { Config } from './config.ts'

const serverLimits = { headersTimeout: 10_000, requestTimeout: 60_000, keepAliveTimeout: 65_000 } as const
const connectionsMax = 4096

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

/** Serves on the configured port. @throws Error that names the port where it is in use. */
export async function listen(config: Config, listening: Listening): Promise<Server> {
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
export async function drain(server: Server, app: App, timeoutMs: number): Promise<void> {
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
