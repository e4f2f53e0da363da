import type { WireFormat } from '../call.ts'

/**
 * Marks on thinking that was translated here, so that it goes back only to where it came from: no provider
 * gets another one's thinking or signature, even when the caller's next turn is served by another one.
 */

/** Name of Anthropic's thinking in `reasoning_details[].format`, as OpenRouter writes it. */
export const anthropicReasoningFormat = 'anthropic-claude-v1'

/** Name of OpenAI's thinking there. */
export const responsesReasoningFormat = 'openai-responses-v1'

/** Name of Google's thinking there. */
export const geminiReasoningFormat = 'google-gemini-v1'

/** Start of `reasoning_details[].id` where the entry was made here from an Anthropic answer. */
export const translatedDetailId = 'signalbox-'

const chatMark = 'signalbox.'
/** Members of a chat message that hold thinking. */
export type ChatReasoningMember = 'reasoning_content' | 'reasoning'

/** What stands as the signature of thinking that came from a chat-format provider, which signs nothing. */
export function chatReasoningMark(member: ChatReasoningMember): string {
  return `${chatMark}${member}`
}
/** The member the thinking came from, or undefined where the signature is a real one. */
export function chatReasoningMember(signature: string | undefined): ChatReasoningMember | undefined {
  if (signature === chatReasoningMark('reasoning_content')) return 'reasoning_content'
  return signature === chatReasoningMark('reasoning') ? 'reasoning' : undefined
}
/** What a provider needs to take its own thinking back. */
export interface ReasoningSeal {
  readonly origin: WireFormat
  readonly signature?: string
  readonly encrypted?: string
}
/** The same, with members that may be undefined. */
type Unsealed = { readonly [K in keyof ReasoningSeal]: ReasoningSeal[K] | undefined } & {
  readonly origin: WireFormat
}
const seal = /^signalbox\.([a-z-]+):([^:]*):(.*)$/s

/**
 * Thinking's own proof as one text, to stand where another format keeps its signature: `signalbox.FORMAT:SIGNATURE:
 * ENCRYPTED`. What has neither is nothing to take back: undefined.
 */
export function sealReasoning({ origin, signature, encrypted }: Unsealed): string | undefined {
  if (chatReasoningMember(signature) !== undefined) return signature
  if (encrypted === undefined && (signature === undefined || origin === 'openai-responses')) return undefined
  return `${chatMark}${origin}:${signature ?? ''}:${encrypted ?? ''}`
}
/** What was sealed, or undefined where the text is a format's own. */
export function openReasoningSeal(text: string | undefined): ReasoningSeal | undefined {
  if (text?.startsWith(chatMark) !== true) return undefined
  if (chatReasoningMember(text) !== undefined) return { origin: 'openai-chat', signature: text }
  const [, origin, signature, encrypted] = seal.exec(text) ?? []
  if (origin !== 'openai-responses' && origin !== 'anthropic-messages' && origin !== 'gemini')
    return undefined
  return { origin, ...(signature && { signature }), ...(encrypted && { encrypted }) }
}
/** Bytes that stand in a body wherever such a mark does; to look before parsing. */
export const chatMarkBytes = Buffer.from(chatMark)
export const translatedDetailBytes = Buffer.from(`"${translatedDetailId}`)
