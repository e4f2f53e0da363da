import type { IncomingHttpHeaders } from 'node:http'
import { Refusal } from '@signalbox/sdk/contract'
import type { Call, ChatPayload } from '../call.ts'
import type { Dialect, DialectRoute, RequestHead } from '../dialect.ts'
import { asObject, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { encodingOwnNames, withOwnNames } from '../wire/tool-names.ts'
import { ownSearchName } from '../wire/vercel-ai/answer-parts.ts'
import { checkVercelRequest } from '../wire/vercel-ai/check-request.ts'
import { decodeVercelRequest } from '../wire/vercel-ai/decode-request.ts'
import { decodeVercelEmbeddings } from '../wire/vercel-ai/embeddings.ts'
import { encodeVercelReply } from '../wire/vercel-ai/encode-reply.ts'
import { VercelStreamEncoder } from '../wire/vercel-ai/encode-stream.ts'
import { encodeVercelError, encodeVercelStreamError } from '../wire/vercel-ai/errors.ts'
import { insertVercelMessages } from '../wire/vercel-ai/insert-messages.ts'

/** Specifications of language and embedding models whose calls are understood; the same forms under both paths. */
const versions = new Set(['3', '4'])
const routes = ['/v3/ai', '/v4/ai'].flatMap((root): DialectRoute[] => [
  { method: 'post', path: `${root}/language-model`, operation: 'chat' },
  { method: 'post', path: `${root}/embedding-model`, operation: 'embeddings' },
])

/** A header of the protocol, which says what other formats have in their body. */
function headerOf(headers: IncomingHttpHeaders | undefined, ...names: string[]): string {
  for (const name of names) {
    const value = headers?.[name]
    if (typeof value === 'string' && value !== '') return value
  }
  throw new Refusal('invalid_request', {
    message: `The header \`${names[0]}\` is missing.`,
    param: names[0] ?? '',
  })
}

function checkVersion(headers: IncomingHttpHeaders | undefined, name: string): void {
  const version = headers?.[name]
  if (version === undefined || versions.has(String(version))) return
  throw new Refusal('invalid_request', {
    message: `Version ${String(version).slice(0, 16)} of the model specification is not spoken here; 3 and 4 are.`,
    param: name,
  })
}

function decodeChat(
  raw: Buffer,
  json: Readonly<Record<string, unknown>>,
  head: RequestHead | undefined,
): Call {
  checkVersion(head?.headers, 'ai-language-model-specification-version')
  let payload: ChatPayload | undefined
  return {
    operation: 'chat',
    dialect: 'vercel-ai',
    format: 'vercel-ai',
    model: headerOf(head?.headers, 'ai-language-model-id', 'ai-model-id'),
    stream: head?.headers['ai-language-model-streaming'] === 'true',
    raw,
    json,
    summary: checkVercelRequest(json),
    ...(head !== undefined && { head }),
    payload() {
      payload ??= withinDepth(() => decodeVercelRequest(asObject(parseExactBytes(raw, json)) ?? json))
      return payload
    },
  }
}

/** The AI SDK's gateway protocol, as `@ai-sdk/gateway` speaks it. */
export const dialect: Dialect = {
  id: 'vercel-ai',
  format: 'vercel-ai',
  routes,
  decodeRequest(raw, json, operation, head) {
    if (operation !== 'embeddings') return decodeChat(raw, json, head)
    checkVersion(head?.headers, 'ai-embedding-model-specification-version')
    return decodeVercelEmbeddings(raw, json, headerOf(head?.headers, 'ai-model-id'))
  },
  insertMessages: insertVercelMessages,
  encodeReply: (reply, call, nowMs) =>
    encodeVercelReply(withOwnNames(reply, call), nowMs, ownSearchName(call.json)),
  createEncoder: (call, nowMs) =>
    encodingOwnNames(new VercelStreamEncoder(nowMs, ownSearchName(call.json)), call),
  encodeError: (refusal, recordId) => encodeVercelError(refusal, recordId),
  encodeStreamError: (refusal) => encodeVercelStreamError(refusal),
}
