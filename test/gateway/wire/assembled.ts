import type { Delta, Reply, ReplyBlock } from '../../../gateway/call.ts'
import type { StreamEncoder } from '../../../gateway/dialect.ts'
import type { StreamDecoder } from '../../../gateway/provider.ts'
import { SseSplitter, type StreamSplitter } from '../../../gateway/wire/sse.ts'

/** All canonical events of a stream, and whether it was complete. */
export function decodeStream(
  decoder: StreamDecoder,
  pieces: readonly Buffer[],
  splitter: StreamSplitter = new SseSplitter(),
): { deltas: Delta[]; complete: boolean } {
  const frames = pieces.flatMap((piece) => splitter.push(piece))
  const rest = splitter.end()
  if (rest !== undefined && !rest.partial) frames.push(rest)
  const deltas = frames.flatMap((frame) => decoder.push(frame))
  const end = decoder.finish()
  return { deltas: [...deltas, ...end.deltas], complete: end.complete }
}

export function encodeStream(encoder: StreamEncoder, deltas: readonly Delta[]): string {
  return deltas.map((delta) => encoder.push(delta)).join('') + encoder.end()
}

/** A streamed answer put together. Checks on the way that blocks open, fill and close in order. */
export function assemble(deltas: readonly Delta[]): Reply {
  const blocks: ReplyBlock[] = []
  let open: number | undefined
  let searches = 0
  let reply: Reply = { id: '', model: '', blocks, finish: 'other', nativeFinish: '', usage: {}, lost: [] }
  for (const delta of deltas) {
    if (delta.type === 'blockStart') {
      if (open !== undefined || delta.index !== blocks.length - searches)
        throw new Error(`block ${delta.index} out of order`)
      open = delta.index
      blocks.push(begin(delta.block))
    } else if (delta.type === 'blockDelta') {
      const block = blocks[blocks.length - 1]
      if (open !== delta.index || block === undefined) throw new Error(`block ${delta.index} is not open`)
      blocks[blocks.length - 1] = extend(block, delta)
    } else if (delta.type === 'citation') {
      const block = blocks[blocks.length - 1]
      if (open !== delta.index || block?.type !== 'text') throw new Error(`text ${delta.index} is not open`)
      blocks[blocks.length - 1] = { ...block, citations: [...(block.citations ?? []), delta.citation] }
    } else if (delta.type === 'search') {
      if (open !== undefined) throw new Error('a search within a block')
      searches++
      blocks.push({ type: 'search', ...delta.search })
    } else if (delta.type === 'blockEnd') {
      if (open !== delta.index) throw new Error(`block ${delta.index} is not open`)
      open = undefined
    } else if (delta.type === 'start') reply = { ...reply, id: delta.id, model: delta.model }
    else if (delta.type === 'usage') reply = { ...reply, usage: delta.usage }
    else if (delta.type === 'lost') reply = { ...reply, lost: [...reply.lost, delta.path] }
    else if (delta.type === 'end') {
      const { type: _type, ...end } = delta
      reply = { ...reply, ...end }
    }
  }
  return reply
}

function begin(block: Extract<Delta, { type: 'blockStart' }>['block']): ReplyBlock {
  if (block.type === 'toolCall') return { ...block, arguments: '' }
  if (block.type === 'reasoning') return { ...block, text: '' }
  return { type: block.type, text: '' }
}

function extend(block: ReplyBlock, delta: Extract<Delta, { type: 'blockDelta' }>): ReplyBlock {
  if (block.type === 'search') return block
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
