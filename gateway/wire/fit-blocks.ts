import type { Block, ChatPayload } from '../call.ts'

/**
 * The conversation with each block as a provider takes it, those inside results of tools too; what `fit` gives nothing
 * for is left out, and it is for `fit` to name it.
 */
export function fitBlocks(payload: ChatPayload, fit: (block: Block) => Block | undefined): ChatPayload {
  const all = (blocks: readonly Block[]): Block[] =>
    blocks.flatMap((block) => {
      const own = block.type === 'toolResult' ? { ...block, blocks: all(block.blocks) } : block
      return fit(own) ?? []
    })
  const messages = payload.messages.map((message) => ({ ...message, blocks: all(message.blocks) }))
  return { ...payload, messages }
}
