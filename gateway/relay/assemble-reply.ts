import type { Delta, Reply, ReplyBlock } from '../call.ts'
import type { Citation } from '../web-search.ts'

type BlockStart = Extract<Delta, { type: 'blockStart' }>['block']
type BlockDelta = Extract<Delta, { type: 'blockDelta' }>

function begin(block: BlockStart): ReplyBlock {
  if (block.type === 'toolCall') return { ...block, arguments: '' }
  if (block.type === 'reasoning') return { ...block, text: '' }
  return { type: block.type, text: '' }
}

function withCitation(block: ReplyBlock, citation: Citation): ReplyBlock {
  return block.type === 'text' ? { ...block, citations: [...(block.citations ?? []), citation] } : block
}

/** Puts a streamed answer together as a plain one. Tool calls that never came to their end are left out. */
export class ReplyAssembly {
  readonly #blocks: { block: ReplyBlock; text: string[]; isWhole: boolean }[] = []
  #head: Pick<Reply, 'id' | 'model'> = { id: '', model: '' }
  #end: Pick<Reply, 'finish' | 'nativeFinish' | 'stopSequence'> = { finish: 'other', nativeFinish: '' }
  #usage: Reply['usage'] = {}
  readonly #lost: string[] = []

  push(delta: Delta): void {
    if (delta.type === 'start') this.#head = { id: delta.id, model: delta.model }
    else if (delta.type === 'blockStart')
      this.#blocks.push({ block: begin(delta.block), text: [], isWhole: false })
    else if (delta.type === 'blockDelta') this.#extend(delta)
    else if (delta.type === 'citation') {
      const last = this.#blocks.at(-1)
      if (last !== undefined) last.block = withCitation(last.block, delta.citation)
    } else if (delta.type === 'search') {
      this.#blocks.push({ block: { type: 'search', ...delta.search }, text: [], isWhole: true })
    } else if (delta.type === 'blockEnd') {
      const last = this.#blocks.at(-1)
      if (last !== undefined) last.isWhole = true
    } else if (delta.type === 'usage') this.#usage = delta.usage
    else if (delta.type === 'lost') this.#lost.push(delta.path)
    else if (delta.type === 'end') {
      const { type: _type, ...end } = delta
      this.#end = end
    }
  }

  #extend({ text, signature, encrypted }: BlockDelta): void {
    const last = this.#blocks.at(-1)
    if (last === undefined) return
    if (text !== undefined) last.text.push(text)
    if (last.block.type !== 'reasoning') return
    last.block = {
      ...last.block,
      ...(signature !== undefined && { signature }),
      ...(encrypted !== undefined && { encrypted }),
    }
  }

  /** The answer so far; `isCut` where it ends here because nobody pays for more. */
  reply(isCut: boolean): Reply {
    const blocks = this.#blocks.flatMap(({ block, text, isWhole }): ReplyBlock[] => {
      if (block.type === 'search') return [block]
      const joined = text.join('')
      if (block.type !== 'toolCall') return [{ ...block, text: joined }]
      return isWhole ? [{ ...block, arguments: joined }] : []
    })
    const end = isCut ? ({ finish: 'length', nativeFinish: 'length' } as const) : this.#end
    return { ...this.#head, blocks, ...end, usage: this.#usage, lost: this.#lost }
  }
}
