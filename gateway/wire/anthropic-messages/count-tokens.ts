import type { NativeOperation } from '../../native-operation.ts'
import { estimateTokens } from '../estimate-tokens.ts'
import { anthropicVersionDefault } from './provider.ts'
import { spliceMessagesRequest } from './splice-request.ts'

/**
 * Counts the tokens of a Messages request. Anthropic counts itself and asks nothing for it; for models of others the
 * count is an estimate that is made here, and says so.
 */
export const countTokens: NativeOperation = {
  name: 'token counting',
  format: 'anthropic-messages',
  billing: 'free',
  answer: 'json',
  encode(call, options) {
    const { model, headers, fidelity } = options
    const carried = { model, headers, caps: {}, ...(fidelity !== undefined && { fidelity }) }
    const { 'anthropic-version': version, 'anthropic-beta': beta } = headers
    return {
      method: 'POST',
      path: '/v1/messages/count_tokens',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        'anthropic-version': version ?? anthropicVersionDefault,
        ...(beta !== undefined && { 'anthropic-beta': beta }),
      },
      ...spliceMessagesRequest(call, carried),
    }
  },
  readUsage: () => undefined,
  estimate: (call) => ({ input_tokens: estimateTokens(call) }),
}
