import type { CallNames, StreamHold } from '@signalbox/policies'
import type { TextPart } from '@signalbox/sdk/contract'
import type { Delta } from '../call.ts'
import { heldCharsMax } from './block-window.ts'
import { isRun } from './seams.ts'
import type { StreamGuard } from './stream-guard.ts'
import { type Found, TextFindings } from './text-findings.ts'

type BlockType = Extract<Delta, { type: 'blockStart' }>['block']['type']
export const partOf: Readonly<Record<BlockType, TextPart>> = {
  text: 'assistant',
  refusal: 'assistant',
  reasoning: 'reasoning',
  toolCall: 'toolCall',
}
const separator = '\n\n'
/** Places between two blocks in the text of all of them, so that what ends one and what begins the next stay two. */
export const blockGap = separator.length

/** The end of a block. */
export interface BlockEnd {
  /** What is held of it and what explains that; the last `own` units are the block's. */
  readonly before: string
  readonly own: number
  /** Where it is in the text of all blocks. */
  readonly endAt: number
  readonly guards: readonly StreamGuard[]
  readonly names: CallNames
}

/**
 * What comes behind a block of a stream while the last of it is held: a match can begin in it and end in the next
 * block of its part, or in the one after that, as whoever reads them reads them as one text.
 */
export class BlockBorder {
  /** What goes out, or is looked at, after the block. */
  readonly later: Delta[] = []
  readonly #part: TextPart
  readonly #hold: StreamHold
  readonly #texts: string[] = []
  #chars = 0
  /** A key, a token or a URL cannot go on through all that came. */
  #hasRunEnd = false
  #wanted: number

  constructor(part: TextPart, hold: StreamHold) {
    this.#part = part
    this.#hold = hold
    this.#wanted = hold.chars
  }

  /** Takes what may belong to such a match, or lies between its blocks; false: the block has nothing behind it. */
  takes(delta: Delta): boolean {
    if (!this.#continues(delta)) return false
    this.later.push(delta)
    return true
  }

  #continues(delta: Delta): boolean {
    switch (delta.type) {
      case 'blockStart':
        if (partOf[delta.block.type] !== this.#part) return false
        this.#texts.push('')
        return true
      case 'blockDelta': {
        const { text = '' } = delta
        // Text of the block itself: it has not ended.
        if (this.#texts.length === 0) return text === ''
        this.#texts.push(`${this.#texts.pop()}${text}`)
        this.#chars += text.length
        for (let at = 0; at < text.length && !this.#hasRunEnd; at++) {
          this.#hasRunEnd = !isRun(text.charCodeAt(at))
        }
        return true
      }
      case 'blockEnd':
      case 'citation':
      case 'usage':
      case 'lost':
        return true
      default:
        return false
    }
  }

  /** Whether a block of the same part came. */
  get isCrossed(): boolean {
    return this.#chars > 0
  }

  /** Whether enough is there to see every match that begins before it. */
  get isSettled(): boolean {
    if (this.#chars < this.#wanted) return false
    return !this.#hold.run || this.#chars >= heldCharsMax || this.#hasRunEnd
  }

  /**
   * What guards find that begins in the block and ends behind it, in offsets of the text of all blocks. Undefined where
   * a match goes on to the end of what is there, and more may come that belongs to it.
   */
  search(
    end: BlockEnd,
    isLast: boolean,
  ): readonly { readonly guard: StreamGuard; readonly found: Found }[] | undefined {
    const { before, own, endAt } = end
    const after = this.#texts.join('')
    const [border, start] = [before.length, before.length + separator.length]
    // As the texts of a whole answer are joined.
    const seam = { from: 0, end: border, start, to: start + after.length }
    const findings = new TextFindings(before + separator + after, [seam], true)
    const all = end.guards.map((guard) => {
      const found = findings.of(guard.guard, end.names)
      // What begins before the block was looked for at the border before it.
      return { guard, found, across: found.findings.filter((each) => each.start >= border - own) }
    })
    if (!isLast && all.some(({ across }) => across.some((each) => each.end === seam.to))) {
      this.#wanted = this.#chars * 2
      if (this.#wanted < heldCharsMax) return undefined
    }
    return all.map(({ guard, found, across }) => {
      const placed = across.map((each) => ({
        ...each,
        start: endAt + (each.start < border ? each.start - border : this.#place(each.start - start)),
        end: endAt + this.#place(each.end - 1 - start) + 1,
      }))
      return { guard, found: { ...found, findings: placed } }
    })
  }

  /** Where a unit behind the block stands, counted from its end: with a gap before each block. */
  #place(offset: number): number {
    let at = blockGap
    let left = offset
    for (const text of this.#texts) {
      if (left < text.length) break
      left -= text.length
      at += text.length + blockGap
    }
    return at + left
  }
}
