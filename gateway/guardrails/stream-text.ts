import type { Delta } from '../call.ts'
import { scannedCharsMax } from './screened-body.ts'

interface BlockText {
  readonly type: Extract<Delta, { type: 'blockStart' }>['block']['type']
  readonly name: string
  text: string
}

/** The text of a stream, put together for those who look at it when it is over. */
export class StreamText {
  readonly #blocks: BlockText[] = []
  readonly #open = new Map<number, BlockText>()
  #chars = 0
  /** Something of it could not be read. */
  broken = false

  add(deltas: readonly Delta[]): void {
    for (const delta of deltas) {
      if (delta.type === 'blockStart') {
        const { block } = delta
        const text: BlockText = {
          type: block.type,
          name: block.type === 'toolCall' ? block.name : '',
          text: '',
        }
        this.#blocks.push(text)
        this.#open.set(delta.index, text)
      } else if (delta.type === 'blockDelta' && delta.text !== undefined) {
        const block = this.#open.get(delta.index)
        this.#chars += delta.text.length
        if (block === undefined || this.#chars > scannedCharsMax) this.broken = true
        else block.text += delta.text
      }
    }
  }

  /** Names of the tools that were called. */
  get tools(): readonly string[] {
    return this.#blocks.flatMap(({ type, name }) => (type === 'toolCall' ? [name] : []))
  }

  /** As a body that guards can read: an answer's blocks. Undefined where something is missing. */
  get body(): Buffer | undefined {
    if (this.broken) return undefined
    const content = this.#blocks.map(({ type, name, text }) => {
      if (type === 'toolCall') return { type: 'function_call', name, arguments: text }
      return type === 'reasoning' ? { type: 'thinking', text } : { type: 'text', text }
    })
    return Buffer.from(JSON.stringify({ content }))
  }
}
