import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../../call.ts'
import type { RequestHead } from '../../dialect.ts'
import type { NativeOperation } from '../../native-operation.ts'
import {
  type Embedded,
  type EmbeddingWish,
  embeddingsOnOpenAi,
  othersThan,
  readGeminiEmbeddingUsage,
} from '../embeddings.ts'
import { spliceRequest } from '../json-splice.ts'
import { asArray, asCount, asObject, asString, type JsonObject } from '../json-value.ts'
import { nativeCall, summaryOf } from '../openai-operations/json-operation.ts'
import { Problems } from '../problems.ts'
import { asList, readFields } from './read-fields.ts'
import { readRequestTarget } from './request-target.ts'

/** Texts of one request. Source: ai.google.dev/api/embeddings. */
const requestsMax = 100
const known = new Set(['model', 'content', 'outputDimensionality'])

/** The single requests of a call: of a batch each, else the body itself; and where each stands. */
function requestsOf(json: JsonObject): readonly { readonly body: JsonObject; readonly path: string }[] {
  const { requests } = readFields(json) ?? {}
  if (requests === undefined) return [{ body: readFields(json) ?? {}, path: '' }]
  return asArray(requests).map((each, index) => ({
    body: readFields(each) ?? {},
    path: `requests[${index}].`,
  }))
}

function textOf(body: JsonObject): string {
  const texts = asList(readFields(body.content)?.parts).map((part) => asString(readFields(part)?.text) ?? '')
  return texts.join('')
}

/** @throws Refusal `unsupported_feature` for what only Google embeds. */
function wishOf({ json }: Call): EmbeddingWish {
  const all = requestsOf(json)
  const sizes = new Set(all.map(({ body }) => asCount(body.outputDimensionality)))
  const [dimensions] = sizes
  const isText = all.every(({ body }) =>
    asList(readFields(body.content)?.parts).every((part) => readFields(part)?.text !== undefined),
  )
  if (!isText || sizes.size > 1) {
    throw new Refusal('unsupported_feature', {
      message: 'The chosen model embeds texts alone, and all of them in one size.',
      param: isText ? 'requests[].outputDimensionality' : 'content.parts',
    })
  }
  const dropped = new Set(all.flatMap(({ body, path }) => othersThan(known, body, path.replace(/\d+/, ''))))
  return {
    texts: all.map(({ body }) => textOf(body)),
    ...(dimensions !== undefined && { dimensions }),
    dropped: [...dropped],
  }
}

function answerOf({ vectors, inputTokens }: Embedded, { json }: Call): unknown {
  const embeddings = vectors.map((values) => ({ values }))
  const usage = inputTokens !== undefined && { usageMetadata: { promptTokenCount: inputTokens } }
  if (readFields(json)?.requests !== undefined) return { embeddings, ...usage }
  return { embedding: embeddings[0] ?? { values: [] }, ...usage }
}

/** A request may name its model again, and each of a batch has to. */
function renamed({ raw, json }: Call, model: string): Buffer {
  const name = `models/${model}`
  const isNamed = requestsOf(json).every(({ body }) => body.model === undefined || body.model === name)
  if (isNamed) return raw
  if (json.requests === undefined)
    return spliceRequest(raw, [{ path: ['model'], value: JSON.stringify(name) }])
  const requests = asArray(json.requests).map((each) => ({ ...asObject(each), model: name }))
  return spliceRequest(raw, [{ path: ['requests'], value: JSON.stringify(requests) }])
}

function operation(method: string): NativeOperation {
  return {
    name: 'embeddings',
    format: 'gemini',
    billing: 'input',
    answer: 'json',
    encode: (call, { model }, { modelPath }) => ({
      method: 'POST',
      path: `${modelPath?.(model, call) ?? `/v1beta/models/${encodeURIComponent(model)}`}:${method}`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: renamed(call, model),
    }),
    readUsage: readGeminiEmbeddingUsage,
    elsewhere: { 'openai-chat': embeddingsOnOpenAi({ wish: wishOf, answer: answerOf }) },
  }
}

function check(json: JsonObject, isBatch: boolean): void {
  const problems = new Problems()
  const body = readFields(json) ?? {}
  if (isBatch && problems.require(body, 'requests', 'array')) {
    const count = asArray(body.requests).length
    if (count === 0 || count > requestsMax) problems.add('requests', `must have 1 to ${requestsMax} entries`)
  }
  for (const { body: each, path } of isBatch && !Array.isArray(body.requests) ? [] : requestsOf(json)) {
    problems.check(each, { outputDimensionality: 'positive', taskType: 'string', title: 'string' }, path)
    if (!problems.require(each, 'content', 'object', path)) continue
    if (asList(readFields(each.content)?.parts).length === 0)
      problems.add(`${path}content.parts`, 'must not be empty')
  }
  problems.throwIfAny()
}

/**
 * Reads `embedContent` and `batchEmbedContents`.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function decodeGeminiEmbeddings(raw: Buffer, json: JsonObject, head: RequestHead | undefined): Call {
  const { model, method, version } = readRequestTarget(head?.url ?? '')
  const isBatch = method === 'batchEmbedContents'
  // A batch alone has `requests`; in a single request the member would be read as one.
  check(json, isBatch)
  const texts = requestsOf(json).map(({ body }) => textOf(body))
  const call = { raw, json, dialect: 'gemini', format: 'gemini', operation: 'embeddings' } as const
  const summary = summaryOf(texts, { maxOutputTokens: 0 })
  return {
    ...nativeCall({ ...call, summary, texts, native: operation(method), model, stream: false }),
    apiVersion: version,
  }
}
