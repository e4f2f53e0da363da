import type { Call, ChatPayload } from '../call.ts'
import type { Dialect, DialectRoute } from '../dialect.ts'
import { asObject, asString, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { checkResponsesRequest } from '../wire/openai-responses/check-request.ts'
import { decodeResponsesRequest } from '../wire/openai-responses/decode-request.ts'
import { encodeResponsesReply } from '../wire/openai-responses/encode-reply.ts'
import { ResponsesStreamEncoder } from '../wire/openai-responses/encode-stream.ts'
import { encodeResponsesError, encodeResponsesStreamError } from '../wire/openai-responses/errors.ts'
import { insertResponsesItems } from '../wire/openai-responses/insert-messages.ts'
import { operationOf } from '../wire/openai-responses/operations.ts'
import { storedReferences } from '../wire/openai-responses/stored-ids.ts'

/** OpenAI Responses, as its own clients speak it. */
export const dialect: Dialect = {
  id: 'openai-responses',
  format: 'openai-responses',
  routes: ['/v1', '/api/v1'].flatMap((root): DialectRoute[] => [
    { method: 'post', path: `${root}/responses`, operation: 'chat' },
    { method: 'post', path: `${root}/responses/input_tokens`, operation: 'countTokens' },
    { method: 'post', path: `${root}/responses/compact`, operation: 'chat' },
  ]),
  decodeRequest(raw, json, operation, head): Call {
    const native = operationOf(head?.url)
    const summary = checkResponsesRequest(json)
    let payload: ChatPayload | undefined
    const stored = storedReferences(json)
    return {
      operation,
      dialect: 'openai-responses',
      format: 'openai-responses',
      model: asString(json.model) ?? '',
      stream: native === undefined && json.stream === true,
      raw,
      json,
      summary,
      ...(stored.length > 0 && { stored }),
      ...(native !== undefined && { native }),
      payload() {
        payload ??= withinDepth(() => decodeResponsesRequest(asObject(parseExactBytes(raw, json)) ?? json))
        return payload
      },
    }
  },
  insertMessages: insertResponsesItems,
  encodeReply: (reply, call, nowMs) => encodeResponsesReply(reply, call, nowMs),
  createEncoder: (call, nowMs) => new ResponsesStreamEncoder(call, nowMs),
  encodeError: (refusal) => encodeResponsesError(refusal),
  encodeStreamError: (refusal) => encodeResponsesStreamError(refusal),
}
