import type { ReplyBlock } from '../../call.ts'
import { sealReasoning } from '../reasoning-origin.ts'
import { inputOfCustom } from './custom-tools.ts'
import type { OfferedTool } from './offered-tools.ts'

export type OutputItem = Record<string, unknown> & { readonly id: string }
export type ItemStatus = 'in_progress' | 'completed' | 'incomplete'
type Reasoning = Omit<Extract<ReplyBlock, { type: 'reasoning' }>, 'type'>
type ToolCall = Omit<Extract<ReplyBlock, { type: 'toolCall' }>, 'type'>

/** Makes ids of items: the same for the same answer, and different in each. */
export function createItemIds(replyId: string): (prefix: string, index: number) => string {
  const core = replyId.replace(/[^\w-]/g, '').slice(-48)
  return (prefix, index) => `${prefix}_${core}_${index}`
}

/** @param annotations of a text. */
export function textPart(
  type: 'text' | 'refusal',
  text: string,
  annotations: readonly unknown[] = [],
): Record<string, unknown> {
  if (type === 'refusal') return { type: 'refusal', refusal: text }
  return { type: 'output_text', annotations, logprobs: [], text }
}

export function messageItem(id: string, content: readonly unknown[], status: ItemStatus): OutputItem {
  return { id, type: 'message', status, role: 'assistant', content }
}

/** OpenAI's own thinking keeps its id and proof; that of another provider is sealed, and opened again here. */
export function reasoningItem(id: string, block: Reasoning, status: ItemStatus): OutputItem {
  const isOwn = block.origin === 'openai-responses'
  const encrypted = isOwn ? block.encrypted : sealReasoning(block)
  return {
    id: (isOwn ? block.signature : undefined) ?? id,
    type: 'reasoning',
    ...(status !== 'completed' && { status }),
    summary: block.text === '' ? [] : [{ type: 'summary_text', text: block.text }],
    ...(encrypted !== undefined && { encrypted_content: encrypted }),
  }
}

/** A call of a function, or of the tool that it stands for. */
export function toolCallItem(
  id: string,
  call: ToolCall,
  { tool, status }: { tool: OfferedTool | undefined; status: ItemStatus },
): OutputItem {
  const { id: callId, arguments: text } = call
  const name = tool?.name ?? call.name
  const named = { call_id: callId, name, ...(tool?.namespace !== undefined && { namespace: tool.namespace }) }
  if (tool?.kind === 'toolSearch') {
    const asked = { execution: 'client', arguments: readArguments(text) }
    return { id, type: 'tool_search_call', status, call_id: callId, ...asked }
  }
  if (tool?.kind === 'custom') {
    const input = text === '' ? '' : inputOfCustom(text)
    return { id, type: 'custom_tool_call', status, ...named, input }
  }
  return { id, type: 'function_call', status, arguments: text, ...named }
}

/** Arguments of a search are an object; what is none is left for the caller to judge. */
function readArguments(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    return text
  }
}
