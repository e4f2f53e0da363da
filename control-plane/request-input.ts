import type { IncomingMessage } from 'node:http'
import { bodyViolation, type OperationDefinition, Refusal } from '@signalbox/sdk/contract'
import { compileSchema, describeViolations, violationsOf } from '@signalbox/sdk/node'
import type { TSchema } from 'typebox'
import { locateJsonFault } from './json-position.ts'

/** Largest body of an operation that names no other limit. */
export const bodyBytesMaxDefault = 1024 * 1024

type Values = Record<string, unknown>
/** The checked parts of a request. */
export interface RequestInput {
  readonly params: Values
  readonly query: Values
  readonly body: unknown
}

/** Compiles what an operation's requests are checked against, so that no request waits for it. */
export function compileOperation(operation: OperationDefinition): void {
  for (const schema of [operation.params, operation.query, operation.body]) {
    if (schema !== undefined && schema !== 'bytes') compileSchema(schema)
  }
}

/**
 * Reads a whole body.
 * @throws Refusal `request_too_large` as soon as it is clear; the rest is left unread.
 */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const encoding = request.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') {
    throw new Refusal('invalid_request', { message: 'The body must not have a content encoding.' })
  }
  const tooLarge = () =>
    new Refusal('request_too_large', { message: `The body is larger than ${bytesMax} bytes.` })
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    // Leaving the loop must not destroy the request: the refusal goes out on the same socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > bytesMax) throw tooLarge()
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw new Refusal('client_closed', { cause: error })
  }
  return Buffer.concat(chunks, bytes)
}

/** @throws Refusal `invalid_request` with line and column. */
export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Refusal('invalid_request', { message: 'The body is not UTF-8.' })
  }
  if (text.trim() === '') throw new Refusal('invalid_request', { message: 'A JSON body is needed.' })
  try {
    return JSON.parse(text)
  } catch {
    const { line, column } = locateJsonFault(text)
    throw new Refusal('invalid_request', {
      message: `The body is not JSON: unexpected end or character at line ${line}, column ${column}.`,
    })
  }
}

/** Texts that JSON can hold but Postgres and UTF-8 cannot. Gives the path of the first, or null. */
function findUnstorableText(value: unknown, path: string): string | null {
  if (typeof value === 'string') return value.includes('\0') || !value.isWellFormed() ? path : null
  if (typeof value !== 'object' || value === null) return null
  for (const [name, member] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    const found = findUnstorableText(member, at) ?? findUnstorableText(name, at)
    if (found !== null) return found
  }
  return null
}

function memberSchema(schema: TSchema, name: string): Values | undefined {
  if (!('properties' in schema) || typeof schema.properties !== 'object') return undefined
  return (schema.properties as Record<string, Values>)[name]
}

/** Query values are texts; where the schema wants a number or a boolean and the text is one, it becomes one. */
function coerce(text: string, schema: Values | undefined): unknown {
  const type = schema?.type
  if ((type === 'integer' || type === 'number') && /^-?\d{1,16}(\.\d{1,16})?$/.test(text)) return Number(text)
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return text
}

/** @throws Refusal `invalid_request` where a member stands twice. */
function parseQuery(search: URLSearchParams, schema: TSchema | undefined): Values {
  const values: Values = {}
  for (const [name, text] of search) {
    if (Object.hasOwn(values, name)) {
      throw new Refusal('invalid_request', { message: `Query: "${name}" stands twice.`, param: name })
    }
    values[name] = coerce(text, schema === undefined ? undefined : memberSchema(schema, name))
  }
  return values
}

/** @throws Refusal `invalid_request` that lists every violation with its path. */
function validate(schema: TSchema | undefined, value: unknown, where: string): void {
  if (schema === undefined) return
  const violations = violationsOf(schema, value)
  const [first] = violations
  if (first === undefined) return
  throw new Refusal('invalid_request', {
    message: `${where}${describeViolations(violations)}`,
    ...(first.path === '' ? {} : { param: first.path }),
  })
}

const emptyObject = { type: 'object', additionalProperties: false } as const

/**
 * Checks path, query and body against the operation's schemas: unknown members are refused, every problem is named.
 * @throws Refusal `invalid_request`, `request_too_large`.
 */
export async function readInput(
  request: IncomingMessage,
  operation: OperationDefinition,
  given: { readonly params: Readonly<Record<string, unknown>>; readonly search: URLSearchParams },
): Promise<RequestInput> {
  const params = { ...given.params }
  validate(operation.params, params, 'Path: ')
  const query = parseQuery(given.search, operation.query)
  validate(operation.query ?? emptyObject, query, 'Query: ')
  const bytes = await readBody(request, operation.bodyBytesMax ?? bodyBytesMaxDefault)
  let body: unknown
  if (operation.body === 'bytes') body = bytes
  else if (operation.body !== undefined) {
    body = parseJson(bytes)
    validate(operation.body, body, bodyViolation)
  }
  const unstorable =
    findUnstorableText({ params, query }, '') ??
    (operation.body === 'bytes' ? null : findUnstorableText(body, ''))
  if (unstorable !== null) {
    throw new Refusal('invalid_request', {
      message: `${unstorable} holds a character that is no text (NUL or half of a pair).`,
      param: unstorable,
    })
  }
  return { params, query, body }
}
