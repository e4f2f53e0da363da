import type { Call } from '../../call.ts'
import type { RequestHead } from '../../dialect.ts'
import type { NativeOperation, NativeRequest } from '../../native-operation.ts'
import type { EncodeOptions } from '../../provider.ts'
import { spliceRequest } from '../json-splice.ts'
import { asObject, asString, type JsonObject } from '../json-value.ts'
import { nativeCall, summaryOf } from '../openai-operations/json-operation.ts'
import { storedInAnswer, storedInJson, storedInPath } from '../stored-names.ts'
import { passedRequestHeaders } from './request-headers.ts'
import { type PassthroughPath, readPassthroughPath } from './safe-path.ts'

/** Stands for the model where a request names none. */
const noModel = 'passthrough'
const modelInPath = /\/models\/([^/?:]+)/
const upstreamMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Whether a request has a body that is read here: only JSON is. */
export function isJson({ headers }: RequestHead): boolean {
  const type = headers['content-type']
  return type === undefined || /^\s*application\/(?:[\w.+-]*\+)?json\b/i.test(type)
}

function jsonOf(raw: Buffer): JsonObject | undefined {
  try {
    return asObject(JSON.parse(raw.toString('utf8')))
  } catch {
    return undefined
  }
}

interface Asked extends PassthroughPath {
  readonly json: JsonObject | undefined
  readonly head: RequestHead
}

/** The model that is asked for, in the body or in the path. */
function modelOf({ json, path }: Asked): string | undefined {
  const named = modelInPath.exec(path)?.[1]
  return asString(json?.model) ?? (named === undefined ? undefined : decodeURIComponent(named))
}

function requestOf(call: Call, { model }: EncodeOptions, asked: Asked): NativeRequest {
  const { path, search, head, json } = asked
  const own = modelOf(asked)
  const isOther = own !== undefined && model !== own
  const inBody = isOther && typeof json?.model === 'string'
  const inPath = isOther && modelInPath.test(path)
  const length = head.upload === undefined ? undefined : head.headers['content-length']
  return {
    method: upstreamMethods.find((method) => method === head.method) ?? 'POST',
    path: (inPath ? path.replace(modelInPath, () => `/models/${encodeURIComponent(model)}`) : path) + search,
    headers: {
      ...passedRequestHeaders(head.headers),
      ...(length !== undefined && { 'content-length': length }),
    },
    body: inBody ? spliceRequest(call.raw, [{ path: ['model'], value: JSON.stringify(model) }]) : call.raw,
  }
}

/**
 * Reads a request that goes to one connection as it is. Its model, where it names one, is a fact like any other; the
 * ids in it must be the caller's own.
 * @throws Refusal `invalid_request` for a path that leads elsewhere.
 */
export function decodePassthrough(raw: Buffer, head: RequestHead, dialect: string): Call {
  const place = readPassthroughPath(head.url)
  const json = raw.length > 0 && isJson(head) ? jsonOf(raw) : undefined
  const asked: Asked = { ...place, json, head }
  const isRead = head.method === 'GET' || head.method === 'HEAD'
  const [only] = storedInPath(place.path)
  const native: NativeOperation = {
    name: 'passthrough',
    format: undefined,
    billing: 'reported',
    answer: 'bytes',
    connection: place.connection,
    encode: (call, options) => requestOf(call, options, asked),
    ...(!isRead && { readStoredIds: storedInAnswer }),
    ...(isRead && { listsStored: true }),
    ...(head.upload !== undefined && { upload: head.upload }),
    ...(head.method === 'DELETE' && only !== undefined && { forgets: only.id }),
  }
  const model = `${place.connection}/${modelOf(asked) ?? noModel}`
  const call = { raw, json: json ?? {}, dialect, format: 'openai-chat', operation: 'passthrough' } as const
  const stream = json?.stream === true
  const stored = [...storedInPath(place.path), ...storedInJson(json)]
  return { ...nativeCall({ ...call, summary: summaryOf([]), native, model, stream }), stored }
}
