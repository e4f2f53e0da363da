import { Refusal } from '@signalbox/sdk/contract'
import type { Call } from '../../call.ts'
import type { RequestHead } from '../../dialect.ts'
import type { NativeOperation, NativeRequest } from '../../native-operation.ts'
import { asArray, asCount, asObject, asString, type JsonObject } from '../json-value.ts'
import { type FormPart, fieldOf, isMultipart, replaceField, scanForm } from '../multipart.ts'
import { Problems } from '../problems.ts'
import { readAnyUsage } from './any-usage.ts'
import { jsonRequest, nativeCall, summaryOf } from './json-operation.ts'

type MediaOperation = 'image' | 'audio' | 'rerank'

/** Models where a request names none. Source: API reference of Images. */
const imageModelDefault = 'dall-e-2'
const names: Readonly<Record<MediaOperation, string>> = {
  image: 'images',
  audio: 'audio',
  rerank: 'reranking',
}

/** The path below `/v1`, as the upstream has it too. */
function pathOf(url: string): string {
  return url.replace(/[?#].*$/s, '').replace(/^(?:\/api)?\/v1/, '')
}

function operationFor(operation: MediaOperation, encode: NativeOperation['encode']): NativeOperation {
  const billing = 'reported'
  return {
    name: names[operation],
    format: 'openai-chat',
    billing,
    answer: 'bytes',
    encode,
    readUsage: readAnyUsage,
  }
}

/** Reads a request for images, audio or reranking that is JSON. Throws a Refusal that names what is wrong. */
export function decodeMediaJson(
  raw: Buffer,
  json: JsonObject,
  { operation, dialect, url }: { operation: MediaOperation; dialect: string; url: string },
): Call {
  const problems = new Problems()
  if (operation === 'image') problems.check(json, { model: 'string' })
  else problems.require(json, 'model', 'string')
  problems.check(json, { n: 'positive', stream: 'boolean', user: 'string' })
  if (operation === 'rerank') {
    problems.require(json, 'query', 'string')
    problems.require(json, 'documents', 'array')
  }
  problems.throwIfAny()
  const path = pathOf(url)
  const asked = [json.prompt, json.input, json.instructions, json.query, ...asArray(json.documents)]
  const texts = asked.flatMap((each) => asString(each) ?? asString(asObject(each)?.text) ?? [])
  const choices = asCount(json.n)
  const userId = asString(json.user)
  const summary = summaryOf(texts, {
    ...(choices !== undefined && { choices }),
    ...(userId !== undefined && { userId }),
  })
  const native = operationFor(operation, (call, options) => jsonRequest(call, options, path))
  const head = { raw, json, dialect, format: 'openai-chat', operation } as const
  return nativeCall({ ...head, summary, texts, native, model: asString(json.model) ?? imageModelDefault })
}

function formRequest(
  call: Call,
  model: string,
  form: { parts: readonly FormPart[]; head: RequestHead },
): NativeRequest {
  const { parts, head } = form
  const isNamed = model === call.model
  return {
    method: 'POST',
    path: pathOf(head.url),
    headers: { 'content-type': head.headers['content-type'] ?? '', accept: '*/*' },
    body: isNamed ? call.raw : replaceField(call.raw, parts, 'model', model),
  }
}

/**
 * Reads a form with images or audio; undefined where the body is none. The form passes as it came, but for the name
 * of its model.
 * @throws Refusal `invalid_request` where it is broken or names no model.
 */
export function decodeMediaForm(
  raw: Buffer,
  operation: MediaOperation,
  head: RequestHead,
  dialect: string,
): Call | undefined {
  const type = head.headers['content-type']
  if (type === undefined || !isMultipart(type)) return undefined
  const parts = scanForm(raw, type)
  const model = fieldOf(raw, parts, 'model') ?? (operation === 'image' ? imageModelDefault : undefined)
  if (model === undefined) {
    throw new Refusal('invalid_request', {
      message: '`model` is missing; it must be a field.',
      param: 'model',
    })
  }
  const prompt = fieldOf(raw, parts, 'prompt')
  const texts = prompt === undefined ? [] : [prompt]
  const summary = summaryOf(texts)
  const messages = { ...summary.messages, hasImages: operation === 'image' }
  const native = operationFor(operation, (call, options) => formRequest(call, options.model, { parts, head }))
  const stream = fieldOf(raw, parts, 'stream') === 'true'
  const call = { raw, json: {}, dialect, format: 'openai-chat', operation } as const
  return nativeCall({ ...call, summary: { ...summary, messages }, texts, native, model, stream })
}
