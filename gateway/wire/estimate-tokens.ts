import type { Call } from '../call.ts'
import { textOfCall } from '../call-texts.ts'

/** Roughly right for any text and any tokenizer; what it is used for says that it is an estimate. */
const charsPerToken = 4
/** A message's own frame, whatever the model. */
const tokensPerMessage = 4
/** An image of about a megapixel. Source: Anthropic's guide to vision. */
const tokensPerImage = 1600

/** Tokens of a call as its texts and images let expect; at least one. */
export function estimateTokens(call: Call): number {
  const { messages } = call.payload()
  const images = messages.flatMap(({ blocks }) => blocks).filter(({ type }) => type === 'image').length
  const textTokens = Math.ceil(textOfCall(call).totalChars / charsPerToken)
  return Math.max(1, textTokens + messages.length * tokensPerMessage + images * tokensPerImage)
}
