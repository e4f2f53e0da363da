import type { Reply, ReplyBlock } from '../../call.ts'
import { encodeFinish, encodeUsage, reasoningMetadata } from './answer-parts.ts'

function encodeBlock(block: ReplyBlock): unknown {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return { type: 'text', text: block.text }
    case 'reasoning': {
      const { signature, encrypted } = block
      return {
        type: 'reasoning',
        text: block.text,
        ...reasoningMetadata(block.origin, { signature, encrypted }),
      }
    }
    case 'toolCall':
      return { type: 'tool-call', toolCallId: block.id, toolName: block.name, input: block.arguments || '{}' }
  }
}

/** A canonical answer as the result of `doGenerate`. */
export function encodeVercelReply(reply: Reply, nowMs: number): { body: unknown; dropped: string[] } {
  const body = {
    content: reply.blocks.map(encodeBlock),
    finishReason: encodeFinish(reply.finish, reply.nativeFinish),
    usage: encodeUsage(reply.usage),
    response: { id: reply.id, modelId: reply.model, timestamp: new Date(nowMs).toISOString() },
    warnings: [],
  }
  return { body, dropped: [...reply.lost] }
}
