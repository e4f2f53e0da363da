import type { Delta, Reply } from '../call.ts'

type BlockStart = Extract<Delta, { type: 'blockStart' }>['block']
type BlockDelta = Omit<Extract<Delta, { type: 'blockDelta' }>, 'type' | 'index'>
type OpenBlock = Exclude<Reply['blocks'][number], { type: 'search' }>

function openingOf(block: OpenBlock): { start: BlockStart; delta: BlockDelta } {
  if (block.type === 'toolCall') {
    const { type, id, name } = block
    return { start: { type, id, name }, delta: { text: block.arguments } }
  }
  if (block.type !== 'reasoning') return { start: { type: block.type }, delta: { text: block.text } }
  const { type, origin, ...delta } = block
  return { start: { type, origin }, delta }
}

/** A whole answer as the events of a stream. */
export function* deltasOf(reply: Reply): Generator<Delta> {
  const { id, model, usage, finish, nativeFinish, stopSequence } = reply
  yield { type: 'start', id, model }
  let index = 0
  for (const block of reply.blocks) {
    if (block.type === 'search') {
      const { type, ...search } = block
      yield { type, search }
      continue
    }
    const { start, delta } = openingOf(block)
    yield { type: 'blockStart', index, block: start }
    yield { type: 'blockDelta', index, ...delta }
    const citations = block.type === 'text' ? (block.citations ?? []) : []
    for (const citation of citations) yield { type: 'citation', index, citation }
    yield { type: 'blockEnd', index: index++ }
  }
  yield { type: 'usage', usage }
  yield { type: 'end', finish, nativeFinish, ...(stopSequence !== undefined && { stopSequence }) }
}
