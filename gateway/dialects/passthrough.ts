import type { Dialect, DialectRoute } from '../dialect.ts'
import { nativeOnly } from '../native-dialect.ts'
import { encodeChatError, encodeChatStreamError } from '../wire/openai-chat/errors.ts'
import { decodePassthrough, isJson } from '../wire/passthrough/decode-passthrough.ts'

const id = 'passthrough'
const methods = ['get', 'post', 'put', 'patch', 'delete'] as const
const routes = methods.map((method): DialectRoute => {
  return { method, path: '/passthrough/:connection/*path', operation: 'passthrough' }
})

/** Anything that a connection's own API has, in its own words; refusals of ours are in OpenAI's form. */
export const dialect: Dialect = {
  ...nativeOnly,
  id,
  format: 'openai-chat',
  routes,
  streamsBody: (head) => !isJson(head),
  decodeBytes: (raw, _operation, head) => decodePassthrough(raw, head, id),
  decodeRequest(raw, _json, _operation, head) {
    return decodePassthrough(raw, head ?? { method: 'POST', url: '', headers: {} }, id)
  },
  encodeError: (refusal) => encodeChatError(refusal),
  encodeStreamError: (refusal) => encodeChatStreamError(refusal),
}
