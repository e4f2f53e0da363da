import type { Call, ChatPayload } from '../call.ts'
import type { Dialect, DialectRoute } from '../dialect.ts'
import { checkGeminiRequest } from '../wire/gemini/check-request.ts'
import { decodeGeminiRequest } from '../wire/gemini/decode-request.ts'
import { decodeGeminiEmbeddings } from '../wire/gemini/embeddings.ts'
import { encodeGeminiReply } from '../wire/gemini/encode-reply.ts'
import { GeminiStreamEncoder } from '../wire/gemini/encode-stream.ts'
import { encodeGeminiError, encodeGeminiStreamError } from '../wire/gemini/errors.ts'
import { decodeGeminiStored, isGeminiUpload } from '../wire/gemini/files.ts'
import { insertContents } from '../wire/gemini/insert-messages.ts'
import { apiVersions, countedRequest, readRequestTarget } from '../wire/gemini/request-target.ts'
import { storedReferences } from '../wire/gemini/stored-references.ts'
import { asObject, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { hasBody } from '../wire/stored-collection.ts'

const methods = [
  ['generateContent', 'chat'],
  ['streamGenerateContent', 'chat'],
  ['countTokens', 'chat'],
  ['embedContent', 'embeddings'],
  ['batchEmbedContents', 'embeddings'],
] as const
const roots = ['', '/gemini']
const mounts = roots.flatMap((root) => apiVersions.map((version) => `${root}/${version}`))

function routesBelow(mount: string): DialectRoute[] {
  return [
    ...methods.map(([method, operation]): DialectRoute => {
      return { method: 'post', path: `${mount}/models/*model\\:${method}`, operation }
    }),
    ...(['get', 'post'] as const).map((method): DialectRoute => {
      return { method, path: `${mount}/cachedContents`, operation: 'files' }
    }),
    ...(['get', 'patch', 'delete'] as const).map((method): DialectRoute => {
      return { method, path: `${mount}/cachedContents/:id`, operation: 'files' }
    }),
    ...googleFiles(mount),
  ]
}

/** OpenAI's files are at the same place below /v1; whose client it is decides. */
function googleFiles(mount: string): DialectRoute[] {
  return [
    { method: 'get', path: `${mount}/files`, operation: 'files' },
    { method: 'get', path: `${mount}/files/:id`, operation: 'files' },
    { method: 'delete', path: `${mount}/files/:id`, operation: 'files' },
  ]
}

function uploadsBelow(root: string): DialectRoute[] {
  return apiVersions.map((version) => {
    return { method: 'post', path: `${root}/upload/${version}/files`, operation: 'files' }
  })
}

/** Gemini, as its own clients speak it. The model and whether to stream stand in the path. */
export const dialect: Dialect = {
  id: 'gemini',
  format: 'gemini',
  routes: [...mounts.flatMap(routesBelow), ...roots.flatMap(uploadsBelow)],
  streamsBody: isGeminiUpload,
  decodeBytes(raw, operation, head) {
    return operation !== 'files' || hasBody(raw, head) ? undefined : decodeGeminiStored(raw, {}, head)
  },
  decodeRequest(raw, json, operation, head): Call {
    if (operation === 'files' && head !== undefined) return decodeGeminiStored(raw, json, head)
    if (operation === 'embeddings') return decodeGeminiEmbeddings(raw, json, head)
    const { model, version, method, asEvents } = readRequestTarget(head?.url ?? '')
    const counts = method === 'countTokens'
    const summary = checkGeminiRequest(counts ? countedRequest(json) : json)
    const stream = method === 'streamGenerateContent'
    const stored = storedReferences(json)
    let payload: ChatPayload | undefined
    return {
      operation,
      dialect: 'gemini',
      format: 'gemini',
      model,
      stream,
      ...(stream && !asEvents && { asArray: true }),
      ...(counts && { counts }),
      apiVersion: version,
      raw,
      json,
      summary,
      ...(stored.length > 0 && { stored }),
      // What its path says has to be known when it is read again, with a prompt.
      ...(head !== undefined && { head }),
      payload() {
        payload ??= withinDepth(() => decodeGeminiRequest(asObject(parseExactBytes(raw, json)) ?? json))
        return payload
      },
    }
  },
  insertMessages: insertContents,
  encodeReply: (reply, call) => encodeGeminiReply(reply, call),
  createEncoder: (call) => new GeminiStreamEncoder(call),
  encodeError: (refusal) => encodeGeminiError(refusal),
  encodeStreamError: (refusal) => encodeGeminiStreamError(refusal),
}
