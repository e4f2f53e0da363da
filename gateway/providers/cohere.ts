import type { Provider } from '../provider.ts'
import { decodeCohereReply, readCohereUsage } from '../wire/cohere-chat/decode-reply.ts'
import { CohereStreamDecoder } from '../wire/cohere-chat/decode-stream.ts'
import { encodeCohereRequest } from '../wire/cohere-chat/encode-request.ts'
import { asObject, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { NoReader } from '../wire/no-reader.ts'
import { classifyChatFailure } from '../wire/openai-chat/errors.ts'

/** Cohere, v2 chat. Source: docs.cohere.com/reference/chat. */
export const provider: Provider = {
  id: 'cohere',
  format: 'cohere-chat',
  baseUrl: 'https://api.cohere.com',
  telemetryName: 'cohere',
  vendor: 'cohere',
  encodeRequest(call, options) {
    const { body, ...losses } = encodeCohereRequest(call.payload(), call.stream, options)
    return {
      method: 'POST',
      path: '/v2/chat',
      headers: {
        'content-type': 'application/json',
        accept: call.stream ? 'text/event-stream' : 'application/json',
      },
      ...losses,
      body: withinDepth(() => Buffer.from(JSON.stringify(body))),
      addedUsage: false,
      identity: false,
    }
  },
  authenticate: (credential) => (credential === undefined ? {} : { authorization: `Bearer ${credential}` }),
  decodeReply: (json, raw) => decodeCohereReply(raw === undefined ? json : parseExactBytes(raw, json)),
  readUsage: (json) => readCohereUsage(asObject(json)?.usage),
  createDecoder: () => new CohereStreamDecoder(),
  createReader: () => new NoReader(),
  classifyFailure: classifyChatFailure,
}
