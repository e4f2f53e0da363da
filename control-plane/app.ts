import { readFileSync } from 'node:fs'
import { publishedSchemas, schemaText } from '@signalbox/policies'
import { type OperationDefinition, apiOperations as operations, Refusal } from '@signalbox/sdk/contract'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { consoleMissingPage, isConsolePath } from './console-page.ts'
import { describeFailure } from './db/errors.ts'
import type { Handlers } from './handler.ts'
import { compileOperation } from './request-input.ts'
import { isEngineWorker, securityHeaders, workerSecurityHeaders } from './security-headers.ts'
import { type Serving, sendRefusal, serveOperation } from './serve-operation.ts'

export interface AppOptions extends Serving {
  readonly handlers: Handlers<typeof operations>
  /** Whether requests can be served; asked by `/readyz`. */
  readonly isReady: () => Promise<boolean>
  /** Generated file of the HTTP contract. */
  readonly openApiFile: string
  /** Folder of the built console; may be missing, empty where there is none. */
  readonly consoleFolder: string
}
export interface App {
  readonly express: Express
  /** `/readyz` turns 503; event streams and long polls end; all else finishes. */
  drain(): void
}

/** The HTTP side of the control plane: every operation of the contract, health, the contract itself, the console. */
export function createApp(options: AppOptions): App {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.enable('case sensitive routing')
  app.use((_request, response, next) => {
    response.set(securityHeaders)
    next()
  })
  const waiting = new Set<AbortController>()
  let draining = false
  mountHealth(app, async () => !draining && (await options.isReady()))
  mountOperations(app, options, (method) => {
    const controller = new AbortController()
    // A write in progress finishes; what reads may wait for long and is ended.
    if (method === 'GET') waiting.add(controller)
    if (draining && method === 'GET') controller.abort()
    return { controller, release: () => waiting.delete(controller) }
  })
  mountContract(app, options)
  mountSchemas(app)
  mountConsole(app, options)
  app.use((error: unknown, _request: Request, response: Response, _next: () => void) => {
    // Express itself refuses a path that is not valid percent-encoding.
    const refusal = error instanceof URIError || isBadRequest(error) ? 'invalid_request' : 'internal'
    if (refusal === 'internal') options.log.error({ err: describeFailure(error) }, 'unexpected failure')
    sendRefusal(response, new Refusal(refusal), options.newId())
  })
  return {
    express: app,
    drain() {
      draining = true
      for (const controller of waiting) controller.abort()
    },
  }
}

function isBadRequest(error: unknown): boolean {
  return error instanceof Error && 'status' in error && error.status === 400
}

function mountHealth(app: Express, isReady: () => Promise<boolean>): void {
  app.get('/healthz', (_request, response) => {
    response.set('cache-control', 'no-store').json({ status: 'ok' })
  })
  app.get('/readyz', async (_request, response) => {
    const ready = await isReady()
    response.set('cache-control', 'no-store').status(ready ? 200 : 503)
    response.json({ status: ready ? 'ready' : 'not ready' })
  })
}

type OpenSignal = (method: string) => { controller: AbortController; release: () => void }

function mountOperations(app: Express, options: AppOptions, openSignal: OpenSignal): void {
  const methodsByPath = new Map<string, string[]>()
  for (const [id, definition] of Object.entries(operations)) {
    const operation: OperationDefinition = definition
    const handle = options.handlers[id as keyof typeof operations]
    compileOperation(operation)
    methodsByPath.set(operation.path, [...(methodsByPath.get(operation.path) ?? []), operation.method])
    const method = operation.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete'
    app[method](operation.path, async (request, response) => {
      const { controller, release } = openSignal(operation.method)
      response.once('close', () => {
        release()
        // A whole reply leaves nothing to stop.
        if (!response.writableFinished) controller.abort()
      })
      const { params } = request
      await serveOperation(
        { operation, handle, request, response, params, signal: controller.signal },
        options,
      )
    })
  }
  for (const [path, methods] of methodsByPath) {
    app.all(path, (_request, response) => {
      response.set('allow', methods.join(', '))
      sendRefusal(response, new Refusal('method_not_allowed'), options.newId())
    })
  }
}

function mountContract(app: Express, options: AppOptions): void {
  const text = readIfThere(options.openApiFile)
  app.get('/openapi.json', (_request, response, next) => {
    if (text === undefined) next()
    else response.type('application/json').send(text)
  })
}

/** JSON Schemas of the files that authors write: `/schema/policy-1.json`. */
function mountSchemas(app: Express): void {
  const texts = new Map(publishedSchemas().map((each) => [each.name, schemaText(each)]))
  app.get('/schema/:name', (request, response, next) => {
    const text = texts.get(request.params.name)
    if (text === undefined) next()
    // Editors in a browser fetch them too.
    else response.set('access-control-allow-origin', '*').type('application/schema+json').send(text)
  })
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function serveFiles(folder: string): RequestHandler {
  return express.static(folder, {
    index: false,
    redirect: false,
    setHeaders(response, path) {
      // Built assets carry their digest in the name.
      const immutable = path.includes('/assets/')
      response.setHeader('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
      if (!isEngineWorker(path)) return
      for (const [name, value] of Object.entries(workerSecurityHeaders)) response.setHeader(name, value)
    },
  })
}

/** The console's files, and its page for every path that is not the API's: routes of the console are its own. */
function mountConsole(app: Express, options: AppOptions): void {
  if (options.consoleFolder !== '') app.use(serveFiles(options.consoleFolder))
  app.use((request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      sendRefusal(response, new Refusal('route_not_found'), options.newId())
    } else if (!isConsolePath(request.path)) {
      sendRefusal(response, new Refusal('route_not_found'), options.newId())
    } else {
      const page = readIfThere(`${options.consoleFolder}/index.html`)
      response.set('cache-control', 'no-cache').type('html')
      response.send(page ?? consoleMissingPage)
    }
  })
}
