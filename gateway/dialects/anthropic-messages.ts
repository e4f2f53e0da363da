import type { Call, ChatPayload } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { checkMessagesRequest } from '../wire/anthropic-messages/check-request.ts'
import { countTokens } from '../wire/anthropic-messages/count-tokens.ts'
import { decodeMessagesRequest } from '../wire/anthropic-messages/decode-request.ts'
import { encodeMessagesReply } from '../wire/anthropic-messages/encode-reply.ts'
import { MessagesStreamEncoder } from '../wire/anthropic-messages/encode-stream.ts'
import { encodeMessagesError, encodeMessagesStreamError } from '../wire/anthropic-messages/errors.ts'
import { insertMessagesTurns } from '../wire/anthropic-messages/insert-messages.ts'
import { asObject, asString, parseExact, withinDepth } from '../wire/json-value.ts'

/** Anthropic Messages, as its own clients speak it. */
export const dialect: Dialect = {
  id: 'anthropic-messages',
  format: 'anthropic-messages',
  routes: [
    { method: 'post', path: '/v1/messages', operation: 'chat' },
    { method: 'post', path: '/anthropic/v1/messages', operation: 'chat' },
    { method: 'post', path: '/v1/messages/count_tokens', operation: 'countTokens' },
    { method: 'post', path: '/anthropic/v1/messages/count_tokens', operation: 'countTokens' },
  ],
  decodeRequest(raw, json, operation): Call {
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
        payload ??= withinDepth(() =>
          decodeMessagesRequest(asObject(parseExact(raw.toString('utf8'), json)) ?? json),
        )
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
