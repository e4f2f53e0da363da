import type { Reply, ReplyBlock } from '../../call.ts'
import { encodeFinish, encodeUsage, reasoningMetadata, searchParts, sourcePart } from './answer-parts.ts'

function encodeBlock(block: Exclude<ReplyBlock, { type: 'search' }>): unknown {
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

function encodeBlocks(blocks: readonly ReplyBlock[], searchName: string | undefined): unknown[] {
  let sources = 0
  return blocks.flatMap((block) => {
    if (block.type === 'search') return searchParts(block, searchName)
    const citations = block.type === 'text' ? (block.citations ?? []) : []
    return [encodeBlock(block), ...citations.map((citation) => sourcePart(citation, sources++))]
  })
}

/** A canonical answer as the result of `doGenerate`. */
export function encodeVercelReply(
  reply: Reply,
  nowMs: number,
  searchName?: string,
): { body: unknown; dropped: string[] } {
  const body = {
    content: encodeBlocks(reply.blocks, searchName),
    finishReason: encodeFinish(reply.finish, reply.nativeFinish),
    usage: encodeUsage(reply.usage),
    response: { id: reply.id, modelId: reply.model, timestamp: new Date(nowMs).toISOString() },
    warnings: [],
  }
  return { body, dropped: [...reply.lost] }
}
