import type { Call, ChatPayload } from '../call.ts'
import type { Dialect } from '../dialect.ts'
import { asObject, asString, parseExactBytes, withinDepth } from '../wire/json-value.ts'
import { checkChatRequest } from '../wire/openai-chat/check-request.ts'
import { decodeChatRequest } from '../wire/openai-chat/decode-request.ts'
import { encodeChatReply } from '../wire/openai-chat/encode-reply.ts'
import { ChatStreamEncoder } from '../wire/openai-chat/encode-stream.ts'
import { encodeChatError, encodeChatStreamError } from '../wire/openai-chat/errors.ts'
import { chatFromResponses } from '../wire/openai-chat/from-responses.ts'
import { insertChatMessages } from '../wire/openai-chat/insert-messages.ts'
import { encodingOwnNames, withOwnNames } from '../wire/tool-names.ts'

/** OpenAI Chat Completions, as its own clients speak it. */
export const dialect: Dialect = {
  id: 'openai-chat',
  format: 'openai-chat',
  routes: [
    { method: 'post', path: '/v1/chat/completions', operation: 'chat' },
    { method: 'post', path: '/api/v1/chat/completions', operation: 'chat' },
  ],
  decodeRequest(received, body, operation): Call {
    const converted = chatFromResponses(body)
    const json = converted?.json ?? body
    const raw = converted === undefined ? received : Buffer.from(JSON.stringify(json))
    const summary = checkChatRequest(json)
    let payload: ChatPayload | undefined
    return {
      operation,
      dialect: 'openai-chat',
      format: 'openai-chat',
      model: asString(json.model) ?? '',
      stream: json.stream === true,
      raw,
      json,
      summary,
      ...(converted !== undefined && { lost: converted.dropped }),
      payload() {
        payload ??= withinDepth(() => decodeChatRequest(asObject(parseExactBytes(raw, json)) ?? json))
        return payload
      },
    }
  },
  insertMessages: insertChatMessages,
  encodeReply: (reply, call, nowMs) => encodeChatReply(withOwnNames(reply, call), nowMs),
  createEncoder: (call, nowMs) => encodingOwnNames(new ChatStreamEncoder(call, nowMs), call),
  encodeError: (refusal) => encodeChatError(refusal),
  encodeStreamError: (refusal) => encodeChatStreamError(refusal),
}
