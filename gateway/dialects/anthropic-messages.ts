import type { Call, ChatPayload } from '../call.ts'
import type { Dialect, DialectRoute } from '../dialect.ts'
import { messageBatches } from '../wire/anthropic-messages/batches.ts'
import { checkMessagesRequest } from '../wire/anthropic-messages/check-request.ts'
import { countTokens } from '../wire/anthropic-messages/count-tokens.ts'
import { decodeMessagesRequest } from '../wire/anthropic-messages/decode-request.ts'
import { encodeMessagesReply } from '../wire/anthropic-messages/encode-reply.ts'
import { MessagesStreamEncoder } from '../wire/anthropic-messages/encode-stream.ts'
import { encodeMessagesError, encodeMessagesStreamError } from '../wire/anthropic-messages/errors.ts'
import { insertMessagesTurns } from '../wire/anthropic-messages/insert-messages.ts'
import { asObject, asString, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { decodeStored, hasBody } from '../wire/stored-collection.ts'

/** Anthropic Messages, as its own clients speak it. */
export const dialect: Dialect = {
  id: 'anthropic-messages',
  format: 'anthropic-messages',
  routes: ['/v1/messages', '/anthropic/v1/messages'].flatMap((path): DialectRoute[] => [
    { method: 'post', path, operation: 'chat' },
    { method: 'post', path: `${path}/count_tokens`, operation: 'countTokens' },
    { method: 'post', path: `${path}/batches`, operation: 'batches' },
    { method: 'get', path: `${path}/batches`, operation: 'batches' },
    { method: 'get', path: `${path}/batches/:id`, operation: 'batches' },
    { method: 'delete', path: `${path}/batches/:id`, operation: 'batches' },
    { method: 'post', path: `${path}/batches/:id/cancel`, operation: 'batches' },
    { method: 'get', path: `${path}/batches/:id/results`, operation: 'batches' },
  ]),
  decodeBytes(raw, operation, head) {
    return operation !== 'batches' || hasBody(raw, head)
      ? undefined
      : decodeStored(raw, {}, head, messageBatches)
  },
  decodeRequest(raw, json, operation, head): Call {
    if (operation === 'batches' && head !== undefined) return decodeStored(raw, json, head, messageBatches)
    const counts = operation === 'countTokens'
    // What is only counted has no answer that a limit could be for.
    const summary = checkMessagesRequest(counts ? { ...json, max_tokens: 0 } : json)
    let payload: ChatPayload | undefined
    return {
      operation,
      dialect: 'anthropic-messages',
      format: 'anthropic-messages',
      model: asString(json.model) ?? '',
      stream: !counts && json.stream === true,
      raw,
      json,
      summary,
      ...(counts && { native: countTokens }),
      payload() {
        payload ??= withinDepth(() => decodeMessagesRequest(asObject(parseExactBytes(raw, json)) ?? json))
        return payload
      },
    }
  },
  insertMessages: insertMessagesTurns,
  encodeReply: (reply, call) => encodeMessagesReply(reply, call),
  createEncoder: (call) => new MessagesStreamEncoder(call),
  encodeError: (refusal, recordId) => encodeMessagesError(refusal, recordId),
  encodeStreamError: (refusal, recordId) => encodeMessagesStreamError(refusal, recordId),
}
