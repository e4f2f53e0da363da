import { Refusal } from '@signalbox/sdk/contract'
import type { Delta, Reply, ReplyBlock } from '../../call.ts'
import { GeminiStreamDecoder } from './decode-stream.ts'
import { readFields } from './read-fields.ts'

/**
 * A whole Gemini answer in canonical form: a stream of one event. Throws a Refusal `upstream_invalid` where it neither
 * has candidates nor says why.
 */
export function decodeGeminiReply(json: unknown): Reply {
  const answer = readFields(json)
  if (!Array.isArray(answer?.candidates) && readFields(answer?.promptFeedback) === undefined) {
    throw new Refusal('upstream_invalid', { detail: 'the answer has no candidates' })
  }
  const decoder = new GeminiStreamDecoder()
  return gather([...decoder.chunk(answer ?? {}), ...decoder.finish().deltas])
}

function gather(deltas: readonly Delta[]): Reply {
  const blocks: ReplyBlock[] = []
  const lost: string[] = []
  let reply: Omit<Reply, 'blocks' | 'lost'> = {
    id: '',
    model: '',
    finish: 'other',
    nativeFinish: '',
    usage: {},
  }
  for (const delta of deltas) {
    switch (delta.type) {
      case 'start':
        reply = { ...reply, id: delta.id, model: delta.model }
        break
      case 'usage':
        reply = { ...reply, usage: delta.usage }
        break
      case 'end':
        reply = { ...reply, finish: delta.finish, nativeFinish: delta.nativeFinish }
        break
      case 'lost':
        lost.push(delta.path)
        break
      case 'search':
        blocks.push({ type: 'search', ...delta.search })
        break
      case 'citation':
      case 'blockDelta': {
        const at = blocks.length - 1
        const block = blocks[at]
        if (block !== undefined) blocks[at] = extend(block, delta)
        break
      }
      case 'blockStart':
        blocks.push(
          delta.block.type === 'toolCall' ? { ...delta.block, arguments: '' } : { ...delta.block, text: '' },
        )
        break
    }
  }
  return { ...reply, blocks, lost }
}

function extend(block: ReplyBlock, delta: Extract<Delta, { type: 'blockDelta' | 'citation' }>): ReplyBlock {
  if (block.type === 'search') return block
  if (delta.type === 'citation') {
    if (block.type !== 'text') return block
    return { ...block, citations: [...(block.citations ?? []), delta.citation] }
  }
  const text = delta.text ?? ''
  if (block.type === 'toolCall') return { ...block, arguments: block.arguments + text }
  if (block.type !== 'reasoning') return { ...block, text: block.text + text }
  return {
    ...block,
    text: block.text + text,
    ...(delta.signature !== undefined && { signature: delta.signature }),
    ...(delta.encrypted !== undefined && { encrypted: delta.encrypted }),
  }
}
