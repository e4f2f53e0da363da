import { type BatchKind, Refusal } from '@signalbox/sdk/contract'
import type { Call, WireFormat } from '../call.ts'
import type { RequestHead } from '../dialect.ts'
import type { NativeOperation, NativeRequest } from '../native-operation.ts'
import type { JsonObject } from './json-value.ts'
import { nativeCall, summaryOf } from './openai-operations/json-operation.ts'
import { type MemberKind, Problems } from './problems.ts'
import { storedInAnswer } from './stored-names.ts'

/** A collection of things that a provider keeps, as its own API lists, reads and changes them. */
export interface StoredCollection {
  /** As callers and policies read it, and the model where a call is about none: `batches`. */
  readonly name: string
  readonly operation: 'files' | 'batches'
  readonly dialect: string
  readonly format: WireFormat
  /** The path of a call: captures what is before the collection, the id, what is behind it, and the query. */
  readonly shape: RegExp
  /** The collection below the base URL, from what stands before it in the caller's path. */
  readonly root: (before: string) => string
  /** The id as it is known elsewhere, from the one in the path. */
  readonly storedId?: (id: string) => string
  /** What a new one has to say. */
  readonly required?: Readonly<Record<string, MemberKind>>
  /** The member of a new one that names a thing which is kept. */
  readonly input?: string
  /** A new one is a job, in this manner. */
  readonly job?: BatchKind
  /** The member of a new one that names its model. */
  readonly model?: string
  /** Headers of the caller's that belong to the format. */
  readonly headers?: readonly string[]
  /** The body of a new one, where it names its model. */
  readonly encodeNew?: (call: Call, model: string) => Buffer
}

const idPattern = /^[\w.-]{1,256}$/
const methods: Readonly<Record<string, NativeRequest['method']>> = {
  GET: 'GET',
  HEAD: 'GET',
  DELETE: 'DELETE',
  PATCH: 'PATCH',
}
/** The connection that a caller wants for what is kept; without it the first one of the format. */
const connectionHeader = 'x-signalbox-connection'

interface Asked {
  readonly id: string | undefined
  /** Below the base URL, with the query but for a key. */
  readonly path: string
}

function askedOf(url: string, { shape, root }: StoredCollection): Asked {
  const [, before = '', rawId, tail = '', search = ''] = shape.exec(url) ?? []
  const query = new URLSearchParams(search)
  query.delete('key')
  const asked = query.size === 0 ? '' : `?${query}`
  if (rawId === undefined) return { id: undefined, path: `${root(before)}${asked}` }
  if (!idPattern.test(rawId)) {
    throw new Refusal('not_found', { message: 'There is nothing stored under the id in `id`.', param: 'id' })
  }
  return { id: rawId, path: `${root(before)}/${rawId}${tail}${asked}` }
}

function requestOf(call: Call, head: RequestHead, path: string, own: StoredCollection): NativeRequest {
  const { upload, headers } = head
  const method = methods[head.method] ?? 'POST'
  const sends = method === 'POST' || method === 'PATCH'
  const hasBody = sends && (upload !== undefined || call.raw.length > 0)
  const type = headers['content-type']
  const length = upload === undefined ? undefined : headers['content-length']
  const carried = (own.headers ?? []).flatMap((name) =>
    typeof headers[name] === 'string' ? [[name, headers[name]] as const] : [],
  )
  return {
    method,
    path,
    headers: {
      accept: typeof headers.accept === 'string' ? headers.accept : '*/*',
      ...(hasBody && type !== undefined && { 'content-type': type }),
      ...(length !== undefined && { 'content-length': length }),
      ...Object.fromEntries(carried),
    },
    body: sends ? call.raw : Buffer.alloc(0),
  }
}

/** Checks what a new one says. Gives the model that it names, and the thing that it is made of. */
function readNew(json: JsonObject, collection: StoredCollection): { model?: string; input?: string } {
  const problems = new Problems()
  for (const [name, kind] of Object.entries(collection.required ?? {})) problems.require(json, name, kind)
  problems.throwIfAny()
  const input = collection.input === undefined ? undefined : json[collection.input]
  const model = collection.model === undefined ? undefined : json[collection.model]
  return {
    ...(typeof input === 'string' && { input }),
    ...(typeof model === 'string' && model !== '' && { model }),
  }
}

/**
 * Reads what is asked of a collection: its things are kept by the provider, and belong to the node that made them.
 * @throws Refusal `not_found` for what is no id, `invalid_request` for a new one that lacks something.
 */
export function decodeStored(
  raw: Buffer,
  json: JsonObject,
  head: RequestHead,
  collection: StoredCollection,
): Call {
  const { name, operation, dialect, format, storedId = (each: string) => each, encodeNew } = collection
  const { id, path } = askedOf(head.url, collection)
  const creates = head.method === 'POST' && id === undefined && head.upload === undefined
  const made = creates ? readNew(json, collection) : {}
  const stored = [
    ...(id === undefined ? [] : [{ path: 'id', id: storedId(id) }]),
    ...(made.input === undefined ? [] : [{ path: collection.input ?? '', id: made.input }]),
  ]
  const native: NativeOperation = {
    name,
    format,
    billing: isFree(head, id) ? 'free' : 'reported',
    answer: 'bytes',
    encode(call, { model }) {
      const request = requestOf(call, head, path, collection)
      return made.model === undefined
        ? request
        : { ...request, body: encodeNew?.(call, model) ?? request.body }
    },
    // What a batch uses later is that of calls made long after; it is told anew whenever somebody looks.
    readUsage: () => undefined,
    readStoredIds: storedInAnswer,
    ...(head.upload !== undefined && { upload: head.upload }),
    ...(creates && collection.job !== undefined && { job: jobOf(collection.job, collection) }),
    ...(head.method === 'GET' && id === undefined && { listsStored: true }),
    ...(head.method === 'DELETE' && id !== undefined && { forgets: storedId(id) }),
  }
  const wanted = head.headers[connectionHeader]
  const model = made.model ?? (typeof wanted === 'string' ? `${wanted}/${name}` : name)
  const call = { raw, json, dialect, format, operation } as const
  return { ...nativeCall({ ...call, summary: summaryOf([]), native, model, stream: false }), stored }
}

function jobOf(kind: BatchKind, { input }: StoredCollection): NonNullable<NativeOperation['job']> {
  return { kind, ...(input !== undefined && { input }) }
}

/** No provider bills for taking a file, nor for ending what it works on. */
function isFree({ method, upload, url }: RequestHead, id: string | undefined): boolean {
  return upload !== undefined || (method === 'POST' && id !== undefined && /\/cancel(?:\?|$)/.test(url))
}

/** Whether a call of a collection has a body to read: only what makes or changes something has one. */
export function hasBody(raw: Buffer, { method }: RequestHead): boolean {
  return (method === 'POST' || method === 'PATCH') && raw.length > 0
}
