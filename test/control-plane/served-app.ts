import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { apiOperations as operations, Refusal } from '@signalbox/sdk/contract'
import { createLogger } from '@signalbox/sdk/node'
import { v7 as newId } from 'uuid'
import { afterAll } from 'vitest'
import { type App, type AppOptions, createApp } from '../../control-plane/app.ts'
import type { Permit } from '../../control-plane/authorize.ts'
import type { Handlers } from '../../control-plane/handler.ts'

type AllHandlers = Handlers<typeof operations>
export interface ServedApp {
  readonly app: App
  readonly server: Server
  readonly url: string
  /** With a token of role owner. */
  request(path: string, init?: RequestInit): Promise<Response>
}

/** Of somebody who may do everything; there is no tree to look into. */
const everything: Permit = {
  reach: [''],
  node: undefined,
  resolve: () => Promise.reject(new Refusal('not_found')),
  require: () => undefined,
}
const served: ServedApp[] = []
afterAll(async () => {
  for (const { app, server } of served.splice(0)) {
    app.drain()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** The HTTP side alone, with the handlers of a test; all others say `not_found`. Its caller is an owner. */
export async function serveApp(
  handlers: Partial<AllHandlers>,
  options: Partial<AppOptions> = {},
): Promise<ServedApp> {
  const absent = () => {
    throw new Refusal('not_found')
  }
  const all = Object.fromEntries(Object.keys(operations).map((id) => [id, absent]))
  const app = createApp({
    // Filled from the list of operations, which the type cannot see.
    handlers: { ...all, ...handlers } as AllHandlers,
    authenticate: async () => ({
      organisationId: 'org',
      caller: {
        kind: 'token',
        id: 'id',
        name: 'tester',
        grants: [{ role: 'owner', nodeId: 'root', path: '' }],
      },
      actor: 'tester',
    }),
    authorize: async () => everything,
    auditRead: async () => undefined,
    addressOf: () => '127.0.0.1',
    overloaded: () => false,
    verifyReplies: true,
    nowMs: Date.now,
    newId,
    log: createLogger('test', 'silent'),
    isReady: async () => true,
    openApiFile: '',
    consoleFolder: '',
    ...options,
  })
  const server = createServer(app.express)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const result: ServedApp = {
    app,
    server,
    url,
    request: (path, init = {}) =>
      fetch(`${url}${path}`, { ...init, headers: { authorization: 'Bearer sbt_x', ...init.headers } }),
  }
  served.push(result)
  return result
}

/** What an error reply says. */
export async function errorOf(response: Response): Promise<{
  status: number
  code: string
  message: string
  param?: string
  problems?: unknown[]
  requestId: string
}> {
  const { error } = (await response.json()) as { error: { code: string; message: string; requestId: string } }
  return { status: response.status, ...error }
}
