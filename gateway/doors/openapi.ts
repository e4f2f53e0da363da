import type { Dialect } from '../dialect.ts'

/** A door of the gateway's own. */
export interface OwnDoor {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly summary: string
  readonly needsKey: boolean
}
interface Door {
  readonly method: string
  readonly path: string
  readonly summary: string
  readonly tag: string
  readonly needsKey: boolean
}

const ownTag = 'signalbox'
/** Of the doors, not of the program: strangers are told nothing of that. */
const apiVersion = '1'
/** How vendors' clients send their key; one of them is enough. */
const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer' },
  xApiKey: { type: 'apiKey', in: 'header', name: 'x-api-key' },
  xGoogApiKey: { type: 'apiKey', in: 'header', name: 'x-goog-api-key' },
} as const
const withBody: ReadonlySet<string> = new Set(['post', 'put', 'patch'])

/** `/files/:id` and `/models/*name\:generate` as OpenAPI writes them. */
function templateOf(path: string): { readonly path: string; readonly names: readonly string[] } {
  const names: string[] = []
  const template = path.replace(/\\(.)|[:*](\w+)/g, (_match, literal?: string, name?: string) => {
    if (name === undefined) return literal ?? ''
    names.push(name)
    return `{${name}}`
  })
  return { path: template, names }
}

/** `post /v1/chat/completions` → `postV1ChatCompletions`. */
const operationId = ({ method }: Door, template: string): string =>
  method +
  template
    .split(/[^A-Za-z0-9]+/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')

function describeDoor(door: Door, template: string, names: readonly string[]): object {
  const { method, summary, tag, needsKey } = door
  const parameters = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
  return {
    operationId: operationId(door, template),
    tags: [tag],
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(needsKey ? {} : { security: [] }),
    // Bodies are the vendors' own: what is read of them, kept and dropped, stands in the manual.
    ...(tag !== ownTag && withBody.has(method) && { requestBody: { content: { 'application/json': {} } } }),
    responses: {
      200: { description: 'Done.' },
      default: { description: 'An error in the form of the dialect; its codes stand in the manual.' },
    },
  }
}

/**
 * The gateway's doors as an OpenAPI 3.1 document: methods, paths, whose dialect they speak, and how a caller logs in.
 * Source: https://spec.openapis.org/oas/v3.1.1.html.
 */
export function describeDoors(dialects: Iterable<Dialect>, own: readonly OwnDoor[]): object {
  const doors: Door[] = own.map((door) => ({ ...door, tag: ownTag }))
  for (const { id, routes } of dialects) {
    for (const { method, path, operation } of routes)
      doors.push({ method, path, summary: operation, tag: id, needsKey: true })
  }
  const paths: Record<string, Record<string, object>> = {}
  for (const door of doors) {
    const { path, names } = templateOf(door.path)
    paths[path] ??= {}
    // Where two dialects share a path, the first one is described: they differ by the client's headers.
    paths[path][door.method] ??= describeDoor(door, path, names)
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Signalbox gateway', version: apiVersion },
    tags: [...new Set(doors.map(({ tag }) => tag))].map((name) => ({ name })),
    security: Object.keys(securitySchemes).map((name) => ({ [name]: [] })),
    paths,
    components: { securitySchemes },
  }
}
