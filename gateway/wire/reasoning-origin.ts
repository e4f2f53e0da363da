/**
 * Marks on thinking that was translated here, so that it goes back only to where it came from: no provider
 * gets another one's thinking or signature, even when the caller's next turn is served by another one.
 */

/** Name of Anthropic's thinking in `reasoning_details[].format`, as OpenRouter writes it. */
export const anthropicReasoningFormat = 'anthropic-claude-v1'

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
/** Bytes that stand in a body wherever such a mark does; to look before parsing. */
export const chatMarkBytes = Buffer.from(chatMark)
export const translatedDetailBytes = Buffer.from(`"${translatedDetailId}`)
