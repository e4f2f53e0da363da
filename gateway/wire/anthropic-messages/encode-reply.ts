import type { Call, Reply, ReplyBlock } from '../../call.ts'
import { sealReasoning } from '../reasoning-origin.ts'
import { createToolNames } from '../tool-names.ts'
import { encodeStop } from './finish.ts'
import { inputOfArguments } from './tool-arguments.ts'
import { encodeMessagesUsage } from './usage.ts'
import { citedBlocks, searchBlocks, searchId } from './web-search.ts'

/** A canonical answer as Messages. Thinking of other providers carries our mark in place of a signature. */
export function encodeMessagesReply(reply: Reply, call: Call): { body: unknown; dropped: string[] } {
  const nameOf = createToolNames(call.summary.toolNames)
  const refused = reply.blocks.some(({ type }) => type === 'refusal')
  const body = {
    id: reply.id,
    type: 'message',
    role: 'assistant',
    model: reply.model,
    content: reply.blocks.flatMap((block) =>
      encodeBlock(block, { nameOf, isCut: reply.finish === 'length' }),
    ),
    ...encodeStop({ finish: reply.finish, stopSequence: reply.stopSequence, refused }),
    usage: encodeMessagesUsage(reply.usage),
  }
  return { body, dropped: [...reply.lost] }
}

interface BlockContext {
  readonly nameOf: (name: string) => string
  readonly isCut: boolean
}

function encodeBlock(block: ReplyBlock, { nameOf, isCut }: BlockContext): unknown {
  switch (block.type) {
    case 'search':
      return searchBlocks(block, searchId(block))
    case 'text':
      return citedBlocks(block)
    case 'refusal':
      return { type: 'text', text: block.text }
    case 'toolCall': {
      const input = inputOfArguments(block.arguments, isCut)
      return { type: 'tool_use', id: block.id, name: nameOf(block.name), input }
    }
    case 'reasoning':
      if (block.origin === 'openai-responses' || block.origin === 'gemini') {
        return { type: 'thinking', thinking: block.text, signature: sealReasoning(block) ?? '' }
      }
      if (block.encrypted !== undefined) return { type: 'redacted_thinking', data: block.encrypted }
      return { type: 'thinking', thinking: block.text, signature: block.signature ?? '' }
  }
}
