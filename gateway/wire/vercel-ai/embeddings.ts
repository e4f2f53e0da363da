import type { Call } from '../../call.ts'
import type { NativeOperation } from '../../native-operation.ts'
import type { EncodeOptions } from '../../provider.ts'
import { asArray, asCount, asObject, asString, isObject, type JsonObject } from '../json-value.ts'
import { readEmbeddingsUsage } from '../openai-operations/embeddings.ts'
import { nativeCall, summaryOf } from '../openai-operations/json-operation.ts'
import { Problems } from '../problems.ts'

/** Options for an upstream that has embeddings: what a caller says to OpenAI in particular goes with them. */
function bodyOf({ json }: Call, { model }: EncodeOptions): Record<string, unknown> {
  const dimensions =
    asCount(json.dimensions) ?? asCount(asObject(asObject(json.providerOptions)?.openai)?.dimensions)
  return {
    model,
    input: json.values,
    encoding_format: 'float',
    ...(dimensions !== undefined && { dimensions }),
  }
}

/** Options of vendors that are not said to the upstream. */
function droppedOf({ json }: Call): string[] {
  return Object.entries(asObject(json.providerOptions) ?? {}).flatMap(([vendor, options]) =>
    Object.keys(asObject(options) ?? {})
      .filter((name) => vendor !== 'openai' || name !== 'dimensions')
      .map((name) => `providerOptions.${vendor}.${name}`),
  )
}

/** The vectors in the order of the values; the upstream numbers them. */
function mapAnswer(json: unknown): unknown {
  const answer = asObject(json)
  const data = asArray(answer?.data).filter(isObject)
  const sorted = data.toSorted((a, b) => (asCount(a.index) ?? 0) - (asCount(b.index) ?? 0))
  const tokens = readEmbeddingsUsage(json)?.input
  const embeddings = sorted.map(({ embedding }) => embedding)
  return { embeddings, ...(tokens !== undefined && { usage: { tokens } }), warnings: [] }
}

/** Embeddings as the AI SDK asks for them, from upstreams that speak OpenAI's format. */
export const vercelEmbeddings: NativeOperation = {
  name: 'embeddings',
  format: 'openai-chat',
  billing: 'input',
  answer: 'json',
  encode: (call, options) => ({
    method: 'POST',
    path: '/embeddings',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: Buffer.from(JSON.stringify(bodyOf(call, options))),
    identity: false,
    dropped: droppedOf(call),
  }),
  readUsage: readEmbeddingsUsage,
  mapAnswer,
}

/**
 * Reads an embedding call of the AI SDK's gateway protocol.
 * @throws Refusal `invalid_request` that names all that is wrong.
 */
export function decodeVercelEmbeddings(raw: Buffer, json: JsonObject, model: string): Call {
  const problems = new Problems()
  problems.check(json, { dimensions: 'positive', providerOptions: 'object' })
  if (problems.require(json, 'values', 'array')) {
    const values = asArray(json.values)
    if (values.length === 0) problems.add('values', 'must not be empty')
    const wrong = values.findIndex((value) => typeof value !== 'string')
    if (wrong !== -1) problems.add(`values[${wrong}]`, 'must be a string')
  }
  problems.throwIfAny()
  const texts = asArray(json.values).flatMap((value) => asString(value) ?? [])
  const head = { raw, json, dialect: 'vercel-ai', format: 'vercel-ai', operation: 'embeddings' } as const
  const summary = summaryOf(texts, { maxOutputTokens: 0 })
  return nativeCall({ ...head, summary, texts, native: vercelEmbeddings, model, stream: false })
}
