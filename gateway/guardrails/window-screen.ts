import type { RedactedSpan, StreamHold } from '@signalbox/policies'
import { longerHold } from '@signalbox/policies'
import type { Delta } from '../call.ts'
import type { Screen } from '../screen.ts'
import { BlockBorder, blockGap, partOf } from './block-border.ts'
import { BlockWindow, type Settled } from './block-window.ts'
import type { Guard } from './guard.ts'
import { searchOf, sourcesOf } from './held-sources.ts'
import type { Outcome, Surroundings } from './judge-text.ts'
import type { OpenBlock } from './open-block.ts'
import type { Placeholders } from './placeholders.ts'
import { StreamGuard } from './stream-guard.ts'
import type { TextFindings } from './text-findings.ts'
import { type Stop, stopOf } from './verdict-log.ts'

const noHold: StreamHold = { chars: 0, run: false }
/** Characters of blocks before that explain a match, as far as they are one text with what follows. */
const beforeCharsMax = 512

export interface WindowScreenInput {
  readonly guards: readonly Guard[]
  readonly around: Surroundings
  readonly placeholders: Placeholders
  readonly hasTools: boolean
}

/** Looks at a stream while it goes out, and holds back what is not yet known to be without a match. */
export class WindowScreen implements Screen {
  readonly active = true
  readonly guards: readonly StreamGuard[]
  stop: Stop | undefined
  /** A stop was said in the dialect's own words: nothing but the ending is missing. */
  ended = false
  readonly #input: WindowScreenInput
  readonly #hold: StreamHold
  #block: OpenBlock | undefined
  /** The block that is open has ended, but for what of it is held. */
  #border: BlockBorder | undefined
  /** The end of the blocks before it, where they are one text with it. */
  #before = ''
  #offset = 0
  #begun = false
  #lastIndex = -1

  constructor(input: WindowScreenInput) {
    this.#input = input
    this.guards = input.guards.map((guard) => new StreamGuard(guard))
    this.#hold = input.guards.reduce((hold, guard) => longerHold(hold, guard.hold), noHold)
  }

  deltas(deltas: readonly Delta[]): readonly Delta[] {
    const out: Delta[] = []
    if (!this.#begun) {
      this.#begun = true
      for (const guard of this.guards) this.#judge(guard, [])
    }
    for (const delta of deltas) this.#next(delta, out)
    if (this.stop !== undefined) this.#close(out)
    return out
  }

  #next(delta: Delta, out: Delta[]): void {
    if (this.stop === undefined) this.#take(delta, out)
    // What is paid for is known to its end.
    else if (delta.type === 'usage') out.push(delta)
  }

  /** Nothing more comes: what is held is looked at, and goes out or does not. */
  flush(): readonly Delta[] {
    const out: Delta[] = []
    while (this.#border !== undefined && this.stop === undefined) this.#pass(this.#border, out, true)
    if (this.stop === undefined) this.#endText(out)
    if (this.stop !== undefined) this.#close(out)
    return out
  }

  #take(delta: Delta, out: Delta[]): void {
    const border = this.#border
    if (border !== undefined) {
      const isTaken = border.takes(delta)
      if (!isTaken || border.isSettled) this.#pass(border, out, !isTaken)
      if (!isTaken) this.#next(delta, out)
      return
    }
    switch (delta.type) {
      case 'blockStart':
        this.#open(delta, out)
        break
      case 'blockDelta':
        this.#piece(delta, out)
        break
      case 'citation':
        if (this.#block === undefined) out.push(delta)
        else this.#block.citations.push(delta)
        break
      case 'blockEnd':
        if (this.#holdsEnd(delta)) return
        this.#endText(out)
        if (this.stop !== undefined) return
        this.#cite(out)
        if (this.#block !== undefined) this.#before = ''
        this.#forget()
        out.push(delta)
        break
      case 'search':
        out.push(...(this.guards.length > 0 ? searchOf(delta) : [delta]))
        break
      default:
        out.push(delta)
    }
  }

  #open(delta: Extract<Delta, { type: 'blockStart' }>, out: Delta[]): void {
    const { index, block } = delta
    const part = partOf[block.type]
    const names = {
      models: this.#input.around.names.models,
      tools: block.type === 'toolCall' ? [block.name] : [],
    }
    const guards = this.guards.filter((guard) => guard.looksAt(part))
    const window = new BlockWindow(guards.length === 0 ? noHold : this.#hold, block.type === 'toolCall')
    const about = { index, type: block.type, window, guards, offset: this.#offset, names }
    this.#block = { ...about, tail: '', citations: [] }
    this.#lastIndex = Math.max(this.#lastIndex, index)
    // The name of a tool is known before its arguments.
    if (block.type === 'toolCall') this.#judgeNames(this.#block)
    if (this.stop === undefined) out.push(delta)
    else this.#block = undefined
  }

  #judgeNames({ guards, names, offset }: OpenBlock): void {
    for (const guard of guards) if (guard.takeNames(names, offset)) this.#judge(guard, [])
  }

  #piece(delta: Extract<Delta, { type: 'blockDelta' }>, out: Delta[]): void {
    const block = this.#block
    const { index, text, ...proof } = delta
    if (block === undefined) return void out.push(delta)
    if (text !== undefined) this.#emit(block, block.window.push(text, this.#look, this.#unsettled), out)
    if (this.stop !== undefined || (proof.signature === undefined && proof.encrypted === undefined)) return
    if (this.#holdsEnd({ ...proof, index })) return
    this.#endText(out)
    this.#prove({ ...proof, index }, block, out)
  }

  /** Whether the end of the block that is open is held for what comes after it. */
  #holdsEnd(delta: Delta): boolean {
    const block = this.#block
    if (block === undefined || block.type === 'toolCall' || block.guards.length === 0) return false
    if ((this.#hold.chars === 0 && !this.#hold.run) || block.window.latest.text === '') return false
    this.#border = new BlockBorder(partOf[block.type], this.#hold)
    return this.#border.takes(delta)
  }

  /** Lets out what is held of a block, once it is known whether a match goes on behind it; then all that came since. */
  #pass(border: BlockBorder, out: Delta[], isLast: boolean): void {
    const block = this.#block
    if (border.isCrossed && block !== undefined && !this.#judgeAcross(block, border, isLast)) return
    this.#border = undefined
    const before = this.#before + (block?.window.latest.text ?? '')
    if (this.stop === undefined) this.#endText(out)
    const hasEnded = border.later.some(({ type }) => type === 'blockEnd')
    if (hasEnded && this.stop === undefined) {
      this.#cite(out)
      this.#forget()
      this.#before = border.isCrossed ? before.slice(-beforeCharsMax) : ''
    }
    for (const delta of border.later) {
      if (delta.type !== 'blockDelta' || delta.index !== block?.index) this.#next(delta, out)
      else this.#prove(delta, block, out)
    }
  }

  /** Of a text that was changed it would prove something else. */
  #prove(proof: Delta, { window }: OpenBlock, out: Delta[]): void {
    if (window.changed) out.push({ type: 'lost', path: 'response.reasoning.signature' })
    else if (this.stop === undefined) out.push(proof)
  }

  /** Looks for matches that begin in a block and end behind it; false where more has to come to see one whole. */
  #judgeAcross(block: OpenBlock, border: BlockBorder, isLast: boolean): boolean {
    const { guards, names, offset } = block
    const { text, base } = block.window.latest
    const before = base === 0 ? this.#before + text : text
    const endAt = offset + base + text.length
    const found = border.search({ before, own: text.length, endAt, guards, names }, isLast)
    for (const each of found ?? []) {
      const news = each.guard.takeAcross(each.found)
      if (news === undefined) continue
      each.guard.across = this.#judge(each.guard, news.errors).spans.filter(({ end }) => end > offset)
    }
    return found !== undefined
  }

  #endText(out: Delta[]): void {
    const block = this.#block
    if (block === undefined) return
    this.#emit(block, block.window.end(this.#look, this.#unsettled), out)
    if (this.stop !== undefined || block.tail === '') return
    out.push({ type: 'blockDelta', index: block.index, text: this.#restored(block, block.tail) })
    block.tail = ''
  }

  #cite(out: Delta[]): void {
    const { citations = [], guards = [], window } = this.#block ?? {}
    out.push(...sourcesOf(citations, { changed: window?.changed === true, seen: guards.length > 0 }))
  }

  #restored({ type }: OpenBlock, text: string): string {
    return this.#input.placeholders.restore(text, type === 'toolCall')
  }

  #emit(block: OpenBlock, text: string, out: Delta[]): void {
    const all = block.tail + text
    const end = this.#input.placeholders.openEnd(all)
    block.tail = all.slice(end)
    if (end > 0) {
      out.push({ type: 'blockDelta', index: block.index, text: this.#restored(block, all.slice(0, end)) })
    }
  }

  #forget(): void {
    const block = this.#block
    if (block === undefined) return
    this.#offset += block.window.scannedChars + blockGap
    for (const guard of block.guards) {
      guard.scannedChars += block.window.scannedChars
      guard.deliveredChars += block.window.deliveredChars
    }
    this.#block = undefined
  }

  #judge(guard: StreamGuard, errors: readonly string[]): Outcome {
    const outcome = guard.judge(this.#input.around, errors)
    this.stop ??= stopOf(guard.guard, outcome, this.#input.hasTools)
    return outcome
  }

  readonly #look = (settled: Settled): readonly RedactedSpan[] | undefined => {
    const block = this.#block
    if (block === undefined) return []
    const spans: RedactedSpan[] = []
    for (const guard of block.guards) {
      const news = guard.take(settled, block.offset, block.names)
      const outcome = news && this.#judge(guard, news.errors)
      if (this.stop !== undefined) return undefined
      for (const span of outcome?.spans.concat(guard.across) ?? guard.across) {
        const [start, end] = [span.start - block.offset, span.end - block.offset]
        // What began in a block before this one has its replacement there.
        const own = { ...span, start, end, replacement: start < 0 ? '' : span.replacement }
        if (end > settled.start && start < settled.end) spans.push(own)
      }
    }
    return spans.sort((a, b) => a.start - b.start || b.end - a.end)
  }

  readonly #unsettled = (findings: TextFindings, cut: number): number => {
    const block = this.#block
    let least = cut
    for (const { guard } of block?.guards ?? []) {
      const all = findings.of(guard, block?.names ?? { models: [], tools: [] }).findings
      for (let index = all.length - 1; index >= 0; index--) {
        const { start = 0, end = 0 } = all[index] ?? {}
        if (start < least && end > least) least = start
      }
    }
    return least
  }

  /** Ends the answer as one that was declined, where the guardrail says so and the dialect can. */
  #close(out: Delta[]): void {
    const { decline } = this.stop ?? {}
    const block = this.#block
    if (this.ended) return
    if (block !== undefined) this.#forget()
    if (decline === undefined || block?.type === 'toolCall') return
    if (block !== undefined) out.push({ type: 'blockEnd', index: block.index })
    const index = this.#lastIndex + 1
    const isText = decline.as === 'text'
    out.push(
      { type: 'blockStart', index, block: { type: isText ? 'text' : 'refusal' } },
      { type: 'blockDelta', index, text: decline.message },
      { type: 'blockEnd', index },
      { type: 'end', finish: isText ? 'stop' : 'contentFilter', nativeFinish: 'guardrail' },
    )
    this.ended = true
  }

  /** Of an answer that goes through another form: guards look at whole bodies elsewhere. */
  reply<Reply>(reply: Reply): Reply {
    return reply
  }
}
