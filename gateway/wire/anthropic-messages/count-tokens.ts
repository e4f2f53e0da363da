import type { Call } from '../../call.ts'
import { textOfCall } from '../../call-texts.ts'
import type { NativeOperation } from '../../native-operation.ts'
import { anthropicVersionDefault } from './provider.ts'
import { spliceMessagesRequest } from './splice-request.ts'

/** Roughly right for any text and any tokenizer; what it is used for says that it is an estimate. */
const charsPerToken = 4
/** A message's own frame, whatever the model. */
const tokensPerMessage = 4
/** An image of about a megapixel. Source: Anthropic's guide to vision. */
const tokensPerImage = 1600

/** Tokens of a call as its texts and images let expect. */
function estimateTokens(call: Call): number {
  const { messages } = call.payload()
  const images = messages.flatMap(({ blocks }) => blocks).filter(({ type }) => type === 'image').length
  const textTokens = Math.ceil(textOfCall(call).totalChars / charsPerToken)
  return textTokens + messages.length * tokensPerMessage + images * tokensPerImage
}

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
  estimate: (call) => ({ input_tokens: Math.max(1, estimateTokens(call)) }),
}
