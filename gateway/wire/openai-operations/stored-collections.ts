import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../../call.ts'
import type { RequestHead } from '../../dialect.ts'
import type { NativeOperation, NativeRequest } from '../../native-operation.ts'
import type { JsonObject } from '../json-value.ts'
import { Problems } from '../problems.ts'
import { storedInAnswer } from '../stored-names.ts'
import { nativeCall, summaryOf } from './json-operation.ts'

type Collection = 'files' | 'batches'

const shape = /^(?:\/api)?\/v1\/(?:files|batches)(?:\/([^/?#]*))?(\/[a-z]+)?(?:\?(.*))?$/s
const idPattern = /^[\w.-]{1,256}$/
const methods: Readonly<Record<string, NativeRequest['method']>> = {
  GET: 'GET',
  HEAD: 'GET',
  DELETE: 'DELETE',
}

/** The connection that a caller wants for what is kept; without it the first one of OpenAI's. */
const connectionHeader = 'x-signalbox-connection'

interface Asked {
  readonly id: string | undefined
  /** Below the base URL, with the query but for a key. */
  readonly path: string
}

function askedOf(url: string, collection: Collection): Asked {
  const [, rawId, tail = '', search = ''] = shape.exec(url) ?? []
  const query = new URLSearchParams(search)
  query.delete('key')
  const asked = query.size === 0 ? '' : `?${query}`
  if (rawId === undefined) return { id: undefined, path: `/${collection}${asked}` }
  if (!idPattern.test(rawId)) {
    throw new Refusal('not_found', { message: 'There is nothing stored under the id in `id`.', param: 'id' })
  }
  return { id: rawId, path: `/${collection}/${rawId}${tail}${asked}` }
}

function acceptOf({ headers }: RequestHead): string {
  return typeof headers.accept === 'string' ? headers.accept : '*/*'
}

function requestOf(call: Call, head: RequestHead, path: string): NativeRequest {
  const type = head.headers['content-type']
  const { upload } = head
  const length = upload === undefined ? undefined : head.headers['content-length']
  const method = methods[head.method] ?? 'POST'
  const hasBody = upload !== undefined || call.raw.length > 0
  return {
    method,
    path,
    headers: {
      accept: acceptOf(head),
      ...(method === 'POST' && hasBody && type !== undefined && { 'content-type': type }),
      ...(length !== undefined && { 'content-length': length }),
    },
    body: method === 'POST' ? call.raw : Buffer.alloc(0),
  }
}

/**
 * Reads what is asked of files or batches: they are kept by the provider, and belong to the node that made them.
 * @throws Refusal `not_found` for what is no id, `invalid_request` for a batch without its file.
 */
export function decodeCollection(
  raw: Buffer,
  json: JsonObject,
  head: RequestHead,
  { collection, dialect }: { collection: Collection; dialect: string },
): Call {
  const { id, path } = askedOf(head.url, collection)
  const problems = new Problems()
  const creates = head.method === 'POST' && id === undefined
  if (creates && collection === 'batches') problems.require(json, 'input_file_id', 'string')
  problems.throwIfAny()
  const input = creates && typeof json.input_file_id === 'string' ? json.input_file_id : undefined
  const stored = [
    ...(id === undefined ? [] : [{ path: 'id', id }]),
    ...(input === undefined ? [] : [{ path: 'input_file_id', id: input }]),
  ]
  const native: NativeOperation = {
    name: collection,
    format: 'openai-chat',
    billing: 'reported',
    answer: 'bytes',
    encode: (call) => requestOf(call, head, path),
    // A batch's own usage is that of calls made long after; it is told anew whenever somebody looks.
    readUsage: () => undefined,
    readStoredIds: storedInAnswer,
    ...(head.upload !== undefined && { upload: head.upload }),
    ...(head.method === 'GET' && id === undefined && { listsStored: true }),
    ...(head.method === 'DELETE' && id !== undefined && { forgets: id }),
  }
  const wanted = head.headers[connectionHeader]
  const model = typeof wanted === 'string' ? `${wanted}/${collection}` : collection
  const call = { raw, json, dialect, format: 'openai-chat', operation: collection } as const
  return { ...nativeCall({ ...call, summary: summaryOf([]), native, model, stream: false }), stored }
}
